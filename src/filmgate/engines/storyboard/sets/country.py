"""In the country: the farm and the village."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from ..light import SNOW, mix
from ..model import Sheet
from .cuts import Point, box, disc, joined, land, placed, poly, rolling
from .flora import BLOOMS, bush, poplar, post, tree
from .houses import LAMPLIGHT
from .land import boards, daisies, fringe, height_at, hills, pebbles, strewn, tufts
from .nature import LEAVES, cottage, smoke, winding_path
from .site import Site
from .sky import skies

if TYPE_CHECKING:
    from ..draw import Brush

ROOFS = ("#c8543f", "#a8604a", "#5f7f96", "#8a5a78", "#d08a4a")
_BARN_ROOF = (
    "M-1.8 -1.35 L-1.3 -2.35 L0 -3.02 L1.3 -2.35 L1.8 -1.35 L1.6 -1.3 L1.15 -2.2 L0 -2.78 L-1.15 -2.2 L-1.6 -1.3 Z"
)
WALLS = ("#f6e3c2", "#efd2b0", "#f3efe2", "#dfe3d0", "#f2c9a8")


def farm(site: Site) -> list[Sheet]:
    k = site.tall

    def yard(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        _barn(brush, -site.light.side * site.x(0.64), -1.0, 1.15 * k**0.5)
        _wind_pump(brush, site.light.side * site.x(0.5), -1.0, 3.5 * k)
        for share in (-1.35, 1.0, 1.35):
            tree(brush, rng, site.light.side * site.x(share), -1.0, 3.4 * k, rng.choice(LEAVES))

    def dress(brush: Brush, rng: Random) -> None:
        pebbles(brush, rng, site, "#b58f5a", -0.4)
        tufts(brush, rng, site, "#6f9a45", -0.6, 22)
        for share, y, s in ((0.62, -0.2, 0.5), (0.8, -0.12, 0.5), (0.71, -0.92, 0.45), (-0.9, 0.9, 0.6)):
            _bale(brush, site.light.side * site.x(share), y, s)

    return [
        *skies(site),
        hills(site, "far hills", 10.0, -2.5 * k**0.6, "#9fc4a0", swell=0.45, step=6.0),
        site.sheet("fields", 5.5, lambda brush, rng: _fields(brush, rng, site), top=-2.6),
        hills(site, "yard", 2.4, -1.15, "#9cc25c", swell=0.1, step=6.0, reach=5.0 * k, dress=yard),
        site.sheet("rails", 1.5, lambda brush, rng: _rails(brush, site), top=-2.0),
        boards(site, -0.7, ("#d9c07a", "#ceb46c", "#c2a65f", "#b59852"), dress, reach=1.0),
        fringe(site, ("#a8823a", "#c9a24a"), blooms=("#e8505b", "#4f6fd0"), tallest=1.9),
    ]


def _fields(brush: Brush, rng: Random, site: Site) -> None:
    """Fields in strips that run to the horizon."""
    left, _, right, bottom = site.stage.span(5.5)
    crest = rolling(rng, left - 0.5, right + 0.5, -1.95, 0.14, 6.0)
    brush.fill(land(crest, bottom), brush.light.open("#b9cf6a", 0.8))
    tones = ("#e3c45f", "#8fb855", "#d8a94f", "#a8c560", "#c9964a")
    for i in range(-9, 9):
        x0, x1, y = i * 0.9, i * 0.9 + 0.8, -1.78
        strip = poly((x0, y), (x1, y), (x1 * 2.3, -0.4), (x0 * 2.3, -0.4))
        brush.fill(strip, brush.light.open(tones[i % 5], 0.85), card=False)


def _barn(brush: Brush, x: float, y: float, s: float) -> None:
    """A red barn with white crosses on its doors, and a silo."""
    red, white, roof = "#c2453a", "#fbf3e4", brush.light.open("#6f5a5f", 0.95)
    silo = x - 2.2 * s * (1 if x < 0 else -1)
    brush.rect(silo - 0.5 * s, y - 2.9 * s, silo + 0.5 * s, y + 0.3, "#b9c0c4")
    for up in (0.7, 1.3, 1.9, 2.5):
        brush.line(f"M{silo - 0.5 * s} {y - up * s} h{s}", "#8f989f", 0.03)
    brush.fill(placed("M-0.55 0 Q-0.5 -0.6 0 -0.65 Q0.5 -0.6 0.55 0 Z", silo, y - 2.88 * s, s), roof)
    brush.fill(placed("M-1.6 0.3 V-1.5 L-1.2 -2.3 L0 -2.9 L1.2 -2.3 L1.6 -1.5 V0.3 Z", x, y, s), red)
    brush.fill(placed(_BARN_ROOF, x, y, s), roof)
    for plank in range(-3, 4):
        brush.line(f"M{x + plank * 0.42 * s} {y - 1.9 * s} V{y + 0.2}", mix(red, "#3a1418", 0.25), 0.025)
    for way in (-1, 1):
        left = x + (way - 1) * 0.35 * s
        brush.rect(left, y - 1.15 * s, left + 0.7 * s, y + 0.1, mix(red, "#5a1a1a", 0.2))
        door = f"M{left} {y - 1.15 * s} h{0.7 * s} v{1.15 * s} h{-0.7 * s} Z"
        brush.line(f"{door} l{0.7 * s} {1.15 * s} m0 {-1.15 * s} l{-0.7 * s} {1.15 * s}", white, 0.06)
    on = brush.light.lamps_on
    brush.rect(x - 0.32 * s, y - 2.1 * s, x + 0.32 * s, y - 1.55 * s, LAMPLIGHT[0] if on else "#5a3a30", raw=on)
    brush.line(f"M{x - 0.32 * s} {y - 2.1 * s} h{0.64 * s} v{0.55 * s} h{-0.64 * s} Z", white, 0.06)


def _wind_pump(brush: Brush, x: float, y: float, h: float) -> None:
    """A wheel of vanes on a lattice mast."""
    iron, hub = "#7d868c", y - h * 0.86
    mast = f"M{x - h * 0.13} {y} L{x} {hub} L{x + h * 0.13} {y} M{x - h * 0.09} {y - h * 0.26} H{x + h * 0.09}"
    brush.line(f"{mast} M{x - h * 0.05} {y - h * 0.52} H{x + h * 0.05}", iron, 0.05)
    blade = "M-0.03 -0.05 L-0.09 -0.32 L0.09 -0.32 L0.03 -0.05 Z"
    for i in range(10):
        brush.canvas.save()
        brush.canvas.translate(x, hub)
        brush.canvas.rotate(36 * i)
        brush.fill(placed(blade, 0, 0, h * 0.62), "#e9e4d6" if i % 2 else "#d5584a", card=False)
        brush.canvas.restore()
    brush.oval(x, hub, h * 0.035, h * 0.035, iron)


def _rails(brush: Brush, site: Site) -> None:
    """A fence of two rails before the yard."""
    left, _, right, bottom = site.stage.span(1.5)
    wood, x = brush.light.open("#a0714a", 0.3), left
    posts = []
    while x < right:
        posts.append(box(x - 0.07, -1.75, x + 0.07, -0.6))
        x += 1.5
    rails = [box(left, -1.6, right, -1.48), box(left, -1.18, right, -1.06)]
    brush.fill(joined([*rails, *posts]), wood)
    brush.fill(joined([box(left, -1.63, right, -1.57)]), mix(wood, "#fff0d0", 0.25), card=False)
    brush.rect(left, -0.85, right, bottom, brush.light.open("#8fb552", 0.9))


def _bale(brush: Brush, x: float, y: float, r: float) -> None:
    """A round bale of straw, seen from its end."""
    straw = "#e6bd58"
    brush.oval(x, y - r * 0.9, r * 0.95, r * 0.92, straw)
    for share in (0.7, 0.45, 0.2):
        brush.oval(x, y - r * 0.9, r * share, r * share, mix(straw, "#8a5a20", 0.38 - 0.3 * share), card=False)
    if brush.light.snow_cover:
        brush.fill(disc(x, y - r * 1.66, r * 0.62, r * 0.16), SNOW, card=False)


def village(site: Site) -> list[Sheet]:
    k = site.tall

    def far_row(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        _church(brush, site.light.side * -site.x(0.2), -1.7, 2.6 * k)
        for i in range(13):
            x = crest[0][0] + (crest[-1][0] - crest[0][0]) * (i + rng.uniform(0.2, 0.8)) / 13
            if i % 3 == 1:
                poplar(brush, rng, x, height_at(crest, x) + 0.1, rng.uniform(1.2, 1.8) * k, rng.choice(LEAVES))
            elif abs(x) > 0.8:
                _house(brush, rng, x, height_at(crest, x) + 0.2, rng.uniform(0.42, 0.55))

    def near_row(brush: Brush, rng: Random, crest: Sequence[Point]) -> None:
        for side in (-1, 1):
            for share in (1.5, 0.8):
                roof, wall = rng.choice(ROOFS), rng.choice(WALLS)
                cottage(
                    brush,
                    side * site.x(share if not site.stage.portrait else share * 1.12),
                    -0.9,
                    0.9 * k**0.5,
                    roof,
                    wall,
                )
            bush(brush, rng, side * site.x(0.5), -0.9, 1.1, rng.choice(LEAVES), rng.choice(BLOOMS))

    def dress(brush: Brush, rng: Random) -> None:
        winding_path(brush, site, "#d8c7a6", -0.95)
        _cobbles(brush, rng, site)
        tufts(brush, rng, site, "#5c9445", -0.6, 18)
        daisies(brush, rng, site, BLOOMS, -0.6, 16)
        post(brush, site.light.side * site.x(0.62), -0.3, 3.1 * k**0.5)
        _well(brush, -site.light.side * site.x(0.56), -0.35, 0.95)

    return [
        *skies(site),
        hills(site, "far hills", 10.0, -2.9 * k**0.7, "#9cc3a4", swell=0.5, step=6.0),
        hills(site, "far houses", 5.0, -1.75, "#94c072", swell=0.2, reach=2.8 * k, dress=far_row),
        hills(site, "houses", 2.2, -1.1, "#88b961", swell=0.08, reach=4.6 * k**0.5, dress=near_row),
        boards(site, -0.8, ("#9bc566", "#8cb95a", "#7caa4e", "#6c9944"), dress, reach=3.4 * k**0.5),
        fringe(site, ("#3f7a42", "#5a9a48"), blooms=BLOOMS, tallest=1.5),
    ]


def _house(brush: Brush, rng: Random, x: float, y: float, s: float) -> None:
    """A small house in the distance."""
    on = brush.light.lamps_on
    brush.rect(x - s, y - 1.1 * s, x + s, y + 0.2, rng.choice(WALLS))
    brush.fill(
        placed("M-1.25 0 L-0.6 -0.95 H0.6 L1.25 0 Z", x, y - 1.05 * s, s), brush.light.open(rng.choice(ROOFS), 0.95)
    )
    panes = [box(x + d * s - 0.17 * s, y - 0.8 * s, x + d * s + 0.17 * s, y - 0.42 * s) for d in (-0.5, 0.5)]
    brush.fill(joined(panes), LAMPLIGHT[0] if on else "#7f97a5", raw=on, card=False)
    smoke(brush, x + 0.4 * s, y - 2.2 * s)


def _church(brush: Brush, x: float, y: float, h: float) -> None:
    wall, roof = "#f3ead6", brush.light.open("#7d6a86", 0.95)
    brush.rect(x - h * 0.1, y - h * 0.62, x + h * 0.1, y + 0.3, wall)
    brush.rect(x + h * 0.1, y - h * 0.3, x + h * 0.48, y + 0.3, mix(wall, "#8f7f6f", 0.12))
    brush.fill(
        poly(
            (x + h * 0.06, y - h * 0.29),
            (x + h * 0.16, y - h * 0.45),
            (x + h * 0.44, y - h * 0.45),
            (x + h * 0.52, y - h * 0.29),
        ),
        roof,
    )
    brush.fill(poly((x - h * 0.13, y - h * 0.6), (x, y - h), (x + h * 0.13, y - h * 0.6)), roof)
    on = brush.light.lamps_on
    brush.rect(
        x - h * 0.03,
        y - h * 0.52,
        x + h * 0.03,
        y - h * 0.38,
        LAMPLIGHT[1] if on else "#6f7f8f",
        radius=h * 0.03,
        raw=on,
    )


def _cobbles(brush: Brush, rng: Random, site: Site) -> None:
    stones = [disc(x, y, 0.09 * size, 0.04 * size) for x, y, size in strewn(rng, site, 26, -0.4)]
    brush.fill(joined(stones), brush.light.open("#b3a68c", 0.8), card=False)


def _well(brush: Brush, x: float, y: float, s: float) -> None:
    """A well with a little roof."""
    stone = "#aaa59c"
    brush.fill(
        joined([box(x + d * 0.5 * s - 0.05, y - 1.5 * s, x + d * 0.5 * s + 0.05, y - 0.4) for d in (-1, 1)]), "#7d5238"
    )
    brush.rect(x - 0.62 * s, y - 0.62 * s, x + 0.62 * s, y, stone, radius=0.06)
    for row in range(3):
        data = (
            f"M{x - 0.6 * s} {y - 0.2 * s * row} h{1.2 * s} M{x - 0.3 * s + 0.2 * row} {y - 0.2 * s * row} v{-0.2 * s}"
        )
        brush.line(data, mix(stone, "#4a4550", 0.35), 0.03)
    brush.line(f"M{x} {y - 1.45 * s} V{y - 0.85 * s}", "#5a4636", 0.035)
    brush.rect(x - 0.13 * s, y - 0.9 * s, x + 0.13 * s, y - 0.64 * s, "#8f5f3f")
    brush.fill(placed("M-0.85 0 L0 -0.6 L0.85 0 Z", x, y - 1.4 * s, s), brush.light.open("#c0603f", 0.95))
