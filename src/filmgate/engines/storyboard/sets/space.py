"""Space: a small moon under a sky of stars, worlds and nebulae. It is always night there; the hour gives the tint."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import mix
from ..model import Sheet
from .cuts import curve, disc, land, poly, rolling
from .flora import rock
from .land import strewn
from .site import Paint, Site
from .sky import drifting, star

if TYPE_CHECKING:
    from ..draw import Brush

# zenith, middle, horizon, two nebulae, ground, great planet, its bands
_TINTS = {
    "day": ("#0b1040", "#1f2f86", "#4a6fd0", "#39b6ff", "#b56bff", "#c9c4de", "#f2a65a", "#d9793f"),
    "sunset": ("#1b0b3a", "#5a1f6e", "#d9577f", "#ff7fb0", "#ffb05a", "#d8b4b4", "#57b8b0", "#3a8f96"),
    "night": ("#05071f", "#121744", "#2f2f7a", "#5a6bff", "#c04fd0", "#a9aecb", "#e0805f", "#b8574a"),
}


def space(site: Site) -> list[Sheet]:
    return [
        site.sheet("stars", 30.0, lambda brush, rng: _heaven(brush, rng, site), opaque=True),
        site.sheet("great planet", 22.0, lambda brush, rng: _worlds(brush, rng, site)),
        site.sheet("near stars", 14.0, lambda brush, rng: _near_stars(brush, rng, site)),
        site.sheet(
            "satellite", 9.0, lambda brush, rng: _satellite(brush, site), drift=drifting(0.16 * site.light.side, 0.08)
        ),
        site.sheet("far ridge", 6.0, _ridge(site, 6.0, -1.75, 0.5, 0.42), top=-4.2 * site.tall),
        site.sheet("ridge", 2.8, _ridge(site, 2.8, -1.25, 0.3, 0.2), top=-3.4 * site.tall),
        site.sheet("moon", 1.05, lambda brush, rng: _surface(brush, rng, site), top=-2.6),
        site.sheet("rocks", 0.72, lambda brush, rng: _corner_rocks(brush, rng, site), top=site.stage.bottom - 3.6),
    ]


def _tints(brush: Brush) -> tuple[str, ...]:
    return _TINTS[brush.light.time]


def _heaven(brush: Brush, rng: Random, site: Site) -> None:
    left, top, right, bottom = site.stage.span(30.0)
    tints = _tints(brush)
    brush.wash((left, top, right, -0.8), tints[:3], raw=True)
    brush.rect(left, -0.82, right, bottom, tints[2], raw=True)
    side = brush.light.side
    for i in range(9):
        s = i / 8
        x, y = side * site.x(1.1 - 2.2 * s), top + site.stage.height * (0.62 - 0.5 * s) + rng.uniform(-0.5, 0.5)
        brush.glow(x, y, rng.uniform(1.6, 3.0), tints[3 + i % 2], 0.34)
    for i, tone in enumerate((tints[3], tints[4])):
        brush.fill(_wisp(rng, site, side, 0.5 + 0.14 * i), tone, alpha=0.13, raw=True)
    for _ in range(190):
        r = rng.choice((0.016, 0.02, 0.026, 0.034))
        tone = rng.choice(("#ffffff", "#fff3cf", "#cfe0ff"))
        brush.oval(rng.uniform(left, right), rng.uniform(top, -0.8), r, r, tone, alpha=rng.uniform(0.45, 1.0), raw=True)


def _wisp(rng: Random, site: Site, side: int, low: float) -> skia.Path:
    """A band of cut paper across the sky: the milky way."""
    top, upper, lower = site.stage.top, [], []
    for i in range(9):
        x = side * site.x(-1.5 + 3.0 * i / 8)
        y = top + site.stage.height * (low - 0.36 * (1 - i / 8))
        half = 0.35 + 0.55 * math.sin(math.pi * i / 8) * rng.uniform(0.7, 1.3)
        upper.append((x, y - half))
        lower.append((x, y + half))
    return curve([*upper, *reversed(lower)], closed=True)


def _near_stars(brush: Brush, rng: Random, site: Site) -> None:
    left, top, right, _ = site.stage.span(14.0)
    for _ in range(13):
        star(
            brush,
            rng.uniform(left, right),
            top + (-2.4 - top) * rng.random(),
            rng.uniform(0.1, 0.24),
            rng.choice(("#fff6d0", "#cfe8ff", "#ffd9ec")),
        )


def _worlds(brush: Brush, rng: Random, site: Site) -> None:
    """A great ringed planet on the sun's side, a small blue world opposite."""
    tints, side = _tints(brush), brush.light.side
    x, y, r = side * site.x(0.5), site.stage.top + 0.3 * site.stage.height, 1.55 * site.tall**0.3
    brush.glow(x, y, r * 1.9, tints[6], 0.5)
    _ringed(brush, x, y, r, tints[6], tints[7], side)
    bx, by, br = -side * site.x(0.58), site.stage.top + 0.2 * site.stage.height, 0.62
    brush.glow(bx, by, br * 2.0, "#7fd0ff", 0.5)
    brush.oval(bx, by, br, br, "#4f9fe0", raw=True)
    brush.canvas.save()
    brush.canvas.clipPath(disc(bx, by, br, br), skia.ClipOp.kIntersect, True)
    for dx, dy, w, h in ((-0.2, -0.2, 0.3, 0.2), (0.25, 0.1, 0.26, 0.32), (-0.25, 0.35, 0.2, 0.14)):
        brush.oval(bx + dx, by + dy, w, h, "#6fc08a", raw=True)
    brush.oval(bx - side * br * 0.75, by + br * 0.2, br, br * 1.1, "#0b1040", alpha=0.4, raw=True)
    brush.canvas.restore()


