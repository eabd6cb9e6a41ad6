"""The sound of a film that goes on: the same air, steps and music, with nothing heard of where the films meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..model import Actor, Cue, Screenplay, Subject
from ..ways import Stretch
from .ambience import air
from .desk import FEET, MOTORS, MUSIC, levelled, performed
from .foley import cues
from .motors import engines
from .music import score_on
from .synthesis import Signal, chance, hall, ramp

_RINGS = 1.5  #: seconds of the film before, whose steps may still be heard
_SAME, _OTHER = (0.0, 1.6), (0.9, 3.6)  #: between these seconds the new air takes over: the same one, and another one


def goes_on(plays: Sequence[Screenplay], rate: int) -> Signal:
    """The unmixed level of the last film, (seconds * rate, 2)."""
    play = plays[-1]
    plan, take = play.plan, len(plays) - 1
    bus = _taking_over(_air(plays[-2], take - 1, rate), _air(play, take, rate), _span(plays), rate)
    steps = performed(list(_heard(plays[-2], play)), plan, rate, _RINGS)
    bus += FEET * hall(steps, rate, chance(plan.seed, "room"), 0.7, 0.12)[-len(bus) :]
    bus += MUSIC * score_on([played.plan for played in plays], rate)
    return bus


def _air(play: Screenplay, take: int, rate: int) -> Signal:
    """What sounds all the time: the place, the weather and the motors."""
    bed = levelled(air(play.plan, rate, play.shots[0].start, take), rate)
    return np.asarray(bed + MOTORS * engines(play, rate, take))


def _span(plays: Sequence[Screenplay]) -> tuple[float, float]:
    one, other = (played.plan for played in plays[-2:])
    same = (one.setting, one.weather, one.time) == (other.setting, other.weather, other.time)
    return _SAME if same else _OTHER


def _taking_over(old: Signal, new: Signal, span: tuple[float, float], rate: int) -> Signal:
    """The new air after the old one. That goes on backwards, which nobody hears: it begins with its last sample."""
    begins, ends = span
    n = min(len(old), round(ends * rate))
    share = np.clip((ramp(n, rate) - begins) / (ends - begins), 0.0, 1.0)[:, None]
    bus = new.copy()
    bus[:n] = old[::-1][:n] * np.cos(0.5 * np.pi * share) + new[:n] * np.sin(0.5 * np.pi * share)
    return bus


# ---------------------------------------------------------------- steps -------------------------------------------


def _heard(before: Screenplay, play: Screenplay) -> list[Cue]:
    """The cues of a film, and of the last moments before it; counted from its beginning."""
    begins = play.shots[0].start
    early = [cue for cue in _story(before, before.shots[0].start) if begins - _RINGS <= cue.at]
    listed = [*early, *(cue for cue in _story(play, begins) if cue.at >= begins)]
    return [replace(cue, at=cue.at - begins) for cue in listed]


def _story(play: Screenplay, begins: float) -> list[Cue]:
    """All cues of a film in seconds of the story: each actor's, stretch by stretch."""
    ends = begins + play.plan.seconds
    if all(actor.way is None for actor in play.actors):
        return list(cues(play))
    listed: list[Cue] = []
    whole = replace(play.plan, seconds=int(ends))
    for actor in play.actors[:6]:
        for stretch, until in _lasting(actor, ends):
            alone = Screenplay(whole, (_only(actor, stretch),), play.shots)
            listed += [cue for cue in cues(alone) if max(begins, stretch.start) <= cue.at < until]
    return sorted(listed, key=lambda cue: (cue.at, cue.sound))


def _lasting(actor: Actor, ends: float) -> list[tuple[Stretch, float]]:
    """The stretches of an actor, each with the second at which it ends."""
    way = actor.way.stretches if actor.way else (Stretch(0.0, actor.subject.action, 0.0, 1, 0.0),)
    return list(zip(way, [*(stretch.start for stretch in way[1:]), ends], strict=True))


def _only(actor: Actor, stretch: Stretch) -> Actor:
    """The actor as if it did nothing but this; it stays on its way."""
    subject: Subject = replace(actor.subject, action=stretch.action)
    return replace(actor, subject=subject, speed=abs(stretch.velocity))
