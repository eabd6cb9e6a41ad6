"""Indoors: a living room with a window onto whatever the weather is."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import mix
from ..model import Sheet
from .cuts import blade, box, curve, disc, joined, leafy, lens, placed, poly
from .land import hills
from .site import Site
from .sky import skies, star

if TYPE_CHECKING:
    from ..draw import Brush

WALL_DEPTH = 2.2  #: the wall: what is farther away is seen through the window only

# wall, its pattern, the sofa, the rug, the rug's border
_TASTES = (
    ("#e9b9a0", "#dfa78d", "#3f7f86", "#f3e3c4", "#c8553f"),
    ("#a9c6b4", "#98b8a5", "#d9793f", "#f6e8cc", "#3f6f68"),
    ("#e6cf9d", "#dbc088", "#a8505f", "#f5ead6", "#4a6f8f"),
    ("#b5b9d8", "#a5a9cc", "#e0a04a", "#f4e9dc", "#7a4f8a"),
)


def room(site: Site) -> list[Sheet]:
    taste = site.pick("taste").choice(_TASTES)
    return [
        *skies(site, horizon=-1.6, birds=False),
        hills(site, "view", 14.0, -2.6 * site.tall**0.5, "#8fc07c", swell=0.3, step=3.0, reach=1.5, dress=_view),
        site.sheet("wall", WALL_DEPTH, lambda brush, rng: _wall(brush, rng, site, taste)),
        site.sheet("furniture", 1.6, lambda brush, rng: _furniture(brush, rng, site, taste), top=-4.8 * site.tall),
        site.sheet("floor", 1.05, lambda brush, rng: _floor(brush, rng, site, taste), top=-1.0),
        site.sheet("lamp", 1.02, lambda brush, rng: _lamp(brush, site), top=-5.7 * site.tall),
        site.sheet("plant", 0.74, lambda brush, rng: _corner_plant(brush, rng, site)),
    ]


def _view(brush: Brush, rng: Random, crest: list[tuple[float, float]] | object) -> None:
    """Trees in front of the window."""
    for x in (-2.4, -1.0, 0.6, 1.9, 3.0):
        brush.rect(x - 0.05, -3.2, x + 0.05, -1.8, "#7a5238")
        brush.fill(leafy(rng, x, -3.4, 0.55, 0.62, 10), brush.light.open("#6fae62", 0.5))


def _window_box(site: Site) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of the window: wide in a landscape, tall in a portrait."""
    middle = 0.28 * site.half * site.light.side
    if site.stage.portrait:
        return middle - 1.7, -7.6, middle + 1.7, -3.1
    return middle - 2.3, -5.55, middle + 2.3, -2.45


def _wall(brush: Brush, rng: Random, site: Site, taste: tuple[str, ...]) -> None:
    left, top, right, bottom = site.stage.span(WALL_DEPTH)
    wl, wt, wr, wb = _window_box(site)
    wall = skia.Path()
    wall.addRect(skia.Rect.MakeLTRB(left, top, right, bottom))
    wall.addRect(skia.Rect.MakeLTRB(wl, wt, wr, wb))
    wall.setFillType(skia.PathFillType.kEvenOdd)
    brush.fill(wall, taste[0])
    brush.canvas.save()
    brush.canvas.clipPath(wall, skia.ClipOp.kIntersect, True)
    _paper(brush, site, taste[1])
    brush.rect(left, -1.75, right, bottom, mix(taste[0], "#fff6e6", 0.55))
    brush.rect(left, -1.82, right, -1.72, mix(taste[0], "#ffffff", 0.7))
    for x in range(math.floor(left), math.ceil(right) + 1):
        brush.line(f"M{x} -1.65 V-1.0", mix(taste[0], "#a08a76", 0.3), 0.025)
    brush.canvas.restore()
    _window(brush, site)
    _pictures(brush, rng, site, taste)


