"""Things without a puppet: their emoji, cut out of white paper that stands on its own edge."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import skia

from .bake import Baked, Finish, bake
from .camera import Affine
from .draw import hex_rgb
from .emoji import drawing
from .figures import SHADOW, Studio, contact, contact_shadow, nowhere, placed, silhouette
from .light import Light
from .model import Actor, Pose
from .motion import smooth, wheeling
from .props import Figure, Limb
from .twolegs import BEAT
from .ways import acted

_GOING = frozenset({"walk", "run", "fly", "swim", "roll"})
_DYE = 0.82  #: how much of its own colours a sticker gives up
BORDER = 0.075  #: the white paper around the drawing, of its size


def sticker_figure(actor: Actor, studio: Studio, zoom: float) -> Figure:
    """A sticker as a prop; in puppet space, like a puppet: its foot at (0, 0), its upper edge at -1."""
    emoji = actor.subject.sticker
    assert emoji is not None, "only subjects with a sticker are stickers"
    flying = actor.y < -0.6 or actor.subject.action in ("fly", "float", "swim")
    paint = partial(_paint, drawing(emoji), studio.spot, actor)
    box, scale = (-0.62, -1.08, 0.62, 0.08), studio.unit * zoom * actor.height
    paper = bake(paint, box, scale, Finish(ply=actor.height, grain=0.8 * studio.grain, tone=studio.tone))
    assert paper is not None, "a sticker is never empty"
    perform = partial(pose, actor)
    # The drawings end at different heights: what does not fly is set down on the lowest point of its paper.
    down = Affine.move(0.0, 0.0 if flying else -_lowest(paper))
    return Figure(
        depth=actor.depth,
        limbs=(Limb(paper, silhouette(paint, box, scale, 1 / actor.height)),),
        place=lambda t: (placed(actor, perform(t), t) @ down,),
        shade=studio.shade,
        shadow_shift=studio.shift(),
        darkness=SHADOW,
        contact=nowhere if flying else partial(contact, actor, perform, 0.3),
        contact_shadow=contact_shadow(studio.unit),
    )


def _lowest(paper: Baked) -> float:
    """The y of the lower edge of a piece, in the units of its paint."""
    return paper.top + float(paper.image.height()) / paper.scale


def _paint(svg: skia.SVGDOM, light: Light, actor: Actor, canvas: skia.Canvas) -> None:
    size = 1.0 - 2 * BORDER
    left, top = -size / 2, -1.0 + BORDER
    if turned(actor):
        canvas.scale(-1.0, 1.0)
    canvas.saveLayer()
    _border(canvas, svg, light, actor, (left, top, size))
    lit = skia.Paint(ColorFilter=_dyed(in_light(light, actor.depth), actor.subject.colour))
    canvas.saveLayer(None, lit)
    _render(canvas, svg, left, top, size)
    canvas.restore()
    canvas.restore()


def _dyed(lit: skia.ColorFilter, colour: str | None) -> skia.ColorFilter:
    """The light on a drawing whose colours are given up for the one that the prompt names; light stays lighter."""
    if colour is None:
        return lit
    rows: list[float] = []
    for channel, value in enumerate(hex_rgb(colour)):
        row = [share * (0.25 + 1.15 * value / 255) * _DYE for share in (0.3, 0.59, 0.11)]
        row[channel] += 1.0 - _DYE
        rows += [*row, 0.0, 0.06 * _DYE * value / 255]
    return skia.ColorFilters.Compose(lit, skia.ColorFilters.Matrix([*rows, 0.0, 0.0, 0.0, 1.0, 0.0]))


def turned(actor: Actor) -> bool:
    """Whether the drawing is mirrored in puppet space. Emoji that go anywhere are drawn looking to the left, puppets
    look to the right; what only stands there is seen as it is drawn, wherever the actor faces: it may bear letters."""
    return actor.speed > 0 or actor.subject.action in _GOING or actor.facing < 0


def _render(canvas: skia.Canvas, svg: skia.SVGDOM, left: float, top: float, size: float) -> None:
    canvas.save()
    canvas.translate(left, top)
    canvas.scale(size, size)
    svg.render(canvas)
    canvas.restore()


def _border(canvas: skia.Canvas, svg: skia.SVGDOM, light: Light, actor: Actor, at: tuple[float, float, float]) -> None:
    """The white paper: the drawing's outline, moved round and round by the width of the border."""
    left, top, size = at
    red, green, blue = light.on("#fffdf6", actor.depth)
    white = skia.ColorFilters.Blend(int(skia.Color(red, green, blue)), skia.BlendMode.kSrcIn)
    canvas.saveLayer(None, skia.Paint(ColorFilter=white))
    for step in range(20):
        turn, width = step * math.tau / 20, BORDER * size
        _render(canvas, svg, left + width * math.cos(turn), top + width * math.sin(turn), size)
    canvas.restore()


