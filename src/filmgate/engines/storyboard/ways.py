"""The ways of actors in films that go on: what they do from when on, where that takes them, and how they turn round.

An actor without a way does one thing from the first frame to the last, straight on. A way is a list of stretches; where
one ends and the next begins, speed, place and pose pass smoothly into each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from .model import Pose

if TYPE_CHECKING:
    from .model import Actor

CHANGE = 0.7  #: seconds from one stretch into the next
RISE = 1.5  #: ... for who takes off or lands


@dataclass(frozen=True)
class Stretch:
    """One thing that an actor does for a while."""

    start: float  #: seconds from the beginning of the whole story
    action: str
    velocity: float  #: stage units a second; positive to the right
    facing: int
    y: float  #: of the foot point, stage units


@dataclass(frozen=True)
class Way:
    """The stretches of an actor, in order; the first one starts at 0."""

    x: float  #: at second 0
    stretches: tuple[Stretch, ...]

    def at(self, t: float) -> tuple[float, float]:
        """The foot point at a second of the story, stage units."""
        first = self.stretches[0]
        x, y = self.x + first.velocity * t, first.y
        for before, after in pairwise(self.stretches):
            x += (after.velocity - before.velocity) * _gained(t - after.start)
            y += (after.y - before.y) * _smooth((t - after.start) / RISE)
        return x, y

    def facing(self, t: float) -> float:
        """1 right, -1 left, between them while it turns round (never 0: paper has a thickness)."""
        side = float(self.stretches[0].facing)
        for before, after in pairwise(self.stretches):
            if after.facing != before.facing and t > after.start:
                side = before.facing * math.cos(math.pi * _smooth((t - after.start) / CHANGE))
        return math.copysign(max(0.05, abs(side)), side)

    def doing(self, t: float) -> tuple[Stretch, Stretch, float]:
        """(What it did, what it does, how far it has gone over to that, 0 to 1)."""
        begun = [stretch for stretch in self.stretches if stretch.start <= t] or [self.stretches[0]]
        before = begun[-2] if len(begun) > 1 else begun[-1]
        return before, begun[-1], _smooth((t - begun[-1].start) / CHANGE)

    def then(self, stretches: Sequence[Stretch]) -> Way:
        return Way(self.x, (*self.stretches, *stretches))


def way_of(actor: Actor) -> Way:
    """The way of an actor; of one that has none yet, what it does all the time."""
    if actor.way is not None:
        return actor.way
    velocity = actor.facing * actor.speed
    return Way(actor.x, (Stretch(0.0, actor.subject.action, velocity, actor.facing, actor.y),))


def spot(actor: Actor, t: float) -> tuple[float, float, float]:
    """(x, y, facing) of an actor's foot point at a second; what its pose adds is left out."""
    if actor.way is None:
        return actor.x + actor.facing * actor.speed * t, actor.y, float(actor.facing)
    return (*actor.way.at(t), actor.way.facing(t))


def acted(actor: Actor, t: float, pose: Callable[[str, float], Pose]) -> Pose:
    """How an actor stands at a second; ``pose`` takes an action and a speed (stage units a second)."""
    if actor.way is None:
        return pose(actor.subject.action, actor.speed)
    before, after, share = actor.way.doing(t)
    new = pose(after.action, abs(after.velocity))
    same = before.action == after.action and abs(before.velocity) == abs(after.velocity)
    return new if share >= 1.0 or same else blended(pose(before.action, abs(before.velocity)), new, share)


def blended(one: Pose, other: Pose, share: float) -> Pose:
    """The pose between two: 0 is the first, 1 the second. Joints go the short way round."""
    names = {**one.joints, **other.joints}
    joints = {name: _turned(one.joints.get(name, 0.0), other.joints.get(name, 0.0), share) for name in names}
    return Pose(
        joints, _mix(one.dx, other.dx, share), _mix(one.dy, other.dy, share), _turned(one.turn, other.turn, share),
        _mix(one.stretch, other.stretch, share),
    )  # fmt: skip


def _mix(a: float, b: float, share: float) -> float:
    return a + (b - a) * share


def _turned(a: float, b: float, share: float) -> float:
    return a + ((b - a + 180.0) % 360.0 - 180.0) * share if abs(b - a) > 180.0 else _mix(a, b, share)


def _smooth(u: float) -> float:
    u = min(1.0, max(0.0, u))
    return u * u * (3.0 - 2.0 * u)


def _gained(since: float) -> float:
    """How far one has come ``since`` seconds after beginning to speed up to 1 unit a second."""
    if since <= 0.0:
        return 0.0
    return since * since / (2.0 * CHANGE) if since < CHANGE else since - CHANGE / 2.0
