"""The shot list: a plan becomes a screenplay, with the actors blocked and a camera for every second.

A film without a word about its camera is cut as one would expect: the place, then the subject, then the subject close.
A prompt that names a move gets that one move from the first frame to the last. ``main_shot`` tells in which shot the
main subject has to be seen best: there it fills a quarter to nearly half of the frame's height, stands on a third and
has room to look (or run) into. Everything is composed for the shape of the stage, nothing is cropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from . import camera
from .blocking import cast, where, width_of
from .camera import Motion, between, look_at, within
from .model import Actor, Move, Plan, Screenplay, Shot, Stage, View

__all__ = ["Motion", "Scene", "framed", "main_shot", "stage_play", "where"]

CLOSEST = 2.0  #: the sharpest zoom at which sheets are painted
SHARE = 0.35  #: the main subject's part of the frame's height in its main shot
CUTS: dict[int, tuple[float, ...]] = {4: (1.5,), 6: (2.0, 4.0), 8: (2.5, 5.5)}


def stage_play(plan: Plan) -> Screenplay:
    """The screenplay of a plan. Its shots follow each other without a gap from 0 to ``plan.seconds``."""
    scene = Scene(plan, Stage(plan.portrait), cast(plan, Stage(plan.portrait)))
    if plan.move is not None:
        shots = [Shot(0.0, float(plan.seconds), _kept(scene, _designed(scene, plan.move)))]
    else:
        shots = _cut(scene)
    return Screenplay(plan, scene.actors, tuple(shots))


def main_shot(screenplay: Screenplay) -> Shot:
    """The shot that shows the main subject: the second one, where there are several."""
    return screenplay.shots[min(1, len(screenplay.shots) - 1)]


@dataclass(frozen=True)
class Scene:
    """What the camera has before it."""

    plan: Plan
    stage: Stage
    actors: tuple[Actor, ...]

    @property
    def main(self) -> Actor:
        return self.actors[0]

    @property
    def group(self) -> tuple[Actor, ...]:
        """The actors of the main subject, and what belongs to them: a kite, a mount, whoever is chased."""
        main = self.main
        return tuple(
            actor
            for actor in self.actors
            if actor.subject is main.subject
            or actor.subject.puppet == "kite"
            or actor.subject.picture is not None
            or (actor.speed == main.speed and main.speed > 0)
        )

    @property
    def flying(self) -> bool:
        return self.main.y < -0.6


# ---------------------------------------------------------------- framings ----------------------------------------


def _framing(
    scene: Scene,
    t: float,
    share: float,
    *,
    foot: float = 0.78,
    lead: float = 0.08,
    grows: float = 1.0,
    sways: float = 0.0,
) -> View:
    """The main subject filling ``share`` of the frame's height, its feet at ``foot`` of it from above.

    ``lead`` is the room before its eyes, as a share of the width. A group is kept together: nobody stands cut in
    half by the edge; of a pair that differs the first one must not become too small. ``grows`` and ``sways`` are what
    the camera will add: the factor by which it comes closer, and how far it goes aside, stage units.
    """
    stage, main = scene.stage, scene.main
    left, right = _extent(scene, t)
    x, y = where(main, t)
    fitting = 0.92 * stage.width / (right - left + 2 * sways) / grows
    widest = 0.92 * stage.width * (0.5 - lead) / (width_of(main) / 2 + sways) / grows
    tall = y - min(actor.y - actor.height for actor in scene.group)
    fitting = min(fitting, 0.94 * stage.height / tall / grows)
    least = min(share, 0.27) * stage.height / main.height if main.subject.count == 1 and _leaves(main) else 0.0
    zoom = max(1.0, min(share * stage.height / main.height, max(fitting, least), widest, CLOSEST / grows**0.5))
    together = zoom <= fitting + 1e-6 or not _leaves(main)
    middle = (left + right) / 2 if together else x
    room = max(0.0, 1.0 - (right - left + 2 * sways) / (stage.width / zoom)) if together else 1.0
    seen = stage.height / zoom
    across = middle + main.facing * min(lead, room / 2) * stage.width / zoom
    # What flies is a little above the middle: one sees what it flies over.
    down = (
        y - 0.5 * main.height + 0.07 * seen
        if scene.flying
        else y - max((foot - 0.5) * seen, tall - 0.45 * seen / grows)
    )
    return look_at(stage, across, down, zoom, main.depth)


def _leaves(main: Actor) -> bool:
    """Whether the camera may leave the others for the sake of the first one: reference images are all first ones."""
    return main.subject.picture is None


def framed(scene: Scene, t: float, share: float) -> View:
    """The main subject filling ``share`` of the frame's height at a second, for a camera that follows it."""
    return _framing(scene, t, share, lead=0.0)


