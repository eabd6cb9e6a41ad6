"""Blocking: where the actors of a plan stand, how large they are, and how they travel.

The main subject stands on a third and looks into the frame; who travels crosses the middle of the stage half-way
through the film; groups spread sideways and a little into the depth; what is chased runs ahead, who rides sits on top,
and what merely stands about is put where it leaves the main subject room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from . import puppets
from .lexicon import STICKER_HEIGHT, lexicon
from .model import Actor, Plan, Stage, Subject
from .ways import spot

#: Stage units a second. The camera can follow only as far as the set reaches, so nobody hurries.
SPEEDS = {"walk": 0.75, "run": 1.15, "roll": 1.25, "fly": 0.95, "swim": 0.7, "float": 0.35}
_TRACKED = 6.2  #: how far a camera can go beside somebody, stage units
_AIRBORNE = frozenset({"fly", "float"})
_GROUNDED = frozenset({"sit", "sleep", "eat", "walk", "run"})  #: birds, too, do this on the ground
_RANKS = (0.0, 1.0, -1.0, 2.0, -2.0)  #: places of a group, in spacings from its middle; the first stands in front
_KITE_REACH = 3.2  #: how far to the side of its string's end a kite flies, stage units
_ROAD = 0.85  #: how far before the boards of a city its carriageway is
_STICKERS_LEAD = 1.45  #: a sticker has no limbs to be read by: as the main subject it is larger than in a scene
_HOLDERS = frozenset({"child", "person", "robot"})  #: of the strings of kites
_CARRYING = frozenset({"run", "walk", "roll", "float", "fly", "swim"})
_ROWS = (0.0, 0.5, 0.26, 0.42, 0.18)  #: ... how much higher they stand on the boards, stage units
_SKIES = (1.0, 1.16, 1.08, 1.3, 1.24)  #: ... and the depths of what flies; on the boards all are before depth 1.05
_TOGETHER = 0.76  #: how much of the width of the frame a group takes: its camera has to keep all of it
_GAP = 0.3  #: between reference images, stage units
PICTURE_HEIGHT = 4.4  #: of a reference image that stands in the scene: it has to be recognised
_TALLEST, _SMALLEST = 0.41, 0.14  #: heights of actors, as shares of the frame
_ABOVE_PEAKS = 0.29  #: ... of what flies over mountains, which is seen above them
_APPROACHED = 0.33  #: ... where the camera itself comes closer
_APPROACHES = frozenset({"dolly_in", "dolly_out", "crane", "drone", "orbit", "handheld"})


@dataclass(frozen=True)
class Build:
    """How large a subject is on this stage, in stage units."""

    height: float
    width: float
    lift: float  #: how high its feet are above the boards


@dataclass(frozen=True)
class Figure:
    """The natural proportions of a subject, and whether it is alive."""

    height: float  #: stage units
    width: float  #: in its own heights
    lift: float  #: in its own heights
    living: bool
    afloat: bool = False  #: a vessel floats on the water, everything else in the air


def where(actor: Actor, t: float) -> tuple[float, float]:
    """The foot point of an actor at a second of the film, stage units; what its pose adds is left out."""
    x, y, _ = spot(actor, t)
    return x, y


def width_of(actor: Actor) -> float:
    """How wide an actor is, stage units."""
    return figure(actor.subject).width * actor.height


def cast(plan: Plan, stage: Stage) -> tuple[Actor, ...]:
    """All actors of a plan: those of the main subject first, each group together."""
    if not plan.subjects:
        return ()
    plan = _holding(plan)
    actors = _leads(plan, stage, Random(f"{plan.seed}:facing").choice((-1, 1)))
    for number, subject in enumerate(plan.subjects[1:]):
        actors += _companions(plan, stage, subject, number, actors)
    pictures = sum(actor.subject.picture is not None for actor in actors)
    return tuple(_mounted(actors)) if pictures < 2 else tuple(_gallery(actors, stage, pictures))


def _gallery(actors: Sequence[Actor], stage: Stage, pictures: int) -> list[Actor]:
    """Reference images side by side, so that all are seen whole; the others, smaller, in front of the gaps."""
    shown = [actor for actor in actors if actor.subject.picture is not None]
    wide = (0.86 if stage.portrait else 0.74) * stage.width
    total = sum(actor.subject.shape for actor in shown)
    height = min(PICTURE_HEIGHT, (wide - _GAP * (pictures - 1)) / total, 0.46 * stage.height)
    x = -(height * total + _GAP * (pictures - 1)) / 2
    placed: list[Actor] = []
    for number, actor in enumerate(shown):
        width = height * actor.subject.shape
        y = actor.y if actor.y < -0.6 else -0.3 * (number % 2)
        placed.append(replace(actor, x=x + width / 2, y=y, height=height, speed=0.0, depth=1.0 + 0.004 * (number % 2)))
        x += width + _GAP
    return [*placed, *(actor for actor in actors if actor.subject.picture is None)]


def _holding(plan: Plan) -> Plan:
    """The plan, with whoever flies a kite standing under it: the string ends where the hands of one who sways are."""
    first, *others = plan.subjects
    if first.puppet not in _HOLDERS or first.action not in ("play", "jump", "fly", "idle") or not _with_kite(plan):
        return plan
    return replace(plan, subjects=(replace(first, action="sway"), *others))


def _with_kite(plan: Plan) -> bool:
    return any(subject.puppet == "kite" for subject in plan.subjects[1:])


# ---------------------------------------------------------------- sizes -------------------------------------------


@lru_cache(maxsize=256)
def figure(subject: Subject) -> Figure:
    """The proportions of the puppet, or those of a sticker, which is a square."""
    noun = lexicon().noun(subject.noun)
    living = noun.living if noun else True
    if subject.picture is not None:
        return Figure(PICTURE_HEIGHT, subject.shape, 0.0, True)
    if subject.puppet is None:
        return Figure(noun.height if noun else STICKER_HEIGHT, 1.1, 0.0, living)
    puppet = puppets.load(subject.puppet)
    left, _, right, _ = puppet.box
    return Figure(puppet.height, right - left, puppet.lift, living, puppet.rig == "vessel" and puppet.lift <= 0.0)


def build(subject: Subject, plan: Plan, stage: Stage, part: float = 1.0) -> Build:
    """The size of one of these on the stage; ``part`` below 1 makes companions smaller than leads."""
    natural = figure(subject)
    crowd = {1: 1.0, 2: 0.92, 3: 0.84}.get(subject.count, 0.74)
    height = natural.height * subject.size * crowd * part * (1.4 if stage.portrait else 1.0)
    tallest, widest = (_APPROACHED, 0.5) if plan.move in _APPROACHES else (_TALLEST, 0.66)
    if plan.setting == "mountains" and subject.action in _AIRBORNE:
        tallest = _ABOVE_PEAKS
    height = min(max(height, _SMALLEST * stage.height), tallest * stage.height, widest * stage.width / natural.width)
    return Build(height, natural.width * height, _lift(subject, natural, height, plan, stage))


def _sunk(natural: Figure, height: float) -> float:
    """How deep one lies in the waves."""
    return 0.1 * height if natural.afloat else min(0.28 * height, 0.9)


def _lift(subject: Subject, natural: Figure, height: float, plan: Plan, stage: Stage) -> float:
    """What flies is in the upper half of the frame, with room above it for what it does there."""
    if plan.setting == "ocean" and natural.lift <= 0.0 and subject.action not in ("fly", "float"):
        return -_sunk(natural, height)
    if plan.setting == "ocean" and (natural.afloat or subject.action == "swim"):
        return -_sunk(natural, height)
    if plan.setting == "city" and subject.action == "roll":
        return -_ROAD
    if plan.setting == "underwater" and subject.action not in _GROUNDED:
        return max(natural.lift * height, 0.24 * stage.height)
    if natural.afloat or (natural.lift <= 0.0 and subject.action not in (*_AIRBORNE, "swim")):
        return natural.lift * height
    if subject.action in _GROUNDED:
        return 0.0
    wanted = natural.lift * height or (0.12 if subject.action == "swim" else 0.2) * stage.height
    if plan.setting == "mountains" and subject.action in _AIRBORNE:
        wanted = 0.4 * stage.height
    return min(wanted * (1.25 if stage.portrait else 1.0), -stage.top - 1.2 * height - 0.3)


# ---------------------------------------------------------------- the main subject --------------------------------


def _leads(plan: Plan, stage: Stage, facing: int) -> list[Actor]:
    subject = plan.subjects[0]
    size = build(subject, plan, stage, _STICKERS_LEAD if subject.puppet is None else 1.0)
    travel = _travel(plan, stage, subject)
    anchor = -facing * stage.width * _aside(plan, subject)
    middle = anchor * (0.4 if travel else 1.0) - facing * travel / 2
    first = Actor(subject, middle, -size.lift, 1.0, size.height, facing, 0.0, travel / plan.seconds)
    return _group(plan, stage, first, size, "leads")


def _aside(plan: Plan, subject: Subject) -> float:
    """How far from the middle the main subject stands, as a share of the width: more where others need room."""
    if _with_kite(plan):
        return 0.1
    others = plan.subjects[1:]
    if subject.count > 1:
        return 0.02 if len(plan.subjects) == 1 or (others and subject.count > 2) else 0.08
    return 0.17 if others or plan.lettered else 0.12


def _travel(plan: Plan, stage: Stage, subject: Subject) -> float:
    """How far the main subject goes in the film, stage units."""
    if subject.action == "sit" and len(plan.subjects) > 1:  # riding
        subject = plan.subjects[1]
    far = {"static": 0.12, None: 0.46}.get(plan.move, 0.32) * stage.width
    far = _TRACKED if plan.move == "tracking" else far
    if subject.puppet == "rocket":  # it stands upright: it would slide
        return 0.0
    return min(SPEEDS.get(subject.action, 0.0) * plan.pace * plan.seconds, far)


def _group(plan: Plan, stage: Stage, first: Actor, size: Build, name: str) -> list[Actor]:
    """``first`` and those like it: spread sideways and a little into the depth, each out of step."""
    count, flying = first.subject.count, first.y < -0.6
    rng = Random(f"{plan.seed}:{name}")
    spacing = _spacing(plan, stage, first, size)
    actors = []
    for number in range(count):
        rank = _RANKS[number] - (0.5 if count % 2 == 0 else 0.0) if count > 1 else 0.0
        x = first.x + first.facing * rank * spacing * rng.uniform(0.94, 1.06)
        rise = rng.uniform(-0.5, 0.55) * size.height if flying else _ROWS[number]
        rise = 0.0 if number == 0 else rise
        depth = first.depth * _SKIES[number] if flying else first.depth + 0.004 * number
        height = size.height * (
            1.0 if number == 0 else rng.uniform(0.88, 0.97) * (1.0 if flying else 1.0 - 0.12 * rise)
        )
        y = min(first.y - rise, -0.7) if flying else first.y - rise
        y, phase = max(y, stage.top + height * 1.1), rng.random() if number else 0.0
        actors.append(replace(first, x=x, y=y, depth=depth, height=height, phase=phase))
    return actors


def _spacing(plan: Plan, stage: Stage, first: Actor, size: Build) -> float:
    """From one of a group to the next: shoulder to shoulder, or as far apart as strings need."""
    kites = _with_kite(plan)
    wanted = max(size.width * 1.02, size.height * (1.35 if kites else 0.5))
    room = stage.width * (0.86 if kites else _TOGETHER) - size.width - (_KITE_REACH if kites else 0.0)
    return min(wanted, room / max(1, first.subject.count - 1))


# ---------------------------------------------------------------- all others --------------------------------------


def _companions(plan: Plan, stage: Stage, subject: Subject, number: int, actors: Sequence[Actor]) -> list[Actor]:
    """The actors of a further subject, in the relation that it has to the main one."""
    lead = actors[0]
    if subject.puppet == "kite" and lead.subject.puppet in _HOLDERS:
        return _kites(plan, stage, subject, actors)
    if number == 0 and lead.subject.action == "sit" and subject.action in _CARRYING and figure(subject).living:
        return _mounts(plan, stage, subject, actors)
    size = build(subject, plan, stage, 0.75 if subject.puppet == "butterfly" else 0.94)
    if lead.speed and subject.action in SPEEDS:
        first = _ahead(subject, size, lead, number)
    elif figure(subject).living:
        first = _opposite(stage, subject, size, lead, number)
    else:
        first = _standing(stage, subject, size, actors, number)
    return _group(plan, stage, _kept(first, size, stage), size, f"companions{number}")


def _ahead(subject: Subject, size: Build, lead: Actor, number: int) -> Actor:
    """What goes the same way, in front of the lead: what is chased, or comes along."""
    gap = (width_of(lead) + size.width) / 2 + 0.35
    x = lead.x + lead.facing * gap * (1 if number % 2 == 0 else -1)
    return Actor(subject, x, -min(size.lift, 2.2), lead.depth + 0.01, size.height, lead.facing, 0.37, lead.speed)


def _opposite(stage: Stage, subject: Subject, size: Build, lead: Actor, number: int) -> Actor:
    """Somebody else, on the other side of the stage, turned towards the lead."""
    gap = max((width_of(lead) + size.width) / 2 + 0.4, stage.width * 0.24)
    side = lead.facing * (1 if number % 2 == 0 else -1)
    x = lead.x + side * gap * (lead.subject.count * 0.35 + 0.65)
    return Actor(subject, x, -size.lift, 1.01 + 0.005 * number, size.height, -side, 0.41 + 0.2 * number)


def _standing(stage: Stage, subject: Subject, size: Build, actors: Sequence[Actor], number: int) -> Actor:
    """A thing: small ones within reach of the lead, large ones at the back on the other side."""
    lead = actors[0]
    side = lead.facing * (1 if number % 2 == 0 else -1)
    if size.height < 0.32 * stage.height:
        edge = max(side * actor.x + width_of(actor) / 2 for actor in actors if actor.subject is lead.subject)
        x, y, depth = side * (edge + size.width / 2 + 0.1), -size.lift - 0.2, 1.04
    else:
        x, y, depth = side * stage.width * 0.24, -0.55, 1.045
    return Actor(subject, x, y, depth, size.height, 1, 0.23 * (number + 1))


def _kept(actor: Actor, size: Build, stage: Stage) -> Actor:
    """The actor where the frame at rest shows it."""
    far = max(0.0, stage.width / 2 - size.width / 2 - 0.2)
    return replace(actor, x=max(-far, min(far, actor.x))) if not actor.speed else actor


def _kites(plan: Plan, stage: Stage, subject: Subject, actors: Sequence[Actor]) -> list[Actor]:
    """Each kite on its string, whose end is in the hand of a child.

    They hang behind all faces, and in one wind: nearly in step, so that they keep their distance.
    """
    rng = Random(f"{plan.seed}:kites")
    holders = [actor for actor in actors if actor.subject is actors[0].subject]
    natural, kites = figure(subject), []
    for number in range(subject.count):
        holder = holders[number % len(holders)]
        x, y = holder.x + holder.facing * 0.22 * holder.height, holder.y - 0.46 * holder.height
        height = min(natural.height, 0.86 * (y - stage.top)) * rng.uniform(0.84, 0.96)
        depth, phase = 1.03 + 0.003 * number, 0.07 * number
        kites.append(Actor(subject, x, y, depth, height, holder.facing, phase, holder.speed))
    return kites


def _mounts(plan: Plan, stage: Stage, subject: Subject, actors: Sequence[Actor]) -> list[Actor]:
    """What is ridden: one under each rider, going where the rider goes."""
    size = build(subject, plan, stage)
    return [
        Actor(subject, rider.x, -size.lift, rider.depth + 0.002, size.height, rider.facing, rider.phase, rider.speed)
        for rider in actors
        if rider.subject is actors[0].subject
    ]


def _riding(actors: Sequence[Actor]) -> bool:
    """Whether the last of the actors carry the first ones."""
    first, last = actors[0], actors[-1]
    together = (first.x, first.speed) == (last.x, last.speed) or first.subject.count > 1
    return (
        first.subject.action == "sit" and last.subject.action in _CARRYING and together and figure(last.subject).living
    )


def _mounted(actors: Sequence[Actor]) -> list[Actor]:
    """The actors, with riders raised onto the backs of their mounts, or set down in their boats."""
    if len(actors) < 2 or not _riding(actors):
        return list(actors)
    mount = actors[-1]
    inside = figure(mount.subject).afloat
    height = min(actors[0].height, (0.5 if inside else 0.8) * mount.height)
    y, depth = mount.y - (0.1 if inside else 0.62) * mount.height, mount.depth + (0.004 if inside else -0.001)
    return [
        replace(actor, y=y, height=height, depth=depth) if actor.subject is actors[0].subject else actor
        for actor in actors
    ]
