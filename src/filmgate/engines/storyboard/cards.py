"""Words on paper: the card that hangs in the scene for what cannot be pictured, and the caption for what is said."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import skia

from .bake import Baked, Box, Finish, bake
from .camera import Affine, ease
from .draw import Brush, hex_rgb
from .figures import SHADOW, Studio, contact_shadow, nowhere, silhouette
from .lettering import Face, Setting, draw, fit, script_of, showable
from .light import Light
from .model import Stage
from .props import Figure, Limb, put

PAPER, INK = "#fbf3e2", "#2b2233"
DEPTH = 1.12  #: a card that is the subject hangs where the puppets would stand
FOLLOWS = 0.12  #: how much of the camera's travel a card beside the subjects shows: it must stay in the frame
ABOVE = 14.0  #: how far above the card its strings are tied, stage units


@dataclass(frozen=True)
class Place:
    """Where a card hangs and how large it may become, stage units."""

    x: float
    middle: float
    width: float
    height: float
    largest: float  #: size of type


def place_for(stage: Stage, alone: bool, subjects_x: float) -> Place:
    """The middle of the stage for a card that is the subject itself, else a corner of the sky away from the others."""
    if alone:
        width = stage.width * (0.78 if stage.portrait else 0.58)
        return Place(0.0, stage.top + stage.height * 0.42, width, stage.height * 0.36, 1.25)
    middle = stage.top + stage.height * (0.12 if stage.portrait else 0.17)
    if stage.portrait:
        return Place(0.0, middle, stage.width * 0.72, stage.height * 0.1, 0.75)
    aside = -1.0 if subjects_x > 0 else 1.0
    return Place(aside * stage.width * 0.27, middle, stage.width * 0.36, stage.height * 0.2, 0.75)


def hanging_card(words: Sequence[str], place: Place, depth: float, studio: Studio, zoom: float) -> Figure:
    """A card on two strings with the words on it, or with the name of their script where this machine lacks it."""
    said = " ".join(words)
    text = showable(said) or f"({script_of(said)})"
    setting = fit(text, place.width - 1.1, place.height - 0.8, place.largest)
    half = (setting.width / 2 + 0.62, setting.height / 2 + 0.46)
    paint = partial(_paint_card, setting, half, depth, studio, zoom)
    box = (-half[0] - 0.4, -half[1] - ABOVE * 0.45, half[0] + 0.4, half[1] + 0.5)
    scale = studio.unit * zoom
    paper = bake(paint, box, scale, Finish(grain=0.8 * studio.grain, tone=studio.tone))
    assert paper is not None, "a card is never empty"
    across, down = studio.shift()
    return Figure(
        depth=depth,
        limbs=(Limb(paper, silhouette(paint, box, scale, 1.4)),),
        place=lambda t: (_swung(place, t),),
        shade=studio.shade,
        shadow_shift=(across * 1.6, down * 1.8),
        darkness=SHADOW,
        contact=nowhere,
        contact_shadow=contact_shadow(studio.unit),
    )


def _swung(place: Place, t: float) -> Affine:
    swing = Affine.turn(0.75 * math.sin(1.25 * t), place.x, place.middle - ABOVE)
    return swing @ Affine.move(place.x, place.middle + 0.03 * math.sin(0.9 * t))


def _paint_card(
    setting: Setting, half: tuple[float, float], depth: float, studio: Studio, zoom: float, canvas: skia.Canvas
) -> None:
    brush = Brush(canvas, studio.light, depth, studio.unit * zoom)
    width, height = half
    for x in (-width * 0.78, width * 0.78):
        brush.line(f"M{x} {-height + 0.14} L{x * 0.985} {-height - ABOVE}", "#6d5a48", 0.03)
    _sheet(canvas, brush, (-width, -height, width, height))
    for x in (-width * 0.78, width * 0.78):
        brush.oval(x, -height + 0.15, 0.055, 0.055, "#3a2c30", card=False)
    draw(canvas, setting, 0.0, -setting.height / 2, _ink(studio.light, depth))


def _sheet(canvas: skia.Canvas, brush: Brush, box: Box) -> None:
    """Cream card with a hairline frame."""
    path = skia.Path()
    path.addRoundRect(skia.Rect.MakeLTRB(*box), 0.09, 0.09)
    brush.fill(path, PAPER)
    canvas.drawPath(path, skia.Paint(Color=_readable(PAPER, brush.light, brush.depth, 1.0), AntiAlias=True))
    pen = skia.Paint(
        Color=_readable(INK, brush.light, brush.depth, 0.32), AntiAlias=True,
        Style=skia.Paint.kStroke_Style, StrokeWidth=0.022,
    )  # fmt: skip
    canvas.drawRoundRect(skia.Rect.MakeLTRB(*box).makeInset(0.16, 0.16), 0.05, 0.05, pen)


def _readable(colour: str, light: Light, depth: float, alpha: float) -> int:
    """Half in the light of the scene, half as in daylight: a card must be legible at night, too."""
    pairs = zip(light.on(colour, depth), hex_rgb(colour), strict=True)
    return int(skia.Color(*(round(0.5 * lit + 0.5 * plain) for lit, plain in pairs), round(255 * alpha)))


def _ink(light: Light, depth: float) -> int:
    return _readable(INK, light, depth, 1.0)


# ---------------------------------------------------------------- what is said ------------------------------------


@dataclass(frozen=True, eq=False)
class Caption:
    """A strip of paper that is pushed into the frame over one of its edges, and drawn out again."""

    baked: Baked
    screen: Affine  #: stage units to pixels; the camera does not move it
    rise: Callable[[float], float]  #: seconds -> how far it is in, 0 to 1
    travel: float  #: stage units; negative over the upper edge

    def draw(self, canvas: skia.Canvas, t: float) -> None:
        share = self.rise(t)
        if share > 0.0:
            put(canvas, self.baked, self.screen @ Affine.move(0.0, (1.0 - share) * self.travel))


def caption(said: str, stage: Stage, studio: Studio, seconds: float, screen: Affine) -> Caption | None:
    """The caption of a line of dialogue; None where this machine has letters for none of it."""
    text = showable(said, Face.MEDIUM)
    if not text:
        return None
    setting = fit(f"“{text}”", stage.width * 0.74, stage.height * 0.13, 0.46, Face.MEDIUM)
    half, bottom = setting.width / 2 + 0.45, stage.bottom - (1.5 if stage.portrait else 0.55)
    box = (-half, bottom - setting.height - 0.56, half, bottom)

    def paint(canvas: skia.Canvas) -> None:
        brush = Brush(canvas, studio.light, 1.0, studio.unit)
        middle, top = (box[0] + box[2]) / 2, box[1]
        brush.polygon([(middle - 0.22, top + 0.02), (middle, top - 0.3), (middle + 0.22, top + 0.02)], PAPER)
        _sheet(canvas, brush, box)
        draw(canvas, setting, 0.0, top + 0.27, _ink(studio.light, 1.0))

    margin = (box[0] - 0.4, box[1] - 0.7, box[2] + 0.4, box[3] + 0.5)
    baked = bake(
        paint,
        margin,
        studio.unit,
        Finish(grain=0.7 * studio.grain, tone=studio.tone, shadow=0.4, shadow_blur=0.1, shadow_shift=(0, 0.09)),
    )
    assert baked is not None, "a caption is never empty"
    return Caption(baked, screen, partial(_rise, seconds), stage.bottom - box[1] + 0.6)


def _rise(seconds: float, t: float) -> float:
    return ease((t - 0.5) / 0.5) * (1.0 - ease((t - seconds + 0.45) / 0.38))


SLIP = 0.25  #: size of type on the slip, stage units


def slip(words: Sequence[str], left: bool, stage: Stage, studio: Studio, seconds: float, screen: Affine) -> Caption:
    """The slip in an upper corner that tells, while a film begins, which words of its prompt are not to be seen."""
    text = showable("in words: " + ", ".join(words), Face.MEDIUM)
    setting = fit(text, stage.width * (0.62 if stage.portrait else 0.36), stage.height * 0.2, SLIP, Face.MEDIUM)
    wide, low = setting.width + 0.6, stage.top + setting.height + 0.42
    begin = stage.left + 0.45 if left else stage.right - 0.45 - wide
    box = (begin, stage.top - 0.5, begin + wide, low)

    def paint(canvas: skia.Canvas) -> None:
        brush = Brush(canvas, studio.light, 1.0, studio.unit)
        _sheet(canvas, brush, box)
        draw(canvas, setting, begin + wide / 2, low - setting.height - 0.27, _ink(studio.light, 1.0))

    margin = (box[0] - 0.4, box[1] - 0.1, box[2] + 0.4, box[3] + 0.5)
    paper = Finish(grain=0.7 * studio.grain, tone=studio.tone, shadow=0.35, shadow_blur=0.1, shadow_shift=(0, 0.08))
    baked = bake(paint, margin, studio.unit, paper)
    assert baked is not None, "a slip is never empty"
    return Caption(baked, screen, partial(_shown_first, seconds), stage.top - low - 0.7)


def _shown_first(seconds: float, t: float) -> float:
    return ease((t - 0.25) / 0.4) * (1.0 - ease((t - 0.45 * seconds) / 0.4))
