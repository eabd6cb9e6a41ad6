"""What all movement is made of: a moment in a puppet's life, waves, easing, and legs that stay on the ground."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .model import Pose
from .puppets import Puppet

Joints = dict[str, float]

_LEAST = 0.6  # of the natural reach: smaller steps would mince, which looks worse than feet that slide a little


@dataclass(frozen=True)
class Moment:
    """One instant of one puppet."""

    puppet: Puppet
    t: float  #: seconds
    phase: float = 0.0  #: 0 to 1
    pace: float = 0.0  #: own heights a second
    tempo: float = 1.0  #: how lively; for vessels how high the sea goes

    def turns(self, frequency: float) -> float:
        """How many rounds something of this frequency (Hz at tempo 1) has done."""
        return self.phase + self.t * frequency * self.tempo

    def wave(self, frequency: float, offset: float = 0.0) -> float:
        """A swing between -1 and 1; ``offset`` in rounds."""
        return math.sin(math.tau * (self.turns(frequency) + offset))


Motion = Callable[[Moment], Pose]


@dataclass(frozen=True)
class Gait:
    """How legs go. A leg stands for ``duty`` of its round and swings forward for the rest."""

    reach: float  #: how far a leg swings to either side at its natural pace, degrees
    duty: float
    natural: float  #: rounds a second on the spot
    slowest: float
    fastest: float
    bend: float  #: how far the knee bends in the swing, degrees
    offsets: Mapping[str, float]  #: leg -> where in its round it is at time 0
    hop: float = 0.0  #: how high the body leaps in each round, in heights


def smooth(x: float) -> float:
    """0 to 1 with a soft start and a soft landing."""
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)


def pulse(x: float, start: float, end: float, soft: float) -> float:
    """1 between start and end of a round, 0 elsewhere, with slopes ``soft`` wide; ``x`` counts rounds."""
    x %= 1.0
    return smooth((x - start) / soft) * smooth((end - x) / soft)


def posed(moment: Moment, joints: Joints, **whole: float) -> Pose:
    """A pose of the joints that this puppet has."""
    return Pose({name: angle for name, angle in joints.items() if name in moment.puppet}, **whole)


def leg_length(puppet: Puppet, leg: str) -> float:
    """From the hip to the ground, in heights."""
    return max(0.05, -puppet.part(leg).pivot[1])


def round_rate(gait: Gait, puppet: Puppet, pace: float, tempo: float) -> float:
    """Rounds a second, such that feet that stand do not slide."""
    if pace <= 0.02:
        return gait.natural * tempo
    stride = _stride(gait, puppet, math.sin(math.radians(gait.reach)))
    return min(gait.fastest, max(gait.slowest, pace / stride))


def _stride(gait: Gait, puppet: Puppet, reach: float) -> float:
    """Heights that the body travels in a round whose legs swing ``reach`` (a sine) to either side."""
    longest = max(leg_length(puppet, leg) for leg in gait.offsets)
    return 2 * longest * reach / gait.duty


def striding(gait: Gait, moment: Moment) -> tuple[Joints, dict[str, float]]:
    """The joints of the legs, and by how much each leg is shorter than when it stands straight (in heights)."""
    rate = round_rate(gait, moment.puppet, moment.pace, moment.tempo)
    reach = math.sin(math.radians(gait.reach))
    if moment.pace > 0.02:
        needed = moment.pace / rate / _stride(gait, moment.puppet, 1.0)
        reach = min(0.72, max(needed, _LEAST * reach))
    joints: Joints = {}
    shorter: dict[str, float] = {}
    for leg, offset in gait.offsets.items():
        thigh, knee = _step((moment.phase + moment.t * rate + offset) % 1.0, gait, reach)
        joints[leg], joints[f"{leg}_lower"] = thigh, knee
        shorter[leg] = _shortening(moment.puppet, leg, thigh, knee)
    return joints, shorter


def _step(place: float, gait: Gait, reach: float) -> tuple[float, float]:
    """(hip, knee) turns of a leg at a place of its round: 0 is where the foot lands, in front."""
    if place < gait.duty:
        forward = 1 - 2 * place / gait.duty
        return -math.degrees(math.asin(forward * reach)), 0.0
    swing = (place - gait.duty) / (1 - gait.duty)
    knee = gait.bend * math.sin(math.pi * swing) ** 1.5
    hip = -math.degrees(math.asin(-math.cos(math.pi * swing) * reach))
    return hip - 0.42 * knee, knee


def _shortening(puppet: Puppet, leg: str, thigh: float, knee: float) -> float:
    length = leg_length(puppet, leg)
    lower = leg_length(puppet, f"{leg}_lower") if f"{leg}_lower" in puppet else length / 2
    upright = (length - lower) * math.cos(math.radians(thigh)) + lower * math.cos(math.radians(thigh + knee))
    return length - upright


def leap(place: float, crouch: float = 0.3, flight: float = 0.45) -> tuple[float, float, float]:
    """(height 0..1, crouch 0..1, stretch) at a place of a jump's round: crouch, leap, land."""
    if place < crouch:
        return 0.0, math.sin(math.pi * place / crouch) ** 2, 1.0
    if place < crouch + flight:
        u = (place - crouch) / flight
        return 4 * u * (1 - u), 0.0, 1.0 + 0.06 * math.sin(math.pi * u)
    u = (place - crouch - flight) / (1 - crouch - flight)
    return 0.0, 0.8 * math.sin(math.pi * u) ** 2 * (1 - u) * 1.6, 1.0


def trailing(moment: Moment, energy: float) -> Joints:
    """Ears, scarves, flags: whatever is moved by the rest, and later than it."""
    loose = {
        "ear": 9.0,
        "ear_far": 8.0,
        "scarf": 11.0,
        "antenna": 7.0,
        "tail_tip": 16.0,
        "skirt": 4.0,
        "trunk": 6.0,
        "trunk_2": 9.0,
    }
    rate = 0.5 + 1.3 * energy
    return {
        name: swing * (0.25 + energy) * moment.wave(rate, -0.18 - 0.03 * i)
        for i, (name, swing) in enumerate(loose.items())
    }


def voice(moment: Moment) -> float:
    """0 to 1: syllables, with pauses between phrases."""
    return abs(moment.wave(1.9)) * smooth(0.6 + moment.wave(0.33, 0.2)) * (0.7 + 0.3 * moment.wave(0.9))


def wheeling(angle: float, centre: float) -> dict[str, float]:
    """A turn about a point that lies ``centre`` heights above the foot point."""
    radians = math.radians(angle)
    return {"turn": angle, "dx": -centre * math.sin(radians), "dy": centre * (math.cos(radians) - 1)}


def somersault(moment: Moment, motion: Motion) -> Pose:
    pose = motion(moment)
    return posed(moment, dict(pose.joints), **wheeling(360 * moment.turns(0.4), 0.5))
