"""The city of the future: stepped towers, bridges in the sky, neon, and traffic in the air."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import mix
from ..model import Sheet
from .cuts import box, curve, disc, joined, poly, united
from .site import Paint, Site
from .sky import drifting, skies

if TYPE_CHECKING:
    from ..draw import Brush

NEON = ("#39e6ff", "#ff4fd0", "#ffd84a", "#7dff9a", "#b57bff")


def future_city(site: Site) -> list[Sheet]:
    k = site.tall
    return [
        *skies(site, birds=False),
        site.sheet("ringed planet", 22.0, lambda brush, rng: _planet(brush, site)),
        site.sheet("far towers", 13.0, _towers(site, 13.0, 12, (2.4 * k, 4.6 * k), "#93a4d6", 0.0)),
        site.sheet("towers", 6.5, _towers(site, 6.5, 9, (4.2 * k, 5.7 * k), "#6f80c4", 0.26, bridges=True)),
        _traffic(site, "far traffic", 5.8, -3.35 * k, 0.75, -1),
        _traffic(site, "traffic", 4.2, -4.75 * k, 1.15, 1),
        site.sheet("near towers", 3.0, lambda brush, rng: _near(brush, rng, site)),
        site.sheet("deck", 1.05, lambda brush, rng: _deck(brush, rng, site), top=-2.2),
        site.sheet("gantry", 0.72, lambda brush, rng: _gantry(brush, rng, site)),
    ]


def _planet(brush: Brush, site: Site) -> None:
    """A pale world above the city, opposite the sun."""
    x, y, r = -brush.light.side * site.x(0.36), site.stage.top + 0.24 * site.stage.height, 0.95
    pale = mix(brush.light.sky[1], "#ffffff", 0.35)
    brush.oval(x, y, r, r, pale, alpha=0.55, raw=True)
    ring = curve([(x - 1.8, y + 0.42), (x, y + 0.12), (x + 1.8, y - 0.62), (x + 0.1, y + 0.3)], closed=True)
    brush.fill(ring, mix(pale, "#ffffff", 0.4), alpha=0.6, raw=True)


def far(brush: Brush, colour: str, share: float) -> str:
    """The colour of a light as it pales with distance."""
    return mix(colour, "#" + "".join(f"{value:02x}" for value in brush.light.on(colour, brush.depth)), share)


def neon(brush: Brush, data: str, colour: str, width: float) -> None:
    """A tube of light: a soft wide stroke, a bright one, a white heart."""
    tone = far(brush, colour, 0.45)
    brush.line(data, tone, width * 3.4, alpha=0.25, raw=True)
    brush.line(data, tone, width, raw=True)
    brush.line(data, "#ffffff", width * 0.35, alpha=0.75, raw=True)


def _towers(
    site: Site, depth: float, count: int, heights: tuple[float, float], wall: str, gap: float, bridges: bool = False
) -> Paint:
    """Towers side by side, lower towards the middle, none within ``gap`` of the half width of it."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, bottom = site.stage.span(depth)
        step = (right - left) / count
        places: list[tuple[float, float, float]] = []
        for i in range(count):
            x = left + step * (i + 0.5) + rng.uniform(-0.12, 0.12) * step
            if abs(x) > gap * site.half:
                low = 0.62 + 0.38 * min(1.0, abs(x) / (0.7 * site.half))
                h = rng.uniform(*heights) * low
                places.append((x, h, max(0.62, min(step * 0.85, h * 0.3))))
        if bridges:
            _bridges(brush, rng, places, wall, 2.2 * step)
        for x, h, w in places:
            spire(brush, rng, x, -0.9, w, h, _dusky(brush, mix(wall, "#a87ad0", rng.uniform(0, 0.45))))
        brush.rect(left, -1.0, right, bottom, wall)
        if not bridges:
            _city_glow(brush, rng, site)

    return paint


def _city_glow(brush: Brush, rng: Random, site: Site) -> None:
    """The light of a million signs in the haze over the roofs."""
    strength = {"night": 0.6, "sunset": 0.25}.get(brush.light.time, 0.0)
    for share, tone in ((-0.9, "#ff3fb8"), (-0.35, "#ff5fd0"), (0.2, "#b04fff"), (0.75, "#ff3fb8")):
        brush.glow(site.x(share), -1.2, rng.uniform(2.4, 3.2) * site.tall, tone, strength)


