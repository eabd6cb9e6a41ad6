"""Puppets made ready for filming: each part baked once, and the matrices by which a pose moves them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import skia

from .bake import Baked, Finish, bake
from .camera import Affine
from .draw import Brush
from .light import Light
from .model import Actor, Pose
from .props import Figure, Limb, Shade
from .puppets import Part, Puppet, colours_for
from .style import manner, tone, toned
from .ways import spot

RIM = 0.014  #: the paper border that the scissors leave, stage units
SHADOW = 0.36  #: how dark its shadow on the set is
SHADOW_SOFT = 0.09
SHADOW_FALL = (0.13, 0.15)  #: how far to the side (away from the light) and down it falls, stage units
CONTACT = 0.42
AIRY = frozenset({"bird", "fish", "insect", "aerostat", "kite", "vessel"})  #: rigs that stand on nothing

Perform = Callable[[float], Pose]


@dataclass(frozen=True, eq=False)
class Studio:
    """What everything is baked with: the light, pixels in a stage unit at rest, and what throws shadows."""

    light: Light
    unit: float
    shade: Shade

    @property
    def grain(self) -> float:
        """How strong the grain of the paper is: less in the dark, where the eye sees it more."""
        return {"day": 0.042, "sunset": 0.036, "night": 0.025}[self.light.time] * manner(self.light.style).grain

    @property
    def tone(self) -> skia.ColorFilter | None:
        """What the style of the film does to all colours."""
        return tone(self.light.style)

    @property
    def spot(self) -> Light:
        """The light on whoever acts: the stage lamp follows them, so that they stand out from a dark set."""
        lamp = {"day": 0.0, "sunset": 0.3, "night": 0.42}[self.light.time]
        lamp = 0.8 if self.light.style == "noir" and lamp else lamp
        red, green, blue = (factor + (1.0 - factor) * lamp if factor < 1.0 else factor for factor in self.light.ambient)
        return replace(self.light, ambient=(red, green, blue))

    def shift(self) -> tuple[float, float]:
        across, down = SHADOW_FALL
        return -across * self.light.side, down


def placed(actor: Actor, pose: Pose, t: float) -> Affine:
    """From puppet space to stage units."""
    x, y, facing = spot(actor, t)
    x, y = x + facing * pose.dx * actor.height, y + pose.dy * actor.height
    body = Affine.turn(pose.turn * facing) @ Affine.stretch(
        facing * actor.height / pose.stretch, actor.height * pose.stretch
    )
    return Affine.move(x, y) @ body


def jointed(parts: Sequence[Part], pose: Pose) -> list[Affine]:
    """For each part the matrix, within puppet space, that its own turn and those of its ancestors make."""
    by_name = {part.name: part for part in parts}
    turned: dict[str, Affine] = {}

    def turn(part: Part) -> Affine:
        if part.name not in turned:
            own = Affine.turn(pose.joints.get(part.name, 0.0), *part.pivot)
            turned[part.name] = own if part.parent is None else turn(by_name[part.parent]) @ own
        return turned[part.name]

    return [turn(part) for part in parts]


def puppet_figure(
    puppet: Puppet, actor: Actor, variation: int, perform: Perform, studio: Studio, zoom: float
) -> Figure:
    """A puppet as a prop. ``zoom`` is the largest magnification at which any shot shows it."""
    light = replace(studio.spot, side=studio.light.side * actor.facing)
    colours = colours_for(puppet, actor.subject.colour, variation)
    limbs = [_limb(part, colours, replace(studio, light=light), actor, zoom) for part in puppet.parts]
    parts = [part for part, limb in zip(puppet.parts, limbs, strict=True) if limb is not None]

    def place(t: float) -> list[Affine]:
        pose = perform(t)
        whole = placed(actor, pose, t)
        joints = dict(zip((part.name for part in puppet.parts), jointed(puppet.parts, pose), strict=True))
        return [whole @ joints[part.name] for part in parts]

    grounded = (puppet.rig not in AIRY or (puppet.rig == "bird" and puppet.lift == 0)) and actor.y > -0.6
    left, _, right, _ = puppet.box
    return Figure(
        depth=actor.depth,
        limbs=tuple(limb for limb in limbs if limb is not None),
        place=place,
        shade=studio.shade,
        shadow_shift=studio.shift(),
        darkness=SHADOW,
        contact=partial(contact, actor, perform, (right - left) * 0.36) if grounded else nowhere,
        contact_shadow=contact_shadow(studio.unit),
        blinks=partial(blinking, actor),
    )


BLINK, EVERY = 0.13, 2.7  #: seconds that eyes are shut, and in each of which stretches they are once


def blinking(actor: Actor, t: float) -> bool:
    """Whether an actor's eyes are shut: once in a while, at no regular time, and all the time in sleep."""
    if actor.subject.action == "sleep":
        return True
    turns = t / EVERY + actor.phase
    stretch = math.floor(turns)
    start = 0.15 + 0.7 * (math.sin(12.9898 * stretch + 78.233 * actor.phase) * 43758.5453 % 1.0)
    return 0.0 <= turns - stretch - start < BLINK / EVERY


