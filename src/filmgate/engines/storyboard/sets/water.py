"""The open ocean, and what the beach shares with it: the sea to its horizon and the cape with its lighthouse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import Light, mix, seen_at
from ..model import Sheet
from .cuts import Point, disc, land, poly, rolling
from .site import Drift, Site
from .sky import skies

if TYPE_CHECKING:
    from ..draw import Brush

SEA = ("#8fd0dc", "#5fb9cc", "#3da0bd", "#2c88ab", "#216f95", "#1a5a80", "#144868")
FOAM = "#f4fbff"
LANDMARK = 4.5  #: a lighthouse is seen as clearly as if it stood at this depth


def water(light: Light, tone: str) -> str:
    """The sea takes on the colour of the sky: violet under a sunset, slate under a storm."""
    if light.weather in ("storm", "rain"):
        tone = mix(tone, "#34465c", 0.4 if light.weather == "storm" else 0.25)
    return mix(tone, "#a065b8", 0.5) if light.time == "sunset" else tone


def sea(site: Site, depth: float, horizon: float, bottom: float) -> Sheet:
    """The sea to its horizon, with the road of light below the sun."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, end = site.stage.span(depth)
        light = brush.light
        deep, near = water(light, SEA[2]), water(light, SEA[1])
        brush.wash((left, horizon, right, bottom + 0.4), (deep, near))
        brush.rect(left, bottom + 0.38, right, end, near, card=False)
        brush.line(f"M{left} {horizon} H{right}", mix(light.sky[2], "#ffffff", 0.35), 0.025, alpha=0.7, raw=True)
        if not light.overcast:
            _glitter(brush, rng, light.sun_position(site.stage)[0], horizon, bottom)
        for _ in range(26):
            x, share = rng.uniform(left, right), rng.random()
            y, wide = horizon + 0.1 + (bottom - horizon) * share, 0.2 + 0.5 * share
            brush.line(f"M{x} {y} h{wide}", mix(SEA[1], "#ffffff", 0.5), 0.02 + 0.02 * share, alpha=0.6)

    return site.sheet(f"sea {depth:g}", depth, paint, top=horizon - 0.06)


def _glitter(brush: Brush, rng: Random, x: float, horizon: float, bottom: float) -> None:
    tone = mix(brush.light.sun, "#ffffff", 0.2)
    for i in range(30):
        share = i / 29
        wide = 0.75 - 0.45 * share + rng.uniform(0.0, 0.3)
        px, y = x + rng.uniform(-0.45, 0.45) * (0.5 + share), horizon + 0.05 + (bottom - horizon) * share
        brush.fill(disc(px, y, wide * 0.5, 0.022 + 0.016 * share), tone, alpha=0.75, raw=True)


def to_and_fro(across: float, along: float, start: float) -> Drift:
    return lambda t: (across * math.sin(0.8 * t + start), along * math.sin(1.3 * t + 1.7 * start))


def headland(brush: Brush, rng: Random, site: Site, horizon: float) -> None:
    """A cape with a lighthouse, away from the sun."""
    side = -brush.light.side
    far, near = side * (site.half + 1.8), side * site.x(0.3)
    points = [(near, horizon + 0.05), (near + side * 0.9, horizon - 0.35), (near + side * 1.8, horizon - 0.5)]
    points += [(near + side * 3.0, horizon - 0.95), (far, horizon - 1.3)]
    points.sort()
    tone = seen_at(brush.light, brush.light.open("#5f8f7c", 0.5), LANDMARK * 1.5)
    brush.fill(land(points, horizon + 0.3), tone, raw=True)
    lighthouse(brush, near + side * 2.4, horizon - 0.66, 1.6)


def lighthouse(brush: Brush, x: float, y: float, h: float) -> None:
    """A red and white tower; its lamp burns when lamps are lit."""

    def at(up: float) -> float:
        return h * (0.13 - 0.05 * up)

    for i in range(5):
        low, high = i * 0.16, (i + 1) * 0.16
        band = poly(
            (x - at(low), y - h * low),
            (x - at(high), y - h * high),
            (x + at(high), y - h * high),
            (x + at(low), y - h * low),
        )
        brush.fill(band, seen_at(brush.light, "#d8493f" if i % 2 == 0 else "#fbf6ea", LANDMARK), raw=True)
    on = brush.light.lamps_on or brush.light.weather == "fog"
    brush.rect(x - h * 0.07, y - h * 0.93, x + h * 0.07, y - h * 0.8, "#fff0a8" if on else "#dfeef0", raw=on)
    roof = poly((x - h * 0.11, y - h * 0.92), (x, y - h * 1.04), (x + h * 0.11, y - h * 0.92))
    brush.fill(roof, seen_at(brush.light, "#b5382f", LANDMARK), raw=True)
    if on and brush.light.time != "sunset":
        for way in (-1, 1):
            _beam(brush, x, y - h * 0.87, way * 4.6 * h)
        brush.glow(x, y - h * 0.87, h * 0.7, "#ffe9a0", 0.8)


