"""Films that go on: the same theatre, the same actors and the same clock, under a camera that does not cut.

The screenplay of an extension starts where that of its source ends. Where the prompt changes the look of the scene
(weather, hour, place, a card), the theatre is built twice, and the new one takes over after the first second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import skia

from . import shots
from .bake import Pixels, canvas_on, to_image
from .blocking import SPEEDS, cast, width_of
from .camera import ease, look_at, magnification, within
from .cutouts import Cutout
from .film import Film, of_screenplay
from .model import FPS, Actor, Move, Plan, Screenplay, Shot, Stage, View
from .script import Script
from .shots import Scene
from .ways import Stretch, Way, way_of

CHANGE = 0.9  #: seconds after its beginning, when an extension begins to do what its prompt says
LOOKS = (0.9, 3.6)  #: between these seconds the new look takes the place of the old one
ARRIVAL = 2.3  #: seconds in which newcomers walk in
_EDGE = 0.40  #: how far from the middle who travels turns round, in widths of the stage
_LANDED, _ALOFT = frozenset({"sit", "sleep", "eat", "walk", "run"}), frozenset({"fly", "float"})


def plays(script: Script) -> list[Screenplay]:
    """The screenplays of all films of a story, oldest first; all count time from the beginning of the story."""
    done = [shots.stage_play(script.plans[0])]
    begins = float(script.plans[0].seconds)
    shown = views(done[0]) if script.continues else []
    for plan in script.plans[1:]:
        done.append(goes_on(done[-1], plan, begins, shown))
        begins += plan.seconds
    return done


def goes_on(before: Screenplay, plan: Plan, begins: float, shown: Sequence[View]) -> Screenplay:
    """The screenplay of a plan that ``next_plan`` made from the plan of ``before``, which ends at ``begins``.

    The camera comes no closer to anything than in ``shown``: all films of a story are cut from the same paper.
    """
    stage, ends = Stage(plan.portrait), begins + plan.seconds
    actors = _carried_on(before, plan, begins, ends, stage)
    actors += _newcomers(plan, len(before.plan.subjects), actors, begins, stage)
    scene = Scene(plan, stage, tuple(actors))
    shot = Shot(begins, ends, _kept(_camera(before, scene, begins, ends), shown))
    return Screenplay(plan, scene.actors, (shot,))


def views(play: Screenplay) -> list[View]:
    """What the camera shows in a film, a few times a second."""
    count = play.plan.seconds * FPS
    return [_at(play, play.shots[0].start + i / FPS) for i in (*range(0, count, 4), count - 1)]


def _at(play: Screenplay, t: float) -> View:
    shot = next((shot for shot in play.shots if shot.start <= t + 1e-6 < shot.end), play.shots[-1])
    return within(shot.view(t), Stage(play.plan.portrait))


# ---------------------------------------------------------------- who is there already ----------------------------


@dataclass(frozen=True)
class _Leg:
    """A stretch of the way that actors go together."""

    start: float
    velocity: float


def _carried_on(before: Screenplay, plan: Plan, begins: float, ends: float, stage: Stage) -> list[Actor]:
    numbers = {id(subject): i for i, subject in enumerate({id(a.subject): a.subject for a in before.actors}.values())}
    changes: dict[int, str] = {}
    for i, (old, new) in enumerate(zip(before.plan.subjects, plan.subjects, strict=False)):
        if old.action != new.action:
            changes[i] = new.action
    wanted = [changes.get(numbers[id(actor.subject)]) for actor in before.actors]
    both = list(zip(before.actors, wanted, strict=True))
    routes = [_route(actor, action, before.actors, wanted, begins, ends, stage) for actor, action in both]
    return [
        replace(actor, way=way_of(actor).then(_stretches(actor, action, route, begins, stage)))
        for (actor, action), route in zip(both, routes, strict=True)
    ]


def _leader(actor: Actor, actors: Sequence[Actor]) -> Actor:
    """Who decides where an actor goes: whoever carries it, holds its string, or goes with it at the same pace."""
    velocity = way_of(actor).stretches[-1].velocity
    if actor.subject.puppet == "kite":
        return actors[0]
    together = [other for other in actors if velocity and way_of(other).stretches[-1].velocity == velocity]
    return next((other for other in together if way_of(other).stretches[-1].action in SPEEDS), actor)


def _route(
    actor: Actor, action: str | None, actors: Sequence[Actor], wanted: Sequence[str | None], begins: float, ends: float,
    stage: Stage,
) -> list[_Leg]:  # fmt: skip
    """When an actor goes where: to the edge and back, as long as it goes at all."""
    leader = _leader(actor, actors) if action is None else actor
    decided = wanted[list(actors).index(leader)]
    now = way_of(leader).stretches[-1]
    places = [way_of(other).at(begins)[0] for other in actors if _leader(other, actors) is leader] or [0.0]
    if decided is None:
        return _turns((min(places), max(places)), now.velocity, begins, ends, stage)
    x = way_of(leader).at(begins + CHANGE)[0]
    side = math.copysign(1.0, now.velocity) if now.velocity else float(-1 if x > 1.0 else 1 if x < -1.0 else now.facing)
    leg = _Leg(begins + CHANGE, SPEEDS.get(decided, 0.0) * side)
    return [leg, *_turns((x, x), leg.velocity, leg.start, ends, stage)]


def _turns(span: tuple[float, float], velocity: float, since: float, ends: float, stage: Stage) -> list[_Leg]:
    """Turning round at the edges of the stage, for those who are from ``span[0]`` to ``span[1]`` now."""
    (low, high), legs = span, list[_Leg]()
    edge = max(_EDGE * stage.width, (high - low) / 2 + 1.0)
    while velocity:
        away = max(edge - high if velocity > 0 else edge + low, abs(velocity) * 0.4)
        since += away / abs(velocity)
        if since >= ends:
            break
        low, high = (place + math.copysign(away, velocity) for place in (low, high))
        velocity = -velocity
        legs.append(_Leg(since, velocity))
    return legs


def _stretches(actor: Actor, action: str | None, legs: Sequence[_Leg], begins: float, stage: Stage) -> list[Stretch]:
    last = way_of(actor).stretches[-1]
    doing = action or last.action
    y = _height(actor, doing, last.y, stage) if action else last.y
    found = [
        Stretch(leg.start, doing, leg.velocity, (1 if leg.velocity > 0 else -1) if leg.velocity else last.facing, y)
        for leg in legs
    ]
    return found or ([Stretch(begins + CHANGE, doing, 0.0, last.facing, y)] if action else [])


def _height(actor: Actor, action: str, y: float, stage: Stage) -> float:
    """Where the foot point of an actor is that takes off, or lands."""
    if action in _ALOFT and y > -0.6:
        return max(-0.2 * stage.height, stage.top + 1.2 * actor.height)
    return 0.0 if action in _LANDED and y < -0.6 else y


# ---------------------------------------------------------------- who comes ---------------------------------------


def _newcomers(plan: Plan, known: int, there: Sequence[Actor], begins: float, stage: Stage) -> list[Actor]:
    """Those whom the prompt brings in: they come from the wings, and stop beside the others."""
    if len(plan.subjects) <= known:
        return []
    fresh = {subject.noun for subject in plan.subjects[known:]}
    coming = [actor for actor in cast(plan, stage) if actor.subject.noun in fresh]
    lead = way_of(there[0]).at(begins + CHANGE + ARRIVAL)[0] if there else 0.0
    side = -1 if lead > 0 else 1
    beside = (width_of(there[0]) / 2 + 0.3) if there else -0.16 * stage.width
    entered = []
    for actor in coming:
        wide = width_of(actor)
        x = max(-0.44 * stage.width + wide / 2, min(0.44 * stage.width - wide / 2, lead + side * (beside + wide / 2)))
        entered.append(_entering(actor, x, side, begins, stage))
        beside += wide + 0.2
    return entered


def _entering(actor: Actor, x: float, side: int, begins: float, stage: Stage) -> Actor:
    start = side * (stage.width / 2 + 3.4 + width_of(actor))
    doing = actor.subject.action
    going = doing if doing in SPEEDS else "walk"
    velocity = (x - start) / ARRIVAL
    then = "idle" if doing in SPEEDS and actor.y > -0.6 else doing
    first = begins + CHANGE - 0.4
    stretches = (
        Stretch(0.0, going, 0.0, -side, actor.y),
        Stretch(first, going, velocity, -side, actor.y),
        Stretch(first + ARRIVAL, then, 0.0, -side, actor.y),
    )
    return replace(actor, way=Way(start, stretches), x=x, facing=-side, speed=0.0)


# ---------------------------------------------------------------- the camera --------------------------------------

#: For a move that the prompt asks for: the share of the frame that the subject fills at the end, and how far the camera
#: has gone aside, up (negative) and into the set by then.
_MOVES: dict[Move, tuple[float, float, float, float]] = {
    "static": (0.37, 0.0, 0.0, 0.0), "pan": (0.34, 1.6, 0.0, 0.0), "tilt": (0.34, 0.0, -1.4, 0.0),
    "dolly_in": (0.52, 0.0, 0.0, 0.1), "dolly_out": (0.22, 0.0, 0.0, 0.0), "crane": (0.26, 0.0, -1.2, 0.0),
    "tracking": (0.37, 0.0, 0.0, 0.0), "drone": (0.22, 1.0, -1.6, 0.16), "handheld": (0.42, 0.2, 0.1, 0.0),
    "orbit": (0.36, -1.5, 0.0, 0.1),
}  # fmt: skip
_DEPTHS = (0.6, 0.8, 1.0, 1.5, 3.0, 8.0, 20.0, 40.0)
_Knot = tuple[float, tuple[float, ...]]


def _kept(motion: shots.Motion, shown: Sequence[View]) -> shots.Motion:
    """The motion, never closer to any depth than in ``shown``."""
    farthest = max(view.dolly for view in shown)
    closest = {depth: max(magnification(view, depth) for view in shown) for depth in _DEPTHS}

    def view(t: float) -> View:
        wanted = motion(t)
        excess = max(magnification(wanted, depth) / closest[depth] for depth in _DEPTHS)
        if excess <= 1.0:
            return wanted
        zoom = max(1.0, wanted.zoom / excess)
        return replace(wanted, zoom=zoom, dolly=min(wanted.dolly, farthest) if zoom == 1.0 else wanted.dolly)

    return view


def _camera(before: Screenplay, scene: Scene, begins: float, ends: float) -> shots.Motion:
    """One take: from the last view of the source, at its pace, through a few framings."""
    h = 1.0 / FPS
    shown, earlier = (_numbers(_at(before, t)) for t in (begins - h, begins - 2 * h))
    pace = tuple((a - b) / h for a, b in zip(shown, earlier, strict=True))
    marks = [begins + 1.9 + i * 1.6 for i in range(int((ends - begins - 1.9) / 1.6))] + [ends]
    knots = [(begins - h, shown), *((t, _numbers(_wanted(scene, t, (t - begins) / (ends - begins)))) for t in marks)]

    def view(t: float) -> View:
        return _view(_through(knots, pace, t))

    return view


def _wanted(scene: Scene, t: float, share: float) -> View:
    """What the camera wants to show when this share of the film is over."""
    move = scene.plan.move
    closer, aside, up, into = _MOVES[move] if move else (0.30 if int(t / 4) % 2 else 0.46, 0.0, 0.0, 0.0)
    if scene.actors:
        size = 0.37 + (closer - 0.37) * ease((share - 0.2) / 0.8)
        at = shots.framed(scene, t, size)
    else:
        at = look_at(scene.stage, math.sin(t), scene.stage.top + 0.5 * scene.stage.height, 1.08)
    return within(replace(at, x=at.x + aside * share, y=at.y + up * share, dolly=at.dolly + into * share), scene.stage)


def _numbers(view: View) -> tuple[float, ...]:
    return view.x, view.y, math.log(view.zoom), view.dolly


def _view(numbers: Sequence[float]) -> View:
    x, y, zoom, dolly = numbers
    return View(x, y, math.exp(zoom), dolly)


def _through(knots: Sequence[_Knot], pace: tuple[float, ...], t: float) -> list[float]:
    """A smooth curve through the knots, which it leaves at the pace given."""
    i = next((i for i in range(len(knots) - 1) if t < knots[i + 1][0]), len(knots) - 2)
    (t0, a), (t1, b) = knots[i], knots[i + 1]
    length = t1 - t0
    u = min(1.0, max(0.0, (t - t0) / length))
    first = pace if i == 0 else _slope(knots, i)
    second = _slope(knots, i + 1)
    return [
        (2 * u**3 - 3 * u**2 + 1) * p + (u**3 - 2 * u**2 + u) * length * m + (3 * u**2 - 2 * u**3) * q
        + (u**3 - u**2) * length * n
        for p, q, m, n in zip(a, b, first, second, strict=True)
    ]  # fmt: skip


def _slope(knots: Sequence[_Knot], i: int) -> tuple[float, ...]:
    """The pace at a knot: that between its neighbours; none where the curve turns, and at the end."""
    if i + 1 >= len(knots):
        return (0.0,) * len(knots[i][1])
    (t0, a), (_, b), (t2, c) = knots[i - 1], knots[i], knots[i + 1]
    return tuple(
        0.0 if (q - p) * (r - q) <= 0 else (r - p) / (t2 - t0) for p, q, r in zip(a, b, c, strict=True)
    )  # fmt: skip


# ---------------------------------------------------------------- the film ----------------------------------------


class Sequel:
    """Frames of a film that goes on from another. Not for several threads at once."""

    def __init__(self, script: Script, width: int, height: int, images: Sequence[Cutout] = ()) -> None:
        *earlier, play = plays(script)
        before = earlier[-1]
        self._size, self._images, self.frames = (width, height), images, script.plan.seconds * FPS
        self._seen = [view for played in earlier for view in views(played)]
        self._plays = [play]
        if _look(before.plan) != _look(play.plan):
            old, new = before.plan, play.plan
            looked = replace(old, seconds=new.seconds, move=new.move, dialogue=new.dialogue, noted=new.noted)
            self._plays = [replace(play, plan=looked), play]
        self._films: dict[int, Film] = {}
        self._pixels: Pixels = np.zeros((height, width, 4), np.uint8)

    def frame(self, index: int) -> Pixels:
        """Frame ``index`` as (height, width, 4) opaque BGRA. The same array every time: copy what is to be kept."""
        share = ease((index / FPS - LOOKS[0]) / (LOOKS[1] - LOOKS[0])) if len(self._plays) > 1 else 0.0
        if share >= 1.0:
            self._films.pop(0, None)
            return self._film(1).frame(index)
        first = self._film(0).frame(index)
        if share <= 0.0:
            return first
        self._pixels[:] = first
        canvas_on(self._pixels).drawImage(
            to_image(self._film(1).frame(index), opaque=True), 0, 0, skia.SamplingOptions(), skia.Paint(Alphaf=share)
        )
        return self._pixels

    def _film(self, number: int) -> Film:
        """One of the two theatres, built when it is needed: together they fill much memory."""
        if number not in self._films:
            self._films[number] = of_screenplay(self._plays[number], *self._size, self._images, self._seen)
        return self._films[number]


def _look(plan: Plan) -> tuple[object, ...]:
    alone = not plan.subjects  # then a card may show the prompt itself
    return plan.setting, plan.time, plan.weather, plan.lettered, plan.style, alone, plan.prompt if alone else ""
