"""Where one sound ends and the next one begins, so that nothing is to be heard of it.

A codec rounds off a wave that is cut in the middle, on both sides of the cut. So a few milliseconds around the seam are
not taken from either sound but foretold from what lies behind them: forwards from the one, backwards from the other,
and faded into each other. A tone that runs through the seam then simply runs on. Nothing moves: what is heard later is
in time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .encode import AUDIO_RATE, Sound

Wave = npt.NDArray[np.float64]

_HALF = AUDIO_RATE // 400  #: samples: 2.5 ms on either side, as far as the rounding goes, are made anew
_AROUND = AUDIO_RATE // 20  #: samples: 50 ms tell what is usual here
_STEP = 0.02  #: a smaller step from one sample to the next is not heard as a click
_STEEPER = 1.5  #: a step so many times as high as the highest around it is one
_LEARNT, _ORDER = 2048, 32  #: samples that a forecast rests on, and how many it weighs for each new one


def joined(before: Sound, after: Sound) -> Sound:
    """One after the other, (samples, 2). Changed near the seam only, and only where there would be a click."""
    if min(len(before), len(after)) <= 2 * _HALF or not _clicks(before, after):
        return np.concatenate([before, after])
    bridge = np.stack([_bridge(before[:, side], after[:, side]) for side in (0, 1)], axis=1)
    return np.concatenate([before[:-_HALF], bridge, after[_HALF:]])


def _clicks(before: Sound, after: Sound) -> bool:
    """Whether a step at the seam stands out from the steps around it."""
    near = _steepest(np.concatenate([before[-_HALF:], after[:_HALF]]))
    usual = max(_steepest(before[-_AROUND:-_HALF]), _steepest(after[_HALF:_AROUND]))
    return near > max(_STEP, _STEEPER * usual)


def _steepest(sound: Sound) -> float:
    return float(np.abs(np.diff(sound, axis=0)).max(initial=0.0))


def _bridge(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The 5 ms around the seam of one channel."""
    onward = foretold(before[:-_HALF].astype(np.float64), 2 * _HALF)
    back = foretold(after[_HALF:][::-1].astype(np.float64), 2 * _HALF)[::-1]
    angle = (np.arange(2 * _HALF) + 0.5) / (2 * _HALF) * (np.pi / 2)
    # Equal power, whatever the two have in common: like adds up to more than unlike.
    power = np.sqrt(1 + _likeness(onward, back) * np.sin(2 * angle))
    return ((onward * np.cos(angle) + back * np.sin(angle)) / power).clip(-1, 1).astype(np.float32)


def _likeness(one: Wave, other: Wave) -> float:
    """0: nothing in common, to 1: the same but for loudness."""
    power = float(np.sqrt((one @ one) * (other @ other)))
    return max(0.0, float(one @ other) / power) if power > 0 else 0.0


def foretold(wave: Wave, count: int) -> Wave:
    """How a wave would go on: ``count`` samples by linear prediction, which cannot grow without bounds."""
    weights = _burg(wave[-_LEARNT:], min(_ORDER, len(wave) // 3))
    known = np.concatenate([wave[-len(weights) :] if len(weights) else wave[:0], np.zeros(count)])
    for at in range(len(weights), len(known)):
        known[at] = weights @ known[at - len(weights) : at]
    return known[len(weights) :]


def _burg(wave: Wave, order: int) -> Wave:
    """Burg's weights for the last ``order`` samples, the oldest first."""
    weights = np.ones(1)
    forward, backward = wave[1:].copy(), wave[:-1].copy()
    for _ in range(order):
        power = forward @ forward + backward @ backward
        if power < 1e-12:  # foretold exactly already
            break
        reflection = -2 * (forward @ backward) / power
        longer = np.append(weights, 0.0)
        weights = longer + reflection * longer[::-1]
        forward, backward = (forward + reflection * backward)[1:], (backward + reflection * forward)[:-1]
    return -weights[:0:-1]