def _paper(brush: Brush, site: Site, tone: str) -> None:
    """Wallpaper: small leaves in rows."""
    left, top, right, _ = site.stage.span(WALL_DEPTH)
    motifs, row, y = [], 0, top
    while y < -1.9:
        x = left + (0.45 if row % 2 else 0.0)
        while x < right:
            motifs += [lens(x, y, -60, 0.22, 0.09), lens(x, y, -120, 0.22, 0.09)]
            x += 0.9
        y, row = y + 0.52, row + 1
    brush.fill(joined(motifs), tone, card=False)


def _window(brush: Brush, site: Site) -> None:
    left, top, right, bottom = _window_box(site)
    frame, middle = "#fbf4e6", (left + right) / 2
    bars = [
        box(left - 0.14, top - 0.14, left + 0.06, bottom + 0.1),
        box(right - 0.06, top - 0.14, right + 0.14, bottom + 0.1),
        box(left - 0.14, top - 0.14, right + 0.14, top + 0.06), box(middle - 0.06, top, middle + 0.06, bottom),
        box(left, (top * 2 + bottom) / 3 - 0.04, right, (top * 2 + bottom) / 3 + 0.04),
    ]  # fmt: skip
    brush.fill(joined(bars), frame)
    brush.rect(left - 0.32, bottom - 0.02, right + 0.32, bottom + 0.16, frame, radius=0.03)
    _curtains(brush, left, top, right, bottom)
    if brush.light.snow_cover:
        brush.fill(
            joined([disc(left + 0.5, bottom - 0.02, 0.6, 0.12), disc(right - 0.6, bottom - 0.02, 0.7, 0.14)]),
            "#ffffff",
            card=False,
        )


def _curtains(brush: Brush, left: float, top: float, right: float, bottom: float) -> None:
    cloth = "#f3ead8"
    brush.line(f"M{left - 0.8} {top - 0.34} H{right + 0.8}", "#8a5a3c", 0.09)
    for side, x in ((-1, left), (1, right)):
        inner, outer = x - side * 0.5, x + side * 0.62
        drape = curve([(outer, top - 0.32), (outer, (top + bottom) / 2), (outer + side * 0.1, bottom + 0.5)])
        drape.lineTo(x - side * 0.05, bottom + 0.5)
        drape.quadTo(x + side * 0.2, (top + bottom) / 2 + 0.4, inner, top - 0.32)
        drape.close()
        brush.fill(drape, cloth)
        for share in (0.25, 0.5, 0.75):
            fx = outer + (inner - outer) * share
            brush.line(
                f"M{fx} {top - 0.2} Q{outer - side * 0.25} {bottom - 0.6} {outer - side * share / 2} {bottom + 0.42}",
                mix(cloth, "#a08a76", 0.3),
                0.025,
            )
        brush.oval(x + side * 0.32, (top + bottom) / 2 + 0.75, 0.36, 0.07, "#c8953f")


def _pictures(brush: Brush, rng: Random, site: Site, taste: tuple[str, ...]) -> None:
    """Framed pictures on the other half of the wall, and a clock."""
    side = -site.light.side
    high = -4.5 * (1.3 if site.stage.portrait else 1.0)
    spots = (
        ((0.56, high, 1.25, 0.95), (0.86, high + 0.1, 0.8, 1.05))
        if not site.stage.portrait
        else ((0.66, high, 1.1, 1.3),)
    )
    for share, y, w, h in spots:
        x = side * site.x(share)
        brush.rect(x - w / 2, y - h / 2, x + w / 2, y + h / 2, "#7d4f38")
        brush.rect(x - w / 2 + 0.08, y - h / 2 + 0.08, x + w / 2 - 0.08, y + h / 2 - 0.08, "#d8ecef", card=False)
        brush.oval(x + w * 0.16, y - h * 0.16, 0.12, 0.12, "#f7c948", card=False)
        hill = placed("M-0.5 0.5 V0.16 Q-0.1 -0.2 0.5 0.2 V0.5 Z", x, y, w - 0.16, h - 0.16)
        brush.fill(hill, rng.choice(("#6fae62", "#e8865f", "#5f8fb5")), card=False)
    x, y = -side * site.x(0.88), high - 0.2
    brush.oval(x, y, 0.42, 0.42, "#7d4f38")
    brush.oval(x, y, 0.34, 0.34, "#fbf4e6", card=False)
    brush.line(f"M{x} {y} V{y - 0.24} M{x} {y} L{x + 0.15} {y + 0.08}", "#3a2c30", 0.035)