def _limb(part: Part, colours: dict[str, str], studio: Studio, actor: Actor, zoom: float) -> Limb | None:
    """A part, baked in puppet space."""
    left, top, right, bottom = part.box
    edge = (RIM + 2.2 * SHADOW_SOFT) / actor.height
    box = (left - edge, top - edge, right + edge, bottom + edge)
    unit = studio.unit * zoom
    scale = unit * actor.height

    def paint(canvas: skia.Canvas, *, shut: bool = False) -> None:
        part.paint(Brush(canvas, studio.light, actor.depth, unit), colours, shut=shut)

    rim = RIM / actor.height
    paper = Finish(
        ply=actor.height, grain=studio.grain, rim=rim, rim_colour=_rim(studio.light, actor.depth), tone=studio.tone
    )
    baked = bake(paint, box, scale, paper)
    if baked is None:
        return None
    shut = bake(partial(paint, shut=True), box, scale, paper) if part.sees else None
    return Limb(baked, silhouette(paint, box, scale, 1 / actor.height), shut)


def _rim(light: Light, depth: float) -> int:
    red, green, blue = light.on("#f4ead6", depth)
    return toned(light.style, int(skia.Color(red, green, blue)))


def silhouette(
    paint: Callable[[skia.Canvas], None], box: tuple[float, float, float, float], scale: float, ply: float
) -> Baked | None:
    """The soft dark outline of a piece; ``ply`` = units of its paint in a stage unit."""

    def shade(canvas: skia.Canvas) -> None:
        dark = skia.ColorFilters.Blend(int(skia.Color(26, 18, 42)), skia.BlendMode.kSrcIn)
        canvas.saveLayer(None, skia.Paint(ColorFilter=dark))
        paint(canvas)
        canvas.restore()

    return bake(shade, box, scale / Shade.STEP, Finish(grain=0.0, blur=SHADOW_SOFT * ply))


# ---------------------------------------------------------------- feet on the boards ------------------------------


def nowhere(t: float) -> None:
    """The contact of what does not touch the boards."""


@lru_cache(maxsize=4)
def contact_shadow(unit: float) -> Baked:
    """A soft dark oval of half-width 1 and half-height 1/6 about (0, 0)."""
    shader = skia.GradientShader.MakeRadial(
        skia.Point(0, 0), 1.0, [int(skia.Color(16, 10, 24, round(255 * a))) for a in (0.8, 0.5, 0.0)], [0.0, 0.45, 1.0]
    )

    def paint(canvas: skia.Canvas) -> None:
        canvas.scale(1.0, 1 / 6)
        canvas.drawCircle(0, 0, 1.0, skia.Paint(Shader=shader, Dither=True))

    baked = bake(paint, (-1.0, -0.2, 1.0, 0.2), unit, Finish(grain=0.0))
    assert baked is not None, "an oval is never empty"
    return baked


def contact(actor: Actor, perform: Perform, width: float, t: float) -> tuple[Affine, float]:
    """(Where the oval lies, how dark it is): it follows the puppet, and shrinks and pales as that rises."""
    pose = perform(t)
    x, y, facing = spot(actor, t)
    x += facing * pose.dx * actor.height
    above = max(0.0, min(actor.y, 0.0) - y) / actor.height  # who has taken off leaves the shadow below
    rise = max(0.0, -pose.dy) + above
    size = actor.height * width * (1.0 + 0.25 * rise)
    return Affine.move(x, max(y, actor.y)) @ Affine.stretch(size, size), CONTACT / (1.0 + 3.0 * rise)
