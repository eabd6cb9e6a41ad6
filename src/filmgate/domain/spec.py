"""What is ordered, in no dialect: kinds, modes, sizes and the Spec."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DURATIONS = (4, 6, 8)  #: seconds
SEEDS = range(10000, 100000)


class Kind(StrEnum):
    """What a task makes."""

    GENERATE = "generate"
    EXTEND = "extend"
    UPGRADE_1080P = "upgrade_1080p"
    UPGRADE_4K = "upgrade_4k"

    @property
    def is_upgrade(self) -> bool:
        return self in (Kind.UPGRADE_1080P, Kind.UPGRADE_4K)


class Mode(StrEnum):
    """What a generation starts from."""

    TEXT = "text"
    FRAMES = "frames"  #: one image: the first frame; two: the first and the last
    REFERENCE = "reference"  #: one to three images of what appears in the film


class AspectRatio(StrEnum):
    LANDSCAPE = "16:9"
    PORTRAIT = "9:16"
    AUTO = "Auto"  #: as the first image has it; landscape without one


class Resolution(StrEnum):
    P720 = "720p"
    P1080 = "1080p"
    K4 = "4k"

    @property
    def lines(self) -> int:
        """The short side of the film in pixels."""
        return {"720p": 720, "1080p": 1080, "4k": 2160}[self.value]


@dataclass(frozen=True, slots=True)
class Spec:
    """One order. What is None was left to us; ``seed`` is filled in when the task is submitted."""

    prompt: str
    model: str
    kind: Kind = Kind.GENERATE
    mode: Mode = Mode.TEXT
    aspect_ratio: AspectRatio = AspectRatio.LANDSCAPE
    resolution: Resolution = Resolution.P720
    seconds: int = 8
    seed: int | None = None
    images: tuple[str, ...] = ()
    watermark: str | None = None
    translate: bool = True
    fallback: bool | None = None  #: None: not said; the refusal texts differ from an explicit False
    callback_url: str | None = None
    source_id: str | None = None  #: the task whose film is extended or upgraded
    index: int = 0  #: which of its films

    @property
    def portrait(self) -> bool:
        return self.aspect_ratio is AspectRatio.PORTRAIT

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the film in pixels."""
        short = self.resolution.lines
        long = short * 16 // 9
        return (short, long) if self.portrait else (long, short)