def _furniture(brush: Brush, rng: Random, site: Site, taste: tuple[str, ...]) -> None:
    """A sofa on the side away from the window, a shelf of books on the other."""
    side = -site.light.side
    _sofa(brush, side * site.x(0.66 if not site.stage.portrait else 0.8), -0.5, taste[2], taste[3])
    _shelf(brush, rng, -side * site.x(0.9 if not site.stage.portrait else 1.02), -0.5, 1.9, 2.75 * site.tall**0.8)


def _sofa(brush: Brush, x: float, y: float, cloth: str, cushion: str) -> None:
    dark = mix(cloth, "#20182a", 0.25)
    brush.fill(joined([box(x + d - 0.07, y - 0.2, x + d + 0.07, y + 0.05) for d in (-1.6, 1.6)]), "#5a3a2a")
    brush.rect(x - 1.75, y - 1.75, x + 1.75, y - 0.5, dark, radius=0.28)
    brush.rect(x - 1.65, y - 1.65, x - 0.04, y - 0.7, cloth, radius=0.2)
    brush.rect(x + 0.04, y - 1.65, x + 1.65, y - 0.7, cloth, radius=0.2)
    brush.rect(x - 1.7, y - 0.85, x + 1.7, y - 0.18, mix(cloth, "#ffffff", 0.12), radius=0.14)
    for d in (-1.0, 1.0):
        brush.rect(x + d * 1.86 - 0.26, y - 1.2, x + d * 1.86 + 0.26, y - 0.12, cloth, radius=0.22)
    brush.canvas.save()
    brush.canvas.translate(x - 1.1, y - 1.05)
    brush.canvas.rotate(12)
    brush.rect(-0.38, -0.34, 0.38, 0.34, cushion, radius=0.12)
    star(brush, 0, 0, 0.2, mix(cushion, "#c8953f", 0.5))
    brush.canvas.restore()
    brush.rect(x + 0.8, y - 1.3, x + 1.42, y - 0.75, "#e8b04a", radius=0.12)


def _shelf(brush: Brush, rng: Random, x: float, y: float, w: float, h: float) -> None:
    wood, left, right = "#9a6440", x - w / 2, x + w / 2
    brush.rect(left, y - h, right, y, mix(wood, "#2a1a20", 0.35))
    rows = max(3, round(h / 0.78))
    for row in range(rows):
        base = y - h + (row + 1) * h / rows - 0.04
        bx = left + 0.12
        while bx < right - 0.3:
            thick, tall = rng.uniform(0.09, 0.17), h / rows * rng.uniform(0.5, 0.76)
            if rng.random() < 0.82:
                brush.rect(
                    bx,
                    base - tall,
                    bx + thick,
                    base,
                    rng.choice(("#d9574a", "#f0c05a", "#4f8f96", "#f3e6cf", "#7a6fb0", "#7fae6a")),
                    card=False,
                )
            bx += thick + 0.015
        brush.rect(left, base, right, base + 0.08, wood)
    brush.fill(
        joined(
            [
                box(left - 0.04, y - h - 0.06, left + 0.07, y + 0.04),
                box(right - 0.07, y - h - 0.06, right + 0.04, y + 0.04),
                box(left - 0.04, y - h - 0.08, right + 0.04, y - h + 0.03),
            ]
        ),
        wood,
    )
    brush.fill(joined([lens(x - 0.3, y - h - 0.25, a, 0.5, 0.16) for a in (-150, -120, -90, -60, -30)]), "#5fa651")
    brush.rect(x - 0.45, y - h - 0.32, x - 0.15, y - h - 0.06, "#e07a4f", radius=0.04)


