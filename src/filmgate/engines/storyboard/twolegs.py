"""How bipeds move."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .model import Pose
from .motion import (
    Gait,
    Joints,
    Moment,
    Motion,
    leap,
    leg_length,
    posed,
    round_rate,
    smooth,
    striding,
    trailing,
    voice,
    wheeling,
)

_TWO = {"leg_near": 0.0, "leg_far": 0.5}
WALK = Gait(23, 0.56, 0.85, 0.5, 2.0, 46, _TWO)
RUN = Gait(34, 0.4, 1.35, 1.05, 2.6, 86, _TWO, hop=0.035)
SKIP = Gait(27, 0.44, 1.2, 1.0, 2.2, 74, _TWO, hop=0.07)


def _arms(near: float, far: float, near_bend: float, far_bend: float) -> Joints:
    """Shoulders and elbows; an elbow bends forward, which is a negative turn."""
    return {"arm_near": near, "arm_far": far, "arm_near_lower": -near_bend, "arm_far_lower": -far_bend}


def _walking(moment: Moment) -> Pose:
    joints, shorter = striding(WALK, moment)
    near, far = joints["leg_near"], joints["leg_far"]
    swing = 0.42 * (far - near)
    joints |= _arms(swing, -swing, 14 + 0.35 * max(0.0, -swing), 14 + 0.35 * max(0.0, swing))
    rate = round_rate(WALK, moment.puppet, moment.pace, moment.tempo)
    nod = math.sin(math.tau * 2 * (moment.phase + moment.t * rate))
    joints |= {**trailing(moment, 0.5), "torso": 2 + 0.8 * nod, "head": -1.5 - 1.2 * nod, "skirt": 0.12 * (near + far)}
    return posed(moment, joints, dy=min(shorter.values()))


def _running(gait: Gait, moment: Moment, lean: float, lively: float) -> Pose:
    joints, shorter = striding(gait, moment)
    near, far = joints["leg_near"], joints["leg_far"]
    swing = lively * (far - near)
    place = 2 * (moment.phase + moment.t * round_rate(gait, moment.puppet, moment.pace, moment.tempo))
    hop = gait.hop * (0.5 - 0.5 * math.cos(math.tau * (place - 0.3)))
    joints |= _arms(swing - 8, -swing - 8, 72, 72)
    joints |= {**trailing(moment, 1.1), "torso": lean + 1.5 * math.sin(math.tau * place), "head": -0.7 * lean}
    joints["skirt"] = -0.1 * (near + far) + 5
    return posed(moment, joints, dy=min(shorter.values()) - hop, stretch=1 + 0.5 * (hop - gait.hop / 2))


def _two_playing(moment: Moment) -> Pose:
    """Skips along with the arms in the air, or hops on the spot."""
    if moment.pace < 0.1:
        return _two_jumping(moment)
    skipping = _running(SKIP, moment, 3, 0.5)
    cheer = 0.5 + 0.5 * moment.wave(0.4)
    joints = dict(skipping.joints)
    joints["arm_near"] = joints.get("arm_near", 0.0) * 0.4 + 95 * cheer + 30
    joints["arm_far"] = joints.get("arm_far", 0.0) * 0.4 - 95 * cheer - 40
    joints |= {"arm_near_lower": 24 + 14 * moment.wave(1.7), "arm_far_lower": -24 - 14 * moment.wave(1.7)}
    return Pose(joints, skipping.dx, skipping.dy, skipping.turn, skipping.stretch)


def _two_standing(moment: Moment) -> Pose:
    breath = moment.wave(0.3)
    look = smooth(0.5 + 1.1 * moment.wave(0.13, 0.3)) - 0.5
    joints = {**trailing(moment, 0.2), **_arms(3 + 2 * breath, -3 - 2 * breath, 10 + 2 * breath, 12 - 2 * breath)}
    joints |= {"torso": 0.8 * breath, "head": -8 * look + breath}
    return posed(moment, joints, stretch=1 + 0.006 * breath)


def _two_jumping(moment: Moment) -> Pose:
    up, crouch, stretch = leap(moment.turns(0.85) % 1.0)
    joints = trailing(moment, 0.8) | _arms(145 * up + 40 * crouch, -150 * up + 30 * crouch, -14 * up, 14 + 12 * crouch)
    for leg, tuck in (("leg_near", 1.0), ("leg_far", 0.6)):
        joints |= {leg: -46 * crouch - 30 * tuck * up, f"{leg}_lower": 84 * crouch + 58 * tuck * up}
    joints |= {"torso": 18 * crouch - 4 * up, "head": -10 * crouch - 6 * up, "skirt": -8 * up}
    return posed(moment, joints, dy=-0.26 * up + _sinking(moment, -46 * crouch, 84 * crouch), stretch=stretch)


def _sinking(moment: Moment, thigh: float, knee: float) -> float:
    """How far the hips sink when both legs bend like this and the feet stay on the ground."""
    hip, lower = leg_length(moment.puppet, "leg_near"), leg_length(moment.puppet, "leg_near_lower")
    upright = (hip - lower) * math.cos(math.radians(thigh)) + lower * math.cos(math.radians(thigh + knee))
    return hip - upright


BEAT = 1.9  # Hz

#: Raised arms go outwards, the near one behind and the far one ahead, so that they never hide the face.
#: The figures of the dance, a beat each: (torso, head, arm near, elbow, arm far, elbow, leg near, knee, leg far, knee).
_FIGURES = (
    (6, -8, 132, 25, -50, -60, 10, 0, -26, 46),
    (-4, 6, 92, 62, -95, -60, 0, 8, 0, 8),
    (-8, 8, 45, 70, -150, -15, -34, 58, 12, 0),
    (4, -6, 110, 50, -108, -52, 4, 8, -4, 8),
    (0, -12, 156, 8, -158, -8, 6, 4, -62, 88),
    (10, 4, 44, -88, -100, -70, 20, 24, -16, 20),
    (-6, -4, 164, 10, -148, -12, -66, 92, 6, 4),
    (-2, 8, 82, 80, -42, 84, -14, 20, 20, 24),
)
_FIGURE_JOINTS = (
    "torso", "head", "arm_near", "arm_near_lower", "arm_far", "arm_far_lower",
    "leg_near", "leg_near_lower", "leg_far", "leg_far_lower",
)  # fmt: skip


def _dancing(moment: Moment) -> Pose:
    # A group keeps the beat; each of it is at another figure of the dance.
    beat = moment.t * BEAT * moment.tempo + round(moment.phase * len(_FIGURES))
    at = math.floor(beat)
    here, there = (_FIGURES[i % len(_FIGURES)] for i in (at, at + 1))
    through = beat - at
    share = smooth(through / 0.28) if moment.puppet.stepped else smooth(smooth(through))
    values = [a + (b - a) * share for a, b in zip(here, there, strict=True)]
    joints = dict(zip(_FIGURE_JOINTS, values, strict=True))
    bounce = abs(math.sin(math.pi * beat))
    joints |= trailing(moment, 0.9) | {"skirt": -1.2 * joints["torso"] + 7 * moment.wave(0.95, 0.2)}
    lowest = min(_sinking_of(moment, joints, leg) for leg in _TWO)
    return posed(
        moment, joints, dy=lowest - 0.035 * bounce, turn=0.3 * joints["torso"], stretch=1 + 0.02 * (bounce - 0.5)
    )


def _sinking_of(moment: Moment, joints: Joints, leg: str) -> float:
    return _sinking(moment, joints[leg], joints[f"{leg}_lower"])


def _waving(moment: Moment) -> Pose:
    joints = dict(_two_standing(moment).joints)
    joints |= {"arm_near": 128 + 5 * moment.wave(1.6), "arm_near_lower": 24 + 30 * moment.wave(1.6, -0.08)}
    joints |= {"head": -5 + 2 * moment.wave(0.8), "torso": -2.0}
    return posed(moment, joints, stretch=1 + 0.006 * moment.wave(0.8))


def _two_talking(moment: Moment) -> Pose:
    said, hand = voice(moment), moment.wave(0.45)
    joints = {**trailing(moment, 0.3), **_arms(-18 - 12 * hand, -10 + 8 * hand, 58 + 22 * hand, 40 - 20 * hand)}
    joints |= {"torso": 1.5 * hand, "head": -4 * said + 3 * hand, "jaw": 12 * said}
    return posed(moment, joints, stretch=1 + 0.008 * said)


def _two_sitting(moment: Moment) -> Pose:
    """On the ground, legs stretched out in front."""
    joints = _arms(26, 30, 6, 6) | {"leg_near": -84.0, "leg_far": -74.0, "leg_near_lower": 4.0, "leg_far_lower": -8.0}
    joints |= {"torso": -8 + moment.wave(0.3), "head": 6 + 4 * moment.wave(0.17), **trailing(moment, 0.2)}
    return posed(moment, joints, dx=-0.16, dy=leg_length(moment.puppet, "leg_near") - 0.07)


def _two_sleeping(moment: Moment) -> Pose:
    """Lies on the back, feet to where it faced."""
    breath = moment.wave(0.22)
    joints = _arms(14 + 3 * breath, 6, 34, 20) | {"leg_near": -10.0, "leg_near_lower": 16.0, "head": 4 + breath}
    return posed(moment, joints, dx=0.48, dy=-0.09, turn=-86.0, stretch=1 + 0.006 * breath)


def _two_swimming(moment: Moment) -> Pose:
    stroke = 360 * moment.turns(0.7)
    kick = moment.wave(2.1)
    joints = {"arm_near": -stroke, "arm_far": -stroke - 180, "arm_near_lower": -12.0, "arm_far_lower": -12.0}
    joints |= {
        "leg_near": 12 * kick,
        "leg_far": -12 * kick,
        "leg_near_lower": 14 + 10 * kick,
        "leg_far_lower": 14 - 10 * kick,
    }
    joints |= {"head": -46 + 5 * moment.wave(0.7), **trailing(moment, 0.3)}
    return posed(moment, joints, turn=74.0, dx=-0.45, dy=-0.14 + 0.02 * moment.wave(0.7))


def _two_flying(moment: Moment) -> Pose:
    """An arm ahead, the legs behind."""
    joints = _arms(16 + 4 * moment.wave(0.6), -166 + 4 * moment.wave(0.5), 12, 4)
    joints |= {
        "leg_near": 6 * moment.wave(0.8),
        "leg_far": 10 - 6 * moment.wave(0.8),
        "leg_far_lower": 24.0,
        "head": -42.0,
    }
    joints |= trailing(moment, 1.2)
    return posed(moment, joints, turn=66 + 4 * moment.wave(0.4), dx=-0.42, dy=-0.2 + 0.04 * moment.wave(0.4, 0.2))


def _two_floating(moment: Moment) -> Pose:
    """Weightless."""
    joints = {**trailing(moment, 0.2), "head": 6 * moment.wave(0.21), "torso": 5 * moment.wave(0.19, 0.3)}
    joints |= _arms(
        -52 + 22 * moment.wave(0.23),
        -70 + 18 * moment.wave(0.19, 0.4),
        30 + 14 * moment.wave(0.27),
        26 + 12 * moment.wave(0.21),
    )
    joints |= {"leg_near": -16 + 12 * moment.wave(0.2, 0.6), "leg_near_lower": 36 + 14 * moment.wave(0.22)}
    joints |= {"leg_far": 10 + 10 * moment.wave(0.17), "leg_far_lower": 26 + 12 * moment.wave(0.24, 0.5)}
    return posed(moment, joints, turn=9 * moment.wave(0.15), dy=0.05 * moment.wave(0.22), dx=0.03 * moment.wave(0.13))


def _cartwheel(moment: Moment) -> Pose:
    angle = 360 * moment.turns(0.55)
    joints = _arms(155, -155, 0, 0) | {"leg_near": -24.0, "leg_far": 24.0, "skirt": 6 * moment.wave(1.1)}
    return posed(moment, joints, **wheeling(angle, 0.55))


def _two_eating(moment: Moment) -> Pose:
    bite = smooth(0.5 + 1.3 * moment.wave(0.4))
    joints = {**trailing(moment, 0.2), **_arms(-22 - 26 * bite, 4, 50 + 78 * bite, 16)}
    joints |= {"head": 9 * bite + 2 * moment.wave(1.8), "torso": 3 * bite, "jaw": 4 + 4 * moment.wave(1.8)}
    return posed(moment, joints)


def _two_swaying(moment: Moment) -> Pose:
    swing = moment.wave(0.4)
    joints = {
        **trailing(moment, 0.4),
        **_arms(-30 + 24 * swing, 24 + 24 * swing, 30, 34),
        "torso": 6 * swing,
        "head": 6 * swing,
    }
    return posed(moment, joints, turn=2.5 * swing)


BIPED: Mapping[str, Motion] = {
    "idle": _two_standing,
    "walk": _walking,
    "run": lambda moment: _running(RUN, moment, 11, 0.62),
    "play": _two_playing,
    "jump": _two_jumping,
    "dance": _dancing,
    "spin": _cartwheel,
    "fly": _two_flying,
    "swim": _two_swimming,
    "float": _two_floating,
    "roll": lambda moment: _running(RUN, moment, 11, 0.62),
    "sit": _two_sitting,
    "sleep": _two_sleeping,
    "wave": _waving,
    "eat": _two_eating,
    "talk": _two_talking,
    "sway": _two_swaying,
}
