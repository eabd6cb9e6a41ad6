"""Films that begin with a picture (and end with another): the camera goes into it, and the prompt lends it its air.

Frame 0 is the fitted picture itself, pixel for pixel; so is the last frame where there is a picture for it. Between,
the picture has depth, and in front of it is what a theatre can add without hiding it: weather, motes in the light, a
colour of the hour, words that are said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import skia

from .bake import Pixels, canvas_on
from .camera import ease, magnification, project
from .cards import Caption, caption
from .depths import Deep, approach
from .figures import Studio
from .finish import overlay
from .light import Light, light_for
from .model import FPS, PARTS, Plan, Stage, View
from .motes import motes
from .precipitation import gathered, swarms
from .props import Shade, Swarm
from .script import Script
from .weather import flash
from .wipe import Wipe, colour_of

_COMES, _GOES = 1.4, 1.0  #: seconds in which the air comes, and goes before a last picture
_CHANGES = (1.0, 3.5)  #: seconds of an extension between which its air takes the place of the one before

#: The colour of the hour, how it is laid on, and how much of it.
_HOURS: dict[str, tuple[tuple[int, int, int], skia.BlendMode, float]] = {
    "sunset": ((255, 138, 64), skia.BlendMode.kSoftLight, 0.34),
    "night": ((66, 84, 158), skia.BlendMode.kMultiply, 0.46),
}


def silent_cast(plan: Plan) -> Plan:
    """The plan of a film that starts from a picture: who acts is in the picture already."""
    return replace(plan, subjects=(), lettered=())


@dataclass(frozen=True, eq=False)
class Air:
    """What the plan of a film adds to a picture."""

    plan: Plan
    light: Light
    swarms: tuple[Swarm, ...]
    overlay: skia.Image

    def draw(self, canvas: skia.Canvas, view: View, stage: Stage, unit: float, t: float, strength: float) -> None:
        """All of it at a second of the story; ``strength`` from 0 to 1."""
        canvas.saveLayerAlpha(None, round(255 * strength)) if strength < 1.0 else canvas.save()
        for swarm in self.swarms:
            swarm.draw(canvas, project(view, swarm.depth, stage, unit), t)
        canvas.resetMatrix()
        canvas.drawImage(self.overlay, 0, 0)
        canvas.restore()

    def tint(self, canvas: skia.Canvas, t: float, strength: float) -> None:
        """The colour of the hour, and lightning: laid on the picture itself."""
        if PARTS[self.plan.time] in _HOURS:
            colour, mode, share = _HOURS[PARTS[self.plan.time]]
            canvas.drawColor(skia.Color(*colour, round(255 * share * strength)), mode)
        bright = flash(t, self.plan.seed) * strength if self.plan.weather == "storm" else 0.0
        if bright > 0.01:
            canvas.drawColor(skia.Color(226, 232, 255, round(150 * bright)), skia.BlendMode.kSoftLight)


class PictureFilm:
    """Frames of a film of one or two pictures. Not for several threads at once."""

    def __init__(self, script: Script, pictures: Sequence[Pixels]) -> None:
        """``pictures``: one or two, opaque BGRA of the film's size.

        An extension goes on with the last of them.
        """
        plan = script.plan
        self.height, self.width = pictures[0].shape[:2]
        self.frames = plan.seconds * FPS
        self._script, self._plan = script, plan
        self._stage, self._unit = Stage(plan.portrait), min(self.width, self.height) / 9.0
        self._way = Random(f"{plan.seed}:way").choice((-1, 1))
        ends = float(script.plans[0].seconds)
        self._rests: tuple[float, ...] = (
            (0.0, ends - 1 / FPS) if len(pictures) > 1 else (0.0,)
        )  #: when the camera rests before each picture
        shown = range(len(pictures) - 1, len(pictures)) if script.continues else range(len(pictures))
        self._deep = {number: Deep(pictures[number], self._way) for number in shown}
        self._wipe = self._wiped(pictures) if len(self._deep) > 1 else None
        self._airs = self._all_air(script)
        self._caption = self._said()
        self._pixels: Pixels = np.zeros((self.height, self.width, 4), np.uint8)
        self._canvas = canvas_on(self._pixels)

    def frame(self, index: int) -> Pixels:
        """Frame ``index`` as (height, width, 4) opaque BGRA. The same array every time: copy what is to be kept."""
        given = self._given(index)
        if given is not None:
            self._pixels[:] = given
            return self._pixels
        t = self._script.begins + index / FPS
        canvas = self._canvas
        canvas.resetMatrix()
        self._picture(t)
        strengths = list(self._strengths(index / FPS))
        for air, strength in strengths:
            air.tint(canvas, t, strength)
        for air, strength in strengths:
            air.draw(canvas, self._view(t), self._stage, self._unit, t, strength)
        if self._caption is not None:
            self._caption.draw(canvas, index / FPS)
        return self._pixels

    def _given(self, index: int) -> Pixels | None:
        """The picture that this frame has to be, pixel for pixel."""
        if self._script.continues:
            return None
        if index == 0:
            return self._deep[0].pixels
        last = self._deep[max(self._deep)]
        return last.pixels if len(self._deep) > 1 and index == self.frames - 1 else None

    def _picture(self, t: float) -> None:
        first = min(self._deep)
        if self._wipe is None or t < self._wipe.end:
            self._deep[first].draw(self._canvas, t - self._rests[first])
        if self._wipe is None:
            return
        since = t - self._rests[1]
        if t >= self._wipe.end:
            self._deep[1].draw(self._canvas, since)
        elif t > self._wipe.start:
            self._wipe.draw(self._canvas, t, lambda: self._deep[1].draw(self._canvas, since))

    def _wiped(self, pictures: Sequence[Pixels]) -> Wipe:
        seconds = self._plan.seconds
        colours = colour_of(pictures[0], 0.45), colour_of(pictures[1], 0.2)
        return Wipe(0.36 * seconds, 0.36 * seconds + 0.28 * seconds + 0.6, self.width, self.height, colours, self._way)

    # ------------------------------------------------------------ the air -----------------------------------------

    def _view(self, t: float) -> View:
        """What hangs in front of the picture goes with it, only more."""
        last = self._rests[max(self._deep)]
        into = approach(t - (last if self._script.continues else 0.0))
        return View(x=0.5 * self._way * into, zoom=1.02, dolly=0.1 * into)

    def _all_air(self, script: Script) -> list[Air]:
        """That of this film; where it goes on from another that looked different, also that one's."""
        plans = list(script.plans[-2:])
        if len({_airy(plan) for plan in plans}) == 1:
            plans = plans[-1:]
        return [self._air(plan) for plan in plans]

    def _air(self, plan: Plan) -> Air:
        light = light_for(plan.time, plan.weather, self._way)
        farthest = View(x=0.5 * self._way, zoom=1.02, dolly=0.1)
        drops = [*swarms(plan, self._stage, light, self._unit, lambda depth: magnification(farthest, depth))]
        drops += gathered(motes(plan, self._stage), light, self._unit, lambda depth: magnification(farthest, depth))
        shown = tuple(sorted(drops, key=lambda swarm: -swarm.depth))
        return Air(plan, light, shown, overlay(self.width, self.height, light, plan.mood))

    def _strengths(self, t: float) -> Iterator[tuple[Air, float]]:
        """How much of each air there is at a second of this film."""
        strength = 1.0
        if not self._script.continues or (len(self._rests) > 1 and len(self._script.plans) == 2):
            strength = ease(t / _COMES)
        if 1 in self._deep and not self._script.continues:
            strength *= ease((self._plan.seconds - 1 / FPS - t) / _GOES)
        begins, ends = _CHANGES
        new = ease((t - begins) / (ends - begins)) if len(self._airs) > 1 else 1.0
        shares = (1.0 - new, new) if len(self._airs) > 1 else (1.0,)
        yield from ((air, strength * share) for air, share in zip(self._airs, shares, strict=True) if share > 0.0)

    def _said(self) -> Caption | None:
        plan = self._plan
        if not plan.dialogue:
            return None
        studio = Studio(self._airs[-1].light, self._unit, Shade(self.width, self.height))
        if 1 in self._deep and not self._script.continues:
            plan = replace(plan, seconds=plan.seconds - 1)  # the last picture is shown as it is
        return caption(
            plan.dialogue or "", self._stage, studio, plan.seconds, project(View(), 1.0, self._stage, self._unit)
        )


def _airy(plan: Plan) -> tuple[str, str, str]:
    return plan.time, plan.weather, plan.mood