def _dusky(brush: Brush, wall: str) -> str:
    """Walls lose themselves when lamps are lit: it is the windows that one sees."""
    return mix(wall, "#1a1038", 0.5) if brush.light.time == "night" else wall


def _bridges(brush: Brush, rng: Random, places: list[tuple[float, float, float]], wall: str, widest: float) -> None:
    """Covered ways from tower to tower, sagging lightly, with a lit slit."""
    for (x0, h0, _), (x1, h1, _) in pairwise(places):
        if x1 - x0 > widest:
            continue
        y, middle = -0.9 - min(h0, h1) * rng.uniform(0.4, 0.62), (x0 + x1) / 2
        arch = (
            f"M{x0} {y - 0.12} Q{middle} {y - 0.34} {x1} {y - 0.12} V{y + 0.12} Q{middle} {y - 0.1} {x0} {y + 0.12} Z"
        )
        brush.svg(arch, mix(wall, "#20264a", 0.3))
        neon(brush, f"M{x0} {y - 0.02} Q{middle} {y - 0.22} {x1} {y - 0.02}", NEON[0], 0.045)


def spire(brush: Brush, rng: Random, x: float, foot: float, w: float, h: float, wall: str) -> None:
    """A tower as nobody builds it yet: a sail, a needle, a saucer on a stem, or steps with round shoulders."""
    shape = rng.choice((_sail, _needle, _saucer, _steps))(x, foot, w, h, rng.choice((-1, 1)))
    brush.fill(shape, wall)
    canvas = brush.canvas
    canvas.save()
    canvas.clipPath(shape, skia.ClipOp.kIntersect, True)
    side, day = brush.light.side, brush.light.time == "day"
    brush.fill(box(x - side * w * 2, foot - 1.3 * h, x - side * w * 0.1, foot), mix(wall, "#191840", 0.2), card=False)
    tube = rng.choice(NEON)
    if brush.depth < 10:
        _slits(brush, rng, x, foot, w, h, mix(wall, "#f2fcff" if day else "#1b2150", 0.35))
        neon(brush, f"M{x - w} {foot - h * 0.62} H{x + w}", tube, 0.05)
    canvas.restore()


def _slits(brush: Brush, rng: Random, x: float, foot: float, w: float, h: float, glass: str) -> None:
    """Bands of windows; parts of them are lit."""
    share = {"night": 0.55, "sunset": 0.42}.get(brush.light.time, 0.08 + 0.3 * brush.light.overcast)
    bands: list[skia.Path] = []
    lamps: list[skia.Path] = []
    y = foot - 0.3
    while y > foot - h * 0.95:
        bands.append(box(x - w * 0.4, y - 0.1, x + w * 0.4, y))
        spots = [start for start in (-0.4, -0.08, 0.2) if rng.random() < share]
        lamps += [box(x + w * at, y - 0.1, x + w * (at + rng.uniform(0.1, 0.24)), y) for at in spots]
        y -= 0.34
    brush.fill(joined(bands), glass, alpha=0.7, card=False)
    brush.fill(joined(lamps), far(brush, "#ffe08a", 0.35), raw=True)


def _sail(x: float, foot: float, w: float, h: float, way: int) -> skia.Path:
    path = skia.Path()
    path.moveTo(x - way * w * 0.5, foot)
    path.lineTo(x - way * w * 0.42, foot - h)
    path.cubicTo(x + way * w * 0.35, foot - h * 0.86, x + way * w * 0.72, foot - h * 0.4, x + way * w * 0.5, foot)
    path.close()
    return path


def _needle(x: float, foot: float, w: float, h: float, way: int) -> skia.Path:
    path = skia.Path()
    path.moveTo(x - w * 0.55, foot)
    path.quadTo(x - w * 0.12, foot - h * 0.4, x - 0.03, foot - h)
    path.lineTo(x + 0.03, foot - h)
    path.quadTo(x + w * 0.12, foot - h * 0.4, x + w * 0.55, foot)
    path.close()
    return united(path, disc(x, foot - h * 0.52, w * 0.52, h * 0.035), disc(x, foot - h * 0.7, w * 0.34, h * 0.028))


