"""How quadrupeds move."""

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
    pulse,
    round_rate,
    smooth,
    striding,
    trailing,
    voice,
)
from .puppets import Puppet

_FOUR = ("leg_back_near", "leg_front_near", "leg_back_far", "leg_front_far")


def _four(*offsets: float) -> dict[str, float]:
    return dict(zip(_FOUR, offsets, strict=True))


AMBLE = Gait(21, 0.62, 0.9, 0.5, 2.2, 38, _four(0.0, 0.25, 0.5, 0.75))
GALLOP = Gait(44, 0.42, 2.2, 2.0, 3.2, 74, _four(0.0, 0.46, 0.12, 0.58), hop=0.09)
BOUND = Gait(26, 0.46, 1.7, 1.4, 2.6, 58, _four(0.0, 0.5, 0.06, 0.56), hop=0.11)
PADDLE = Gait(24, 0.5, 1.0, 0.8, 1.6, 45, _four(0.0, 0.5, 0.5, 0.0))


def _level(joints: Joints, pitch: float) -> Joints:
    """The joints with the body pitched and the legs and the head kept as they were meant."""
    turned = {name: angle - pitch for name, angle in joints.items() if name in _FOUR}
    head = joints.get("head", 0.0) - 0.6 * pitch
    return {**joints, **turned, "body": pitch, "head": head}


def _planted(moment: Moment, shorter: Mapping[str, float]) -> tuple[float, float]:
    """(pitch in degrees, dy): how the body sinks so that the lowest front and hind feet touch the ground."""
    back = min(shorter["leg_back_near"], shorter["leg_back_far"])
    front = min(shorter["leg_front_near"], shorter["leg_front_far"])
    part = moment.puppet.part
    length = part("leg_front_near").pivot[0] - part("leg_back_near").pivot[0]
    return math.degrees(math.atan2(front - back, max(0.2, length))), back


def _wag(moment: Moment, frequency: float, swing: float, base: float = 0.0) -> Joints:
    """The tail, and the wings of those that have some."""
    return {
        "tail": base + swing * moment.wave(frequency),
        "tail_tip": swing * 0.9 * moment.wave(frequency, -0.2),
        "wing_near": 3 * moment.wave(0.6),
        "wing_far": 3 * moment.wave(0.6, -0.1),
    }


def _ambling(moment: Moment) -> Pose:
    joints, shorter = striding(AMBLE, moment)
    rate = round_rate(AMBLE, moment.puppet, moment.pace, moment.tempo)
    nod = math.sin(math.tau * 2 * (moment.phase + moment.t * rate))
    pitch, dy = _planted(moment, shorter)
    joints |= {**trailing(moment, 0.4), **_wag(moment, 1.1, 9), "head": 2.5 * nod}
    return posed(moment, _level(joints, pitch), dy=dy)


def _galloping(gait: Gait, moment: Moment, wag: float) -> Pose:
    joints, shorter = striding(gait, moment)
    place = moment.phase + moment.t * round_rate(gait, moment.puppet, moment.pace, moment.tempo)
    rocking = 6.5 * math.sin(math.tau * (place - 0.12))
    pitch, dy = _planted(moment, shorter)
    hop = gait.hop * (0.5 - 0.5 * math.cos(math.tau * (place - 0.22)))
    head = -0.8 * rocking - 3
    joints |= {**trailing(moment, 1.0), **_wag(moment, 3.2 if wag > 12 else 1.9, wag, 14), "head": head}
    joints |= {"ear": -14 + 18 * math.sin(math.tau * (place - 0.4)), "jaw": 5 + 4 * math.sin(math.tau * place)}
    return posed(moment, _level(joints, 0.4 * pitch + rocking), dy=0.5 * dy - hop, stretch=1 + 0.3 * (hop - 0.03))


def _playing(moment: Moment) -> Pose:
    bow = pulse(moment.turns(0.36), 0.52, 0.98, 0.09) if moment.pace < 0.2 else 0.0
    bounding = _galloping(BOUND, moment, 22)
    return _blend(bounding, _bowing(moment), bow)


