"""Wild nature: the forest, the mountains and the desert."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from ..draw import Brush
from ..light import SNOW, mix
from ..model import Sheet
from .cuts import Point, blade, curve, joined, land, leafy, lens, poly, rolling, valance
from .flora import birch, bush, cactus, fern, fir, mushroom, rock
from .land import boards, fringe, height_at, hills, pebbles, strewn, tufts
from .site import Paint, Site
from .sky import backcloth, luminary, skies


def forest(site: Site) -> list[Sheet]:
    def dress(brush: Brush, rng: Random) -> None:
        _litter(brush, rng, site)
        tufts(brush, rng, site, "#3f7347", -0.9, 18)
        for share, y, h in (
            (-0.62, 0.1, 0.5),
            (-0.54, 0.16, 0.34),
            (0.74, 0.62, 0.62),
            (0.66, 0.7, 0.4),
            (-0.86, 1.5, 0.7),
        ):
            mushroom(brush, site.x(share), y, h)
        rock(brush, rng, site.x(0.84), -0.42, 1.3, "#8b9088")

    return [
        backcloth(site, -0.6),
        *([] if site.light.overcast else [luminary(site)]),
        site.sheet("far wood", 7.0, _wood(site, 7.0, 22, 0.34, "#638f78", 0.0)),
        site.sheet("wood", 4.2, _wood(site, 4.2, 13, 0.5, "#567d63", 0.12)),
        site.sheet("light", 3.6, lambda brush, rng: _shafts(brush, rng, site)),
        site.sheet("mid wood", 2.8, _wood(site, 2.8, 9, 0.66, "#5e5a48", 0.32)),
        hills(site, "undergrowth", 2.6, -1.35, "#5f9a5c", swell=0.16, step=2.6, reach=1.4, dress=_undergrowth),
        site.sheet("near wood", 1.7, _wood(site, 1.7, 6, 0.95, "#6b4f3c", 0.62)),
        boards(site, -0.95, ("#6d9a50", "#5f8b48", "#527b40", "#466c39"), dress, reach=0.6),
        site.sheet("ferns", 0.74, lambda brush, rng: _corner_ferns(brush, rng, site), top=site.stage.bottom - 3.2),
        fringe(site, ("#2f5b3a", "#3f7743"), tallest=0.9, depth=0.8),
        site.sheet("gate", 0.66, lambda brush, rng: _gate(brush, rng, site)),
    ]


def _wood(site: Site, depth: float, count: int, width: float, bark: str, gap: float) -> Paint:
    """A row of trunks that leaves free ``gap`` of the half width in the middle, under a roof of leaves."""

    def paint(brush: Brush, rng: Random) -> None:
        left, top, right, bottom = site.stage.span(depth)
        leaf = brush.light.open(mix("#6fae62", "#2f6a48", min(1.0, width)), 0.3)
        floor = rolling(rng, left - 0.5, right + 0.5, -1.5 + 0.35 * width, 0.12, 3.0)
        for i in range(count):
            x = left + (right - left) * (i + rng.uniform(0.15, 0.85)) / count
            if abs(x) < gap * site.half:
                x = math.copysign(gap * site.half + rng.uniform(0.0, 0.5), x)
            birch(brush, rng, x, height_at(floor, x) + 0.2, top, width * rng.uniform(0.6, 1.15), bark)
        brush.fill(land(floor, bottom), brush.light.open(mix("#86b56a", "#5c8a4c", width), 0.85))
        low = top + site.stage.height * (0.17 + 0.03 * (1 - width))
        brush.fill(valance(rng, left, right, top, low, 0.9, 0.42), mix(leaf, "#0c2a26", 0.2))
        brush.fill(valance(rng, left, right, top, low - 0.55, 0.75, 0.36), leaf)

    return paint


def _shafts(brush: Brush, rng: Random, site: Site) -> None:
    """Sunlight (or moonlight) between the trunks."""
    light = brush.light
    if light.overcast:
        return
    _, top, _, _ = site.stage.span(3.6)
    side = light.side
    for i in range(5):
        x = side * (site.x(0.5) - i * 0.26 * site.half)
        drop, w = 1.5 + site.stage.height * 0.8, rng.uniform(0.35, 0.75)
        run = -side * drop * 0.38
        beam = poly((x, top), (x + w, top), (x + w * 2.6 + run, top + drop), (x - w * 0.6 + run, top + drop))
        brush.fill(beam, light.sun, alpha=0.09 if light.time == "night" else 0.17, raw=True)


def _undergrowth(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
    left, right = crest[0][0], crest[-1][0]
    for i in range(15):
        x = left + (right - left) * (i + rng.uniform(0.2, 0.8)) / 15
        if i % 2 and abs(x) > 1.5:
            fern(brush, rng, x, height_at(crest, x) + 0.15, rng.uniform(0.8, 1.2), brush.light.open("#4f8f58", 0.35))
        else:
            bush(brush, rng, x, height_at(crest, x) + 0.15, rng.uniform(0.9, 1.5), "#4f8f58")


def _litter(brush: Brush, rng: Random, site: Site) -> None:
    """Fallen leaves."""
    if brush.light.snow_cover:
        return
    for tone in ("#c98a3f", "#b4603a", "#d8b45a"):
        leaves = [lens(x, y, rng.uniform(0, 360), 0.14 * s, 0.06 * s) for x, y, s in strewn(rng, site, 15, -0.7)]
        brush.fill(joined(leaves), tone, card=False)


def _corner_ferns(brush: Brush, rng: Random, site: Site) -> None:
    for side in (-1, 1):
        for share, h in ((0.86, 1.7), (1.12, 2.3), (1.5, 2.4)):
            tone = brush.light.open(mix("#2f6b45", "#0c1c1c", rng.uniform(0.1, 0.3)), 0.3)
            fern(brush, rng, side * site.x(share), site.stage.bottom + 0.3, h, tone)


def _gate(brush: Brush, rng: Random, site: Site) -> None:
    """Dark trunks that frame the view: one just within the frame, away from the sun, the others outside."""
    _, top, _, bottom = site.stage.span(0.66)
    for share in (-1.7, -0.99, 1.17, 1.7):
        birch(brush, rng, brush.light.side * site.x(share), bottom, top, 1.45, "#3a2c23")
    leaf = mix(brush.light.open("#2c5b3f", 0.25), "#0a1a1c", 0.3)
    for side in (-1, 1):
        for share, w, h in ((1.75, 3.4, 2.6), (1.3, 2.6, 1.9), (0.98, 1.7, 1.25)):
            brush.fill(leafy(rng, side * site.x(share), site.stage.top - 0.4, w, h * site.tall**0.5, 15), leaf)


def mountains(site: Site) -> list[Sheet]:
    k = site.tall

    def wooded(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        _firs(brush, rng, site, crest, 30, (0.7, 1.25), 0.0)

    def near(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        _firs(brush, rng, site, crest, 15, (1.7, 3.0 * k), 0.5)

    def dress(brush: Brush, rng: Random) -> None:
        tufts(brush, rng, site, "#5c8f4a", -0.8, 24)
        pebbles(brush, rng, site, "#9aa0a0", -0.7)
        for share, y, w in ((-0.72, -0.4, 1.3), (0.6, -0.5, 0.8), (0.92, 0.6, 1.6), (-0.95, 1.3, 1.5)):
            rock(brush, rng, site.x(share), y, w, "#9aa1a6")

    return [
        *skies(site),
        site.sheet("far peaks", 15.0, _peaks(site, 15.0, -4.3 * k, 1.0 * k, 4.2, "#8fa3c4")),
        site.sheet("peaks", 9.0, _peaks(site, 9.0, -4.5 * k, 1.7 * k, 5.6, "#7186ad")),
        hills(site, "wooded slope", 5.0, -1.9, "#6f9f86", swell=0.4, step=5.0, reach=1.4, dress=wooded),
        hills(site, "firs", 2.4, -1.3, "#73a866", swell=0.2, reach=3.1 * k, dress=near),
        boards(site, -0.95, ("#96be62", "#86b056", "#76a04b", "#668f42"), dress, reach=0.6),
        site.sheet("near firs", 0.7, lambda brush, rng: _corner_firs(brush, rng, site)),
        fringe(site, ("#3b6440", "#527f45"), blooms=("#ffffff", "#9b6ad6", "#ffd84d"), tallest=1.0),
    ]


def _peaks(site: Site, depth: float, y: float, swell: float, step: float, stone: str) -> Paint:
    """A range of faceted peaks with snow on them: each has a lit and a shaded flank.

    Fog leaves their outlines: it would swallow mountains that stand as far away as these do.
    """

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        if brush.light.weather == "fog":
            brush = Brush(brush.canvas, brush.light, 1.0 + 0.24 * depth, brush.unit)
        count = max(3, round((right - left) / step))
        middle = (count - 1) / 2
        order = sorted(range(count), key=lambda i: -abs(i - middle - 0.6 * brush.light.side))
        for i in order:
            x = left + (right - left) * (i + rng.uniform(0.3, 0.7)) / count
            _peak(brush, rng, x, y + rng.uniform(-0.6, 0.9) * swell, step * rng.uniform(0.62, 0.85), bottom, stone)

    return paint


def _peak(brush: Brush, rng: Random, x: float, top: float, wide: float, bottom: float, stone: str) -> None:
    foot, side = 0.0, brush.light.side
    rise = foot - top
    left, right = (_flank(rng, x, top, d * wide, rise) for d in (-1, 1))
    brush.fill(poly(*reversed(left), (x, top), *right, (right[-1][0], bottom), (left[-1][0], bottom)), stone)
    fall = [(x, top), (x - side * 0.1 * wide, top + 0.24 * rise), (x + side * 0.08 * wide, top + 0.45 * rise)]
    fall += [(x - side * 0.12 * wide, top + 0.72 * rise), (x + side * 0.06 * wide, foot), (x, bottom)]
    lit = right if side > 0 else left
    brush.fill(poly(*fall, (lit[-1][0], bottom), *reversed(lit)), mix(stone, "#fff0d8", 0.34), card=False)
    _snowcap(brush, rng, x, top, wide, rise)


def _flank(rng: Random, x: float, top: float, wide: float, rise: float) -> list[Point]:
    """The points down one side of a peak."""
    return [
        (x + wide * s + rng.uniform(-0.05, 0.05) * abs(wide), top + rise * s * rng.uniform(0.94, 1.06))
        for s in (0.2, 0.42, 0.68, 1.0)
    ]


def _snowcap(brush: Brush, rng: Random, x: float, top: float, wide: float, rise: float) -> None:
    deep = 0.62 if brush.light.snow_cover else 0.33
    side = brush.light.side
    for d in (-1, 1):
        tone = "#ffffff" if d == side else "#d3e0f2"
        edge = [
            (x + d * wide * deep * s, top + rise * deep * (1.0 if i % 2 else 0.72))
            for i, s in enumerate((0.95, 0.7, 0.42, 0.2, 0.0))
        ]
        edge[0] = (x + d * wide * deep * 0.86, top + rise * deep * 0.9)
        brush.fill(poly((x, top - 0.02), *edge), tone, card=False)


def _firs(
    brush: Brush,
    rng: Random,
    site: Site,
    crest: Sequence[Point],
    count: int,
    heights: tuple[float, float],
    gap: float,
) -> None:
    """Firs along a crest, none within ``gap`` of the half width of the middle, taller towards the sides."""
    left, right = crest[0][0], crest[-1][0]
    for i in range(count):
        x = left + (right - left) * (i + rng.uniform(0.2, 0.8)) / count
        share = abs(x) / site.half
        if share < gap:
            continue
        h = heights[0] + (heights[1] - heights[0]) * min(1.0, rng.uniform(0.25, 0.6) + 0.4 * share * (gap > 0))
        fir(brush, rng, x, height_at(crest, x) + 0.15, h, rng.choice(("#3f7a5c", "#35694f", "#4a8560")))


def _corner_firs(brush: Brush, rng: Random, site: Site) -> None:
    for side, shares in ((-1, (1.02, 1.5)), (1, (1.12, 1.6))):
        for share in shares:
            height = (5.4 if side < 0 else 4.2) * site.tall
            fir(brush, rng, side * site.x(share), site.stage.bottom + 0.6, height, "#1f4239")


def desert(site: Site) -> list[Sheet]:
    k = site.tall

    def cacti(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        for share, h in ((-1.3, 1.6), (-0.82, 2.1), (-0.58, 1.1), (0.7, 1.5), (0.93, 2.7), (1.35, 2.0)):
            x = site.x(share + rng.uniform(-0.04, 0.04))
            cactus(brush, rng, x, height_at(crest, x) + 0.15, h * k)

    def dress(brush: Brush, rng: Random) -> None:
        _ripples(brush, rng, site)
        pebbles(brush, rng, site, "#b5763f", -0.5, 20)
        for share, y, w in ((-0.75, -0.3, 1.2), (-0.62, -0.22, 0.6), (0.84, 0.75, 1.3)):
            rock(brush, rng, site.x(share), y, w, "#b8683f")
        tufts(brush, rng, site, "#a59a4a", -0.5, 9)

    return [
        *skies(site),
        site.sheet("mesas", 12.0, lambda brush, rng: _mesas(brush, rng, site), top=-5.2 * k),
        _dunes(site, 6.5, -2.0 * k**0.5, "#efc27f", 0.55),
        _dunes(site, 3.6, -1.45, "#eeb66a", 0.4),
        hills(site, "cacti", 2.0, -1.15, "#e9a95a", swell=0.14, step=6.0, reach=2.9 * k, dress=cacti),
        boards(site, -0.85, ("#f3c680", "#ecb96f", "#e3aa5f", "#d79a51"), dress, reach=0.6),
        site.sheet(
            "dry grass", 0.72, lambda brush, rng: _dry_corner(brush, rng, site), top=site.stage.bottom - 3.4 * k
        ),
    ]


def _mesas(brush: Brush, rng: Random, site: Site) -> None:
    """Table mountains in bands of red stone."""
    left, _, right, bottom = site.stage.span(12.0)
    places = ((-1.15, 3.6, 2.7), (-0.5, 2.2, 3.6), (0.22, 1.5, 2.2), (0.74, 3.2, 3.9), (1.3, 3.0, 2.6))
    for share, wide, high in places:
        x, w, h = site.x(share), wide * rng.uniform(0.42, 0.52), high * site.tall * rng.uniform(0.95, 1.1)
        step = h * rng.uniform(0.4, 0.5)
        table = (
            (x - w * 1.6, 0),
            (x - w * 1.05, -step),
            (x - w * 0.95, -h),
            (x - w * 0.3, -h - 0.1),
            (x + w * 0.92, -h + 0.06),
            (x + w * 1.08, -step),
            (x + w * 1.7, 0),
        )
        brush.fill(poly(*table), "#c8603f")
        side = brush.light.side
        edge = table[4:] if side > 0 else tuple(reversed(table[:3]))
        brush.fill(poly((x + side * w * 0.25, -h + 0.02), *edge, (x + side * w * 0.5, 0)), "#e58a58", card=False)
        for up in (0.62, 0.82):
            brush.line(f"M{x - w * 0.95} {-h * up} L{x + w * 0.95} {-h * up - 0.05}", "#9c4433", 0.06, alpha=0.7)
        if brush.light.snow_cover:
            brush.fill(
                poly(table[2], table[3], table[4], (x + w * 0.93, -h + 0.3), (x, -h + 0.18), (x - w * 0.95, -h + 0.3)),
                SNOW,
            )
    brush.fill(land(rolling(rng, left, right, -1.3, 0.12, 6.0), bottom), brush.light.open("#e6b57e", 0.8))


def _dunes(site: Site, depth: float, y: float, sand: str, swell: float) -> Sheet:
    """Dunes with a knife-sharp ridge between the lit and the shaded side."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        colour, side = brush.light.open(sand, 0.8), brush.light.side
        crest = rolling(rng, left - 0.5, right + 0.5, y, swell, 6.5)
        brush.fill(land(crest, bottom), colour)
        tops = [crest[i] for i in range(1, len(crest) - 1) if crest[i][1] < min(crest[i - 1][1], crest[i + 1][1])]
        for x, top in tops:
            lee = [
                (x, top + 0.015),
                (x - side * 0.5, top + 0.3),
                (x - side * 0.2, top + 0.75),
                (x - side * 1.0, y + 1.4),
            ]
            shade = curve(lee)
            shade.lineTo(x - side * 3.4, y + 1.4)
            shade.quadTo(x - side * 1.7, top + 0.25 + swell, x, top + 0.015)
            shade.close()
            brush.fill(shade, mix(colour, "#a2553a", 0.3), card=False)

    return site.sheet(f"dunes {depth:g}", depth, paint, top=y - swell - 0.3)