def _extent(scene: Scene, t: float) -> tuple[float, float]:
    """(left, right) of the main group at a second."""
    lefts, rights = zip(*(_sides(actor, t) for actor in scene.group), strict=True)
    return min(lefts) - 0.2, max(rights) + 0.2


def _sides(actor: Actor, t: float) -> tuple[float, float]:
    """(left, right) of an actor at a second; a kite flies all on one side of the hand that holds it."""
    x, wide = where(actor, t)[0], width_of(actor)
    if actor.subject.puppet == "kite":
        return min(x, x + actor.facing * wide), max(x, x + actor.facing * wide)
    return x - wide / 2, x + wide / 2


def _follow(scene: Scene, start: float, end: float, first: float, last: float, **how: float) -> Motion:
    """Stays with the main subject while its share of the frame goes from ``first`` to ``last``."""
    even = scene.main.speed > 0
    a, b = _framing(scene, start, first, **how), _framing(scene, end, last, **how)
    return between(a, b, start, end, _linear if even else camera.glide)


def _linear(u: float) -> float:
    return min(1.0, max(0.0, u))


def _kept(scene: Scene, motion: Motion) -> Motion:
    """The motion inside the limits of the set and of its paint."""

    def view(t: float) -> View:
        wanted = motion(t)
        return within(replace(wanted, zoom=min(wanted.zoom, CLOSEST)), scene.stage)

    return view


# ---------------------------------------------------------------- the film that is cut ----------------------------


def _cut(scene: Scene) -> list[Shot]:
    """The place, the subject, the subject close."""
    seconds = float(scene.plan.seconds)
    edges = (0.0, *CUTS.get(scene.plan.seconds, (seconds / 3, seconds * 2 / 3)), seconds)
    if not scene.actors:
        makers: tuple[Callable[[Scene, float, float], Motion], ...] = (_place, _elsewhere, _farewell)
    elif scene.plan.lettered or sum(actor.subject.picture is not None for actor in scene.actors) > 1:
        makers = (_establishing, _medium, _farewell)
    else:
        makers = (_establishing, _medium, _close)
    spans = zip(edges, edges[1:], makers, strict=False)
    return [Shot(start, end, _kept(scene, make(scene, start, end))) for start, end, make in spans]


def _establishing(scene: Scene, start: float, end: float) -> Motion:
    """The whole stage, with the subject small on it."""
    stage = scene.stage
    x, _ = where(scene.main, (start + end) / 2)
    x = x if _leaves(scene.main) else sum(_extent(scene, start)) / 2
    reach = max(0.0, abs(x) + width_of(scene.main) / 2 + 0.4 - stage.width / 2)
    at = View(x=(1 if x > 0 else -1) * max(0.3 * abs(x), reach))
    if scene.main.subject.count > 1 and scene.main.speed:  # too wide to cross the frame: the camera goes along
        left, right = _extent(scene, (start + end) / 2)
        beside = View(x=(left + right) / 2, y=-0.2)
        return _carried(scene, camera.dolly_in(start, end, beside, by=0.06), (start + end) / 2)
    if scene.flying:  # a rising camera would begin below it
        return camera.dolly_in(start, end, replace(at, y=-0.35), by=0.09)
    if scene.plan.setting in ("ocean", "mountains", "space") and not scene.plan.portrait:
        return camera.crane(start, end, replace(at, y=-0.3), by=0.9)
    if scene.plan.setting in ("city", "future_city", "desert") and not scene.main.speed:
        return camera.pan(start, end, at, by=0.9 * scene.main.facing)
    return camera.dolly_in(start, end, at, by=0.09)


def _medium(scene: Scene, start: float, end: float) -> Motion:
    return _follow(scene, start, end, SHARE - 0.02, SHARE + 0.02)


def _close(scene: Scene, start: float, end: float) -> Motion:
    """Head and body: what the subject does, rather than where."""
    main = scene.main
    if main.subject.count > 1:
        return _follow(scene, start, end, 0.5, 0.57, lead=0.0)
    alone = replace(scene, actors=tuple(actor for actor in scene.actors if actor is main))
    low = 0.86 if main.height < 0.28 * scene.stage.height else 0.95
    return _follow(alone, start, end, 0.52, 0.57, foot=low, lead=0.05)


def _place(scene: Scene, start: float, end: float) -> Motion:
    """A place without anybody is travelled through."""
    return camera.crane(start, end, View(), by=1.2) if scene.plan.portrait else camera.pan(start, end, View(), by=1.8)


def _elsewhere(scene: Scene, start: float, end: float) -> Motion:
    """The card, where there is one; else another part of the place."""
    stage = scene.stage
    if scene.plan.lettered:
        at = look_at(stage, 0.0, stage.top + 0.42 * stage.height, 1.2)
        return camera.dolly_in(start, end, at, by=0.12)
    return camera.pan(start, end, look_at(stage, 1.2, stage.top + 0.55 * stage.height, 1.35), by=-1.6)


