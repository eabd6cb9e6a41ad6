"""How loud each part of a film's sound is, and its cue list, played."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..model import Cue, Plan
from .foley import voices
from .mix import loudness
from .synthesis import Signal, add, decibels, panned

MUSIC, FEET, MOTORS = 0.20, 0.36, 0.06  #: levels; music comes out at about -25 LUFS
_QUIETEST, _LOUDEST = -32.0, -21.0  #: LUFS: what a room and a storm come to before the final level is set


def levelled(bed: Signal, rate: int) -> Signal:
    """The ambience, neither lost under the music nor drowning it."""
    level = loudness(bed, rate)
    return np.asarray(bed * decibels(min(max(level, _QUIETEST), _LOUDEST) - level)) if np.isfinite(level) else bed


def performed(listed: Sequence[Cue], plan: Plan, rate: int, early: float = 0.0) -> Signal:
    """A cue list, played: (seconds * rate, 2), and ``early`` seconds before that."""
    bus = np.zeros((round((plan.seconds + early) * rate), 2))
    takes = voices(frozenset(cue.sound for cue in listed), plan.seed, rate)
    for number, cue in enumerate(listed):
        take = takes[cue.sound][number % 3]
        add(bus, panned(cue.gain * take, cue.pan), int((cue.at + early) * rate))
    return bus