def _ripples(brush: Brush, rng: Random, site: Site) -> None:
    """What the wind wrote into the sand."""
    for x, y, size in strewn(rng, site, 26, -0.6):
        wide = rng.uniform(0.6, 1.3) * size
        tone = brush.light.open("#c98a4a", 0.8)
        brush.line(f"M{x - wide} {y} q{wide * 0.5} {-0.09 * size} {wide} 0 t{wide} 0", tone, 0.022 * size, alpha=0.55)


def _dry_corner(brush: Brush, rng: Random, site: Site) -> None:
    left, _, right, end = site.stage.span(0.72)
    bottom = site.stage.bottom
    profile = [(left, bottom - 1.0), (-site.half, bottom - 0.6), (-site.x(0.5), bottom + 0.05), (0.0, bottom + 0.4)]
    profile += [(site.x(0.5), bottom + 0.05), (site.half, bottom - 0.7), (right, bottom - 1.1)]
    brush.fill(land(profile, end), brush.light.open("#a5653a", 0.9))
    for side in (-1, 1):
        blades = []
        for i in range(26):
            x = side * (site.x(0.86) + i * 0.14)
            blades.append(blade(x, bottom, rng.uniform(0.6, 1.6), rng.uniform(-0.5, 0.5), 0.09))
        brush.fill(joined(blades), "#7d5a30")
    cactus(brush, rng, -brush.light.side * (site.half - 0.15), bottom + 0.3, 2.9)
