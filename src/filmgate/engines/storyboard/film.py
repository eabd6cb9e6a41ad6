"""A film: the theatre built and lit once, and then any of its frames, in any order, as pixels.

``from_plan`` goes the whole way from a plan. A frame is a pure function of its index, so that several processes can
each render some of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from random import Random

import numpy as np
import skia

from . import actions, puppets, sets, shots
from .bake import Box, Finish, Pixels, bake, canvas_on
from .camera import Affine, magnification, project, seen, within
from .cards import DEPTH, FOLLOWS, Caption, caption, hanging_card, place_for, slip
from .cutouts import Cutout, cutout_figure
from .draw import Brush
from .figures import Studio, puppet_figure
from .finish import overlay
from .lettering import showable
from .light import Light, light_for
from .model import FPS, Actor, Plan, Pose, Screenplay, Sheet, Stage, View
from .precipitation import swarms
from .props import SMOOTH, Figure, Hanging, Prop, Shade
from .stickers import sticker_figure
from .ways import acted
from .weather import flash

LONGEST_CARD = 100  #: characters of a prompt that is set in type
SHARPEST = 2.0  #: the largest magnification for which a sheet in focus is baked
ZOOM_STEPS = 16  #: magnifications are told apart in steps of a sixteenth
SOFTEST = 1.15  #: ... and one that is out of focus, however little
WIDEST = 1e5  #: pixels: wider than any frame
FAR = 3.5  #: from this depth on everything is so soft that it is filmed on fewer pixels
FINE, FINEST = 60.0, 200.0  #: pixels in a stage unit from which on every second, every fourth of them will do


@dataclass(frozen=True)
class Reach:
    """What the shots of a film show of a depth."""

    box: Box  #: all that is ever seen of it, stage units
    zoom: float  #: the largest magnification


class Film:
    """Frames of a screenplay. Not for several threads at once: all frames are drawn into one picture."""

    def __init__(
        self, screenplay: Screenplay, sheets: Sequence[Sheet], light: Light, width: int, height: int, *,
        images: Sequence[Cutout] = (), also: Sequence[View] = (),
    ) -> None:  # fmt: skip
        """``images``: the reference images; ``also``: what else, beside what this film shows, must be ready for it."""
        plan = screenplay.plan
        self.start = screenplay.shots[0].start  #: the second of the whole story at which this film begins
        self._images = images
        self.screenplay, self.width, self.height = screenplay, width, height
        self.stage = Stage(plan.portrait)
        self.unit = min(width, height) / 9.0  #: pixels in a stage unit at rest
        self._coarse = 1 if self.unit < FINE else 2 if self.unit < FINEST else 4
        self.frames = plan.seconds * FPS
        self._light = light
        self._studio = Studio(light, self.unit, Shade(width, height))
        instants = [*range(0, self.frames, 4), self.frames - 1]
        self._views = [
            *(within(view, self.stage) for view in also),
            *(self.view(self.start + i / FPS) for i in instants),
        ]
        self._props: list[Prop] = sorted(self._everything(sheets), key=_order)
        screen = project(View(), 1.0, self.stage, self.unit)
        self._label = self._card(plan.lettered, 1.0) if plan.subjects and showable(" ".join(plan.lettered)) else None
        self._strips = list(self._pushed_in(screen))
        self._overlay = overlay(width, height, light, plan.mood)
        self._pixels: Pixels = np.zeros((height, width, 4), np.uint8)
        self._canvas = canvas_on(self._pixels)
        self._backdrop = skia.Surface.MakeRasterN32Premul(-(-width // self._coarse), -(-height // self._coarse))

    def view(self, t: float) -> View:
        """Where the camera is at a second of the story."""
        shots_ = self.screenplay.shots
        shot = next((s for s in shots_ if s.start <= t + 1e-6 < s.end), shots_[-1])
        return within(shot.view(t), self.stage)

    def frame(self, index: int) -> Pixels:
        """Frame ``index`` as (height, width, 4) opaque BGRA. The same array every time: copy what is to be kept."""
        t = self.start + index / FPS
        view, canvas = self.view(t), self._canvas
        self._set_up(view, t)
        if self._label is not None:
            beside = View(x=view.x * FOLLOWS, y=view.y * FOLLOWS)
            self._label.draw(canvas, project(beside, 1.0, self.stage, self.unit), t)
        canvas.resetMatrix()
        self._lightning(t)
        canvas.drawImage(self._overlay, 0, 0)
        for strip in self._strips:
            strip.draw(canvas, index / FPS)
        return self._pixels

    def _set_up(self, view: View, t: float) -> None:
        """Everything on the stage, far to near; what nearer sheets hide is not drawn."""
        hidden = float(self.height)
        drawn: list[tuple[Prop, Affine, float]] = []
        for prop in reversed(self._props):
            camera = project(view, prop.depth, self.stage, self.unit)
            drawn.append((prop, camera, hidden))
            if isinstance(prop, Hanging):
                hidden = min(hidden, prop.covers_from(camera, t))
        near = [piece for piece in reversed(drawn) if piece[0].depth < FAR or self._coarse == 1]
        if self._coarse > 1:
            self._far_away([piece for piece in reversed(drawn) if piece[0].depth >= FAR], t)
        for prop, camera, low in near:
            with _above(self._canvas, low, self.height):
                prop.draw(self._canvas, camera, t)

    def _far_away(self, pieces: Sequence[tuple[Prop, Affine, float]], t: float) -> None:
        """What is out of focus, on fewer pixels, enlarged."""
        small, canvas = Affine.stretch(1 / self._coarse, 1 / self._coarse), self._backdrop.getCanvas()
        for prop, camera, low in pieces:
            with _above(canvas, low / self._coarse + 1, self.height):
                prop.draw(canvas, small @ camera, t)
        canvas = self._canvas
        with _above(canvas, pieces[-1][2] if pieces else 0.0, self.height):
            canvas.setMatrix(skia.Matrix.Scale(self._coarse, self._coarse))
            canvas.drawImage(self._backdrop.makeImageSnapshot(), 0, 0, SMOOTH)

    def _lightning(self, t: float) -> None:
        if self.screenplay.plan.weather != "storm":
            return
        strength = flash(t, self.screenplay.plan.seed)
        if strength > 0.01:
            white = skia.Color(226, 232, 255, round(150 * strength))
            self._canvas.drawColor(white, skia.BlendMode.kSoftLight)
            self._canvas.drawColor(skia.Color(226, 232, 255, round(46 * strength)))

    # ------------------------------------------------------------ building the theatre ----------------------------

    def _everything(self, sheets: Sequence[Sheet]) -> Iterator[Prop]:
        plan = self.screenplay.plan
        for sheet in sheets:
            hung = self._hang(sheet)
            if hung is not None:
                yield hung
        for actor, variation in _numbered(self.screenplay.actors):
            figure = self._figure(actor, variation)
            if figure is not None:
                yield figure
        if plan.lettered and not plan.subjects:
            yield self._card(_said(plan), DEPTH)
        yield from swarms(plan, self.stage, self._light, self.unit, lambda depth: self.reach(depth).zoom)

    def reach(self, depth: float) -> Reach:
        """What the camera will ever see of a depth."""
        lefts, tops, rights, bottoms = zip(*(seen(view, depth, self.stage) for view in self._views), strict=True)
        closest = max(magnification(view, depth) for view in self._views)
        zoom = math.ceil(closest * ZOOM_STEPS - 0.01) / ZOOM_STEPS
        return Reach((min(lefts) - 0.2, min(tops) - 0.2, max(rights) + 0.2, max(bottoms) + 0.2), zoom)

    def _hang(self, sheet: Sheet) -> Hanging | None:
        reach, blur = self.reach(sheet.depth), softness(sheet.depth)
        zoom = min(reach.zoom, SOFTEST if blur else SHARPEST)
        if blur * zoom * self.unit > 2.2 and sheet.depth < FAR:  # so soft that half the pixels hold all there is to see
            zoom /= 2
        zoom /= self._coarse if sheet.depth >= FAR else 1
        box = _overlap(sheet.box, _drifting(reach.box, sheet, self.start, self.screenplay.plan.seconds))
        if box is None:
            return None
        baked = bake(partial(self._paint, sheet, zoom), box, self.unit * zoom, self._sheet_finish(sheet, blur))
        return None if baked is None else Hanging(sheet.depth, baked, self.unit, sheet.drift)

    def _paint(self, sheet: Sheet, zoom: float, canvas: skia.Canvas) -> None:
        sheet.paint(Brush(canvas, self._light, sheet.depth, self.unit * zoom))

    def _sheet_finish(self, sheet: Sheet, blur: float) -> Finish:
        """Near sheets throw deeper shadows on what hangs behind them; the sky throws none."""
        near = 1.0 / (1.0 + max(0.0, sheet.depth - 1.0) * 0.35)
        across, down = self._studio.shift()
        return Finish(
            grain=self._studio.grain, blur=blur, opaque=sheet.opaque, tone=self._studio.tone,
            shadow=0.0 if sheet.opaque else 0.38 * near, shadow_blur=0.16,
            shadow_shift=(across * 0.7, -down * 0.6),
        )  # fmt: skip

    def _figure(self, actor: Actor, variation: int) -> Figure | None:
        zoom = min(self.reach(actor.depth).zoom, SHARPEST)
        subject = actor.subject
        if subject.puppet is not None:
            puppet = puppets.load(subject.puppet)
            # The limbs and the shadow at their feet ask for the same instant one after the other.
            perform = lru_cache(maxsize=2)(partial(_perform, puppet, actor, tempo(self.screenplay.plan, puppet.rig)))
            return puppet_figure(puppet, actor, variation, perform, self._studio, zoom)
        if subject.picture is not None:
            return cutout_figure(actor, self._images[subject.picture], self._studio, zoom)
        return None if subject.sticker is None else sticker_figure(actor, self._studio, zoom)

    def _pushed_in(self, screen: Affine) -> Iterator[Caption]:
        """What is said, and which words of the prompt are not to be seen."""
        plan = self.screenplay.plan
        said = caption(plan.dialogue, self.stage, self._studio, plan.seconds, screen) if plan.dialogue else None
        if said is not None:
            yield said
        noted = [word for word in plan.noted if showable(word)]
        if noted:
            left = bool(plan.subjects) and self.screenplay.actors[0].x >= 0
            yield slip(noted, left, self.stage, self._studio, plan.seconds, screen)

    def _card(self, words: Sequence[str], depth: float) -> Figure:
        actors, alone = self.screenplay.actors, not self.screenplay.plan.subjects
        place = place_for(self.stage, alone, actors[0].x if actors else 0.0)
        zoom = 1.0 if not alone else min(self.reach(depth).zoom, SHARPEST)
        return hanging_card(words, place, depth, self._studio, zoom)


@contextmanager
def _above(canvas: skia.Canvas, low: float, height: int) -> Iterator[None]:
    """Nothing is drawn below this height of the frame, pixels."""
    canvas.save()
    if low < height:
        canvas.resetMatrix()
        canvas.clipRect(skia.Rect.MakeLTRB(0.0, 0.0, WIDEST, max(0.0, math.ceil(low))))
    yield
    canvas.restore()


def tempo(plan: Plan, rig: str) -> float:
    """How lively the performance is; of a vessel it is the sea that is meant."""
    sea = {"storm": 2.5, "rain": 1.5, "snow": 1.2}.get(plan.weather, 1.0) if rig == "vessel" else 1.0
    return sea * plan.pace


def _perform(puppet: puppets.Puppet, actor: Actor, lively: float, t: float) -> Pose:
    def pose(action: str, speed: float) -> Pose:
        return actions.perform(
            action, puppet, t, phase=actor.phase, speed=speed, height=actor.height, tempo=lively
        )  # fmt: skip

    return acted(actor, t, pose)


def softness(depth: float) -> float:
    """How far out of focus a depth is: the deviation of its blur in stage units. The puppets' plane is sharp."""
    off = 1.0 - 1.0 / depth
    return 0.028 * max(0.0, off - 0.35) if off > 0 else 0.085 * max(0.0, -off - 0.12)


