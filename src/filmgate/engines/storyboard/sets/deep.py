"""Under the sea: a reef in the light that falls from above."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import mix
from ..model import Sheet
from .cuts import curve, disc, joined, leafy, lens, poly, rolling
from .flora import rock
from .land import boards, height_at, pebbles
from .site import Drift, Paint, Site

if TYPE_CHECKING:
    from ..draw import Brush

CORALS = ("#ff7f6b", "#f78fb3", "#ffb347", "#b57bd8", "#f25f7a")
# the twigs of branching coral of height 1, each from its root to its tip: right and up
_ANTLERS = (
    (0.0, 0.0, 0.0, 0.9),
    (0.0, 0.3, -0.35, 0.7),
    (-0.35, 0.7, -0.35, 1.05),
    (0.0, 0.5, 0.32, 0.8),
    (0.32, 0.8, 0.32, 1.2),
    (-0.35, 0.72, -0.55, 0.95),
    (0.32, 0.85, 0.52, 1.0),
    (0.0, 0.7, -0.12, 1.2),
)
WEEDS = ("#3f9f7a", "#5fb35a", "#2f8a80")


def underwater(site: Site) -> list[Sheet]:
    k = site.tall
    return [
        site.sheet("water", 30.0, lambda brush, rng: _water(brush, rng, site), opaque=True),
        site.sheet("far reef", 10.0, _reef(site, 10.0, -2.6 * k, 1.0 * k, "#3f8fa8"), top=-6.0 * k),
        site.sheet(
            "shoal",
            8.0,
            lambda brush, rng: _shoal(brush, rng, site),
            margin=6.0,
            drift=lambda t: (0.55 * t, 0.12 * math.sin(1.1 * t)),
        ),
        site.sheet("reef", 5.0, _reef(site, 5.0, -1.9 * k**0.5, 0.7 * k, "#2f7f98"), top=-5.0 * k),
        site.sheet(
            "far weed", 3.2, _weed(site, 3.2, -1.1, 15, (1.3, 2.9 * k), 0.34), top=-4.4 * k, drift=_current(0.07, 0.0)
        ),
        site.sheet(
            "bubbles",
            2.4,
            lambda brush, rng: _bubbles(brush, rng, site),
            drift=lambda t: (0.08 * math.sin(1.7 * t), -0.5 * t),
        ),
        boards(
            site,
            -0.95,
            ("#e6d3a2", "#dac492", "#cdb583", "#bfa575"),
            lambda brush, rng: _bed(brush, rng, site),
            reach=2.4 * k,
        ),
        site.sheet(
            "weed", 0.74, _weed(site, 0.74, site.stage.bottom + 3.2, 17, (4.4, 6.6 * k), 0.8), drift=_current(0.1, 1.2)
        ),
    ]


def _current(reach: float, start: float) -> Drift:
    return lambda t: (reach * math.sin(0.9 * t + start), 0.0)


def _sea_tone(brush: Brush) -> tuple[str, str, str]:
    """The colours of the water from the surface down."""
    return {
        "day": ("#a8ecec", "#3fb2cf", "#14618f"),
        "sunset": ("#ffcf9a", "#9c6fae", "#2f3f80"),
        "night": ("#4467b0", "#1c3a80", "#0b1b4a"),
    }[brush.light.time]


def _water(brush: Brush, rng: Random, site: Site) -> None:
    left, top, right, bottom = site.stage.span(30.0)
    brush.wash((left, top, right, 0.4), _sea_tone(brush), raw=True)
    brush.rect(left, 0.38, right, bottom, _sea_tone(brush)[2], raw=True)
    pale = mix(_sea_tone(brush)[0], "#ffffff", 0.5)
    for i in range(7):
        x = left + (right - left) * (i + rng.uniform(0.2, 0.8)) / 7
        w, drop, run = rng.uniform(0.35, 0.8), site.stage.height * rng.uniform(0.55, 0.85), -1.4 * brush.light.side
        beam = poly((x, top), (x + w, top), (x + w * 2.1 + run, top + drop), (x - w * 0.5 + run, top + drop))
        brush.fill(beam, pale, alpha=0.13, raw=True)
    ripples = [
        disc(rng.uniform(left, right), top + rng.uniform(0.3, 1.1), rng.uniform(0.3, 0.9), 0.05) for _ in range(26)
    ]
    brush.fill(joined(ripples), "#ffffff", alpha=0.4, raw=True)


def _reef(site: Site, depth: float, y: float, swell: float, tone: str) -> Paint:
    """Rounded rocks in the distance, high at the sides and low in the middle."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        colour = mix(tone, _sea_tone(brush)[1], 0.35)
        for i in range(13):
            x = left + (right - left) * (i + rng.uniform(0.2, 0.8)) / 13
            share = min(1.0, abs(x) / site.half)
            h = (-y - 0.9) * (0.25 + 0.75 * share**1.4) + swell * rng.uniform(-0.3, 0.5) * share
            brush.fill(
                leafy(rng, x, -0.8, rng.uniform(1.0, 1.7), max(0.4, h), 9), mix(colour, "#0c2c5a", rng.uniform(0, 0.2))
            )
        brush.rect(left, -0.9, right, bottom, colour)

    return paint


