"""Sizes, frames and speeds: the one place where what a model can make becomes what a film must be.

A model makes pictures of its own sizes. The largest window of the film's shape in the middle of such a picture is what
the film shows; the images of an order are put into the same window, and what lies around it is filled up and never
seen. So a first frame comes back where it was, and 1280x736, of which 1280x720 is shown, needs no scaling at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

FPS = 24  #: of every film that we make


class Window(NamedTuple):
    """Pixels: the upper left corner, and the size."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Grid:
    """What a model accepts."""

    multiple: int  #: width and height are multiples of it
    frame_step: int  #: it makes k * frame_step + 1 frames
    fps: int  #: at which it was trained

    def legal(self, size: tuple[int, int]) -> bool:
        return all(side > 0 and side % self.multiple == 0 for side in size)

    def nearest(self, size: tuple[int, int]) -> tuple[int, int]:
        """The legal size that is nearest to this one."""
        width, height = (max(1, round(side / self.multiple)) * self.multiple for side in size)
        return width, height

    def around(self, size: tuple[int, int]) -> tuple[int, int]:
        """The smallest legal size that this one fits into."""
        width, height = (-(-side // self.multiple) * self.multiple for side in size)
        return width, height

    def frames(self, seconds: int, overlap: int = 0) -> int:
        """The fewest that it can make which last so long, with so many in front that repeat another film's end."""
        needed = seconds * self.fps + overlap
        return -(-(needed - 1) // self.frame_step) * self.frame_step + 1


def window(made: tuple[int, int], shown: tuple[int, int]) -> Window:
    """The part of a picture of size ``made`` that has the shape of ``shown``: as large as can be, in the middle."""
    (width, height), (across, down) = made, shown
    if width * down > height * across:
        wide, high = round(height * across / down), height
    else:
        wide, high = width, round(width * down / across)
    return Window((width - wide) // 2, (height - high) // 2, wide, high)


def placed(size: tuple[int, int], portrait: bool) -> tuple[int, int]:
    """A size that is meant for landscapes, turned where the film is upright."""
    return (size[1], size[0]) if portrait else size