def _saucer(x: float, foot: float, w: float, h: float, way: int) -> skia.Path:
    stem = poly(
        (x - w * 0.34, foot), (x - w * 0.16, foot - h * 0.8), (x + w * 0.16, foot - h * 0.8), (x + w * 0.34, foot)
    )
    hall = disc(x, foot - h * 0.79, w * 0.85, h * 0.055)
    return united(
        stem,
        hall,
        disc(x, foot - h * 0.83, w * 0.45, h * 0.08),
        poly((x - 0.05, foot - h * 0.85), (x, foot - h), (x + 0.05, foot - h * 0.85)),
    )


def _steps(x: float, foot: float, w: float, h: float, way: int) -> skia.Path:
    blocks = []
    for share, up in ((1.0, 0.6), (0.72, 0.8), (0.44, 0.95)):
        block = skia.Path()
        block.addRoundRect(
            skia.Rect.MakeLTRB(x - w * share / 2, foot - h * up, x + w * share / 2, foot), w * 0.2, w * 0.2
        )
        blocks.append(block)
    return united(*blocks, poly((x - 0.05, foot - h * 0.9), (x, foot - h), (x + 0.05, foot - h * 0.9)))


def _traffic(site: Site, name: str, depth: float, y: float, size: float, way: int) -> Sheet:
    """A lane of flying cars, far enough to be slips of paper with a light at each end."""

    def paint(brush: Brush, rng: Random) -> None:
        left, _, right, _ = site.stage.span(depth)
        for lane in (0.0, 0.5 * size):
            x = left - 9.0
            while x < right + 9.0:
                _hover_car(brush, rng, x, y + lane + rng.uniform(-0.07, 0.07), size * rng.uniform(0.8, 1.1), way)
                x += size * rng.uniform(2.0, 4.2)

    return site.sheet(name, depth, paint, margin=9.0, top=y - 1.4, drift=drifting(way * 0.9 * size, 0.03))


def _hover_car(brush: Brush, rng: Random, x: float, y: float, s: float, way: int) -> None:
    tone = rng.choice(("#e8505b", "#f3f0e6", "#f6b23c", "#4f6fd0", "#2c9f94"))
    brush.svg(
        f"M{x - way * 0.4 * s} {y} Q{x - way * 0.38 * s} {y - 0.13 * s} {x - way * 0.16 * s} {y - 0.14 * s} "
        f"Q{x} {y - 0.28 * s} {x + way * 0.18 * s} {y - 0.12 * s} L{x + way * 0.42 * s} {y - 0.03 * s} "
        f"L{x + way * 0.3 * s} {y + 0.07 * s} H{x - way * 0.3 * s} Z",
        tone,
    )
    brush.oval(x + way * 0.05 * s, y - 0.15 * s, 0.11 * s, 0.05 * s, "#bfeaf5", card=False)
    brush.line(f"M{x - way * 0.25 * s} {y + 0.1 * s} h{way * 0.45 * s}", "#39e6ff", 0.04 * s, raw=True)
    brush.glow(x + way * 0.44 * s, y - 0.02 * s, 0.24 * s, "#fff2c0", 0.9)
    brush.glow(x - way * 0.42 * s, y - 0.02 * s, 0.2 * s, "#ff5a5a", 0.8)


def _near(brush: Brush, rng: Random, site: Site) -> None:
    """The nearest towers at the edges, with signs; between them the view is free."""
    _, _, _, bottom = site.stage.span(3.0)
    for side in (-1, 1):
        for share, h, w in ((1.32, 6.9, 2.5), (0.97 if not site.stage.portrait else 1.05, 5.4, 1.9)):
            x = side * site.x(share)
            spire(brush, rng, x, -0.8, w, h * site.tall, _dusky(brush, mix("#555da6", "#8a55a8", rng.random())))
        _sign(brush, rng, side * site.x(0.78), -2.1 - rng.uniform(0.1, 0.4) * site.tall, side)
    left, _, right, _ = site.stage.span(3.0)
    brush.rect(left, -1.05, right, bottom, "#565c94")
    for i in range(22):
        x = left + (right - left) * i / 21
        brush.oval(x, -0.98, 0.05, 0.03, NEON[i % 2], raw=True)


