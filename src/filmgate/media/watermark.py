"""Burning a line of text into the picture: only the pixels in its own box change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import fontpkg
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ..domain.errors import Unsupported

Plane = npt.NDArray[np.uint8]
Share = npt.NDArray[np.float32]

_BLACK, _WHITE, _GREY = 16, 235, 128  # limited range: luma from 16 to 235, no colour at 128
_TEXT_OPACITY, _SHADOW_OPACITY = 0.82, 0.5
_HEIGHT = 0.042  #: of the short side: the size of the letters
_WIDEST = 0.6  #: of the width: longer text is set smaller


@dataclass(frozen=True)
class Watermark:
    """The text as shares of black and white, and where its box lies; all edges are even, so that chroma fits."""

    left: int
    top: int
    text: Share  #: (h, w), 0 to 1
    shadow: Share  #: (h, w), 0 to 1

    def burn(self, luma: Plane, blue: Plane, red: Plane) -> None:
        """Change one yuv420p picture in place. ``luma`` is (H, W); ``blue`` and ``red`` are (H/2, W/2)."""
        height, width = self.text.shape
        box = luma[self.top : self.top + height, self.left : self.left + width]
        dimmed = box * (1 - self.shadow) + _BLACK * self.shadow
        box[:] = np.rint(dimmed * (1 - self.text) + _WHITE * self.text).astype(np.uint8)
        cover = _halved(1 - (1 - self.shadow) * (1 - self.text))
        rows = slice(self.top // 2, (self.top + height) // 2)
        columns = slice(self.left // 2, (self.left + width) // 2)
        for plane in (blue, red):
            part = plane[rows, columns]
            part[:] = np.rint(part * (1 - cover) + _GREY * cover).astype(np.uint8)


def watermark(text: str, width: int, height: int) -> Watermark:
    """The text for the lower right corner of a picture of this size."""
    line = _settable(text)
    size = max(12, round(min(width, height) * _HEIGHT))
    font = _font(size)
    if font.getlength(line) > width * _WIDEST:
        font = _font(max(8, int(size * width * _WIDEST / font.getlength(line))))
    margin = round(size * 0.5)
    left, top, right, bottom = font.getbbox(line)
    box = (_even(right - left + 2 * margin), _even(bottom - top + 2 * margin))
    mask = Image.new("L", box, 0)
    ImageDraw.Draw(mask).text((margin - left, margin - top), line, fill=255, font=font)
    soft = mask.filter(ImageFilter.GaussianBlur(size * 0.12))
    letters = np.asarray(mask, dtype=np.float32) * np.float32(_TEXT_OPACITY / 255)
    shadow = np.minimum(np.asarray(soft, dtype=np.float32) / 255 * 2, np.float32(1)) * np.float32(_SHADOW_OPACITY)
    return _placed(width, height, margin, letters, shadow)


def _settable(text: str) -> str:
    """One line of what our typeface has letters for. Raises Unsupported where that is nothing."""
    font = _font(16)
    missing = bytes(font.getmask("\U0010ffff"))
    line = " ".join(text.split())
    kept = "".join(c for c in line if c == " " or (c.isprintable() and bytes(font.getmask(c)) != missing))
    if not kept.strip():
        raise Unsupported(
            "There are no letters for the watermark on this server: write it in Latin, Greek or Cyrillic."
        )
    return " ".join(kept.split())


def _placed(width: int, height: int, margin: int, letters: Share, shadow: Share) -> Watermark:
    letters, shadow = letters[:height, :width], shadow[:height, :width]
    tall, wide = letters.shape
    return Watermark(max(0, _even(width - wide - margin)), max(0, _even(height - tall - margin)), letters, shadow)


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(font_file()), size)
    font.set_variation_by_name("SemiBold")
    return font


def font_file() -> Path:
    """The upright Inter that the declared font package brings."""
    return Path(fontpkg.path("Inter", nearest=True))


def _even(length: float) -> int:
    return int(length) // 2 * 2


def _halved(share: Share) -> Share:
    height, width = share.shape
    halved: Share = share.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3), dtype=np.float32)
    return halved