def in_light(light: Light, depth: float) -> skia.ColorFilter:
    """What the light does to "#rrggbb", as a filter for whole pictures."""
    black, white = light.on("#000000", depth), light.on("#ffffff", depth)
    rows: list[float] = []
    for channel, (low, high) in enumerate(zip(black, white, strict=True)):
        row = [0.0] * 5
        row[channel], row[4] = (high - low) / 255, low / 255
        rows += row
    return skia.ColorFilters.Matrix([*rows, 0.0, 0.0, 0.0, 1.0, 0.0])


# ---------------------------------------------------------------- how a sticker acts ------------------------------


def _hop(beat: float) -> float:
    return -abs(math.sin(math.pi * beat))


def _sway(t: float) -> Pose:
    return Pose(turn=3.2 * math.sin(1.9 * t))


def _dance(t: float) -> Pose:
    """On the beat it leaps, landing softly, while it wanders from side to side; each eighth leap is a somersault."""
    beat = BEAT * t
    hop, swing = abs(math.sin(math.pi * beat)), math.sin(math.pi * beat)
    aside = math.sin(math.pi * beat / 4)
    through = beat % 8.0 - 7.0
    if through > 0.0:
        whole = wheeling(360 * smooth(through), 0.5)
        turn, dx = whole["turn"] + 10 * aside, whole["dx"] + 0.2 * aside
        return Pose(turn=turn, dx=dx, dy=whole["dy"] - 0.3 * hop, stretch=0.86 + 0.2 * hop)
    return Pose(dx=0.2 * aside + 0.06 * swing, dy=-0.2 * hop, turn=12 * swing + 10 * aside, stretch=0.86 + 0.2 * hop)


_ACTS: dict[str, Callable[[float], Pose]] = {
    "jump": lambda t: Pose(dy=0.28 * _hop(1.1 * t), stretch=1.0 - 0.05 * math.cos(2.2 * math.pi * t)),
    "play": lambda t: Pose(dy=0.12 * _hop(1.6 * t), turn=7 * math.sin(5.0 * t)),
    "run": lambda t: Pose(dy=0.08 * _hop(2.4 * t), turn=4 + 4 * math.sin(7.5 * t)),
    "walk": lambda t: Pose(dy=0.04 * _hop(1.6 * t), turn=5 * math.sin(5.0 * t)),
    "dance": _dance,
    "spin": lambda t: Pose(turn=22 * math.sin(2.4 * t)),
    "fly": lambda t: Pose(dy=0.10 * math.sin(1.7 * t), turn=6 * math.sin(1.1 * t)),
    "float": lambda t: Pose(dy=0.07 * math.sin(1.3 * t), turn=4 * math.sin(0.9 * t)),
    "swim": lambda t: Pose(dy=0.06 * math.sin(1.6 * t), turn=6 * math.sin(2.2 * t)),
    "roll": lambda t: Pose(dy=0.015 * _hop(3.0 * t), turn=2 * math.sin(3.0 * t)),
    "sleep": lambda t: Pose(turn=8 + math.sin(1.2 * t)),
}


def pose(actor: Actor, t: float) -> Pose:
    """How a sticker stands at a second of the film: a whole piece of paper hops, rocks and sways."""
    return acted(actor, t, lambda action, speed: _ACTS.get(action, _sway)(t + 1.3 * actor.phase))
