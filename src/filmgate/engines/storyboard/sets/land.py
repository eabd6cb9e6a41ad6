"""The lie of the land: hills one behind the other, the boards on which the puppets stand, and the fringe in front."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from ..light import SNOW, mix
from ..model import Sheet
from .cuts import Point, blade, disc, joined, land, lens, rolling
from .flora import branch, flower, grass
from .site import Site

if TYPE_CHECKING:
    from ..draw import Brush

Dress = Callable[["Brush", Random, Sequence[Point]], None]


def height_at(crest: Sequence[Point], x: float) -> float:
    """The y of a crest at x, between its points."""
    for (x0, y0), (x1, y1) in pairwise(crest):
        if x0 <= x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0 or 1.0)
    return crest[0][1] if x < crest[0][0] else crest[-1][1]


def hills(
    site: Site,
    name: str,
    depth: float,
    y: float,
    colour: str,
    *,
    swell: float = 0.35,
    step: float = 5.0,
    reach: float = 0.0,
    dress: Dress | None = None,
) -> Sheet:
    """A rolling land about the height y; ``dress`` sets things on its crest, at most ``reach`` above it."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        crest = rolling(rng, left - 0.5, right + 0.5, y, swell, step)
        if dress is not None:
            dress(brush, rng, crest)
        open_colour = brush.light.open(colour, 0.75)
        brush.fill(land(crest, bottom), open_colour)
        lip = [(px, py + 0.14 + 0.05 * (i % 2)) for i, (px, py) in enumerate(crest)]
        brush.fill(land(lip, bottom), mix(open_colour, "#14283a", 0.07), card=False)

    return site.sheet(name, depth, paint, top=y - swell - reach - 0.3)


def boards(
    site: Site, edge: float, colours: Sequence[str], dress: Callable[[Brush, Random], None], *, reach: float = 0.0
) -> Sheet:
    """The ground just behind the puppets' plane: strips of paper from the far one at ``edge`` to the nearest.

    ``dress`` paints on it and may rise by ``reach`` above its edge.
    """

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(1.05)
        lines = [edge, 0.72, 1.75] if not site.stage.portrait else [edge, 0.95, 2.35, 3.9]
        for i, line in enumerate(lines):
            crest = rolling(rng, left - 0.5, right + 0.5, line, 0.07 + 0.04 * i, 4.5)
            tone = colours[min(i, len(colours) - 1)] if i < len(colours) else mix(colours[-1], "#101820", 0.12)
            brush.fill(land(crest, bottom), brush.light.open(tone, 0.92))
        if brush.light.wet:
            _puddles(brush, rng, site)
        if brush.light.snow_cover:
            _drifts(brush, rng, site)
        dress(brush, rng)

    return site.sheet("boards", 1.05, paint, top=edge - reach - 0.3)


def _puddles(brush: Brush, rng: Random, site: Site) -> None:
    """Water on the ground: flat discs that hold the sky."""
    sky = mix(brush.light.sky[2], brush.light.sky[1], 0.35)
    for share, y, w in (
        (-0.72, 0.42, 1.15),
        (0.42, 1.05, 1.5),
        (0.86, -0.35, 0.8),
        (-0.28, 1.62, 1.3),
        (-0.3, -0.6, 0.6),
    ):
        x, wide = site.x(share) + rng.uniform(-0.4, 0.4), w * rng.uniform(0.85, 1.2)
        brush.oval(x, y + 0.02, wide * 1.06, wide * 0.15, "#1a2430", alpha=0.35, card=False)
        brush.oval(x, y, wide, wide * 0.13, sky, alpha=0.85, raw=True)
        brush.oval(x + 0.2 * wide, y + 0.01, wide * 0.34, wide * 0.035, "#ffffff", alpha=0.35, raw=True)


def _drifts(brush: Brush, rng: Random, site: Site) -> None:
    """Soft hollows in the snow."""
    blue = mix(SNOW, "#8fa9d0", 0.5)
    for _ in range(9):
        x, y = site.x(rng.uniform(-1.4, 1.4)), rng.uniform(-0.9, site.stage.bottom)
        wide = rng.uniform(0.7, 1.4) * (1.2 + y * 0.2)
        brush.fill(lens(x, y, rng.uniform(-3, 3), wide, 0.14 + 0.03 * y), blue, alpha=0.45, card=False)


def strewn(rng: Random, site: Site, count: int, top: float, *, clear: float = 0.0) -> list[tuple[float, float, float]]:
    """(x, y, size) of things on the boards, far to near, larger when nearer; ``clear`` keeps the middle free."""
    spots = []
    for i in range(count):
        y = top + (site.stage.bottom + 0.6 - top) * ((i + rng.random()) / count) ** 1.15
        x = site.x(rng.triangular(-1.4, 1.4, 0.0))
        if abs(x) < clear and y < 0.5:
            x = (clear + rng.uniform(0.0, 2.0)) * (1 if x > 0 else -1)
        spots.append((x, y, 1.0 + 0.28 * (y - top)))
    return spots


