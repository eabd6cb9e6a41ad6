"""The pictures of a film, one after the other, in the size and the colours that our encoder takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from ..domain.errors import OutputUnusable
from .encode import Pixels
from .probe import reading

_FINE = Interpolation.LANCZOS | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
_SHORTER_S = 0.25  #: than its index says: by so much a film may be
_NOT_SAID = 2  # of a colour space, in the numbers of H.273


@dataclass(frozen=True, slots=True)
class Pace:
    """How many pictures, and how fast."""

    fps: Fraction
    frames: int

    @property
    def seconds(self) -> Fraction:
        return self.frames / self.fps


def pace(film: Path) -> Pace:
    """Counted by reading the whole file, without decoding it. Raises OutputUnusable where a part of it is missing."""
    with reading(film) as opened:
        stream = opened.streams.video[0]
        frames = sum(packet.size > 0 for packet in opened.demux(stream))
        counted = Pace(Fraction(stream.average_rate or 24), frames)
        promised = (stream.duration or 0) * (stream.time_base or 0)
    if not frames or counted.seconds < promised - _SHORTER_S:
        raise OutputUnusable("The film is incomplete: pictures that its index promises are not in the file.")
    return counted


def pictures(film: Path, width: int, height: int) -> Iterator[Pixels]:
    """(height * 3 / 2, width) planes, BT.709 in limited range; scaled by Lanczos where the film has another size."""
    fit = Fitting(width, height)
    for frame in frames(film):
        yield fit(frame)


def frames(film: Path) -> Iterator[av.VideoFrame]:
    """As they are stored, one after the other."""
    with reading(film) as opened:
        opened.streams.video[0].thread_type = "AUTO"
        yield from opened.decode(video=0)


def colours(frame: av.VideoFrame) -> int:
    """The colour space of a frame: BT.709 where it does not say."""
    return Colorspace.ITU709 if frame.colorspace == _NOT_SAID else frame.colorspace


class Fitting:
    """Frames of any kind -> planes as ``pictures`` gives them."""

    def __init__(self, width: int, height: int) -> None:
        self._reformat, self._width, self._height = VideoReformatter(), width, height

    def __call__(self, frame: av.VideoFrame) -> Pixels:
        planes: Pixels = self._reformat.reformat(  # type: ignore[assignment]  # yuv420p is always uint8
            frame, self._width, self._height, "yuv420p", interpolation=_FINE,
            src_colorspace=colours(frame), dst_colorspace=Colorspace.ITU709,
            src_color_range=frame.color_range or ColorRange.MPEG, dst_color_range=ColorRange.MPEG,
        ).to_ndarray()  # fmt: skip
        return planes


def repaced(shown: Iterable[Pixels], pace: Pace, fps: Fraction) -> Iterator[Pixels]:
    """The same pictures at another speed: some twice, or some not at all, so that the film lasts as long."""
    sent = 0
    for number, planes in enumerate(shown, 1):
        due = round(number * fps / pace.fps)
        yield from [planes] * (due - sent)
        sent = due
