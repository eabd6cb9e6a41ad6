"""How those without legs and wings move: on fins, wheels, water and wind."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .model import Pose
from .motion import Joints, Moment, Motion, leap, posed, smooth, somersault, trailing

# ---------------------------------------------------------------- in the water ------------------------------------


def tailbeat(moment: Moment) -> float:
    """Hz: faster fish beat faster."""
    return 1.1 + min(2.0, 1.2 * moment.pace)


def _swimming(moment: Moment) -> Pose:
    rate = tailbeat(moment)
    joints = {
        "body": 3.5 * moment.wave(rate, 0.3),
        "tail": 20 * moment.wave(rate),
        "tail_tip": 16 * moment.wave(rate, -0.15),
    }
    joints |= {
        "fin": 16 * moment.wave(0.9),
        "fin_top": 2.5 * moment.wave(rate, 0.1),
        "fin_low": 6 * moment.wave(0.9, 0.3),
    }
    joints |= {"jaw": 4 + 4 * moment.wave(0.7), "spout": 4 * moment.wave(0.8)}
    return posed(
        moment, joints, dy=0.06 * moment.wave(0.31), dx=0.03 * moment.wave(0.23), turn=4 * moment.wave(0.31, 0.25)
    )


def _leaping_fish(moment: Moment) -> Pose:
    place = moment.turns(0.5) % 1.0
    up = max(0.0, math.sin(math.tau * place))
    swim = _swimming(moment)
    turn = -34 * math.cos(math.tau * place) * smooth(2 * up)
    return Pose(swim.joints, dy=-0.8 * up, turn=turn)


def _resting_fish(moment: Moment) -> Pose:
    joints = {"tail": 7 * moment.wave(0.4), "fin": 10 * moment.wave(0.5)}
    return posed(moment, joints, dy=0.03 * moment.wave(0.2))


FISH: Mapping[str, Motion] = {
    "idle": _swimming,
    "jump": _leaping_fish,
    "play": _leaping_fish,
    "sleep": _resting_fish,
    "sit": _resting_fish,
    "spin": lambda moment: somersault(moment, _swimming),
}

# ---------------------------------------------------------------- on wheels ---------------------------------------


def _wheels(moment: Moment) -> Joints:
    """Wheels turn by what they have travelled."""
    joints: Joints = {}
    for part in moment.puppet.parts:
        if part.name.startswith("wheel"):
            joints[part.name] = math.degrees(moment.t * moment.pace / max(0.05, -part.pivot[1])) + 360 * moment.phase
    return joints


def _rolling(moment: Moment) -> Pose:
    joints = _wheels(moment) | _pedalling(moment) | _carriages(moment) | _lights(moment)
    rough = min(1.0, 0.25 + moment.pace)
    lift = moment.puppet.lift
    if lift > 0:
        return posed(moment, joints, dy=0.06 * moment.wave(0.42), turn=-2.5 + 2.5 * moment.wave(0.31))
    dy = -0.006 * rough * (1 + moment.wave(2.3) * moment.wave(0.7))
    return posed(moment, joints, dy=dy, turn=0.5 * rough * moment.wave(1.1))


def _lights(moment: Moment) -> Joints:
    """Flames and propellers of those that fly."""
    propeller = {"propeller": 360 * moment.t * 3.7}
    return propeller | {"flame": 5 * moment.wave(4.3), "flame_2": -6 * moment.wave(3.7), **trailing(moment, 0.7)}


def _carriages(moment: Moment) -> Joints:
    shake = min(1.0, moment.pace)
    joints = {f"car_{i}": 0.5 * shake * moment.wave(1.7, 0.3 * i) for i in (1, 2, 3)}
    plume = {"smoke": 6.0, "smoke_2": 9.0, "smoke_3": 11.0}
    return joints | {name: swing * moment.wave(0.5, -0.14 * i) for i, (name, swing) in enumerate(plume.items())}


def _pedalling(moment: Moment) -> Joints:
    """A rider's feet follow the pedals."""
    puppet = moment.puppet
    if "crank" not in puppet:
        return {}
    wheel = max(0.05, -puppet.part("wheel_back").pivot[1])
    turn = math.degrees(moment.t * moment.pace / wheel) * 0.7 + 360 * moment.phase
    joints: Joints = {"crank": turn, "torso": 1.2 * math.sin(math.radians(2 * turn)), "head": 2 * moment.wave(0.3)}
    for side in ("near", "far"):
        joints[f"pedal_{side}"] = -turn
        joints |= _leg_to_pedal(moment, side, turn)
    return joints


def _leg_to_pedal(moment: Moment, side: str, turn: float) -> Joints:
    hip, knee, foot, pedal, crank = (
        complex(*moment.puppet.part(name).pivot)
        for name in (f"leg_{side}", f"leg_{side}_lower", f"foot_{side}", f"pedal_{side}", "crank")
    )
    # The ankle keeps its place above the pedal, and the pedal goes round the crank.
    goal = crank + (pedal - crank) * _turned(turn) + (foot - pedal)
    thigh, shin = abs(knee - hip), abs(foot - knee)
    far = min(abs(goal - hip), (thigh + shin) * 0.999)
    opening = math.acos(max(-1.0, min(1.0, (thigh**2 + far**2 - shin**2) / (2 * thigh * far))))
    way = (goal - hip) / abs(goal - hip) * _turned(-math.degrees(opening))
    new_knee = hip + way * thigh
    hip_turn = _angle(way / (knee - hip))
    shin_turn = _angle((goal - new_knee) / (foot - knee))
    return {f"leg_{side}": hip_turn, f"leg_{side}_lower": shin_turn - hip_turn, f"foot_{side}": -0.75 * shin_turn}


