"""The city: a street between towers."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from ..light import SNOW, mix
from ..model import Sheet
from .cuts import box, disc, joined, poly
from .flora import bush, post, tree
from .houses import BRICKS, panes, shop, tower
from .site import Paint, Site
from .sky import skies

if TYPE_CHECKING:
    from ..draw import Brush

AWNINGS = ("#d94f4a", "#2f8f83", "#e39b2d", "#4a6fb5")


def city(site: Site) -> list[Sheet]:
    return [
        *skies(site),
        site.sheet("skyline", 11.0, _skyline(site, 11.0, 21, (2.4, 5.0), "#8ea3c0", 0.12)),
        site.sheet("towers", 6.5, _skyline(site, 6.5, 13, (2.6, 5.6), "#7f93b8", 0.25)),
        site.sheet("houses", 3.6, lambda brush, rng: _houses(brush, rng, site)),
        site.sheet("corner houses", 1.9, lambda brush, rng: _corners(brush, rng, site)),
        site.sheet("street", 1.05, lambda brush, rng: _street(brush, rng, site), top=-5.3 * site.tall),
        site.sheet("railing", 0.72, lambda brush, rng: _railing(brush, rng, site), top=site.stage.bottom - 3.2),
    ]


def _skyline(site: Site, depth: float, count: int, heights: tuple[float, float], wall: str, dip: float) -> Paint:
    """Towers far away in one tone, lower by ``dip`` in the middle, some stepped and some with a spire."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        step = (right - left) / count
        for i in range(count):
            x = left + step * (i + 0.5) + rng.uniform(-0.2, 0.2) * step
            low = 1.0 - dip * max(0.0, 1.0 - abs(x) / (0.5 * site.half))
            h = rng.uniform(*heights) * low * site.tall**1.2
            w = step * rng.uniform(0.75, 1.15)
            tone = mix(wall, "#c98f7a", rng.uniform(0.0, 0.25))
            _far_tower(brush, rng, x, w, h, bottom, tone)

    return paint


def _far_tower(brush: Brush, rng: Random, x: float, w: float, h: float, bottom: float, tone: str) -> None:
    foot, kind = -0.9, rng.choice(("flat", "step", "spire", "slant"))
    pieces = [box(x - w / 2, foot - h, x + w / 2, bottom)]
    if kind in ("step", "spire"):
        pieces += [
            box(x - w * 0.34, foot - h - 0.4, x + w * 0.34, foot - h),
            box(x - w * 0.2, foot - h - 0.75, x + w * 0.2, foot - h),
        ]
    if kind == "spire":
        pieces.append(poly((x - 0.07, foot - h - 0.7), (x, foot - h - 1.7), (x + 0.07, foot - h - 0.7)))
    if kind == "slant":
        pieces.append(poly((x - w / 2, foot - h + 0.01), (x + w / 2, foot - h - 0.5), (x + w / 2, foot - h + 0.01)))
    brush.fill(joined(pieces), tone)
    share = {"night": 0.5, "sunset": 0.3}.get(brush.light.time, 0.0)
    glass = mix(tone, "#2c3f5e" if brush.light.time != "day" else "#ffffff", 0.28)
    panes(brush, rng, (x - w * 0.4, foot - h + 0.15, x + w * 0.4, foot), (0.3, 0.4), glass, share)
    if brush.light.snow_cover:
        brush.fill(box(x - w / 2, foot - h - 0.06, x + w / 2, foot - h + 0.08), SNOW, card=False)


def _houses(brush: Brush, rng: Random, site: Site) -> None:
    """The street in the distance: houses at both sides, none in the middle."""
    left, _, right, bottom = site.stage.span(3.6)
    for side in (-1, 1):
        x = side * (0.27 * site.half + rng.uniform(0.0, 0.3))
        while abs(x) < right:
            w = rng.uniform(1.35, 2.0)
            h = rng.uniform(2.7, 4.0) * site.tall * (0.8 + 0.25 * abs(x) / site.half)
            tower(brush, rng, x + side * w / 2, -0.85, w, h, rng.choice(BRICKS))
            x += side * (w + 0.04)
    brush.rect(left, -0.95, right, bottom, brush.light.open("#b9b4b4", 0.8))
    for share in (-0.42, -0.3, 0.3, 0.44):
        tree(brush, rng, site.x(share), -0.8, 1.5, "#7fb069")


def _corners(brush: Brush, rng: Random, site: Site) -> None:
    """The nearest houses, with shops, at the edges of the frame."""
    for side in (-1, 1):
        x, i = side * (0.64 if not site.stage.portrait else 0.72) * site.half, 0
        while abs(x) < site.half + 2.5:
            w = rng.uniform(2.2, 2.8)
            middle = x + side * w / 2
            h = rng.uniform(4.7, 5.6) * site.tall if i % 2 == 0 else rng.uniform(3.6, 4.4) * site.tall
            tower(brush, rng, middle, -0.6, w, h, BRICKS[(i * 2 + (side > 0) + site.seed) % len(BRICKS)])
            shop(brush, rng, middle, -0.6, w * 0.94, AWNINGS[(i + (side > 0) * 2) % 4])
            x += side * (w + 0.05)
            i += 1