def _ringed(brush: Brush, x: float, y: float, r: float, body: str, band: str, side: int) -> None:
    canvas = brush.canvas
    ring = skia.Paint(AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=r * 0.17)
    canvas.save()
    canvas.translate(x, y)
    canvas.rotate(-16 * side)
    span = skia.Rect.MakeLTRB(-r * 1.85, -r * 0.42, r * 1.85, r * 0.42)
    for half in ("back", "globe", "front"):
        if half == "globe":
            _globe(brush, r, body, band, side)
            continue
        ring.setColor(brush.colour("#ffe6c4", raw=True, alpha=0.85))
        canvas.drawArc(span, 180 if half == "back" else 0, 180, False, ring)
    canvas.restore()


def _globe(brush: Brush, r: float, body: str, band: str, side: int) -> None:
    """A disc with bands and a shaded side, about the origin."""
    brush.oval(0, 0, r, r, body, raw=True)
    brush.canvas.save()
    brush.canvas.clipPath(disc(0, 0, r, r), skia.ClipOp.kIntersect, True)
    for up, high in ((-0.62, 0.12), (-0.2, 0.2), (0.34, 0.13), (0.68, 0.1)):
        brush.oval(0, up * r, r * 1.1, high * r, band, raw=True)
    brush.fill(disc(side * -r * 0.62, r * 0.3, r * 1.05, r * 1.1), "#170b33", alpha=0.3, raw=True)
    brush.canvas.restore()


def _satellite(brush: Brush, site: Site) -> None:
    """A small craft that passes: two wings of solar cells, a dish, a light."""
    x, y = -site.light.side * site.x(0.3), site.stage.top + 0.42 * site.stage.height
    brush.canvas.save()
    brush.canvas.translate(x, y)
    brush.canvas.rotate(-14)
    brush.line("M-0.8 0 H0.8", "#e8ecf4", 0.05, raw=True)
    for way in (-1, 1):
        brush.rect(way * 0.58 - 0.3, -0.17, way * 0.58 + 0.3, 0.17, "#4f6fe0", raw=True)
        brush.line(
            f"M{way * 0.58} -0.17 V0.17 M{way * 0.38} -0.17 V0.17 M{way * 0.78} -0.17 V0.17", "#bfd0ff", 0.02, raw=True
        )
    brush.rect(-0.16, -0.2, 0.16, 0.2, "#f0ede2", radius=0.05, raw=True)
    brush.svg("M-0.14 -0.3 Q0 -0.12 0.14 -0.3 Z", "#c9ccd8", raw=True)
    brush.oval(0, 0.05, 0.06, 0.06, "#ff6b5a", raw=True)
    brush.canvas.restore()


