"""The images that a film starts from: fitted to the frame, or cut out of their paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from .bake import Pixels

CUT_SIDE = 1400  #: pixels: the longer side of an image that is cut out, at most
_LOOKED = 288  #: ... and of the small copy in which the background is looked for
_PLAIN = 30.0  #: how far the colours of a plain border lie apart, at most
_ALIKE = 34.0  #: what is closer to the border's colour than this is background
_CUTTABLE = (0.06, 0.82)  #: the share of the picture that a cut-out may be

Mask = npt.NDArray[np.bool_]


def fitted(path: Path, width: int, height: int) -> Pixels:
    """The image, scaled to cover the frame and cropped about its middle: (height, width, 4) opaque BGRA.

    What is transparent in it becomes white paper.
    """
    with Image.open(path) as file:
        picture = file.convert("RGBA")
    paper = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    flat = Image.alpha_composite(paper, picture).convert("RGB")
    filled = np.asarray(ImageOps.fit(flat, (width, height), Image.Resampling.LANCZOS))
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = filled[..., ::-1]
    return pixels


def cut_out(path: Path) -> tuple[Pixels, bool]:
    """(the image as premultiplied BGRA, whether its subject was cut out of its background).

    A subject before one plain colour, or with transparency around it, is cut out and cropped to its outline; any other
    image stays the rectangle that it is.
    """
    with Image.open(path) as file:
        picture = file.convert("RGBA")
    picture.thumbnail((CUT_SIDE, CUT_SIDE), Image.Resampling.LANCZOS)
    alpha = _outline(picture)
    if alpha is None:
        return _premultiplied(picture.convert("RGB").convert("RGBA")), False
    picture.putalpha(alpha)
    box = alpha.point(lambda value: 255 if value > 24 else 0).getbbox()
    return _premultiplied(picture.crop(box)), True


def shape_of(path: Path) -> float:
    """The width of what ``cut_out`` makes of the image, in its heights."""
    pixels, _ = cut_out(path)
    return float(pixels.shape[1] / pixels.shape[0])


def _premultiplied(picture: Image.Image) -> Pixels:
    pixels = np.array(picture)[..., [2, 1, 0, 3]]
    pixels[..., :3] = (pixels[..., :3] * (pixels[..., 3:].astype(np.uint16)) // 255).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def _outline(picture: Image.Image) -> Image.Image | None:
    """The alpha of the subject; None where there is nothing that could be cut out."""
    own = picture.getchannel("A")
    if _share(np.asarray(own) > 127) < 0.97:
        return own
    small = picture.convert("RGB")
    small.thumbnail((_LOOKED, _LOOKED), Image.Resampling.BOX)
    colours = np.asarray(small).astype(np.float32)
    border = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    plain = np.median(border, axis=0)
    if float(np.quantile(_apart(border, plain), 0.9)) > _PLAIN:
        return None
    subject = ~_flooded(_apart(colours, plain) < _ALIKE)
    if not _CUTTABLE[0] < _share(subject) < _CUTTABLE[1]:
        return None
    return _fine(picture, plain, subject)


def _share(mask: Mask) -> float:
    return float(np.mean(mask))


def _apart(colours: npt.NDArray[np.float32], plain: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    distance: npt.NDArray[np.float32] = np.sqrt(((colours - plain) ** 2).sum(axis=-1))
    return distance


def _flooded(alike: Mask) -> Mask:
    """What of ``alike`` can be reached from the border: a white shirt on white paper has an outline, and stays."""
    reached = np.zeros_like(alike)
    reached[[0, -1]], reached[:, [0, -1]] = alike[[0, -1]], alike[:, [0, -1]]
    count = -1
    while (found := int(reached.sum())) != count:
        count = found
        for _ in range(16):
            grown = reached.copy()
            grown[1:] |= reached[:-1]
            grown[:-1] |= reached[1:]
            grown[:, 1:] |= reached[:, :-1]
            grown[:, :-1] |= reached[:, 1:]
            reached = grown & alike
    return reached


def _fine(picture: Image.Image, plain: npt.NDArray[np.float32], subject: Mask) -> Image.Image:
    """The outline at the picture's own size: coarsely where the flood stopped, finely by colour."""
    coarse = Image.fromarray((subject * 255).astype(np.uint8)).resize(picture.size, Image.Resampling.BICUBIC)
    around = np.asarray(coarse).astype(np.float32) / 255
    own = np.clip((_apart(np.asarray(picture.convert("RGB")).astype(np.float32), plain) - 0.4 * _ALIKE) / _ALIKE, 0, 1)
    alpha = np.where(around > 0.9, around, np.clip(around * 2, 0, 1) * own)
    return Image.fromarray((np.clip(alpha, 0, 1) * 255).astype(np.uint8))