def _turned(degrees: float) -> complex:
    return complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))


def _angle(ratio: complex) -> float:
    return math.degrees(math.atan2(ratio.imag, ratio.real))


def _bouncing(moment: Moment) -> Pose:
    """A car that dances."""
    beat = moment.wave(0.95)
    bounce = abs(beat)
    rolling = _rolling(moment)
    return Pose(rolling.joints, dy=-0.08 * bounce, turn=5 * beat, stretch=1 + 0.1 * (bounce - 0.5))


def _wheel_jump(moment: Moment) -> Pose:
    up, crouch, stretch = leap(moment.turns(0.7) % 1.0)
    rolling = _rolling(moment)
    return Pose(rolling.joints, dy=-0.4 * up, turn=-8 * up, stretch=stretch - 0.06 * crouch)


WHEELED: Mapping[str, Motion] = {
    "idle": _rolling,
    "dance": _bouncing,
    "play": _bouncing,
    "jump": _wheel_jump,
    "spin": lambda moment: somersault(moment, _rolling),
}

# ---------------------------------------------------------------- on water and wind -------------------------------

SWELL = 0.23  # Hz


def _sailing(moment: Moment) -> Pose:
    """Rocks on the swell; ``tempo`` is the height of the sea."""
    sea = moment.tempo
    calm = Moment(moment.puppet, moment.t * (0.8 + 0.2 * sea), moment.phase)
    joints: Joints = {"mast": 0.8 * sea * calm.wave(SWELL, -0.1), "sailor": 2 * sea * calm.wave(SWELL, 0.4)}
    for i, name in enumerate(("sail", "sail_back", "sail_front", "jib")):
        joints[name] = 1.3 * calm.wave(0.5, 0.2 * i) + 0.5 * calm.wave(1.3, 0.1 * i)
    joints |= {name: 7 * calm.wave(1.5, 0.2 * i) for i, name in enumerate(("flag", "flag_front"))}
    joints |= _lights(calm) | _carriages(calm)
    if moment.puppet.lift > 0:
        return posed(moment, joints, dy=0.05 * calm.wave(0.3), turn=-3 + 3 * calm.wave(SWELL))
    dy = 0.018 * sea * calm.wave(SWELL, 0.25) + 0.006 * sea * calm.wave(0.61)
    return posed(moment, joints, dy=dy, turn=2.4 * sea * calm.wave(SWELL) + 0.7 * sea * calm.wave(0.53, 0.2))


def _drifting(moment: Moment) -> Pose:
    joints = {"basket": 4 * moment.wave(0.2, -0.25), "passengers": 3 * moment.wave(0.33), "flame": 4 * moment.wave(3.1)}
    return posed(moment, joints, dx=0.02 * moment.wave(0.11), dy=0.035 * moment.wave(0.16), turn=1.8 * moment.wave(0.2))


def _swooping(moment: Moment) -> Pose:
    """A kite draws figures of eight about the hand that holds its string."""
    joints = {"kite": 14 * moment.wave(0.3, 0.2) + 4 * moment.wave(1.1)}
    chain = {"tail": 9.0, "tail_2": 14.0, "tail_3": 20.0}
    joints |= {name: swing * moment.wave(0.75, -0.13 * i) for i, (name, swing) in enumerate(chain.items())}
    joints["tail"] -= 84.0  # the wind carries it away from whoever holds the string
    return posed(moment, joints, turn=5 * moment.wave(0.15), stretch=1 + 0.03 * moment.wave(0.3))


def _growing(moment: Moment) -> Pose:
    """Trees and flowers in the wind: what is higher swings later and more."""
    joints: Joints = {
        "body": 1.0 * moment.wave(0.22),
        "crown": 2.0 * moment.wave(0.22, -0.1),
        "head": 3 * moment.wave(0.3, -0.1),
    }
    for i in range(1, 8):
        joints |= {f"branch_{i}": 2.6 * moment.wave(0.31, 0.17 * i), f"leaf_{i}": 7 * moment.wave(0.42, 0.21 * i)}
    return posed(moment, joints | trailing(moment, 0.2), stretch=1 + 0.006 * moment.wave(0.22, 0.2))


def _growing_dance(moment: Moment) -> Pose:
    pose = _growing(moment)
    joints = {name: 3.5 * angle for name, angle in pose.joints.items()}
    bounce = abs(moment.wave(0.95))
    return Pose(joints, turn=5 * moment.wave(0.95), stretch=1 + 0.07 * (bounce - 0.5))


def _jumping(moment: Moment, motion: Motion) -> Pose:
    up, crouch, stretch = leap(moment.turns(0.7) % 1.0)
    return Pose(motion(moment).joints, dy=-0.3 * up, stretch=stretch - 0.05 * crouch)


VESSEL: Mapping[str, Motion] = {"idle": _sailing}
AEROSTAT: Mapping[str, Motion] = {"idle": _drifting}
KITE: Mapping[str, Motion] = {"idle": _swooping}
STILL: Mapping[str, Motion] = {
    "idle": _growing,
    "dance": _growing_dance,
    "play": _growing_dance,
    "jump": lambda moment: _jumping(moment, _growing),
}