def _farewell(scene: Scene, start: float, end: float) -> Motion:
    """Back to the whole stage."""
    x = where(scene.main, (start + end) / 2)[0] * 0.35 if scene.actors else 0.0
    return camera.dolly_out(start, end, View(x=x, zoom=1.02), by=0.14)


# ---------------------------------------------------------------- the film of one move ----------------------------


def _designed(scene: Scene, move: Move) -> Motion:
    """The move that the prompt asks for, about the main subject (or the place, or the card)."""
    seconds = float(scene.plan.seconds)
    if not scene.actors:
        card = scene.plan.lettered
        at = look_at(scene.stage, 0.0, scene.stage.top + (0.42 if card else 0.5) * scene.stage.height, 1.1)
        return _about(scene, move, at, seconds, 3.0 if not card else 2.0)
    if move == "tracking":
        return _tracking(scene, seconds)
    share, foot, grows, sways = _MOVE_FRAMING[move]
    sways = scene.main.speed * seconds / 2 if move == "static" else sways
    at = _framing(scene, seconds / 2, share, foot=foot, grows=grows, sways=sways)
    by = min(3.0, 0.3 * scene.stage.width / at.zoom, 2 * sways if scene.stage.portrait else 3.0)
    motion = _about(scene, move, at, seconds, by)
    return motion if move == "static" else _carried(scene, motion, seconds / 2)


#: For each move: the share of the main subject and the height of its feet in the framing about which the camera moves,
#: by what factor it comes closer, and how far it goes aside.
_MOVE_FRAMING: dict[Move, tuple[float, float, float, float]] = {
    "static": (0.35, 0.78, 1.0, 0.1),
    "pan": (0.34, 0.78, 1.0, 0.8),
    "tilt": (0.34, 0.74, 1.0, 0.35),
    "dolly_in": (0.29, 0.76, 1.39, 0.0),
    "dolly_out": (0.29, 0.76, 1.39, 0.0),
    "crane": (0.31, 0.74, 1.19, 0.0),
    "tracking": (0.34, 0.78, 1.0, 0.0),
    "drone": (0.3, 0.72, 1.43, 1.2),
    "handheld": (0.31, 0.78, 1.1, 0.2),
    "orbit": (0.30, 0.78, 1.16, 0.8),
}


def _about(scene: Scene, move: Move, at: View, seconds: float, by: float) -> Motion:
    facing = scene.main.facing if scene.actors else 1
    rise = min(2.0, 0.24 * scene.stage.height / at.zoom)
    high = scene.actors and scene.flying
    moves: dict[Move, Callable[[float, float, View], Motion]] = {
        "static": camera.static,
        "pan": partial(camera.pan, by=by * facing),
        "tilt": partial(camera.tilt, by=-rise if high else rise),
        "dolly_in": camera.dolly_in,
        "dolly_out": camera.dolly_out,
        "crane": partial(camera.crane, by=rise),
        "tracking": partial(camera.tracking, by=by * facing),
        "drone": partial(_flight, scene),
        "handheld": camera.handheld,
        "orbit": partial(camera.orbit, by=by * facing),
    }
    return moves[move](0.0, seconds, at)


def _flight(scene: Scene, start: float, end: float, at: View) -> Motion:
    """The drone: from as high up as leaves the feet of the main subject in the frame, down to it and past it."""
    if not scene.actors:
        return camera.drone(start, end, at)
    stage = scene.stage
    feet = where(scene.main, start)[1] - (stage.top + stage.height / 2)
    aside = 0.045 * stage.width
    high = View(at.x - 2 * aside, max(-2.0, min(at.y - 0.3, feet - 0.45 * stage.height)))
    forward = 0.14 if stage.portrait else 0.3  # a group fills the narrow frame before anybody has come closer
    low = replace(at, x=at.x + aside, y=at.y + 0.2, dolly=at.dolly + forward)
    return between(high, low, start, end)


def _tracking(scene: Scene, seconds: float) -> Motion:
    """Beside the subject; where it goes nowhere, the camera passes it slowly all the same."""
    if scene.main.speed > 0:
        return _follow(scene, 0.0, seconds, 0.37, 0.39, lead=0.03)
    at = _framing(scene, seconds / 2, 0.34)
    return camera.tracking(0.0, seconds, at, by=0.28 * scene.stage.width / at.zoom * scene.main.facing)


def _carried(scene: Scene, motion: Motion, since: float) -> Motion:
    """The same move by a camera that goes along with the main subject."""
    main = scene.main
    home, _ = where(main, since)

    def view(t: float) -> View:
        seen = motion(t)
        return replace(seen, x=seen.x + (where(main, t)[0] - home) * main.depth)

    return view
