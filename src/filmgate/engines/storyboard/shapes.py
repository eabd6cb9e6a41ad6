"""Pieces of coloured paper: the shapes that a part of a puppet is made of, and the shades of a colour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import skia

from .outline import outline

Points = Sequence[tuple[float, ...]]

TONES: Mapping[str, tuple[str, float]] = {
    "dark": ("#1d1030", 0.24),
    "deep": ("#150b28", 0.48),
    "light": ("#fff4dc", 0.26),
    "pale": ("#fff6e6", 0.58),
}


_STROKE_DETAIL = 8.0  # skia bends the outline of a stroke as finely as a drawing of this scale needs


@dataclass(frozen=True, eq=False)
class Shape:
    """One piece of paper, in puppet space."""

    cut: skia.Path  #: its outline
    fill: str  #: a colour key, perhaps with tones ("coat-dark"), or "#rrggbb"
    alpha: float = 1.0
    raw: bool = False  #: shines by itself: lamps, eyes of robots
    card: bool = True  #: throws a small shadow on the paper below it
    inside: bool = False  #: shown only where it lies on the first shape of its part
    eye: bool = False  #: it is an eye, or lies on one: not seen while the eyes are shut


def lids(shapes: Sequence[Shape]) -> list[skia.Path]:
    """The lines of shut eyes: one for each eye among the shapes, as wide as it; what lies on an eye belongs to it."""
    eyes: list[skia.Rect] = []
    for bounds in (shape.cut.computeTightBounds() for shape in shapes if shape.eye):
        if not any(skia.Rect.Intersects(bounds, eye) for eye in eyes):
            eyes.append(bounds)
    return [stroke(_lid(eye), 0.3 * eye.width()) for eye in eyes]


def _lid(eye: skia.Rect) -> skia.Path:
    path, half = skia.Path(), 0.72 * eye.width()
    path.moveTo(eye.centerX() - half, eye.centerY())
    path.quadTo(eye.centerX(), eye.centerY() + 0.55 * eye.height(), eye.centerX() + half, eye.centerY())
    return path


def tinted(fill: str, colours: Mapping[str, str]) -> str:
    """The "#rrggbb" of a fill such as "coat-dark". Raises KeyError for a colour or a tone that does not exist."""
    key, *tones = fill.split("-")
    colour = key if key.startswith("#") else colours[key]
    for tone in tones:
        colour = mix(colour, *TONES[tone])
    return colour


def mix(colour: str, other: str, share: float) -> str:
    """``colour`` with this share (0 to 1) of ``other`` in it."""
    pairs = zip(channels(colour), channels(other), strict=True)
    return "#" + "".join(f"{round(a * (1 - share) + b * share):02x}" for a, b in pairs)


def channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def scaled(path: skia.Path, factor: float) -> skia.Path:
    result = skia.Path()
    path.transform(skia.Matrix.Scale(factor, factor), result)
    return result


def cut(notation: str, *, closed: bool) -> skia.Path:
    """An outline, from SVG path data (begins with M) or from points that a smooth curve runs through.

    Points are "x,y" with blanks between them; "x,y!" is a corner. Raises ValueError for anything else.
    """
    if notation.lstrip()[:1] in ("M", "m"):
        return skia.Path(outline(notation))
    words = notation.split()
    points = [numbers(word.removesuffix("!"), 2) for word in words]
    if len(points) < 2 + closed:
        raise ValueError(f"too few points in {notation!r}")
    return _through(points, [word.endswith("!") for word in words], closed)


def limb(notation: str) -> skia.Path:
    """A rounded, tapering arm, leg or tail, from "x,y,radius" points along its middle."""
    spine = [numbers(word, 3) for word in notation.split()]
    if len(spine) < 2:
        raise ValueError(f"a limb needs two points, not {notation!r}")
    path = skia.Path()
    beads = _beads(spine)
    for first, second in pairwise(beads):
        path = _joined(path, first, second)
    return path


def stroke(path: skia.Path, width: float) -> skia.Path:
    """The outline of a round-ended pen stroke along a path."""
    pen = skia.Paint(
        Style=skia.Paint.kStroke_Style,
        StrokeWidth=width,
        StrokeCap=skia.Paint.kRound_Cap,
        StrokeJoin=skia.Paint.kRound_Join,
    )
    result = skia.Path()
    pen.getFillPath(path, result, None, _STROKE_DETAIL)
    return result


def numbers(word: str, count: int) -> tuple[float, ...]:
    found = tuple(float(number) for number in word.split(","))
    if len(found) != count:
        raise ValueError(f"{count} numbers with commas between them are needed, not {word!r}")
    return found


def _through(points: Points, corners: Sequence[bool], closed: bool) -> skia.Path:
    """A curve through the points: smooth except at corners (and at the ends of an open one)."""
    count = len(points)
    path = skia.Path()
    path.moveTo(*points[0])
    for i in range(count if closed else count - 1):
        here, there = points[i], points[(i + 1) % count]
        reach = math.dist(here, there) * 0.36
        out = _heading(points, corners, i, closed) or _unit(here, there)
        into = _heading(points, corners, (i + 1) % count, closed) or _unit(here, there)
        path.cubicTo(
            here[0] + out[0] * reach,
            here[1] + out[1] * reach,
            there[0] - into[0] * reach,
            there[1] - into[1] * reach,
            there[0],
            there[1],
        )
    if closed:
        path.close()
    return path


def _heading(points: Points, corners: Sequence[bool], i: int, closed: bool) -> tuple[float, float] | None:
    """Which way the curve runs at a point; nowhere in particular at a corner."""
    if corners[i] or (not closed and i in (0, len(points) - 1)):
        return None
    return _unit(points[i - 1], points[(i + 1) % len(points)])


def _unit(start: tuple[float, ...], end: tuple[float, ...]) -> tuple[float, float]:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    return dx / length, dy / length


def _beads(spine: Points, fineness: int = 7) -> list[tuple[float, ...]]:
    """(x, y, radius) closely along a Catmull-Rom curve through the points of a limb."""
    ends = [spine[0], *spine, spine[-1]]
    beads = [_between(ends[i : i + 4], step / fineness) for i in range(len(spine) - 1) for step in range(fineness)]
    return [*beads, tuple(spine[-1])]


def _between(four: Points, t: float) -> tuple[float, ...]:
    def one(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)

    return tuple(one(*values) for values in zip(*four, strict=True))


def _joined(path: skia.Path, first: tuple[float, ...], second: tuple[float, ...]) -> skia.Path:
    """``path`` with the hull of two discs added."""
    (x0, y0, r0), (x1, y1, r1) = first, second
    hull = skia.Path()
    hull.addCircle(x0, y0, r0)
    hull.addCircle(x1, y1, r1)
    length = math.hypot(x1 - x0, y1 - y0)
    if length > abs(r0 - r1):
        along = math.atan2(y1 - y0, x1 - x0)
        lean = math.acos((r0 - r1) / length)
        corners = [
            skia.Point(x + r * math.cos(a), y + r * math.sin(a))
            for x, y, r, a in (
                (x0, y0, r0, along - lean),
                (x1, y1, r1, along - lean),
                (x1, y1, r1, along + lean),
                (x0, y0, r0, along + lean),
            )
        ]
        hull.addPoly(corners, True)
    united = skia.Path()
    united.addPath(path)
    united.addPath(hull)
    return united