def _floor(brush: Brush, rng: Random, site: Site, taste: tuple[str, ...]) -> None:
    left, _, right, bottom = site.stage.span(1.05)
    wood, low = "#c98d5a", site.stage.bottom
    brush.rect(left, -0.7, right, bottom, wood)
    for i, y in enumerate((-0.46, -0.12, 0.36, 1.0, 1.8, 2.8, 4.1)):
        brush.line(f"M{left} {y} H{right}", mix(wood, "#5a3320", 0.35), 0.022)
        for plank in range(-4, 5):
            x = (plank + 0.5 * (i % 2)) * 2.3
            nxt = (-0.46, -0.12, 0.36, 1.0, 1.8, 2.8, 4.1, 7.0)[i + 1]
            brush.line(f"M{x * (1 + 0.14 * i)} {y} L{x * (1.06 + 0.14 * i)} {nxt}", mix(wood, "#5a3320", 0.28), 0.02)
    wide = 0.6 * site.half if not site.stage.portrait else 0.82 * site.half
    middle, high = (0.62, 0.82) if not site.stage.portrait else (1.0, 1.15)
    for share, tone in ((1.0, taste[4]), (0.9, taste[3]), (0.78, mix(taste[4], taste[3], 0.35)), (0.7, taste[3])):
        brush.fill(disc(0, middle, wide * share, high * share), tone, card=share == 1.0)
    brush.fill(
        joined([lens(0, middle, a, wide * 0.42, 0.2) for a in (0, 180)]), mix(taste[4], taste[3], 0.5), card=False
    )
    _sunbeam(brush, site, low)


def _sunbeam(brush: Brush, site: Site, low: float) -> None:
    """The window's light on the floor, in two panes."""
    light = brush.light
    if light.overcast or light.weather == "fog":
        return
    left, _, right, _ = _window_box(site)
    strength = 0.13 if light.time == "night" else 0.3
    run, middle, foot = -light.side * 1.5, (left + right) / 2, min(low, 2.0)
    for a, b in ((left, middle - 0.12), (middle + 0.12, right)):
        pane = poly(
            (a + run * 0.3, -0.45), (b + run * 0.3, -0.45), (b * 1.1 + run * 1.6, foot), (a * 1.1 + run * 1.6, foot)
        )
        brush.fill(pane, light.sun, alpha=strength, raw=True)


def _lamp(brush: Brush, site: Site) -> None:
    """A standard lamp beside the sofa."""
    side = -site.light.side
    x, y, h = side * site.x(0.95 if not site.stage.portrait else 0.93), -0.35, 3.5 * site.tall**0.5
    on = brush.light.lamps_on or brush.light.overcast
    brush.line(f"M{x} {y} V{y - h + 0.6}", "#5a4636", 0.07)
    brush.oval(x, y, 0.42, 0.1, "#5a4636")
    if on:
        brush.glow(x, y - h + 0.35, 1.75, "#ffcf86", 0.7)
    shade = poly((x - 0.36, y - h), (x + 0.36, y - h), (x + 0.66, y - h + 0.85), (x - 0.66, y - h + 0.85))
    brush.fill(shade, "#ffe2a0" if on else "#f0d9ac", raw=on)
    brush.line(f"M{x - 0.64} {y - h + 0.8} H{x + 0.64}", "#d99a4a", 0.06, raw=on)


def _corner_plant(brush: Brush, rng: Random, site: Site) -> None:
    """Big leaves of a potted plant in one lower corner, the back of an armchair in the other."""
    bottom, side = site.stage.bottom, site.light.side
    leaves, x = [], side * (site.half + 0.35)
    for i in range(11):
        angle = -90 + (i - 5) * 17 + rng.uniform(-6, 6)
        leaves.append(lens(x, bottom + 0.7, angle, rng.uniform(2.0, 3.0), 0.62))
    brush.fill(joined(leaves[::2]), "#24503f")
    brush.fill(joined(leaves[1::2]), "#32684a")
    for i in range(6):
        bx = side * (site.half + 2.2 + 0.55 * i)
        brush.fill(blade(bx, bottom + 3.0, 5.0, rng.uniform(-0.6, 0.6), 0.7), "#24503f")
    ax = -side * (site.half + 1.35)
    brush.rect(ax - 1.5, bottom - 0.95, ax + 1.5, bottom + 4.0, "#3a2c3f", radius=0.5)
    brush.rect(ax - 1.32, bottom - 0.8, ax + 1.32, bottom + 4.0, "#4a3850", radius=0.42)
