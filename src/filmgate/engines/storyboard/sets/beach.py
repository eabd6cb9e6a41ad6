"""The beach: surf, sand, and what lies and stands on it."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

from ..light import mix
from ..model import Sheet
from .cuts import Point, blade, box, curve, joined, land, lens, placed, poly, rolling
from .flora import frond, palm
from .land import boards, pebbles, strewn
from .site import Site
from .sky import skies
from .water import FOAM, SEA, headland, lower, sea, to_and_fro, water

if TYPE_CHECKING:
    from ..draw import Brush


def beach(site: Site) -> list[Sheet]:
    k = site.tall
    horizon = -2.5 * k**0.6
    return [
        *skies(site, horizon=horizon),
        site.sheet("headland", 16.0, lambda brush, rng: headland(brush, rng, site, horizon), top=horizon - 3.2),
        sea(site, 12.0, horizon, -1.2),
        site.sheet(
            "sails",
            10.0,
            lambda brush, rng: _sails(brush, rng, site, horizon),
            top=horizon - 1.7,
            drift=lambda t: (0.06 * t, 0.03 * math.sin(1.4 * t)),
        ),
        _swell(site, "far swell", 6.0, -1.9, SEA[1], 0.06, 0),
        _swell(site, "swell", 3.4, -1.6, SEA[0], 0.09, 1),
        _swell(site, "surf", 2.0, -1.3, "#a9e0e0", 0.12, 2),
        boards(
            site,
            -1.0,
            ("#f7dfae", "#f1d39b", "#e9c789", "#dfb977"),
            lambda brush, rng: _sand(brush, rng, site),
            reach=4.8 * k,
        ),
        site.sheet("dune", 0.72, lambda brush, rng: _dune_grass(brush, rng, site)),
    ]


def _swell(site: Site, name: str, depth: float, y: float, colour: str, height: float, turn: int) -> Sheet:
    """A sheet of low waves with a hem of foam that comes and goes."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        crest = _scallops(rng, left - 2.0, right + 2.0, y, height, 0.9 + 0.35 * turn)
        brush.fill(land(crest, bottom), FOAM)
        brush.fill(land(lower(crest, 0.06 + 0.03 * turn, 0.04), bottom), water(brush.light, colour), card=False)

    return site.sheet(
        name,
        depth,
        paint,
        top=y - height - 0.25,
        margin=1.5,
        drift=to_and_fro(0.45 - 0.08 * turn, 0.05 + 0.02 * turn, turn * 2.0),
    )


def _scallops(rng: Random, left: float, right: float, y: float, height: float, step: float) -> list[Point]:
    count = round((right - left) / step) * 2
    return [
        (left + (right - left) * i / count, y + (height if i % 2 else -height) * rng.uniform(0.5, 1.1))
        for i in range(count + 1)
    ]


def _sails(brush: Brush, rng: Random, site: Site, horizon: float) -> None:
    """Two small boats a long way out."""
    for share, s in ((0.52, 0.85), (-0.12, 0.5)):
        x, y = brush.light.side * site.x(share) + rng.uniform(-0.4, 0.4), horizon + 0.16 + 0.25 * s
        brush.svg(
            f"M{x - 0.42 * s} {y - 0.12 * s} H{x + 0.45 * s} L{x + 0.3 * s} {y + 0.08 * s} H{x - 0.3 * s} Z", "#8a4b36"
        )
        brush.fill(poly((x - 0.03, y - 0.16 * s), (x - 0.03, y - 1.25 * s), (x - 0.45 * s, y - 0.16 * s)), "#fff8ea")
        brush.fill(poly((x + 0.04, y - 0.16 * s), (x + 0.04, y - 1.1 * s), (x + 0.42 * s, y - 0.16 * s)), "#f0654f")


def _sand(brush: Brush, rng: Random, site: Site) -> None:
    """What lies and stands on the beach: palms and a parasol at the sides, shells, a starfish, a castle."""
    k, side = site.tall, site.light.side
    left, _, right, _ = site.stage.span(1.05)
    wash = rolling(rng, left - 0.5, right + 0.5, -0.78, 0.05, 2.4)
    wet = curve(wash)
    for point in ((right + 0.5, -1.04), (left - 0.5, -1.04)):
        wet.lineTo(*point)
    brush.fill(wet, brush.light.open("#d9bd8d", 0.3), alpha=0.8, card=False)
    for x, y, size in strewn(rng, site, 16, -0.2):
        brush.line(
            f"M{x} {y} q{0.4 * size} -0.07 {0.8 * size} 0", brush.light.open("#d3ae74", 0.8), 0.024 * size, alpha=0.7
        )
    pebbles(brush, rng, site, "#c9a06f", -0.2, 18)
    for share, h, lean in ((-1.42, 4.4, 0.8), (-0.9, 3.9, 0.75), (1.45, 4.0, -0.8)):
        palm(brush, rng, side * site.x(share), -0.3, h * k, side * lean)
    _parasol(brush, side * site.x(0.74), 0.0, 2.0 * k**0.5)
    _castle(brush, -side * site.x(0.6), 0.62, 0.7)
    for share, y in ((0.34, 1.35), (-0.28, 1.85), (-0.8, 1.5)):
        _shell(brush, site.x(share), y, 0.16)
    _starfish(brush, side * site.x(0.5), 1.55, 0.2)


