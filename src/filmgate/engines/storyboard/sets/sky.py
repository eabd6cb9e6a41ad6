"""Skies: the backcloth, the sun and the moon with their paper halos, stars, clouds, birds and a bolt on a string."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import mix
from ..model import Part, Sheet, Weather
from ..weather import flash
from .cuts import cloud, curve, disc, joined, poly, valance
from .site import Drift, Paint, Site

if TYPE_CHECKING:
    from ..draw import Brush

# the lit and the shaded side of clouds
_CLOUDS: dict[tuple[Part, Weather], tuple[str, str]] = {
    ("day", "clear"): ("#ffffff", "#d9eaf5"),
    ("day", "rain"): ("#8997a5", "#6a7988"),
    ("day", "storm"): ("#4b5068", "#2e3246"),
    ("day", "snow"): ("#d9e4ee", "#b3c5d6"),
    ("day", "fog"): ("#dfe5e4", "#cbd4d4"),
    ("sunset", "clear"): ("#ffc8a2", "#d4758a"),
    ("sunset", "rain"): ("#87678a", "#5c4a6e"),
    ("sunset", "storm"): ("#5a4060", "#32253e"),
    ("sunset", "snow"): ("#ecc0ca", "#b992b8"),
    ("sunset", "fog"): ("#e3b59f", "#c99c9c"),
    ("night", "clear"): ("#4b5fa8", "#31427f"),
    ("night", "rain"): ("#2b3756", "#19223b"),
    ("night", "storm"): ("#332a56", "#181232"),
    ("night", "snow"): ("#596ba6", "#3e4f8b"),
    ("night", "fog"): ("#41506f", "#313e5b"),
}


def skies(site: Site, *, horizon: float = -1.2, birds: bool = True) -> list[Sheet]:
    """Everything above the land, back to front; the backcloth has its palest tone at ``horizon``."""
    light = site.light
    sheets = [backcloth(site, horizon)]
    if not light.overcast:
        sheets.append(luminary(site))
    sheets += _banks(site) if light.overcast else _fair_clouds(site)
    if birds and light.time != "night" and light.weather in ("clear", "fog"):
        sheets.append(_birds(site))
    return sheets


def backcloth(site: Site, horizon: float = -1.2) -> Sheet:
    def paint(brush: Brush, rng: Random) -> None:
        light, (left, top, right, bottom) = brush.light, site.stage.span(30.0)
        brush.wash((left, top, right, horizon), light.sky, raw=True)
        brush.rect(left, horizon - 0.02, right, bottom, light.sky[2], raw=True)
        if light.time == "night" and light.weather in ("clear", "snow"):
            _stars(brush, rng, (left, top, right, horizon))
        if not light.overcast:
            _halo(brush, *light.sun_position(site.stage))

    return site.sheet("sky", 30.0, paint, opaque=True)


def _halo(brush: Brush, x: float, y: float) -> None:
    """The air about the sun lights up: at sunset and about the moon in discs of thin paper, one upon the other.

    By day it is a soft glow: there the rims of the discs, of which a close shot shows only a piece, look like seams.
    """
    strength = {"day": 0.4, "sunset": 0.14, "night": 0.055}[brush.light.time]
    if brush.light.weather in ("fog", "snow"):
        strength *= 0.5
    if brush.light.time == "day":
        brush.glow(x, y, 7.5, brush.light.sun, strength)
        return
    for radius in (6.2, 4.3, 2.8):
        brush.fill(disc(x, y, radius, radius), brush.light.sun, alpha=strength, raw=True)


def _stars(brush: Brush, rng: Random, where: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = where
    for _ in range(110):
        x, y = rng.uniform(left, right), top + (bottom - top) * rng.random() ** 1.5 * 0.85
        size = rng.choice((0.018, 0.022, 0.03, 0.04))
        brush.oval(x, y, size, size, "#fffbe8", alpha=rng.uniform(0.5, 1.0), raw=True)
    for _ in range(7):
        star(brush, rng.uniform(left, right), top + (bottom - top) * rng.uniform(0.05, 0.5), rng.uniform(0.1, 0.16))


def star(brush: Brush, x: float, y: float, size: float, colour: str = "#fff6d0") -> None:
    """A star with four points."""
    points = []
    for i in range(8):
        reach, a = (size if i % 2 == 0 else size * 0.26), math.tau * i / 8
        points.append((x + reach * math.cos(a), y + reach * math.sin(a)))
    brush.polygon(points, colour, raw=True)


def luminary(site: Site) -> Sheet:
    """The sun, or the moon at night."""

    def paint(brush: Brush, rng: Random) -> None:
        x, y = brush.light.sun_position(site.stage)
        if brush.light.time == "night":
            _moon(brush, x, y)
        else:
            _sun(brush, x, y)

    return site.sheet("moon" if site.light.time == "night" else "sun", 24.0, paint)


def _sun(brush: Brush, x: float, y: float) -> None:
    light = brush.light
    radius = 1.35 if light.time == "sunset" else 0.85
    if light.weather in ("fog", "snow"):
        snow = light.weather == "snow"
        pale = mix(light.sun, light.sky[2], 0.6 if snow else 0.25)
        brush.glow(x, y, radius * 2.2, light.sun, 0.12 if snow else 0.25)
        brush.oval(x, y, radius, radius, pale, alpha=0.5 if snow else 0.8, raw=True)
        return
    brush.glow(x, y, radius * 3.2, light.sun, 0.75)
    ring, heart = ("#ffb45c", "#fff0b0") if light.time == "sunset" else ("#ffdf7a", "#fffbe2")
    brush.oval(x, y, radius, radius, ring, raw=True)
    brush.oval(x, y, radius * 0.86, radius * 0.86, mix(ring, heart, 0.55), raw=True)
    brush.oval(x, y, radius * 0.7, radius * 0.7, heart, raw=True)


def _moon(brush: Brush, x: float, y: float) -> None:
    light, radius = brush.light, 0.8
    strength = 0.45 if light.weather == "fog" else 1.0
    brush.glow(x, y, radius * 3.4, "#aebcf0", 0.5)
    brush.oval(x, y, radius, radius, light.sun, alpha=strength, raw=True)
    for dx, dy, size in ((-0.28, -0.22, 0.2), (0.24, 0.1, 0.27), (-0.16, 0.38, 0.15), (0.3, -0.42, 0.1)):
        brush.oval(x + dx, y + dy, size, size, "#ddd8c4", alpha=0.75 * strength, raw=True)


def drifting(pace: float, sway: float = 0.0) -> Drift:
    """Slow sideways travel in stage units a second, with a rise and fall."""
    return lambda t: (pace * t, sway * math.sin(0.9 * t))


def _fair_clouds(site: Site) -> list[Sheet]:
    rng, stage = site.pick("clouds"), site.stage
    wind = rng.choice((-1, 1)) * 0.1
    height = stage.height
    rows = [(19.0, 4, 0.36, 0.55), (13.0, 3, 0.14, 0.85)] if site.light.weather != "fog" else [(19.0, 3, 0.3, 0.7)]
    return [
        site.sheet(
            f"clouds {depth:g}", depth, _clouds(site, count, stage.top + share * height, size), margin=1.5,
            drift=drifting(wind * 20 / depth),
        )
        for depth, count, share, size in rows
    ]  # fmt: skip


def _clouds(site: Site, count: int, y: float, size: float) -> Paint:
    def paint(brush: Brush, rng: Random) -> None:
        width = 2 * site.half + 3.0
        for i in range(count):
            x = -width / 2 + width * (i + rng.uniform(0.2, 0.8)) / count
            wide = size * rng.uniform(2.2, 3.8)
            rise = rng.uniform(-0.09, 0.09) * site.stage.height
            _cloud(brush, rng, x, y + rise, wide, size * rng.uniform(0.62, 0.85))

    return paint


def _cloud(brush: Brush, rng: Random, x: float, y: float, width: float, height: float) -> None:
    lit, shade = _CLOUDS[brush.light.time, brush.light.weather]
    side = brush.light.side
    brush.fill(cloud(rng, x - side * 0.12 * width, y, width, height), shade, raw=True)
    brush.fill(cloud(rng, x + side * 0.06 * width, y - 0.03, width * 0.82, height * 0.78), lit, raw=True)


def _banks(site: Site) -> list[Sheet]:
    """The low ceiling of bad weather, hung like the borders of a theatre."""
    storm = site.light.weather == "storm"
    lows = (0.27, 0.18, 0.08) if storm else (0.24, 0.14)
    sheets = []
    for i, low in enumerate(lows):
        depth = (19.0, 13.0, 8.0)[i]
        y = site.stage.top + low * site.stage.height
        bank = _bank(site, depth, y, i / len(lows))
        pace = (0.12, -0.16, 0.25)[i] * (1.6 if storm else 1.0)
        sheets.append(site.sheet(f"clouds {depth:g}", depth, bank, margin=3.5, drift=drifting(pace)))
    if storm:
        sheets.insert(1, _bolt(site))
    return sheets


def _bank(site: Site, depth: float, y: float, nearness: float) -> Paint:
    def paint(brush: Brush, rng: Random) -> None:
        left, top, right, _ = site.stage.span(depth)
        lit, shade = _CLOUDS[brush.light.time, brush.light.weather]
        tone = mix(mix(lit, brush.light.sky[1], 0.4), shade, nearness)
        hanging = valance(rng, left - 3.5, right + 3.5, top, y, 2.6, 0.42)
        brush.fill(hanging, mix(tone, lit, 0.45), raw=True)
        brush.fill(valance(rng, left - 3.5, right + 3.5, top, y - 0.3, 2.1, 0.36), tone, raw=True)

    return paint


def _bolt(site: Site) -> Sheet:
    """Lightning as the paper theatre does it: a bolt that is let down behind the clouds for an instant."""

    def paint(brush: Brush, rng: Random) -> None:
        x, top = rng.choice((-1, 1)) * site.half * rng.uniform(0.35, 0.62), site.stage.top + 0.08 * site.stage.height
        middle, y, way = [], top, rng.choice((-1, 1))
        while y < -1.4:
            middle.append((x, y))
            x += way * rng.uniform(0.25, 0.75)
            y += rng.uniform(0.5, 0.95)
            way = -way
        for px, py in middle:
            brush.glow(px, py, 1.3, "#b9b4ff", 0.35)
        brush.fill(_fork(middle, (x, -1.2), 0.13), "#fffdf0", raw=True)
        twig = [(px + 0.35 * i * way, py + 0.1) for i, (px, py) in enumerate(middle[1:4])]
        brush.fill(_fork(twig, (twig[-1][0] + 0.5 * way, twig[-1][1] + 0.5), 0.06), "#fffdf0", raw=True)

    away = -3.0 * site.stage.height

    def drift(t: float) -> tuple[float, float]:
        return 0.0, 0.0 if flash(t, site.seed) > 0.06 else away

    return site.sheet("bolt", 18.0, paint, drift=drift)


def _fork(middle: list[tuple[float, float]], tip: tuple[float, float], half: float) -> skia.Path:
    """One arm of a bolt, from its broad root to its tip."""
    count = len(middle)
    right = [(x + half * (1 - i / count), y) for i, (x, y) in enumerate(middle)]
    left = [(x - half * (1 - i / count), y) for i, (x, y) in enumerate(middle)]
    return poly(*right, tip, *reversed(left))


def _birds(site: Site) -> Sheet:
    """A few birds a long way off, two strokes of a cut each."""

    def paint(brush: Brush, rng: Random) -> None:
        x, y = -brush.light.side * site.x(rng.uniform(0.25, 0.55)), site.stage.top + 0.3 * site.stage.height
        flock = []
        for i in range(5):
            size = rng.uniform(0.13, 0.2)
            px, py = x + i * 0.42 + rng.uniform(-0.1, 0.1), y + abs(i - 2) * 0.17 + rng.uniform(-0.08, 0.08)
            wing = [(px - size, py - size * 0.55), (px - size * 0.5, py - size * 0.72), (px, py)]
            wing += [(px + size * 0.5, py - size * 0.72), (px + size, py - size * 0.45)]
            under = [(px + size * 0.45, py - size * 0.45), (px, py + size * 0.28), (px - size * 0.45, py - size * 0.45)]
            flock.append(curve([*wing, *under], closed=True))
        brush.fill(joined(flock), mix(brush.light.sky[0], "#20263a", 0.6), raw=True)

    pace = 0.22 * site.light.side
    return site.sheet("birds", 12.0, paint, drift=lambda t: (pace * t, 0.12 * math.sin(1.3 * t)))
