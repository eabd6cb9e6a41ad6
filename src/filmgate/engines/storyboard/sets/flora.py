"""What grows: trees, bushes, flowers, grass and stones as paper props, each standing at (x, y)."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import SNOW, mix
from .cuts import blade, box, curve, disc, joined, leafy, lens, placed, poly

if TYPE_CHECKING:
    from ..draw import Brush

BLOOMS = ("#e8505b", "#f6a623", "#ffd84d", "#f78fb3", "#9b6ad6", "#ffffff", "#ff7f6b")


def tree(brush: Brush, rng: Random, x: float, y: float, h: float, leaf: str, wood: str = "#7a5238") -> None:
    """A round tree: forked trunk, crown in three tones, lit from the side of the sun."""
    side, wide = brush.light.side, h * rng.uniform(0.30, 0.36)
    trunk = curve([(x - h * 0.05, y), (x - h * 0.025, y - h * 0.3), (x - h * 0.12, y - h * 0.55)])
    trunk.lineTo(x, y - h * 0.42)
    trunk.lineTo(x + h * 0.12, y - h * 0.58)
    trunk.lineTo(x + h * 0.028, y - h * 0.28)
    trunk.lineTo(x + h * 0.055, y)
    trunk.close()
    brush.fill(trunk, wood)
    top, leaf = y - h * 0.65, brush.light.open(leaf, 0.3)
    brush.fill(leafy(rng, x, top, wide, h * 0.34, 12), mix(leaf, "#0f2a2c", 0.22))
    brush.fill(leafy(rng, x + side * wide * 0.14, top - h * 0.04, wide * 0.78, h * 0.26, 10), leaf)
    brush.fill(leafy(rng, x + side * wide * 0.3, top - h * 0.09, wide * 0.45, h * 0.16, 8), mix(leaf, "#fff2a8", 0.22))
    _dabs(brush, rng, x, top, wide * 0.8, h * 0.27, mix(leaf, "#0f2a2c", 0.34))
    if brush.light.snow_cover:
        brush.fill(leafy(rng, x, top - h * 0.2, wide * 0.78, h * 0.13, 9), SNOW)


def _dabs(brush: Brush, rng: Random, x: float, y: float, rx: float, ry: float, colour: str) -> None:
    """Single leaves cut into a crown."""
    leaves = []
    for _ in range(9):
        a, r = rng.uniform(0, math.tau), rng.uniform(0.2, 1.0)
        spot = x + rx * r * math.cos(a), y + ry * r * math.sin(a)
        leaves.append(lens(*spot, rng.uniform(-150, -30), rx * 0.2, rx * 0.09))
    brush.fill(joined(leaves), colour, alpha=0.75, card=False)


def poplar(brush: Brush, rng: Random, x: float, y: float, h: float, leaf: str, wood: str = "#6d4a35") -> None:
    """A slim tree in the shape of a leaf, with the veins of one."""
    side, wide, lean = brush.light.side, h * rng.uniform(0.27, 0.33), -90 + rng.uniform(-3, 3)
    leaf = brush.light.open(leaf, 0.35)
    brush.rect(x - h * 0.022, y - h * 0.4, x + h * 0.022, y, wood)
    brush.fill(lens(x, y - h * 0.13, lean, h * 0.87, wide), leaf)
    brush.fill(
        lens(x + side * wide * 0.1, y - h * 0.2, lean, h * 0.74, wide * 0.5), mix(leaf, "#fff2a8", 0.16), card=False
    )
    brush.line(f"M{x} {y - h * 0.1} L{x} {y - h * 0.85}", mix(leaf, "#10292b", 0.4), h * 0.012)
    for i in range(4):
        up, reach = y - h * (0.28 + 0.13 * i), wide * (0.34 - 0.05 * i)
        brush.line(
            f"M{x - reach} {up - reach} L{x} {up} L{x + reach} {up - reach}", mix(leaf, "#10292b", 0.3), h * 0.008
        )
    if brush.light.snow_cover:
        brush.fill(lens(x - side * wide * 0.06, y - h * 0.62, lean, h * 0.38, wide * 0.45), SNOW)


def fir(brush: Brush, rng: Random, x: float, y: float, h: float, leaf: str, wood: str = "#5b4030") -> None:
    """A fir of four tiers, each a triangle with a ragged hem."""
    brush.rect(x - h * 0.03, y - h * 0.18, x + h * 0.03, y, wood)
    leaf = brush.light.open(leaf, 0.15)
    for i in range(4):
        low, high = y - h * (0.1 + 0.19 * i), y - h * (0.48 + 0.175 * i)
        wide = h * (0.29 - 0.055 * i)
        tone = mix(leaf, "#0c2226", 0.26 - 0.08 * i)
        brush.fill(_tier(rng, x, low, high, wide), tone)
        brush.fill(_slope(x, low, high, wide, brush.light.side), mix(tone, "#e8f0a0", 0.13), card=False)
        if brush.light.snow_cover:
            brush.fill(_tier(rng, x, high + (low - high) * 0.56, high - 0.01, wide * 0.57), SNOW, card=False)


def _tier(rng: Random, x: float, low: float, high: float, wide: float) -> skia.Path:
    teeth = 6
    hem = [
        (x + wide * (1 - 2 * i / teeth), low - (low - high) * (0.0 if i % 2 == 0 else 0.1) + rng.uniform(-0.02, 0.02))
        for i in range(teeth + 1)
    ]
    return poly((x, high), *hem)


def _slope(x: float, low: float, high: float, wide: float, side: int) -> skia.Path:
    return poly((x, high), (x + side * wide * 0.82, low - (low - high) * 0.08), (x + side * wide * 0.2, low - 0.02))


def birch(brush: Brush, rng: Random, x: float, y: float, top: float, width: float, bark: str) -> None:
    """A trunk that runs out of the frame, with the stub of a branch and notches in its bark."""
    lean, w = rng.uniform(-0.3, 0.3), width / 2
    left = [(x - w * 1.7, y), (x - w * 1.05, y - 0.5), (x - w + lean * 0.5, (y + top) / 2), (x - w * 0.8 + lean, top)]
    right = [(x + w * 0.8 + lean, top), (x + w + lean * 0.5, (y + top) / 2), (x + w * 1.05, y - 0.5), (x + w * 1.7, y)]
    trunk = curve(left)
    trunk.addPath(curve(right), skia.Path.AddPathMode.kExtend_AddPathMode)
    trunk.close()
    brush.fill(trunk, bark)
    side = brush.light.side
    lit = mix(bark, "#ffe9b8", 0.25)
    brush.line(f"M{x + side * w * 0.62} {y - 0.5} L{x + side * w * 0.5 + lean} {top}", lit, w * 0.3, alpha=0.7)
    for _ in range(6):
        up = rng.uniform(top, y - 0.6)
        share = (y - up) / (y - top)
        brush.line(f"M{x - w * 0.4 + lean * share} {up} q{w * 0.4} 0.06 {w * 0.7} 0", mix(bark, "#120c10", 0.35), 0.035)


def palm(brush: Brush, rng: Random, x: float, y: float, h: float, lean: float) -> None:
    """A palm whose trunk bends sideways by ``lean``."""
    steps = 12
    stem = [
        (x + lean * (i / steps) ** 1.8, y - h * 0.86 * i / steps, h * (0.05 - 0.025 * i / steps))
        for i in range(steps + 1)
    ]
    trunk = curve([(px - w, py) for px, py, w in stem])
    trunk.addPath(curve([(px + w, py) for px, py, w in reversed(stem)]), skia.Path.AddPathMode.kExtend_AddPathMode)
    trunk.close()
    brush.fill(trunk, "#8f6542")
    for px, py, w in stem[1:-1]:
        brush.line(f"M{px - w} {py} q{w} {w * 0.9} {2 * w} 0", "#6b472e", h * 0.008)
    crown = (stem[-1][0], stem[-1][1])
    green = brush.light.open("#3f8f4f", 0.25)
    for i, angle in enumerate((200, -20, 165, 12, 225, -48, -100)):
        frond(brush, *crown, angle + rng.uniform(-8, 8), h * 0.42, mix(green, "#0f3a35", 0.35 - 0.06 * i))
    brush.fill(
        joined([disc(crown[0] + d * h * 0.035, crown[1] + h * 0.035, h * 0.03, h * 0.03) for d in (-1, 0.2, 1.2)]),
        "#6b3f22",
    )


def frond(brush: Brush, x: float, y: float, angle: float, length: float, colour: str) -> None:
    """A drooping leaf of a palm with a slit hem."""
    a = math.radians(angle)
    spine, edge, count = [], [], 9
    for i in range(count + 1):
        s = i / count
        px = x + length * s * math.cos(a)
        py = y + length * (s * math.sin(a) + 0.55 * s * s)
        spine.append((px, py - length * 0.1 * math.sin(math.pi * s)))
        edge.append((px, py + length * 0.15 * math.sin(math.pi * min(1, s * 1.05)) * (1.0 if i % 2 else 0.45)))
    path = curve(spine)
    for point in reversed(edge):
        path.lineTo(*point)
    path.close()
    brush.fill(path, colour)


def cactus(brush: Brush, rng: Random, x: float, y: float, h: float) -> None:
    """A saguaro with two arms."""
    w, green = h * 0.12, "#4f8a5b"
    left, right = rng.uniform(0.42, 0.55), rng.uniform(0.3, 0.42)
    arms = (
        f"M{x} {y - h * left} h{-w * 2.1} v{-h * 0.2}",
        f"M{x} {y - h * right} h{w * 2.1} v{-h * 0.28}",
    )
    for data in arms:
        brush.line(data, mix(green, "#12302c", 0.25), w * 1.08)
        brush.line(data, green, w * 0.92)
    brush.rect(x - w, y - h, x + w, y, green, radius=w)
    for d in (-0.45, 0.0, 0.45):
        brush.line(f"M{x + d * w} {y - h + w * 0.7} V{y}", mix(green, "#12302c", 0.35), h * 0.012)
    brush.line(f"M{x + brush.light.side * w * 0.8} {y - h + w} V{y - 0.05}", "#8fc080", h * 0.014)
    if brush.light.snow_cover:
        brush.rect(x - w * 0.9, y - h - w * 0.2, x + w * 0.9, y - h + w * 0.8, SNOW, radius=w * 0.7)


def bush(brush: Brush, rng: Random, x: float, y: float, w: float, leaf: str, bloom: str | None = None) -> None:
    """A round bush, in flower where a bloom is given."""
    leaf = brush.light.open(leaf, 0.3)
    brush.fill(leafy(rng, x, y - w * 0.22, w * 0.6, w * 0.36, 11), mix(leaf, "#0f2a2c", 0.25))
    brush.fill(leafy(rng, x + brush.light.side * w * 0.12, y - w * 0.26, w * 0.4, w * 0.25, 9), leaf, card=False)
    if bloom and not brush.light.snow_cover:
        spots = [(x + rng.uniform(-0.45, 0.45) * w, y - w * rng.uniform(0.08, 0.48)) for _ in range(9)]
        brush.fill(joined([disc(px, py, w * 0.05, w * 0.05) for px, py in spots]), bloom)
    if brush.light.snow_cover:
        brush.fill(leafy(rng, x, y - w * 0.44, w * 0.44, w * 0.14, 8), SNOW)


def flower(brush: Brush, rng: Random, x: float, y: float, h: float, bloom: str, heart: str = "#f7c948") -> None:
    """A daisy on a stalk with two leaves."""
    lean, size = rng.uniform(-0.12, 0.12) * h, h * rng.uniform(0.17, 0.23)
    stalk = "#4c8a46"
    brush.line(f"M{x} {y} Q{x} {y - h * 0.5} {x + lean} {y - h}", stalk, h * 0.035)
    leaves = [lens(x, y - h * 0.18, -35, h * 0.3, h * 0.1), lens(x, y - h * 0.26, -145, h * 0.28, h * 0.1)]
    brush.fill(joined(leaves), stalk, card=False)
    start = rng.uniform(0, 60)
    petals = [lens(x + lean, y - h, start + a, size, size * 0.5) for a in range(0, 360, 45)]
    brush.fill(joined(petals), bloom)
    brush.oval(x + lean, y - h, size * 0.36, size * 0.36, heart, card=False)


def tulip(brush: Brush, rng: Random, x: float, y: float, h: float, bloom: str) -> None:
    lean = rng.uniform(-0.06, 0.06) * h
    brush.line(f"M{x} {y} Q{x} {y - h * 0.5} {x + lean} {y - h * 0.8}", "#4c8a46", h * 0.035)
    leaves = [lens(x, y, -62, h * 0.55, h * 0.12), lens(x, y, -118, h * 0.5, h * 0.12)]
    brush.fill(joined(leaves), "#3f7d45", card=False)
    cup = "M-1 -1.55 L-0.45 -0.8 L0 -1.85 L0.45 -0.8 L1 -1.55 Q1.1 0.45 0 0.45 Q-1.1 0.45 -1 -1.55 Z"
    brush.fill(placed(cup, x + lean, y - h * 0.8, h * 0.13), bloom)


def grass(brush: Brush, rng: Random, x: float, y: float, h: float, colour: str, count: int = 5) -> None:
    """A tuft."""
    blades = [
        blade(x + rng.uniform(-0.35, 0.35) * h, y, h * rng.uniform(0.6, 1.0), rng.uniform(-0.45, 0.45) * h, h * 0.13)
        for _ in range(count)
    ]
    brush.fill(joined(blades), brush.light.open(colour, 0.4), card=False)


def fern(brush: Brush, rng: Random, x: float, y: float, h: float, colour: str) -> None:
    """Fronds in a fan, each a stalk with leaflets."""
    for angle in (-150, -120, -92, -62, -32):
        a = math.radians(angle + rng.uniform(-7, 7))
        reach = h * rng.uniform(0.8, 1.05)
        leaflets = []
        for i in range(1, 8):
            s = i / 8
            px, py = x + reach * s * math.cos(a), y + reach * (s * math.sin(a) + 0.32 * s * s)
            size = h * 0.24 * (1.1 - s)
            leaflets += [lens(px, py, angle - 62, size, size * 0.42), lens(px, py, angle + 62, size, size * 0.42)]
        brush.fill(joined(leaflets), colour, card=False)
        tip = x + reach * math.cos(a), y + reach * (math.sin(a) + 0.32)
        middle = x + reach * 0.5 * math.cos(a), y + reach * (0.5 * math.sin(a) + 0.05)
        brush.line(f"M{x} {y} Q{middle[0]} {middle[1]} {tip[0]} {tip[1]}", colour, h * 0.025)


def mushroom(brush: Brush, x: float, y: float, h: float, cap: str = "#d0453f") -> None:
    stem = "M-0.14 0 Q-0.04 -0.4 -0.12 -0.6 H0.12 Q0.04 -0.4 0.14 0 Z"
    hat = "M-0.45 -0.5 Q-0.4 -1 0 -1 Q0.4 -1 0.45 -0.5 Q0 -0.62 -0.45 -0.5 Z"
    brush.fill(placed(stem, x, y, h), "#f2e6cf")
    brush.fill(placed(hat, x, y, h), brush.light.open(cap, 0.5))
    spots = [disc(x + d * h, y - u * h, h * 0.06, h * 0.045) for d, u in ((-0.2, 0.68), (0.05, 0.84), (0.24, 0.66))]
    brush.fill(joined(spots), "#fff4e6", card=False)


def rock(brush: Brush, rng: Random, x: float, y: float, w: float, colour: str) -> None:
    """A stone of three facets."""
    h = w * rng.uniform(0.5, 0.72)
    left, right, ridge = x - w / 2, x + w / 2, x + rng.uniform(-0.12, 0.12) * w
    outline = (
        (left, y),
        (left + w * 0.1, y - h * 0.6),
        (ridge - w * 0.16, y - h),
        (ridge + w * 0.2, y - h * 0.93),
        (right - w * 0.06, y - h * 0.45),
        (right, y),
    )
    brush.fill(poly(*outline), colour)
    side = brush.light.side
    edge = outline[4:] if side > 0 else outline[:2]
    lit = poly((ridge, y - h * 0.95), *(edge if side > 0 else reversed(edge)), (ridge + side * w * 0.1, y - h * 0.25))
    brush.fill(lit, mix(colour, "#fff3d0", 0.28), card=False)
    if brush.light.snow_cover:
        cap = (
            outline[1],
            outline[2],
            outline[3],
            outline[4],
            (ridge + w * 0.1, y - h * 0.7),
            (ridge - w * 0.15, y - h * 0.6),
        )
        brush.fill(poly(*cap), SNOW, card=False)


def branch(
    brush: Brush, rng: Random, x: float, y: float, reach: float, side: int, leaf: str, wood: str = "#4d3527"
) -> None:
    """A leafy bough that hangs into the picture from (x, y), towards the middle."""
    inward = -side
    bough = [(x + inward * reach * s, y + reach * (0.1 * s + 0.2 * s * s)) for s in (0, 0.25, 0.5, 0.75, 1.0)]
    data = "M" + " L".join(f"{px:.3f} {py:.3f}" for px, py in bough)
    leaf = brush.light.open(leaf, 0.3)
    brush.line(data, wood, reach * 0.03)
    for tone in (mix(leaf, "#0b1f22", 0.3), leaf):
        leaves = []
        for _ in range(22):
            s = rng.uniform(0.0, 1.0)
            px, py = x + inward * reach * s, y + reach * (0.1 * s + 0.2 * s * s)
            leaves.append(lens(px, py, 90 + rng.uniform(-80, 80), reach * rng.uniform(0.1, 0.17), reach * 0.06))
        brush.fill(joined(leaves), tone)
    if brush.light.snow_cover:
        brush.line(data, SNOW, reach * 0.022)


def post(brush: Brush, x: float, y: float, h: float, colour: str = "#39424e") -> None:
    """A street lamp with a lantern, lit when lamps are."""
    w = h * 0.018
    brush.fill(
        joined(
            [
                box(x - w, y - h * 0.86, x + w, y),
                box(x - 3 * w, y - h * 0.06, x + 3 * w, y),
                box(x - 2.6 * w, y - h * 0.86, x + 2.6 * w, y - h * 0.845),
            ]
        ),
        colour,
    )
    on = brush.light.lamps_on
    glass = "#ffe9a3" if on else "#e3ecec"
    brush.fill(
        poly(
            (x - 2.2 * w, y - h * 0.86),
            (x - 3.6 * w, y - h * 0.96),
            (x + 3.6 * w, y - h * 0.96),
            (x + 2.2 * w, y - h * 0.86),
        ),
        glass,
        raw=on,
    )
    brush.fill(
        poly((x - 4.4 * w, y - h * 0.955), (x, y - h * 1.02), (x + 4.4 * w, y - h * 0.955)),
        brush.light.open(colour, 0.8),
    )
    if on:
        brush.glow(x, y - h * 0.91, h * 0.42, "#ffd98a", 0.6)
