"""What puppets can do: every action for every rig, as a pure function of time, and when it is heard."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .fourlegs import AMBLE, BOUND, GALLOP, QUADRUPED
from .model import Pose
from .motion import Gait, Moment, Motion, round_rate
from .puppets import Puppet
from .travels import AEROSTAT, FISH, KITE, STILL, SWELL, VESSEL, WHEELED, tailbeat
from .twolegs import BEAT, BIPED, RUN, SKIP, WALK
from .wings import BIRD, INSECT, WINGBEAT, waddle

ACTIONS = (
    "idle", "walk", "run", "play", "jump", "dance", "fly", "swim", "float", "roll",
    "sit", "sleep", "wave", "sway", "spin", "eat", "talk",
)  # fmt: skip

#: What a rig has no way of doing, it does its own way: that is its "idle".
_MOTIONS: Mapping[str, Mapping[str, Motion]] = {
    "quadruped": QUADRUPED,
    "biped": BIPED,
    "bird": BIRD,
    "insect": INSECT,
    "fish": FISH,
    "wheeled": WHEELED,
    "vessel": VESSEL,
    "aerostat": AEROSTAT,
    "kite": KITE,
    "still": STILL,
}

#: The gaits in which feet land one after the other.
_STEPS: Mapping[tuple[str, str], Gait] = {
    ("quadruped", "walk"): AMBLE,
    ("quadruped", "run"): GALLOP,
    ("quadruped", "roll"): GALLOP,
    ("quadruped", "play"): BOUND,
    ("quadruped", "spin"): BOUND,
    ("biped", "walk"): WALK,
    ("biped", "run"): RUN,
    ("biped", "roll"): RUN,
    ("biped", "play"): SKIP,
}

_RAIL = 1.6  # stage units from one rail joint to the next
_LANDING = 0.25  # how long before the end of its round a jump lands


def perform(
    action: str,
    puppet: Puppet,
    t: float,
    *,
    phase: float = 0.0,
    speed: float = 0.0,
    height: float = 1.0,
    tempo: float = 1.0,
) -> Pose:
    """How the puppet stands at ``t`` seconds while it does this.

    ``phase`` (0 to 1) keeps a group out of step; ``speed`` is in stage units a second and ``height`` in stage units:
    legs and wheels go as fast as the puppet travels. ``tempo`` is how lively it is, for vessels how high the sea goes
    (1 is calm, 2.5 a storm). Raises ValueError for an action that is not one of ACTIONS.
    """
    if action not in ACTIONS:
        raise ValueError(f"there is no action {action!r}; use one of {', '.join(ACTIONS)}")
    motions = _MOTIONS[puppet.rig]
    return motions.get(action, motions["idle"])(Moment(puppet, t, phase, speed / height, tempo))


def footfalls(
    action: str,
    puppet: Puppet,
    *,
    phase: float = 0.0,
    speed: float = 0.0,
    start: float = 0.0,
    end: float,
    height: float = 1.0,
    tempo: float = 1.0,
) -> list[float]:
    """The instants in [start, end) at which it is heard, in order: feet that land, wingbeats, rail joints, swells.

    The other arguments are those of ``perform``.
    """
    moment = Moment(puppet, 0.0, phase, speed / height, tempo)
    rate, offsets = _rhythm(action, moment, speed)
    instants: list[float] = []
    for offset in offsets if rate > 0 else ():
        first = math.ceil(start * rate + phase + offset)
        last = math.ceil(end * rate + phase + offset)
        instants += [(n - phase - offset) / rate for n in range(first, last)]
    return sorted(instant for instant in instants if start <= instant < end)


def _rhythm(action: str, moment: Moment, speed: float) -> tuple[float, tuple[float, ...]]:
    """(rounds a second, where in its round each beat lies before 0); no rounds for what makes no noise."""
    puppet, tempo = moment.puppet, moment.tempo
    gait = _STEPS.get((puppet.rig, action))
    if gait is not None and not (action == "play" and puppet.rig == "biped" and moment.pace < 0.1):
        return round_rate(gait, puppet, moment.pace, tempo), tuple(gait.offsets.values())
    if puppet.rig in ("biped", "quadruped"):
        return _beats_on_the_spot(moment, action)
    if puppet.rig == "wheeled":
        return (speed / _RAIL, (0.0, 0.12)) if "wheel_3" in puppet else (0.0, ())
    if puppet.rig == "bird" and puppet.lift == 0 and action not in ("fly", "float"):
        return (waddle(moment), (0.0, 0.5)) if action in ("walk", "run") else (0.0, ())
    loud = {"bird": WINGBEAT * tempo, "insect": 0.0, "fish": tailbeat(moment) * tempo, "vessel": 2 * SWELL}
    silent = action in ("sit", "sleep", "eat", "talk") and puppet.rig == "bird"
    return (0.0, ()) if silent else (loud.get(puppet.rig, 0.0), (0.0,))


def _beats_on_the_spot(moment: Moment, action: str) -> tuple[float, tuple[float, ...]]:
    """Landings of a jump, beats of a dance."""
    rig, tempo = moment.puppet.rig, moment.tempo
    if action == "jump":
        return (0.75 if rig == "quadruped" else 0.85) * tempo, (_LANDING,)
    if action == "play":
        return 0.85 * tempo, (_LANDING,)
    if action == "dance":
        # A quadruped bounces twice in a round; bipeds keep the beat whatever their phase.
        return BEAT * tempo, (moment.phase if rig == "quadruped" else -moment.phase,)
    return 0.0, ()