def _shoal(brush: Brush, rng: Random, site: Site) -> None:
    """A shoal of small fish in the distance."""
    for row, (share, y) in enumerate(((-0.55, -4.6), (0.35, -5.3))):
        tone = mix("#f6c24a" if row == 0 else "#ff8a70", _sea_tone(brush)[1], 0.2)
        fishes = []
        for _ in range(9):
            x, fy, s = (
                site.x(share) + rng.uniform(-1.5, 1.5),
                y * site.tall**0.7 + rng.uniform(-0.6, 0.6),
                rng.uniform(0.24, 0.36),
            )
            tail = poly((x - s * 0.3, fy), (x - s * 0.75, fy - s * 0.3), (x - s * 0.75, fy + s * 0.3))
            fishes.append(joined([disc(x + s * 0.1, fy, s * 0.55, s * 0.27), tail]))
        brush.fill(joined(fishes), tone, raw=brush.light.time == "day")


def _weed(site: Site, depth: float, y: float, count: int, heights: tuple[float, float], gap: float) -> Paint:
    """Ribbons of weed that leave the middle free."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        for i in range(count):
            side = -1 if i % 2 else 1
            x = side * (gap * site.half + (right - gap * site.half) * (i // 2 + rng.random()) / (count / 2))
            grow = rng.uniform(*heights) * min(1.0, 0.5 + 0.5 * abs(x) / site.half)
            tone = rng.choice(WEEDS) if depth > 1 else mix(rng.choice(WEEDS), "#082038", 0.5)
            brush.fill(_ribbon(rng, x, y, grow, 0.16 + 0.05 * (depth < 1)), tone)
        if depth > 1:
            crest = rolling(rng, left - 0.5, right + 0.5, y - 0.1, 0.12, 3.0)
            ground = curve(crest)
            ground.lineTo(right + 0.5, bottom)
            ground.lineTo(left - 0.5, bottom)
            brush.fill(ground, mix("#c9c19a", _sea_tone(brush)[1], 0.3))

    return paint


def _ribbon(rng: Random, x: float, y: float, height: float, width: float) -> skia.Path:
    """One weed: an S-curve that narrows to its tip."""
    phase, bends = rng.uniform(0, math.tau), rng.uniform(3.2, 4.6)
    spine = [
        (x + 0.22 * s * 1.3 * math.sin(phase + bends * s), y - height * s)
        for s in (0, 0.17, 0.34, 0.5, 0.67, 0.84, 1.0)
    ]
    left = [(px - width * (1 - i / 6.5), py) for i, (px, py) in enumerate(spine)]
    right = [(px + width * (1 - i / 6.5), py) for i, (px, py) in enumerate(spine)]
    return curve([*left, *reversed(right)], closed=True)


def _bubbles(brush: Brush, rng: Random, site: Site) -> None:
    _, top, _, _ = site.stage.span(2.4)
    for _ in range(4):
        x = site.x(rng.choice((-1, 1)) * rng.uniform(0.3, 0.95))
        for i in range(12):
            r, y = rng.uniform(0.04, 0.13), top + (2.0 - top) * (i + rng.random()) / 10
            px = x + 0.25 * math.sin(1.7 * y) + rng.uniform(-0.12, 0.12)
            brush.oval(px, y, r, r, "#e8fbff", alpha=0.5, raw=True)
            brush.oval(px - r * 0.3, y - r * 0.3, r * 0.3, r * 0.3, "#ffffff", alpha=0.9, raw=True)


def _bed(brush: Brush, rng: Random, site: Site) -> None:
    """The sea bed: corals at the sides, stones, starfish."""
    pebbles(brush, rng, site, "#a8926a", -0.6, 20)
    floor = [(-20.0, -0.7), (20.0, -0.7)]
    for side in (-1, 1):
        for i, share in enumerate((0.58, 0.8, 1.02, 1.3)):
            x = side * site.x(share) + rng.uniform(-0.2, 0.2)
            size = (0.8 + 0.3 * i) * site.tall**0.6
            kind = (_fan, _stag, _brain)[(i + (side > 0)) % 3]
            kind(brush, rng, x, height_at(floor, x) + 0.1 + 0.1 * i, size, CORALS[(i * 2 + (side > 0)) % 5])
    for share in (-0.42, -0.3, 0.22, 0.4):
        x = site.x(share) + rng.uniform(-0.3, 0.3)
        sprigs = [_ribbon(rng, x + d, -0.45, rng.uniform(0.5, 1.0), 0.08) for d in (-0.16, 0.02, 0.18)]
        brush.fill(joined(sprigs), rng.choice(WEEDS))
    _brain(brush, rng, site.x(rng.choice((-0.36, 0.3))), -0.4, 0.5, rng.choice(CORALS))
    rock(brush, rng, site.x(-0.88), 0.9, 1.3, "#6f7f8f")
    for share, y, tone in ((0.62, 1.2, "#ff8a5c"), (-0.42, 1.7, "#e8505b"), (0.2, 3.6, "#ffb347")):
        x = site.x(share)
        brush.fill(joined([lens(x, y, 20 + 72 * i, 0.26, 0.15) for i in range(5)]), tone)


def _fan(brush: Brush, rng: Random, x: float, y: float, s: float, tone: str) -> None:
    """A fan of coral on a stem, veined."""
    brush.fill(leafy(rng, x, y - s * 0.85, s * 0.62, s * 0.6, 10), tone)
    for a in range(-150, -20, 20):
        rad = math.radians(a)
        brush.line(
            f"M{x} {y} L{x + s * 0.55 * math.cos(rad)} {y - s * 0.45 + s * 0.75 * math.sin(rad)}",
            mix(tone, "#5a1f3f", 0.3),
            0.035,
        )


def _stag(brush: Brush, rng: Random, x: float, y: float, s: float, tone: str) -> None:
    """Branching coral."""
    data = " ".join(f"M{x + s * x0} {y - s * y0} L{x + s * x1} {y - s * y1}" for x0, y0, x1, y1 in _ANTLERS)
    brush.line(data, mix(tone, "#5a1f3f", 0.3), s * 0.15)
    brush.line(data, tone, s * 0.11)


def _brain(brush: Brush, rng: Random, x: float, y: float, s: float, tone: str) -> None:
    """A dome of coral with furrows."""
    brush.fill(leafy(rng, x, y - s * 0.15, s * 0.55, s * 0.45, 12), tone)
    for i in range(4):
        up = y - s * (0.05 + 0.13 * i)
        brush.line(
            f"M{x - s * 0.36} {up} q{s * 0.12} {-s * 0.1} {s * 0.24} 0 t{s * 0.24} 0 t{s * 0.24} 0",
            mix(tone, "#5a1f3f", 0.28),
            0.035,
        )