def tufts(brush: Brush, rng: Random, site: Site, colour: str, top: float, count: int = 26) -> None:
    """Grass on the ground; under snow there is none: what sticks out of it looks like dirt."""
    if brush.light.snow_cover:
        return
    for x, y, size in strewn(rng, site, count, top):
        grass(brush, rng, x, y, 0.16 * size, colour, 4)


def daisies(brush: Brush, rng: Random, site: Site, blooms: Sequence[str], top: float, count: int = 30) -> None:
    """Small flowers on the ground, seen from afar: dots with a heart, in loose drifts."""
    if brush.light.snow_cover:
        return
    for x, y, size in strewn(rng, site, count, top, clear=0.8):
        colour = rng.choice(blooms)
        for _ in range(3):
            px, py, r = x + rng.uniform(-0.35, 0.35), y + rng.uniform(-0.08, 0.08), 0.052 * size
            petals = [
                disc(px + dx * r, py + dy * r, r * 0.8, r * 0.6)
                for dx, dy in ((-0.8, 0), (0.8, 0), (0, -0.7), (0, 0.7))
            ]
            brush.fill(joined(petals), colour, card=False)
            brush.oval(px, py, r * 0.45, r * 0.4, "#f7b733" if colour != "#ffd84d" else "#d9772b", card=False)


def pebbles(brush: Brush, rng: Random, site: Site, colour: str, top: float, count: int = 16) -> None:
    """Small stones on the ground, unless snow covers them."""
    if brush.light.snow_cover:
        return
    stones = []
    for x, y, size in strewn(rng, site, count, top):
        wide = rng.uniform(0.05, 0.11) * size
        stones.append(disc(x, y, wide, wide * 0.5))
    brush.fill(joined(stones), brush.light.open(colour, 0.5))


def fringe(
    site: Site, colours: Sequence[str], *, blooms: Sequence[str] = (), depth: float = 0.72, tallest: float = 1.7
) -> Sheet:
    """Grass at the very front: a low hem in the middle of the frame, tall in its corners."""
    half, bottom = site.half, site.stage.bottom
    tallest *= 1.25 if site.stage.portrait else 1.0

    def rise(x: float) -> float:
        outward = min(1.0, max(0.0, abs(x) / half - 0.42) / 0.6)
        return 0.12 + tallest * math.sqrt(outward) * outward

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, end = site.stage.span(depth)
        for row, colour in enumerate(colours):
            blades, x = [], left
            while x < right:
                height = rise(x) * rng.uniform(0.55, 1.1) * (1 - 0.22 * row) + (end - bottom)
                blades.append(blade(x, end, height, rng.uniform(-0.35, 0.35), rng.uniform(0.13, 0.24)))
                x += rng.uniform(0.13, 0.24)
            brush.fill(joined(blades), mix(brush.light.open(colour, 0.35), "#0c1822", 0.22))
        if blooms and not brush.light.snow_cover:
            _corner_flowers(brush, rng, site, blooms, rise)

    return site.sheet("fringe", depth, paint, top=bottom - tallest * 1.5 - 0.5)


def _corner_flowers(
    brush: Brush, rng: Random, site: Site, blooms: Sequence[str], rise: Callable[[float], float]
) -> None:
    for side in (-1, 1):
        for share in (0.8, 0.92, 1.06, 1.25):
            x = side * site.x(share) + rng.uniform(-0.15, 0.15)
            flower(brush, rng, x, site.stage.bottom + 0.5, (rise(x) + 0.5) * rng.uniform(0.9, 1.12), rng.choice(blooms))


def bough(site: Site, leaf: str, *, depth: float = 0.7, wood: str = "#4d3527") -> Sheet:
    """A branch in the upper corner away from the sun."""
    side = -site.light.side

    def paint(brush: Brush, rng: Random) -> None:
        reach = 0.54 * site.half if not site.stage.portrait else 0.75 * site.half
        corner = side * (site.half + 0.3), site.stage.top - 0.1
        branch(brush, rng, *corner, reach, side, leaf, wood)
        branch(brush, rng, corner[0], corner[1] + 0.5, reach * 0.6, side, mix(leaf, "#0b1f22", 0.2), wood)
        outward = corner[0] + side * reach * 0.9
        branch(brush, rng, outward, corner[1], reach * 1.1, side, mix(leaf, "#0b1f22", 0.3), wood)

    return site.sheet("bough", depth, paint)
