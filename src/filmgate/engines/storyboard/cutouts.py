"""Reference images on the stage: cut out of their background, or as prints with a white border, on a stick."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

import skia

from .bake import Box, Finish, Pixels, bake, to_image
from .draw import Brush
from .figures import SHADOW, Studio, contact, contact_shadow, nowhere, placed, silhouette
from .images import cut_out
from .light import Light
from .model import Actor, Plan, Subject
from .props import Figure, Limb
from .stickers import in_light, pose

RIM = 0.05  #: the white border that the scissors leave, stage units
BORDER = 0.13  #: the white border of a print, stage units
_STICK = 0.34  #: how much of the stick is seen under a print, stage units
_TILT = 2.4  #: degrees: prints are not hung straight


@dataclass(frozen=True, eq=False)
class Cutout:
    """A reference image, ready to be put on the stage."""

    pixels: Pixels  #: premultiplied BGRA
    cut: bool  #: along the outline of what it shows; else it is a print


def cutouts(paths: tuple[Path, ...]) -> tuple[Cutout, ...]:
    return tuple(Cutout(*cut_out(path)) for path in paths)


def featuring(plan: Plan, shapes: tuple[float, ...]) -> Plan:
    """The plan with reference images in the parts of its subjects: the first image plays the first subject.

    ``shapes``: the width of each image, in its heights. Images beyond the subjects come along as themselves.
    """
    subjects = list(plan.subjects)
    living = [number for number, subject in enumerate(subjects) if subject.puppet or subject.action != "idle"]
    for picture, shape in enumerate(shapes):
        if picture < len(living):
            part = subjects[living[picture]]
            size = min(1.2, max(0.85, part.size))
            played = replace(part, puppet=None, sticker=None, count=1, colour=None, size=size)
            subjects[living[picture]] = replace(played, picture=picture, shape=shape)
        else:
            subjects.insert(picture, Subject(f"picture {picture + 1}", None, None, picture=picture, shape=shape))
    kept = tuple(sorted(subjects, key=lambda subject: subject.picture is None))[:4]
    lettered = () if plan.setting == "plain" or not plan.subjects else plan.lettered
    return replace(plan, subjects=kept, lettered=lettered)


def cutout_figure(actor: Actor, cutout: Cutout, studio: Studio, zoom: float) -> Figure:
    """A reference image as a prop, in puppet space: its foot at (0, 0), its upper edge at -1."""
    flying, light = actor.y < -0.6, _seen_well(studio.spot)
    paint = partial(_paint, cutout, light, actor, studio.unit * zoom, not flying)
    half = actor.subject.shape * 0.62 + 0.1
    box: Box = (-half, -1.12, half, 0.08)
    scale = studio.unit * zoom * actor.height
    rim = RIM / actor.height if cutout.cut else 0.0
    paper = Finish(ply=actor.height, grain=0.5 * studio.grain, rim=rim, rim_colour=_white(studio.spot, actor))
    baked = bake(paint, box, scale, paper)
    assert baked is not None, "an image is never empty"
    perform = partial(pose, actor)
    width = 0.3 * actor.subject.shape
    return Figure(
        depth=actor.depth,
        limbs=(Limb(baked, silhouette(paint, box, scale, 1 / actor.height)),),
        place=lambda t: (placed(actor, perform(t), t),),
        shade=studio.shade,
        shadow_shift=studio.shift(),
        darkness=SHADOW,
        contact=nowhere if flying else partial(contact, actor, perform, width),
        contact_shadow=contact_shadow(studio.unit),
    )


def _seen_well(light: Light) -> Light:
    """Half the light of the scene, half daylight: a picture is to be known again at night, too."""
    red, green, blue = ((1.0 + factor) / 2 for factor in light.ambient)
    return replace(light, ambient=(red, green, blue), air=light.air / 2)


def _white(light: Light, actor: Actor) -> int:
    return int(skia.Color(*light.on("#fffdf6", actor.depth)))


def _paint(cutout: Cutout, light: Light, actor: Actor, unit: float, stick: bool, canvas: skia.Canvas) -> None:
    """Not mirrored wherever its actor faces: it may bear letters, and it is to be known again."""
    if actor.facing < 0:
        canvas.scale(-1.0, 1.0)
    image = to_image(cutout.pixels).withDefaultMipmaps()
    lit = skia.Paint(ColorFilter=in_light(light, actor.depth), AntiAlias=True)
    if cutout.cut:
        low = -RIM / actor.height
        height = 1.0 + 2 * low
        _drawn(
            canvas, image, (-height * actor.subject.shape / 2, low - height, height * actor.subject.shape / 2, low), lit
        )
        return
    _print(canvas, image, light, actor, unit, stick, lit)


def _print(
    canvas: skia.Canvas, image: skia.Image, light: Light, actor: Actor, unit: float, stick: bool, lit: skia.Paint
) -> None:
    """A photograph with a white border and round corners, a little askew, on a stick."""
    u = 1.0 / actor.height
    foot = -_STICK * u if stick else 0.0
    height = 1.0 + foot - 2 * BORDER * u
    half = height * actor.subject.shape / 2
    canvas.save()
    canvas.scale(u, u)
    brush = Brush(canvas, light, actor.depth, unit)
    if stick:
        brush.rect(-0.07, -0.5 * actor.height, 0.07, 0.0, "#c9a06a", radius=0.02)
    canvas.restore()
    tilt = Random(f"{actor.subject.picture}:tilt").choice((-1, 1)) * _TILT
    canvas.rotate(tilt, 0.0, foot - height / 2)
    top, low = foot - BORDER * u - height, foot - BORDER * u
    sheet = skia.Rect.MakeLTRB(-half - BORDER * u, top - BORDER * u, half + BORDER * u, foot)
    paper = skia.Paint(Color=_white(light, actor), AntiAlias=True)
    canvas.drawRoundRect(sheet, 0.12 * u, 0.12 * u, paper)
    canvas.save()
    window = skia.RRect.MakeRectXY(skia.Rect.MakeLTRB(-half, top, half, low), 0.05 * u, 0.05 * u)
    canvas.clipRRect(window, skia.ClipOp.kIntersect, True)
    _drawn(canvas, image, (-half, top, half, low), lit)
    canvas.restore()


def _drawn(canvas: skia.Canvas, image: skia.Image, box: Box, paint: skia.Paint) -> None:
    sampling = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
    canvas.drawImageRect(image, skia.Rect.MakeLTRB(*box), sampling, paint)