def _beam(brush: Brush, x: float, y: float, reach: float) -> None:
    """A wedge of light that fades with its distance from the lamp; negative ``reach`` goes to the left."""
    wide = abs(reach)
    brush.canvas.save()
    brush.canvas.clipPath(poly((x, y), (x + reach, y - 0.1 * wide), (x + reach, y + 0.05 * wide)), doAntiAlias=True)
    brush.glow(x, y, wide, "#fff0b0", 0.45)
    brush.canvas.restore()


def ocean(site: Site) -> list[Sheet]:
    """Open water: sheets of waves that travel against each other, behind the ship and before it."""
    rough = {"storm": 2.6, "rain": 1.5, "snow": 1.2}.get(site.light.weather, 1.0)
    horizon = -2.3 * site.tall**0.6
    rows = [
        (7.0, -1.62, 0.13),
        (4.6, -1.3, 0.18),
        (3.0, -0.95, 0.24),
        (1.9, -0.56, 0.3),
        (1.25, -0.16, 0.34),
        (0.9, 0.27, 0.14),
        (0.74, 1.5, 0.4),
    ]
    if site.stage.portrait:
        rows[-1:] = [(0.78, 1.9, 0.46), (0.66, 3.6, 0.52)]
    waves = [_row(site, i, depth, y, height, rough, len(rows)) for i, (depth, y, height) in enumerate(rows)]
    return [
        *skies(site, horizon=horizon),
        site.sheet("island", 16.0, lambda brush, rng: headland(brush, rng, site, horizon), top=horizon - 3.2),
        sea(site, 12.0, horizon, -1.0),
        *waves,
    ]


def _row(site: Site, i: int, depth: float, y: float, height: float, rough: float, count: int) -> Sheet:
    """A row of waves: those behind the ship tower up in a storm, those before it stay below its deck."""
    if depth > 1.0:
        return _wave(site, i, depth, y, height * rough, rough, count)
    calm = min(rough, 1.6)
    if depth > 0.85:
        return _lap(site, i, depth, y, height * calm, count)
    return _wave(site, i, depth, y, height * calm, calm, count)


