"""The sound of a film: the air of the place, what the actors do, and a little music, mixed to one level.

All of it is synthesised; nothing is recorded. The same screenplay has the same sound.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..model import Screenplay
from .ambience import air
from .foley import FOLEY, cues, voices
from .mix import loudness, mastered
from .motors import engines
from .music import score
from .synthesis import Signal, add, chance, decibels, hall, panned

__all__ = ["FOLEY", "compose", "cues"]

_MUSIC, _FOLEY, _MOTORS = 0.20, 0.36, 0.06  #: levels; music comes out at about -25 LUFS
_QUIETEST, _LOUDEST = -32.0, -21.0  #: LUFS: what a room and a storm come to before the final level is set


def compose(screenplay: Screenplay, rate: int = 48_000) -> npt.NDArray[np.float32]:
    """The sound track in stereo: float32 (seconds * rate, 2), at about -16 LUFS, its true peak below -1 dBTP.

    The first and the last sample are silent. ``rate`` is in Hz.
    """
    plan = screenplay.plan
    bus = _levelled(air(plan, rate), rate)
    bus += _MOTORS * engines(screenplay, rate)
    bus += _FOLEY * hall(_performed(screenplay, rate), rate, chance(plan.seed, "room"), 0.7, 0.12)
    bus += _MUSIC * score(plan, rate)
    return mastered(bus, rate).astype(np.float32)


def _levelled(bed: Signal, rate: int) -> Signal:
    """The ambience, neither lost under the music nor drowning it."""
    level = loudness(bed, rate)
    return np.asarray(bed * decibels(min(max(level, _QUIETEST), _LOUDEST) - level)) if np.isfinite(level) else bed


def _performed(screenplay: Screenplay, rate: int) -> Signal:
    """The cue list, played."""
    bus = np.zeros((screenplay.plan.seconds * rate, 2))
    listed = cues(screenplay)
    takes = voices(frozenset(cue.sound for cue in listed), screenplay.plan.seed, rate)
    for number, cue in enumerate(listed):
        take = takes[cue.sound][number % 3]
        add(bus, panned(cue.gain * take, cue.pan), int(cue.at * rate))
    return bus
