"""Rain, snow and fog made ready for filming: one image for each kind of drop, and all drops of a depth as one prop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby

import skia

from .bake import Baked, Finish, bake
from .draw import hex_rgb
from .light import Light
from .model import Plan, Stage
from .props import Grain, Swarm
from .sets import SHELTERED
from .style import tone
from .weather import Particle, particles

_SIZES = 3  #: so many sizes of a kind are told apart: more would be baked than seen


def swarms(plan: Plan, stage: Stage, light: Light, unit: float, zoom: Callable[[float], float]) -> Iterator[Swarm]:
    """The weather of a plan, far to near, where its set lets weather in. ``zoom``: how large a depth is ever shown."""
    sheltered = SHELTERED.get(plan.setting, 0.0)
    falling = [drop for drop in particles(plan.weather, stage, plan.seed) if drop.depth >= sheltered]
    return gathered(falling, light, unit, zoom)


def gathered(drops: Sequence[Particle], light: Light, unit: float, zoom: Callable[[float], float]) -> Iterator[Swarm]:
    """Particles as props, a swarm for each depth, far to near."""
    for depth, group in groupby(sorted(drops, key=lambda drop: -drop.depth), key=lambda drop: drop.depth):
        found = list(group)
        images: dict[tuple[object, ...], Baked] = {}
        largest = max(drop.size for drop in found)
        for drop in found:
            look = _look(drop, largest)
            if look not in images:
                images[look] = _bake(drop, light, unit * min(1.5, zoom(depth)))
        yield Swarm(depth, tuple(Grain(images[_look(drop, largest)], drop.path, drop.turn) for drop in found))


def _look(drop: Particle, largest: float) -> tuple[object, ...]:
    """What makes two drops look the same."""
    return drop.kind, round(drop.size / largest * _SIZES), drop.turn, drop.colour, round(drop.alpha * 10)


def _bake(drop: Particle, light: Light, scale: float) -> Baked:
    # Water and snow catch the lamps: half of their colour is their own, whatever the light.
    pairs = zip(light.on(drop.colour, drop.depth), hex_rgb(drop.colour), strict=True)
    red, green, blue = ((lit + own) / 2 for lit, own in pairs)
    paint = {"streak": _streak, "flake": _flake, "mist": _mist}[drop.kind]
    half = drop.size * 0.62 + 0.05
    colour = skia.Color4f(red / 255, green / 255, blue / 255, drop.alpha)
    # Mist is nothing but softness: a quarter of the pixels will do.
    fine = scale / 6 if drop.kind == "mist" else scale
    baked = bake(
        partial(paint, drop, colour), (-half, -half, half, half), fine, Finish(grain=0.0, tone=tone(light.style))
    )
    assert baked is not None, "a drop is never empty"
    return baked


def _streak(drop: Particle, colour: skia.Color4f, canvas: skia.Canvas) -> None:
    """A thin slip of light that fades at both ends."""
    clear = skia.Color4f(colour.fR, colour.fG, colour.fB, 0.0)
    ends = [skia.Point(0, -drop.size / 2), skia.Point(0, drop.size / 2)]
    shader = skia.GradientShader.MakeLinear(ends, [clear.toColor(), colour.toColor(), clear.toColor()], [0.0, 0.7, 1.0])
    width = 0.018 + 0.014 * drop.size
    canvas.drawRect(
        skia.Rect.MakeLTRB(-width / 2, -drop.size / 2, width / 2, drop.size / 2),
        skia.Paint(Shader=shader, AntiAlias=True),
    )


def _flake(drop: Particle, colour: skia.Color4f, canvas: skia.Canvas) -> None:
    """A punched disc of paper with the faintest shadow; near ones are out of focus."""
    radius = drop.size / 2
    soft = skia.Paint(Color4f=colour, AntiAlias=True)
    if drop.depth < 0.9:
        soft.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, radius * 0.35))
    canvas.drawCircle(0, 0, radius * 0.86, soft)


def _mist(drop: Particle, colour: skia.Color4f, canvas: skia.Canvas) -> None:
    clear = skia.Color4f(colour.fR, colour.fG, colour.fB, 0.0)
    half = skia.Color4f(colour.fR, colour.fG, colour.fB, colour.fA * 0.55)
    shader = skia.GradientShader.MakeRadial(
        skia.Point(0, 0), 1.0, [colour.toColor(), half.toColor(), clear.toColor()], [0.0, 0.45, 1.0]
    )
    canvas.scale(drop.size / 2, drop.size * 0.17)
    canvas.drawCircle(0, 0, 1.0, skia.Paint(Shader=shader, Dither=True))