def _order(prop: Prop) -> float:
    """Far to near; but who acts on the boards (up to depth 2) is in front of all that is painted from 1 on.

    Otherwise the boards themselves, which reach from the puppets' feet to the horizon, would hide whoever stands a
    little farther back on them.
    """
    acting = isinstance(prop, Figure) and prop.depth < 2.0
    return -0.999 - (prop.depth - 1.0) * 1e-4 if acting and prop.depth >= 0.999 else -prop.depth


def _said(plan: Plan) -> Sequence[str]:
    """The words of a card that is all there is: the prompt itself where not even its place can be pictured."""
    return (plan.prompt,) if plan.setting == "plain" and len(plan.prompt) <= LONGEST_CARD else plan.lettered


def _drifting(box: Box, sheet: Sheet, start: float, seconds: int) -> Box:
    """What must be baked of a sheet that moves by itself, so that ``box`` is always covered."""
    if sheet.drift is None:
        return box
    moves = [sheet.drift(start + i / 6) for i in range(6 * seconds + 1)]
    xs, ys = [dx for dx, _ in moves], [dy for _, dy in moves]
    return box[0] - max(xs), box[1] - max(ys), box[2] - min(xs), box[3] - min(ys)


def _overlap(one: Box, other: Box) -> Box | None:
    box = max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])
    return box if box[0] < box[2] and box[1] < box[3] else None


def _numbered(actors: Sequence[Actor]) -> Iterator[tuple[Actor, int]]:
    """Each actor with its number within its own group, from 0: so that the dogs of a pack differ."""
    for _, group in groupby(actors, key=lambda actor: actor.subject):
        for number, actor in enumerate(group):
            yield actor, number


def from_plan(plan: Plan, width: int, height: int, images: Sequence[Cutout] = ()) -> Film:
    """The film of a plan at a size in pixels, whose shape must be the plan's."""
    return of_screenplay(shots.stage_play(plan), width, height, images)


def of_screenplay(
    screenplay: Screenplay, width: int, height: int, images: Sequence[Cutout] = (), also: Sequence[View] = ()
) -> Film:
    """The film of a screenplay; the other arguments are those of ``from_plan`` and of Film."""
    plan = screenplay.plan
    outdoors = light_for(plan.time, plan.weather, Random(f"{plan.seed}:side").choice((-1, 1)), plan.style)
    light = sets.atmosphere(plan.setting, outdoors)
    sheets = sets.build(plan, Stage(plan.portrait), light)
    return Film(screenplay, sheets, light, width, height, images=images, also=also)
