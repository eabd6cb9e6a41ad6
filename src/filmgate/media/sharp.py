"""A larger picture that, made small again, is the picture that it was made from.

Lanczos alone leaves a picture softer than it need be. So what the enlarged picture loses when it is made small again is
enlarged too and added, twice (iterative back-projection). Nobody knows how the small picture came about; it is taken
for something between the mean over each pixel's area, as sensors do, and a bicubic filter, which is better than Lanczos
for both and for what lies between. No pixel may leave the range of its neighbourhood by more than a tenth of it, so
that no edge gets a halo.

Brightness alone is treated so: films store half of the colours, since eyes see no more of them.
``benchmarks/upscale.py`` measures it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image

from .encode import Pixels
from .pictures import Fitting, frames

_ROUNDS = 2  #: a third one changes less than a hundredth of a decibel
_AREA = 0.4  #: the share of the area's mean in how the picture is made small again
_BEYOND = 0.1  #: of the range of its neighbourhood, by which a pixel may leave it
#: A step of brightness, what stands for 0 where there are signs, and the most: 15 bits, so that two fit into 16.
_ONE, _MIDDLE, _MOST = 128, 16_384, 32_767

Fine = npt.NDArray[np.uint16]
Wide = npt.NDArray[np.int32]


def sharpened(film: Path, width: int, height: int) -> Iterator[Pixels]:
    """As ``pictures`` gives them, sharper. Size in pixels, larger than the film's."""
    larger = Fitting(width, height)
    sharpen: Sharpen | None = None
    for frame in frames(film):
        planes = larger(frame)
        if sharpen is None:
            sharpen, same = Sharpen((frame.width, frame.height), (width, height)), Fitting(frame.width, frame.height)
        planes[:height] = sharpen(same(frame)[: frame.height])
        yield planes


class Sharpen:
    """Planes of brightness of one size (width, height) -> those of a larger one."""

    def __init__(self, small: tuple[int, int], large: tuple[int, int]) -> None:
        self._small, self._large = small, large
        self._lanczos = _Scaler(large, Interpolation.LANCZOS)
        self._linear = _Scaler(large, Interpolation.BILINEAR)
        self._larger = _Scaler(large, Interpolation.BICUBIC)
        self._smaller = _Scaler(small, Interpolation.BICUBIC)

    def __call__(self, brightness: Pixels) -> Pixels:
        """(height, width) uint8 -> the same, larger."""
        seen = brightness.astype(np.int32) * _ONE
        guess = self._lanczos(_fine(seen))
        for _ in range(_ROUNDS):
            lost = self._larger(_fine(seen - self._made_small(guess) + _MIDDLE))
            guess = _sum(np.minimum(guess, _MOST), np.minimum(lost, _MOST))
        lowest, highest = _range(seen)
        kept = np.clip(guess, self._linear(_fine(lowest)), self._linear(_fine(highest)))
        return _rounded(kept)

    def _made_small(self, guess: Fine) -> Wide:
        area = np.asarray(Image.fromarray(guess).resize(self._small, Image.Resampling.BOX))
        small: Wide = (_AREA * area + (1 - _AREA) * self._smaller(guess)).astype(np.int32)
        return small


class _Scaler:
    """Planes of 16 bits to one size; libswscale, which is ten times as fast as anything in Python."""

    def __init__(self, size: tuple[int, int], how: Interpolation) -> None:
        self._reformat, self._size, self._how = VideoReformatter(), size, how

    def __call__(self, plane: Fine) -> Fine:
        frame = av.VideoFrame.from_ndarray(plane, format="gray16le")
        scaled: Fine = self._reformat.reformat(  # type: ignore[assignment]  # gray16le is always uint16
            frame, *self._size, "gray16le", interpolation=self._how
        ).to_ndarray()
        return scaled


def _fine(plane: Wide) -> Fine:
    return np.clip(plane, 0, _MOST).astype(np.uint16)


def _sum(guess: Fine, lost: Fine) -> Fine:
    """In place, and never below 0: pictures are large."""
    total: Fine = np.add(guess, lost, out=guess)
    np.maximum(total, _MIDDLE, out=total)
    total -= _MIDDLE
    return np.minimum(total, _MOST, out=total)


def _rounded(plane: Fine) -> Pixels:
    pixels: Pixels = (np.minimum(plane + _ONE // 2, _MOST) // _ONE).astype(np.uint8)
    return pixels


def _range(plane: Wide) -> tuple[Wide, Wide]:
    """The lowest and the highest that each pixel may become: from the nine around it."""
    height, width = plane.shape
    framed = np.pad(plane, 1, mode="edge")
    around = [framed[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    low: Wide = np.minimum.reduce(around)
    high: Wide = np.maximum.reduce(around)
    beyond = ((high - low) * _BEYOND).astype(np.int32)
    return low - beyond, high + beyond