def _sign(brush: Brush, rng: Random, x: float, y: float, side: int) -> None:
    """A hanging sign with the strokes of no alphabet."""
    tone = rng.choice(NEON)
    brush.rect(x - 0.27, y - 0.75, x + 0.27, y + 0.75, "#1b1c3c", radius=0.06)
    neon(brush, f"M{x - 0.22} {y - 0.7} H{x + 0.22} V{y + 0.7} H{x - 0.22} Z", tone, 0.035)
    for i in range(4):
        up = y - 0.48 + 0.32 * i
        stroke = rng.choice(("h0.2 v0.14", "h0.22 m-0.11 0 v0.16", "v0.14 h0.2 v-0.14", "l0.1 0.14 l0.1 -0.14"))
        neon(brush, f"M{x - 0.1} {up} {stroke}", rng.choice(NEON), 0.035)
    brush.glow(x, y, 1.3, tone, 0.3 if brush.light.lamps_on else 0.12)


def _deck(brush: Brush, rng: Random, site: Site) -> None:
    """A polished deck in perspective, a rail behind it, neon mirrored in it."""
    left, _, right, bottom = site.stage.span(1.05)
    night = brush.light.time == "night"
    floor, low = brush.light.open("#8a6a9c" if night else "#7076b2", 0.85), site.stage.bottom
    posts = [box(left + 1.3 * i, -1.62, left + 1.3 * i + 0.07, -0.6) for i in range(int((right - left) / 1.3) + 1)]
    brush.fill(joined([*posts, box(left, -1.66, right, -1.56)]), "#3c4278")
    neon(brush, f"M{left} -1.61 H{right}", NEON[0], 0.03)
    brush.rect(left, -0.72, right, bottom, floor)
    brush.rect(left, -0.72, right, -0.56, mix(floor, "#ffffff", 0.2))
    for i in range(-13, 14):
        brush.line(f"M{i * 0.95} -0.56 L{i * 2.1} {low + 2.4}", mix(floor, "#20264a", 0.35), 0.03)
    for y in (-0.25, 0.35, 1.25, 2.6, 4.4):
        brush.line(f"M{left} {y} H{right}", mix(floor, "#20264a", 0.28), 0.025)
    for i in range(9):
        x, tone = site.x(-1.2 + 0.3 * i), NEON[i % len(NEON)]
        top = -0.5 + rng.uniform(0.0, 0.2)
        streak = joined(
            [box(x - 0.05, top, x + 0.05, top + rng.uniform(0.8, 2.2)), box(x + 0.1, top, x + 0.13, top + 0.7)]
        )
        brush.fill(streak, tone, alpha=0.34 if brush.light.lamps_on else 0.16, raw=True)
    stripe = 0.62
    brush.rect(left, stripe, right, stripe + 0.06, "#39e6ff", alpha=0.7, raw=True)
    brush.rect(left, stripe - 0.06, right, stripe + 0.12, "#39e6ff", alpha=0.2, raw=True)


def _gantry(brush: Brush, rng: Random, site: Site) -> None:
    """Dark girders and cables in the corners."""
    iron, top, bottom = "#1d1f42", site.stage.top, site.stage.bottom
    side = -brush.light.side
    outer = side * (site.half + 5)
    for sag in (0.5, 0.85, 1.15):
        brush.line(
            f"M{outer} {top + 0.6} Q{side * site.x(0.7)} {top + sag + 0.3} {side * site.x(0.3)} {top - 0.8}",
            iron,
            0.06,
        )
    for d in (-1, 1):
        x0, x1 = d * site.x(0.86), d * (site.half + 5.2)
        y = bottom - 0.75
        brush.fill(poly((x0, bottom + 3.2), (x0 + d * 0.35, y), (x1, y), (x1, bottom + 3.2)), iron)
        neon(brush, f"M{x0 + d * 0.4} {y + 0.14} L{x1} {y + 0.14}", NEON[1 if d > 0 else 0], 0.04)
        brush.rect(min(x0 + d * 1.0, x0 + d * 1.12), y - 1.3, max(x0 + d * 1.0, x0 + d * 1.12), y, iron)
        brush.oval(x0 + d * 1.06, y - 1.34, 0.13, 0.13, NEON[2], raw=True)
        brush.glow(x0 + d * 1.06, y - 1.34, 0.7, NEON[2], 0.5)