def _soil(brush: Brush, dark: float) -> str:
    """The moon's own colour, little touched by the weather of the earth."""
    return mix(_tints(brush)[5], "#262450", dark)


def _ridge(site: Site, depth: float, y: float, swell: float, dark: float) -> Paint:
    """Hills of the moon, high at the sides, lit along their edge."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        crest = [
            (x, py - 0.9 * site.tall * max(0.0, min(1.5, abs(x) / site.half) - 0.45))
            for x, py in rolling(rng, left - 0.5, right + 0.5, y, swell, 3.2)
        ]
        brush.fill(land(crest, bottom), mix(_soil(brush, dark + 0.2), "#ffffff", 0.28), raw=True)
        brush.fill(
            land([(x - 0.05 * site.light.side, py + 0.07) for x, py in crest], bottom),
            _soil(brush, dark + 0.2),
            raw=True,
        )
        for _ in range(9):
            x, low = rng.uniform(left, right), y + rng.uniform(0.35, 0.6)
            _crater(brush, x, low, rng.uniform(0.3, 0.6), dark + 0.2)

    return paint


def _crater(brush: Brush, x: float, y: float, r: float, dark: float) -> None:
    side = brush.light.side
    brush.fill(disc(x, y, r, r * 0.3), mix(_soil(brush, dark), "#ffffff", 0.25), raw=True)
    brush.fill(disc(x + side * r * 0.05, y + 0.02, r * 0.86, r * 0.23), _soil(brush, dark + 0.26), raw=True)
    brush.fill(disc(x - side * r * 0.12, y + r * 0.06, r * 0.62, r * 0.14), _soil(brush, dark + 0.1), raw=True)


def _surface(brush: Brush, rng: Random, site: Site) -> None:
    """The ground under the feet: craters, stones, footprints and a flag."""
    left, _, right, bottom = site.stage.span(1.05)
    lines = (-0.9, 0.75, 1.8) if not site.stage.portrait else (-0.9, 0.95, 2.4, 4.0)
    for i, y in enumerate(lines):
        crest = rolling(rng, left - 0.5, right + 0.5, y, 0.08 + 0.03 * i, 4.5)
        brush.fill(land(crest, bottom), mix(_soil(brush, 0.1 * i), "#ffffff", 0.3), raw=True)
        brush.fill(land([(x, py + 0.05) for x, py in crest], bottom), _soil(brush, 0.04 + 0.1 * i), raw=True)
    for x, y, size in strewn(rng, site, 13, -0.55, clear=0.9):
        _crater(brush, x, y, 0.26 * size * rng.uniform(0.7, 1.4), 0.04 + 0.05 * (y + 0.9))
    for share, y, w in ((-0.72, -0.2, 0.9), (0.86, 0.35, 1.2), (0.6, -0.5, 0.5)):
        rock(brush, rng, site.x(share), y, w, "#8f8db0")
    _flag(brush, site.light.side * site.x(0.64), -0.15)


def _flag(brush: Brush, x: float, y: float) -> None:
    brush.line(f"M{x} {y} V{y - 1.7}", "#f4f1e6", 0.05)
    brush.svg(f"M{x} {y - 1.7} q0.3 -0.12 0.55 0 t0.5 0 v0.55 q-0.25 0.12 -0.5 0 t-0.55 0 Z", "#ff6b5a")
    star(brush, x + 0.5, y - 1.42, 0.17, "#fff3d0")


def _corner_rocks(brush: Brush, rng: Random, site: Site) -> None:
    bottom = site.stage.bottom
    for side in (-1, 1):
        for share, w, h in ((0.98, 2.4, 1.0), (1.4, 3.4, 1.9)):
            x = side * site.x(share)
            points = [
                (x - w * 0.62, bottom + 4.0),
                (x - w * 0.5, bottom - h * 0.35),
                (x - w * 0.14, bottom - h),
                (x + w * 0.22, bottom - h * 0.86),
                (x + w * 0.55, bottom - h * 0.2),
                (x + w * 0.62, bottom + 4.0),
            ]
            brush.fill(poly(*points), "#211f45", raw=True)
            lit = points[2:5] if brush.light.side > 0 else points[1:4]
            brush.fill(poly(*lit, (x, bottom - h * 0.3)), "#37336a", raw=True)
