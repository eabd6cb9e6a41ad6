"""How birds and butterflies move."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .model import Pose
from .motion import Moment, Motion, leap, posed, pulse, smooth, somersault, trailing

WINGBEAT = 2.6  # Hz
WADDLE = 1.4


def _flapping(moment: Moment) -> Pose:
    """Some wingbeats, then a glide."""
    glide = pulse(moment.turns(0.28), 0.62, 0.97, 0.1)
    beat = moment.wave(WINGBEAT)
    wing = (1 - glide) * (-34 - 52 * beat) + glide * (-22 + 4 * moment.wave(0.9))
    joints = {"wing_near": wing, "wing_far": 0.9 * wing + 6, "tail": 5 * moment.wave(0.6) - 3 * (1 - glide) * beat}
    joints |= {"head": 2.5 * beat * (1 - glide), "leg_near": 18.0, **trailing(moment, 0.5)}
    joints |= {"wing_near_tip": -18 * moment.wave(WINGBEAT, -0.2) * (1 - glide)}
    bob = (1 - glide) * 0.07 * moment.wave(WINGBEAT, 0.55)
    turn = -5 + 4 * moment.wave(0.28) + 6 * glide
    return posed(moment, joints, dy=bob + 0.05 * moment.wave(0.28, 0.2), turn=turn)


def _perched(moment: Moment, **joints: float) -> Pose:
    look = smooth(0.5 + 2.2 * moment.wave(0.23)) - 0.5
    folded = {"wing_near": -62.0, "wing_far": -58.0, "wing_near_tip": -20.0, "tail": 4 * moment.wave(0.5)}
    return posed(moment, {**folded, "head": 14 * look, **joints}, stretch=1 + 0.012 * moment.wave(0.5))


def _at_home(moment: Moment) -> Pose:
    """Most birds of the cast live in the air; a duck does not."""
    return _flapping(moment) if moment.puppet.lift > 0 else _perched(moment)


def _chirping(moment: Moment) -> Pose:
    pose = _at_home(moment)
    return posed(moment, {**pose.joints, "head": -14 * abs(moment.wave(1.6))}, dy=pose.dy, turn=pose.turn)


def waddle(moment: Moment) -> float:
    """Rounds a second, of two steps each."""
    return WADDLE if moment.pace <= 0.02 else min(3.0, max(1.0, 3.2 * moment.pace))


def _waddling(moment: Moment) -> Pose:
    if moment.puppet.lift > 0:
        return _hopping(moment)
    step = math.sin(math.tau * (moment.phase + moment.t * waddle(moment)))
    rest = _perched(moment, head=5 * step, leg_near=26 * step, leg_far=-26 * step, body=0.0, tail=9 * step)
    return Pose(rest.joints, turn=4 * step, dy=-0.03 * abs(step))


def _wing_dancing(moment: Moment) -> Pose:
    """Shows its wings, one beat to the left and one to the right."""
    if moment.puppet.lift > 0:
        pose = _flapping(moment)
        return posed(moment, dict(pose.joints), dy=pose.dy, turn=14 * moment.wave(0.95))
    swing = moment.wave(0.95)
    bounce = abs(swing)
    rest = _perched(moment, wing_near=-58 + 50 * bounce, wing_far=-54 + 46 * bounce, head=-9 * swing)
    return Pose(rest.joints, dy=-0.06 * bounce, turn=7 * swing, stretch=1 + 0.05 * (bounce - 0.5))


def _dabbling(moment: Moment) -> Pose:
    """Afloat."""
    rest = _perched(moment, leg_near=18 * moment.wave(0.9), leg_far=-18 * moment.wave(0.9))
    return Pose(rest.joints, dy=0.14 + 0.02 * moment.wave(0.5), turn=2 * moment.wave(0.4))


def _hopping(moment: Moment) -> Pose:
    up, crouch, stretch = leap(moment.turns(1.5) % 1.0, 0.4, 0.4)
    rest = _perched(moment, tail=10 * crouch - 8 * up, head=-8 * up)
    return Pose(rest.joints, dy=-0.14 * up, stretch=stretch - 0.05 * crouch)


def _pecking(moment: Moment) -> Pose:
    peck = pulse(moment.turns(0.9), 0.2, 0.75, 0.22)
    return _perched(moment, body=14 * peck, head=44 * peck)


def _fluttering(moment: Moment) -> Pose:
    """A butterfly shows its wings and folds them; seen from the side that is a squeeze."""
    beat = moment.wave(3.1)
    fold = 10 + 26 * beat
    joints = {"wing_near": fold, "wing_far": -fold, "body": 0.0}
    path = Pose(dx=0.10 * moment.wave(0.37) + 0.05 * moment.wave(0.83), dy=0.16 * moment.wave(0.53, 0.3))
    stretch = 1.06 + 0.07 * beat
    return posed(moment, joints, dx=path.dx, dy=path.dy - 0.05 * beat, turn=20 + 9 * moment.wave(0.41), stretch=stretch)


def _settled(moment: Moment) -> Pose:
    open_ = smooth(0.5 + moment.wave(0.35))
    joints = {"wing_near": 30 - 26 * open_, "wing_far": -30 + 26 * open_}
    return posed(moment, joints, turn=14.0, stretch=1.1 - 0.08 * open_)


BIRD: Mapping[str, Motion] = {
    "idle": _at_home,
    "fly": _flapping,
    "float": _flapping,
    "walk": _waddling,
    "run": _waddling,
    "swim": _dabbling,
    "sit": _perched,
    "sleep": lambda moment: _perched(moment, head=34),
    "jump": _hopping,
    "dance": _wing_dancing,
    "play": _wing_dancing,
    "wave": _wing_dancing,
    "eat": _pecking,
    "talk": _chirping,
    "spin": lambda moment: somersault(moment, _flapping),
}
INSECT: Mapping[str, Motion] = {"idle": _fluttering, "sit": _settled, "sleep": _settled, "eat": _settled}
