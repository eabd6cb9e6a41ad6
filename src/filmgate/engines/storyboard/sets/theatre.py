"""The stage: red curtains, spotlights, and the heads of those who watch."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import mix
from ..model import Sheet
from .cuts import box, curve, disc, joined, poly, united, valance
from .site import Site
from .sky import star

if TYPE_CHECKING:
    from ..draw import Brush

VELVET = "#b3263a"
GOLD = "#e9b44a"
# what is thrown onto the backcloth at each hour: from the top down, and the tone of the spotlights
_CLOTHS = {
    "day": (("#2f5f9f", "#6fa8d0", "#cfe0e4"), "#fff3d0"),
    "sunset": (("#5a2f70", "#c0506f", "#f2a86a"), "#ffd08a"),
    "night": (("#11123a", "#2c2a6a", "#5a4a96"), "#cfd6ff"),
}


def stage(site: Site) -> list[Sheet]:
    k = site.tall
    return [
        site.sheet("backcloth", 20.0, lambda brush, rng: _backcloth(brush, rng, site), opaque=True),
        site.sheet("flats", 6.0, lambda brush, rng: _flats(brush, rng, site), top=-4.4 * k),
        site.sheet("beams", 4.0, lambda brush, rng: _beams(brush, site)),
        site.sheet("wings", 2.2, lambda brush, rng: _wings(brush, rng, site, 0.84, 0.16)),
        site.sheet("boards", 1.05, lambda brush, rng: _boards(brush, site), top=-1.0),
        site.sheet("curtain", 0.8, lambda brush, rng: _wings(brush, rng, site, 0.98, 0.0)),
        site.sheet("audience", 0.62, lambda brush, rng: _audience(brush, rng, site), top=site.stage.bottom - 1.7),
    ]


def _backcloth(brush: Brush, rng: Random, site: Site) -> None:
    left, top, right, bottom = site.stage.span(20.0)
    brush.wash((left, top, right, -0.6), _CLOTHS[brush.light.time][0], raw=True)
    brush.rect(left, -0.62, right, bottom, _CLOTHS[brush.light.time][0][2], raw=True)
    for _ in range(16):
        star(brush, rng.uniform(left, right), rng.uniform(top, -3.4), rng.uniform(0.1, 0.24), mix(GOLD, "#ffffff", 0.5))
    x, y = brush.light.side * site.x(0.3), site.stage.top + 0.3 * site.stage.height
    brush.glow(x, y, 2.2, GOLD, 0.4)
    if brush.light.time == "night":
        moon = skia.Op(disc(x, y, 0.8, 0.8), disc(x + 0.35, y - 0.15, 0.7, 0.7), skia.PathOp.kDifference_PathOp)
        brush.fill(moon, "#f6f2dc", raw=True)
    else:
        brush.oval(x, y, 0.8, 0.8, GOLD, raw=True)


def _flats(brush: Brush, rng: Random, site: Site) -> None:
    """Painted hills on wooden flats, low in the middle."""
    left, _, right, bottom = site.stage.span(6.0)
    for high, tone in ((2.6, "#4f7f86"), (1.7, "#3f6a6f")):
        bumps = []
        for i in range(9):
            x = left + (right - left) * (i + rng.uniform(0.3, 0.7)) / 9
            h = high * site.tall * (0.45 + 0.5 * min(1.0, abs(x) / site.half)) * rng.uniform(0.8, 1.1)
            bumps.append(disc(x, -0.6, rng.uniform(1.3, 2.1), h))
        brush.fill(united(box(left, -0.9, right, bottom), *bumps), tone)


def _beams(brush: Brush, site: Site) -> None:
    """Two spotlights that cross on the middle of the boards."""
    _, top, _, _ = site.stage.span(4.0)
    tone = _CLOTHS[brush.light.time][1]
    for way in (-1, 1):
        x = way * site.x(0.62)
        for spread in (1.0, 0.72):
            foot = 2.5 * spread
            beam = poly((x - 0.1, top), (x + 0.1, top), (foot - way * 0.4, 0.0), (-foot - way * 0.4, 0.0))
            brush.fill(beam, tone, alpha=0.13, raw=True)


def _wings(brush: Brush, rng: Random, site: Site, share: float, dark: float) -> None:
    """Curtains at both sides, gathered by a cord, and a border overhead."""
    left, top, right, bottom = site.stage.span(brush.depth)
    velvet = mix(VELVET, "#2a0a20", dark + 0.1)
    for side, outer in ((-1, left), (1, right)):
        inner, knot = side * site.x(share), -2.6 * site.tall
        drape = curve([(inner - side * 0.9, top), (inner - side * 0.2, knot - 1.5), (inner + side * 0.35, knot)])
        drape.lineTo(inner - side * 0.05, bottom)
        drape.lineTo(outer, bottom)
        drape.lineTo(outer, top)
        drape.close()
        brush.fill(drape, velvet)
        _folds(brush, site, side, (inner, outer), (top, bottom), knot, velvet)
        brush.oval(inner + side * 0.75, knot, 0.5, 0.11, GOLD)
        brush.line(f"M{inner + side * 0.45} {knot} v0.55", GOLD, 0.08)
    low = site.stage.top + 0.09 * site.stage.height
    brush.fill(valance(rng, left, right, top, low, 1.9, 0.5), mix(velvet, "#2a0a20", 0.15))
    brush.line(f"M{left} {low - 0.5} H{right}", GOLD, 0.07)


def _folds(
    brush: Brush,
    site: Site,
    side: int,
    across: tuple[float, float],
    along: tuple[float, float],
    knot: float,
    velvet: str,
) -> None:
    """The shaded hollows of a curtain, drawn together at its cord."""
    inner, outer = across
    count = 9
    for i in range(1, count):
        s = i / count
        x, tight = inner + (outer - inner) * s, inner + side * 0.35 + (outer - inner) * s * 0.9
        data = f"M{x - side * 0.6 * (1 - s)} {along[0]} Q{x} {knot - 1.2} {tight} {knot} T{x} {along[1]}"
        brush.line(data, mix(velvet, "#1a0618", 0.4), 0.16, alpha=0.6)
        brush.line(data, mix(velvet, "#ff9a8a", 0.35), 0.035, alpha=0.5)


def _boards(brush: Brush, site: Site) -> None:
    """Planks in perspective with the pool of the spotlight, and footlights at their edge."""
    left, _, right, bottom = site.stage.span(1.05)
    wood = "#b5784a"
    edge = 1.55 if not site.stage.portrait else 3.6
    brush.rect(left, -0.7, right, bottom, wood)
    for i in range(-16, 17):
        brush.line(f"M{i * 0.85} -0.7 L{i * 1.6} {edge}", mix(wood, "#3a1f18", 0.35), 0.025)
    tone = _CLOTHS[brush.light.time][1]
    for share in (1.0, 0.8):
        brush.fill(disc(0, 0.3, 3.3 * share, 0.75 * share), tone, alpha=0.2, raw=True)
    brush.rect(left, edge, right, bottom, mix(wood, "#2a1420", 0.65))
    brush.rect(left, edge - 0.06, right, edge + 0.1, GOLD)
    lamps, x = [], -site.half * 1.4
    while x < site.half * 1.4:
        lamps.append(disc(x, edge - 0.02, 0.17, 0.12))
        brush.glow(x, edge - 0.1, 0.65, "#ffdf9a", 0.5)
        x += 1.1
    brush.fill(joined(lamps), "#fff2c4", raw=True)


def _audience(brush: Brush, rng: Random, site: Site) -> None:
    """The first row: heads and shoulders against the light."""
    left, _, right, end = site.stage.span(0.62)
    bottom, heads, x = site.stage.bottom, [], left
    while x < right:
        y, r = bottom + rng.uniform(-0.35, 0.0) - 0.35 * min(1.0, abs(x) / site.half), rng.uniform(0.36, 0.44)
        shoulders = box(x - r * 1.5, y + r * 1.4, x + r * 1.5, end)
        heads.append(united(disc(x, y, r * 0.9, r), disc(x, y + r * 1.6, r * 1.5, r * 0.7), shoulders))
        if rng.random() < 0.4:
            heads.append(disc(x, y - r * 1.05, r * 0.45, r * 0.4))
        x += rng.uniform(1.1, 1.5)
    brush.fill(joined(heads), "#1c1226")