def _street(brush: Brush, rng: Random, site: Site) -> None:
    """Pavement, kerb, carriageway with its dashes; in a portrait the near pavement too."""
    left, _, right, bottom = site.stage.span(1.05)
    wet = brush.light.wet
    stone, road = brush.light.open("#cfc6bb", 0.95), brush.light.open("#6d7180", 0.8)
    brush.rect(left, -0.78, right, bottom, stone)
    for i in range(30):
        x = left + (right - left) * i / 29
        brush.line(f"M{x * 0.93} -0.78 L{x} 0.34", mix(stone, "#5b5660", 0.25), 0.022)
    brush.line(f"M{left} -0.4 H{right}", mix(stone, "#5b5660", 0.2), 0.02)
    brush.rect(left, 0.34, right, 0.52, mix(stone, "#ffffff", 0.25))
    brush.rect(left, 0.5, right, bottom, road)
    middle = 1.35 if not site.stage.portrait else 1.9
    dash = 0.11 if not site.stage.portrait else 0.16
    x = left
    while x < right:
        brush.fill(
            poly((x, middle), (x + 1.0, middle), (x + 0.94, middle + dash), (x - 0.06, middle + dash)),
            "#f4ead0",
            card=False,
            alpha=0.9,
        )
        x += 1.9
    if site.stage.portrait:
        brush.rect(left, 3.5, right, 3.72, mix(stone, "#ffffff", 0.25))
        brush.rect(left, 3.7, right, bottom, stone)
    if wet:
        _gleam(brush, rng, site)
    if brush.light.snow_cover:
        brush.fill(
            joined([disc(site.x(s), y, 1.6, 0.14) for s, y in ((-0.8, 0.46), (-0.2, 0.44), (0.5, 0.48), (1.0, 0.44))]),
            SNOW,
        )
    _furniture(brush, rng, site)


def _gleam(brush: Brush, rng: Random, site: Site) -> None:
    """A wet street: lamps and sky drawn down into it."""
    sky = brush.light.sky[2]
    for i in range(16):
        x, y = site.x(rng.uniform(-1.3, 1.3)), rng.uniform(0.65, site.stage.bottom)
        wide = rng.uniform(0.5, 1.3)
        tone = "#ffcf7d" if brush.light.lamps_on and i % 3 == 0 else sky
        brush.oval(x, y, wide, 0.05 + 0.02 * y, tone, alpha=0.45, raw=True)


def _furniture(brush: Brush, rng: Random, site: Site) -> None:
    """What stands on the pavement: lamps, a tree in a tub, a letter box, a hydrant."""
    for share in (-0.6, 0.58, -1.45, 1.45):
        post(brush, site.x(share), -0.3, 3.6 * site.tall**0.7)
    for share in (-0.84, 0.8):
        x = site.x(share)
        brush.fill(poly((x - 0.34, -0.62), (x + 0.34, -0.62), (x + 0.26, -0.12), (x - 0.26, -0.12)), "#a8604a")
        bush(brush, rng, x, -0.55, 0.95, "#5fa651", "#f6d04d")
    x = site.x(-0.7)
    brush.rect(x - 0.17, -0.86, x + 0.17, -0.2, "#cf3f3a", radius=0.12)
    brush.rect(x - 0.1, -0.7, x + 0.1, -0.65, "#4a1f24", card=False)
    x = site.x(0.69)
    brush.rect(x - 0.09, -0.58, x + 0.09, -0.12, "#e2a52f", radius=0.07)
    brush.rect(x - 0.16, -0.44, x + 0.16, -0.34, "#e2a52f", radius=0.04)


def _railing(brush: Brush, rng: Random, site: Site) -> None:
    """An iron railing with flower boxes in the two lower corners."""
    iron, bottom = "#23293a", site.stage.bottom
    end = bottom + 3.2
    for side in (-1, 1):
        inner, outer = side * site.x(0.8), side * (site.half + 4.9)
        left, right = min(inner, outer), max(inner, outer)
        top = bottom - 1.0
        bars, x = [box(left, top, right, top + 0.11), box(left, top + 0.32, right, top + 0.38)], left
        while x < right:
            bars.append(box(x, top, x + 0.07, end))
            x += 0.36
        bars.append(disc(inner + side * 0.05, top - 0.06, 0.15, 0.15))
        brush.fill(joined(bars), iron)
        for i in range(3):
            bush(
                brush,
                rng,
                side * (site.x(0.98) + 1.5 * i),
                top + 0.05,
                1.5,
                "#376b4a",
                rng.choice(("#e8505b", "#f6a623")),
            )