def _tone(i: int, count: int) -> str:
    """The seas grow deeper in colour row by row."""
    return SEA[min(len(SEA) - 1, 1 + i * (len(SEA) - 1) // count)]


def _lap(site: Site, i: int, depth: float, y: float, height: float, count: int) -> Sheet:
    """The water right before the ship: one smooth swell with a hem of foam, in which only the foot of a hull lies."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        crest = rolling(rng, left - 4.0, right + 4.0, y, height, 2.6)
        tone = water(brush.light, _tone(i, count))
        brush.fill(land(crest, bottom), _white(brush), raw=True)
        brush.fill(land(lower(crest, 0.045, 0.03), bottom), mix(tone, "#bfe6ee", 0.12), card=False)
        brush.fill(land(lower(crest, 0.2, 0.07), bottom), tone, card=False)
        brush.fill(land(lower(crest, 0.55, -0.08), bottom), mix(tone, "#0c2c4a", 0.13), card=False)

    return site.sheet(f"wave {i}", depth, paint, top=y - height - 0.4, margin=4.0, drift=to_and_fro(0.9, 0.03, i))


def lower(crest: Sequence[Point], down: float, more: float) -> list[Point]:
    """A crest moved down, by a little more at every other point: the strips are never quite parallel."""
    return [(x, y + down + more * (i % 2)) for i, (x, y) in enumerate(crest)]


def _wave(site: Site, i: int, depth: float, y: float, height: float, rough: float, count: int) -> Sheet:
    """One sheet of waves; in rough weather they are steep and break."""
    length = (1.5 + 0.34 * i) * (1.25 if rough > 2 else 1.0)
    way, pace = (-1 if i % 2 else 1), 0.35 + 0.09 * i
    tone = _tone(i, count)

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        edge = left - 4.0 - rng.uniform(0, length)
        if brush.light.snow_cover and i % 2 == 0:
            _floes(brush, rng, (left, right), y - height * 0.2, 0.5 + 0.12 * i)
        _crests(brush, rng, (edge, right + 4.0), y, height, length, way, water(brush.light, tone), bottom, rough)

    def drift(t: float) -> tuple[float, float]:
        return way * (0.8 * math.sin(pace * t + i) + 0.24 * rough * t * 0.5), 0.09 * rough * math.sin(
            1.25 * t + 1.9 * i
        )

    return site.sheet(f"wave {i}", depth, paint, top=y - height * 2.1 - 0.3, margin=4.0, drift=drift)


def _floes(brush: Brush, rng: Random, reach: tuple[float, float], y: float, size: float) -> None:
    """Ice that bobs behind a wave."""
    for i in range(6):
        x = reach[0] + (reach[1] - reach[0]) * (i + rng.random()) / 6
        w, h = size * rng.uniform(0.8, 1.5), size * rng.uniform(0.4, 0.7)
        brush.fill(
            poly(
                (x - w, y + 0.5),
                (x - w * 0.8, y - h * 0.6),
                (x - w * 0.1, y - h),
                (x + w * 0.7, y - h * 0.5),
                (x + w, y + 0.5),
            ),
            FOAM,
        )
        lit = poly((x - w * 0.1, y - h), (x + w * 0.7, y - h * 0.5), (x + w, y + 0.5), (x + w * 0.1, y + 0.5))
        brush.fill(lit, "#c9dff0", card=False)


def _crests(
    brush: Brush,
    rng: Random,
    reach: tuple[float, float],
    y: float,
    height: float,
    length: float,
    way: int,
    tone: str,
    bottom: float,
    rough: float,
) -> None:
    """The outline of a row of waves: each rises slowly, curls over at its crest and falls steeply."""
    path, foam, x = skia.Path(), skia.Path(), reach[0]
    path.moveTo(x, bottom)
    path.lineTo(x, y)
    while x < reach[1]:
        w, h = length * rng.uniform(0.8, 1.25), height * rng.uniform(0.75, 1.2)
        curl = min(0.26, 0.1 + 0.05 * rough) * w
        top = (x + w * (0.62 if way > 0 else 0.38), y - h)
        if way > 0:
            path.cubicTo(x + w * 0.25, y, x + w * 0.42, y - h * 0.9, *top)
            path.cubicTo(
                top[0] + curl, y - h * 1.05, top[0] + curl * 1.3, y - h * 0.72, top[0] + curl * 1.05, y - h * 0.55
            )
            path.cubicTo(top[0] + curl * 0.4, y - h * 0.75, x + w * 0.72, y, x + w, y)
        else:
            path.cubicTo(x + w * 0.28, y, top[0] - curl * 0.4, y - h * 0.75, top[0] - curl * 1.05, y - h * 0.55)
            path.cubicTo(top[0] - curl * 1.3, y - h * 0.72, top[0] - curl, y - h * 1.05, *top)
            path.cubicTo(x + w * 0.58, y - h * 0.9, x + w * 0.75, y, x + w, y)
        _spume(foam, top, w, h, way)
        x += w
    path.lineTo(x, bottom)
    path.close()
    brush.fill(path, tone)
    brush.canvas.save()
    brush.canvas.clipPath(path, skia.ClipOp.kIntersect, True)
    brush.canvas.translate(0, 0.16 + 0.1 * height)
    brush.fill(path, mix(tone, "#0c2c4a", 0.13), card=False)
    brush.canvas.restore()
    brush.fill(foam, _white(brush), raw=True)


def _white(brush: Brush) -> str:
    """Foam catches what light there is: a third of its white is its own."""
    return mix(seen_at(brush.light, FOAM, brush.depth), FOAM, 0.35)


def _spume(foam: skia.Path, top: Point, w: float, h: float, way: int) -> None:
    """White water along the back of a crest."""
    x, y = top
    foam.moveTo(x + way * w * 0.1, y - h * 0.02)
    foam.cubicTo(x - way * w * 0.02, y - h * 0.06, x - way * w * 0.14, y + h * 0.16, x - way * w * 0.3, y + h * 0.55)
    foam.cubicTo(x - way * w * 0.16, y + h * 0.3, x - way * w * 0.06, y + h * 0.16, x + way * w * 0.1, y + h * 0.14)
    foam.close()
