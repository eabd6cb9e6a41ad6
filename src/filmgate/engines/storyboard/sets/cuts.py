"""Scissors: the outlines from which every sheet of a set is cut, each a little irregular, as a hand would cut it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import skia

from ..outline import outline

Point = tuple[float, float]


def curve(points: Sequence[Point], *, closed: bool = False) -> skia.Path:
    """A smooth cut through all the points (a Catmull-Rom spline)."""
    path = skia.Path()
    count = len(points)
    path.moveTo(*points[0])
    for i in range(count if closed else count - 1):
        before, here, there, beyond = (_at(points, i + k, closed) for k in (-1, 0, 1, 2))
        path.cubicTo(
            here[0] + (there[0] - before[0]) / 6,
            here[1] + (there[1] - before[1]) / 6,
            there[0] - (beyond[0] - here[0]) / 6,
            there[1] - (beyond[1] - here[1]) / 6,
            *there,
        )
    if closed:
        path.close()
    return path


def _at(points: Sequence[Point], i: int, closed: bool) -> Point:
    return points[i % len(points)] if closed else points[max(0, min(len(points) - 1, i))]


def land(points: Sequence[Point], bottom: float, *, smooth: bool = True) -> skia.Path:
    """A piece of paper whose upper edge goes from left to right through the points and that reaches down to bottom."""
    path = curve(points) if smooth else polyline(points)
    path.lineTo(points[-1][0], bottom)
    path.lineTo(points[0][0], bottom)
    path.close()
    return path


def polyline(points: Sequence[Point]) -> skia.Path:
    path = skia.Path()
    path.addPoly([skia.Point(x, y) for x, y in points], False)
    return path


def rolling(rng: Random, left: float, right: float, y: float, swell: float, step: float) -> list[Point]:
    """The crest of a rolling land about the height y; hills are ``step`` long and rise or fall by up to ``swell``."""
    count = max(3, round((right - left) / step * 2))
    sign = rng.choice((-1, 1))
    points: list[Point] = []
    for i in range(count + 1):
        sign = -sign
        aside = rng.uniform(-0.2, 0.2) * step if 0 < i < count else 0.0
        points += [(left + (right - left) * i / count + aside, y + sign * swell * rng.uniform(0.35, 1.0))]
    return points


def leafy(rng: Random, x: float, y: float, rx: float, ry: float, lobes: int = 11) -> skia.Path:
    """A scalloped blob: the crown of a tree, a bush, the top of a cloud."""
    start = rng.uniform(0, math.tau)
    angles = [start + math.tau * (i + rng.uniform(-0.22, 0.22)) / lobes for i in range(lobes)]
    rim = [(x + rx * 0.9 * math.cos(a), y + ry * 0.9 * math.sin(a)) for a in angles]
    path = skia.Path()
    path.moveTo(*rim[0])
    for i in range(lobes):
        middle = (angles[i] + (angles[i + 1] if i + 1 < lobes else angles[0] + math.tau)) / 2
        reach = rng.uniform(1.18, 1.36)
        path.quadTo(x + rx * reach * math.cos(middle), y + ry * reach * math.sin(middle), *rim[(i + 1) % lobes])
    path.close()
    return path


def cloud(rng: Random, x: float, y: float, width: float, height: float) -> skia.Path:
    """A cloud of round puffs with a flat lower edge at y."""
    pieces = [box(x - width * 0.44, y - height * 0.2, x + width * 0.44, y)]
    pieces += [disc(x + d * width * 0.44, y - height * 0.14, height * 0.2, height * 0.14) for d in (-1, 1)]
    puffs = max(4, round(width / height * 1.25))
    for i in range(puffs):
        share = (i + 0.5) / puffs
        rise = math.sin(math.pi * share) ** 0.8 * height * rng.uniform(0.75, 1.05)
        radius = max(0.22 * height, rise * 0.52)
        pieces += [disc(x + (share - 0.5) * width * 0.9, y - max(radius, rise - radius), radius * 1.25, radius)]
    return clipped(joined(pieces), box(x - width, y - 3 * height, x + width, y))


def valance(rng: Random, left: float, right: float, top: float, y: float, step: float, drop: float) -> skia.Path:
    """Paper that hangs from above with a scalloped lower edge about y: a bank of clouds, foliage overhead."""
    count = max(3, round((right - left) / step))
    path = skia.Path()
    path.moveTo(left, top)
    path.lineTo(left, y)
    for i in range(count):
        there = left + (right - left) * (i + 1) / count
        middle = there - (right - left) / count * rng.uniform(0.4, 0.6)
        end = y + rng.uniform(-0.3, 0.25) * drop
        path.quadTo(middle, y + drop * rng.uniform(1.1, 2.1), there, end)
    path.lineTo(right, top)
    path.close()
    return path


def lens(x: float, y: float, angle: float, length: float, width: float) -> skia.Path:
    """A leaf from its stalk at (x, y), pointing along the angle in degrees (0 right, -90 up)."""
    a = math.radians(angle)
    along, across = (math.cos(a), math.sin(a)), (-math.sin(a), math.cos(a))

    def place(forth: float, aside: float) -> Point:
        return x + along[0] * forth + across[0] * aside, y + along[1] * forth + across[1] * aside

    path = skia.Path()
    path.moveTo(x, y)
    path.cubicTo(*place(length * 0.3, width * 0.75), *place(length * 0.75, width * 0.5), *place(length, 0))
    path.cubicTo(*place(length * 0.7, -width * 0.45), *place(length * 0.25, -width * 0.7), x, y)
    path.close()
    return path


def blade(x: float, y: float, height: float, lean: float, width: float) -> skia.Path:
    """A blade of grass that stands at (x, y) and leans sideways by ``lean`` at its tip."""
    path = skia.Path()
    path.moveTo(x - width / 2, y)
    path.quadTo(x - width * 0.3, y - height * 0.6, x + lean, y - height)
    path.quadTo(x + width * 0.5, y - height * 0.5, x + width / 2, y)
    path.close()
    return path


def joined(paths: Sequence[skia.Path]) -> skia.Path:
    """Many pieces as one, so that they throw one shadow and cost one stroke of the brush."""
    whole = skia.Path()
    for path in paths:
        whole.addPath(path)
    return whole


def united(first: skia.Path, *others: skia.Path) -> skia.Path:
    """Overlapping pieces as one outline, without the cuts between them."""
    for other in others:
        first = skia.Op(first, other, skia.PathOp.kUnion_PathOp)
    return first


def clipped(path: skia.Path, window: skia.Path) -> skia.Path:
    """What of a piece lies within a window."""
    return skia.Op(path, window, skia.PathOp.kIntersect_PathOp)


def box(left: float, top: float, right: float, bottom: float) -> skia.Path:
    path = skia.Path()
    path.addRect(skia.Rect.MakeLTRB(left, top, right, bottom))
    return path


def disc(x: float, y: float, rx: float, ry: float) -> skia.Path:
    path = skia.Path()
    path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    return path


def placed(data: str, x: float, y: float, size: float, high: float | None = None) -> skia.Path:
    """A piece drawn about the origin as SVG path data, made ``size`` times as wide (and ``high`` times as high)."""
    matrix = skia.Matrix.Scale(size, size if high is None else high)
    matrix.postTranslate(x, y)
    path = skia.Path(outline(data))
    path.transform(matrix)
    return path


def poly(*points: Point) -> skia.Path:
    path = polyline(points)
    path.close()
    return path