def _parasol(brush: Brush, x: float, y: float, h: float) -> None:
    """A striped parasol with a towel below it."""
    brush.fill(
        poly((x - 0.95, y + 0.12), (x + 0.55, y + 0.12), (x + 0.75, y + 0.38), (x - 0.85, y + 0.38)),
        brush.light.open("#3fa7a0", 0.5),
    )
    brush.fill(
        poly((x - 0.5, y + 0.12), (x - 0.3, y + 0.12), (x - 0.2, y + 0.38), (x - 0.42, y + 0.38)),
        brush.light.open("#fff3e0", 0.5),
        card=False,
    )
    brush.line(f"M{x + 0.1} {y + 0.1} L{x - 0.1} {y - h}", "#f7efe0", 0.06)
    cx, cy, r = x - 0.1, y - h * 0.78, h * 0.58
    for i in range(6):
        a, b = -1 + i / 3, -1 + (i + 1) / 3
        gore = f"M0 -0.62 Q{a * 0.95} -0.5 {a} 0 Q{(a + b) / 2} 0.1 {b} 0 Q{b * 0.95} -0.5 0 -0.62 Z"
        brush.fill(
            placed(gore, cx, cy, r), brush.light.open("#e8505b" if i % 2 == 0 else "#fff3e0", 0.7), card=i in (0, 5)
        )


def _castle(brush: Brush, x: float, y: float, s: float) -> None:
    sand = brush.light.open("#e0b26a", 0.6)
    for dx, w, h in ((-0.5, 0.3, 0.7), (0.5, 0.3, 0.7), (0.0, 0.42, 1.0)):
        left, right, top = x + (dx - w / 2) * s, x + (dx + w / 2) * s, y - h * s
        third = (right - left) / 5
        brush.fill(
            joined([box(left + third * i, top - 0.1 * s, left + third * (i + 1), top + 0.02) for i in (0, 2, 4)]), sand
        )
        brush.rect(left, top, right, y, sand)
    brush.rect(x - 0.6 * s, y - 0.4 * s, x + 0.6 * s, y + 0.02, mix(sand, "#8a5a2a", 0.12))
    brush.line(f"M{x} {y - s} v{-0.4 * s}", "#7d4f38", 0.03)
    brush.fill(poly((x, y - 1.4 * s), (x + 0.28 * s, y - 1.3 * s), (x, y - 1.2 * s)), "#e8505b")


def _shell(brush: Brush, x: float, y: float, s: float) -> None:
    fan = [lens(x, y, a, s * 1.3, s * 0.5) for a in range(-150, -20, 26)]
    brush.fill(joined(fan), "#f6b8a6")


def _starfish(brush: Brush, x: float, y: float, s: float) -> None:
    brush.fill(joined([lens(x, y, 18 + 72 * i, s * 1.2, s * 0.75) for i in range(5)]), "#f07a4f")


def _dune_grass(brush: Brush, rng: Random, site: Site) -> None:
    """Marram grass in the lower corners, a frond in an upper one."""
    bottom, end = site.stage.bottom, site.stage.bottom + 4.0
    sand = brush.light.open("#c79a5e", 0.85)
    for side in (-1, 1):
        crest = [
            (side * site.x(0.4), end),
            (side * site.x(0.62), bottom + 0.3),
            (side * site.x(0.85), bottom - 0.25),
            (side * site.x(1.1), bottom - 0.7),
            (side * (site.half + 5.0), bottom - 0.9),
        ]
        brush.fill(land(sorted(crest), end), sand)
        blades = []
        for i in range(26):
            x = side * (site.x(0.84) + i * 0.17)
            blades.append(blade(x, bottom + 0.1, rng.uniform(0.8, 1.9), rng.uniform(-0.6, 0.6), 0.1))
        brush.fill(joined(blades), brush.light.open("#5d7a3c", 0.35))
    side = -brush.light.side
    for angle, reach in ((166, 5.0), (148, 4.4), (126, 3.8)):
        turn = angle if side > 0 else 180 - angle
        frond(brush, side * (site.half + 1.9), site.stage.top - 1.3, turn, reach, brush.light.open("#1f4f3c", 0.25))