def _bowing(moment: Moment) -> Pose:
    """Come and play: chest on the ground, tail in the air."""
    joints = {"body": 17.0, "head": -14 + 4 * moment.wave(1.7), "jaw": 8.0, "ear": 8 * moment.wave(1.7, 0.2)}
    joints |= dict.fromkeys(_FOUR, -17.0)
    joints |= {"leg_front_near": -74.0, "leg_front_near_lower": 8.0, "leg_front_far": -68.0, "leg_front_far_lower": 6.0}
    return posed(moment, {**joints, **_wag(moment, 3.4, 26, 18)}, dy=0.015)


def _blend(a: Pose, b: Pose, share: float) -> Pose:
    """``share`` (0 to 1) of b in a."""

    def mixed(x: float, y: float) -> float:
        return x + (y - x) * share

    joints = {name: mixed(a.joints.get(name, 0), b.joints.get(name, 0)) for name in sorted({*a.joints, *b.joints})}
    return Pose(joints, mixed(a.dx, b.dx), mixed(a.dy, b.dy), mixed(a.turn, b.turn), mixed(a.stretch, b.stretch))


def _standing(moment: Moment) -> Pose:
    look = smooth(0.5 + 0.9 * moment.wave(0.17)) - 0.5
    twitch = pulse(moment.turns(0.31), 0.4, 0.5, 0.04)
    joints = {**trailing(moment, 0.15), **_wag(moment, 0.8, 8), "head": -7 * look + 1.5 * moment.wave(0.4)}
    joints["ear"] = -16 * twitch + 2 * moment.wave(0.4)
    return posed(moment, joints, stretch=1 + 0.008 * moment.wave(0.4))


def _four_jumping(moment: Moment) -> Pose:
    up, crouch, stretch = leap(moment.turns(0.75) % 1.0)
    joints = {**trailing(moment, 0.8), **_wag(moment, 2.2, 14, 12), "head": -9 * up + 8 * crouch, "jaw": 9 * up}
    pitch = -9 * up * math.cos(math.pi * (moment.turns(0.75) % 1.0 - 0.2)) * 1.2
    for leg in _FOUR:
        front = "front" in leg
        joints[leg] = (-40 if front else 36) * up + (24 if front else -28) * crouch
        joints[f"{leg}_lower"] = (52 if front else 12) * up + (-40 if front else 44) * crouch
    return posed(moment, _level(joints, pitch), dy=-0.42 * up + 0.07 * crouch, stretch=stretch - 0.04 * crouch)


def _four_sitting(moment: Moment) -> Pose:
    """The hind feet stay flat on the ground, and the rump sinks down to them."""
    puppet = moment.puppet
    hip, lower = leg_length(puppet, "leg_back_near"), _lower_length(puppet, "leg_back_near")
    length = max(0.2, puppet.part("leg_front_near").pivot[0] - puppet.part("leg_back_near").pivot[0])
    sink = max(0.0, hip - lower - 0.03)
    pitch = -math.degrees(math.asin(min(0.5, sink / length)))
    joints = {**_wag(moment, 1.6, 12, -0.6 * pitch - 30), "head": -0.6 * pitch + 3 * moment.wave(0.3)}
    joints |= {"body": pitch, "leg_front_near": -pitch - 2, "leg_front_far": -pitch - 5, "ear": 3 * moment.wave(0.4)}
    for side in ("near", "far"):
        joints |= {f"leg_back_{side}": -pitch - 82, f"leg_back_{side}_lower": 82.0}
    return posed(moment, joints, dy=sink, stretch=1 + 0.01 * moment.wave(0.4))


def _lower_length(puppet: Puppet, leg: str) -> float:
    lower = f"{leg}_lower"
    return leg_length(puppet, lower) if lower in puppet else leg_length(puppet, leg) / 2


def _four_sleeping(moment: Moment) -> Pose:
    drop = 0.64 * leg_length(moment.puppet, "leg_front_near")
    joints = {"head": 26 + 1.5 * moment.wave(0.25), "jaw": -4.0, "tail": -34.0, "tail_tip": -20.0, "ear": 10.0}
    for side, more in (("near", 0.0), ("far", -8.0)):
        joints |= {f"leg_front_{side}": -62.0 + more, f"leg_front_{side}_lower": -24.0}
        joints |= {f"leg_back_{side}": -50.0 + more, f"leg_back_{side}_lower": -34.0}
    return posed(moment, joints, dy=drop, stretch=1 + 0.018 * moment.wave(0.25))


def _eating(moment: Moment) -> Pose:
    chew = moment.wave(2.2)
    down = smooth(0.5 + 1.4 * moment.wave(0.16, 0.1))
    joints = {"head": 50 * down + 2.5 * chew, "jaw": 5 + 5 * chew, "ear": 6 * moment.wave(0.7), **_wag(moment, 1.0, 10)}
    return posed(moment, _level(joints, 3 * down))


def _four_dancing(moment: Moment) -> Pose:
    beat = moment.turns(0.95)
    bounce = abs(math.sin(math.tau * beat))
    swing = math.sin(math.tau * beat)
    joints = {**trailing(moment, 0.9), **_wag(moment, 1.9, 24, 8), "head": -9 * swing - 4, "jaw": 6 * bounce}
    for leg, side in zip(_FOUR, (1, -1, -1, 1), strict=True):
        lifted = max(0.0, side * swing)
        joints |= {leg: -30 * lifted, f"{leg}_lower": 52 * lifted}
    return posed(moment, _level(joints, 5 * swing), dy=-0.05 * bounce, stretch=1 + 0.05 * (bounce - 0.5))


def _pawing(moment: Moment) -> Pose:
    """Greets with a paw."""
    joints = {**_wag(moment, 2.2, 18, 6), "head": -8 + 3 * moment.wave(0.9), "jaw": 6.0}
    joints |= {"leg_front_near": -68 + 12 * moment.wave(1.4), "leg_front_near_lower": 34 + 22 * moment.wave(1.4, 0.1)}
    return posed(moment, joints, stretch=1 + 0.008 * moment.wave(0.5))


def _four_talking(moment: Moment) -> Pose:
    said = voice(moment)
    joints = {**trailing(moment, 0.3), **_wag(moment, 1.4, 12), "head": -4 - 7 * said, "jaw": 16 * said}
    return posed(moment, joints, stretch=1 + 0.01 * said)


def _paddling(moment: Moment) -> Pose:
    joints, _ = striding(PADDLE, moment)
    joints |= {**_wag(moment, 1.2, 14), "head": -12 + 3 * moment.wave(0.8), "ear": -8.0}
    return posed(moment, _level(joints, -6.0), dy=0.12 + 0.03 * moment.wave(0.8))


def _four_flying(moment: Moment) -> Pose:
    joints = {**trailing(moment, 1.0), **_wag(moment, 1.5, 12, 16), "head": -8 + 3 * moment.wave(0.7), "ear": -20.0}
    joints |= {"wing_near": -30 - 38 * moment.wave(1.5), "wing_far": -16 - 34 * moment.wave(1.5)}
    for leg in _FOUR:
        forward = -1 if "front" in leg else 1
        joints |= {leg: forward * (54 + 7 * moment.wave(0.9, 0.1 * forward)), f"{leg}_lower": 14.0}
    return posed(moment, _level(joints, -6 + 4 * moment.wave(0.6)), dy=0.05 * moment.wave(0.6))


def _four_floating(moment: Moment) -> Pose:
    joints = {**trailing(moment, 0.3), **_wag(moment, 0.5, 14), "head": 6 * moment.wave(0.4)}
    for i, leg in enumerate(_FOUR):
        joints |= {leg: 14 * moment.wave(0.35, 0.2 * i), f"{leg}_lower": 16 + 12 * moment.wave(0.35, 0.2 * i - 0.15)}
    return posed(moment, joints, turn=5 * moment.wave(0.2), dy=0.05 * moment.wave(0.27))


QUADRUPED: Mapping[str, Motion] = {
    "idle": _standing,
    "walk": _ambling,
    "run": lambda moment: _galloping(GALLOP, moment, 9),
    "play": _playing,
    "jump": _four_jumping,
    "dance": _four_dancing,
    "spin": _playing,
    "fly": _four_flying,
    "swim": _paddling,
    "float": _four_floating,
    "roll": lambda moment: _galloping(GALLOP, moment, 9),
    "sit": _four_sitting,
    "sleep": _four_sleeping,
    "wave": _pawing,
    "eat": _eating,
    "talk": _four_talking,
    "sway": _standing,
}
