"""A picture with depth: a fine net on which what is likely to be near moves more than what is likely to be far.

Most pictures are farther away towards the top and nearer towards the bottom, and what they are about stands in their
middle. The net moves smoothly over the whole picture, so that nothing tears and nothing melts; it only ever grows
outward, so that the edge of the picture never shows.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import skia

from .bake import Pixels, to_image

ROUND = 18.0  #: seconds in which the camera goes into the picture and comes back
_COLUMNS, _ROWS = 32, 24
_FAR, _NEAR = 0.085, 0.11  #: how much larger the farthest and (further) the nearest things grow
_EYE = 0.46  #: the height of the point that the camera goes to
_WHITE = 0xFFFFFFFF
_ASIDE_FAR, _ASIDE_NEAR = 0.006, 0.014  #: how far they go aside, in widths of the picture

Grid = npt.NDArray[np.float64]


def approach(since: float) -> float:
    """How far the camera has gone into a picture, 0 to 1, so many seconds after (or before) it rests before it."""
    return 0.5 - 0.5 * math.cos(math.tau * since / ROUND)


def nearness(u: Grid, v: Grid) -> Grid:
    """How near a place of the picture is thought to be, 0 to 1; u runs right and v down, both from 0 to 1."""
    ground = np.clip((v - 0.38) / 0.62, 0.0, 1.0)
    middle = np.exp(-((u - 0.5) ** 2) / 0.09 - (v - 0.56) ** 2 / 0.12)
    return np.asarray(np.clip(0.8 * ground * ground * (3 - 2 * ground) + 0.22 * middle, 0.0, 1.0))


class Deep:
    """A picture of the frame's size that the camera can go into."""

    def __init__(self, pixels: Pixels, way: int = 1) -> None:
        """``pixels`` is opaque BGRA; ``way`` is the side to which the camera goes, 1 or -1."""
        self.pixels, self._way = pixels, way
        self._height, self._width = pixels.shape[:2]
        self._v, self._u = np.meshgrid(np.linspace(0, 1, _ROWS + 1), np.linspace(0, 1, _COLUMNS + 1), indexing="ij")
        self._near = nearness(self._u, self._v)
        self._knots = _points(self._u * self._width, self._v * self._height)
        sampling = skia.SamplingOptions(skia.FilterMode.kLinear)
        clamp = skia.TileMode.kClamp
        self._paint = skia.Paint(Shader=to_image(pixels, opaque=True).makeShader(clamp, clamp, sampling))

    def draw(self, canvas: skia.Canvas, since: float) -> None:
        """Draws the picture as it is seen ``since`` seconds after the camera rested before it (before: negative)."""
        x, y = self.moved(since)
        moved = _points(x * self._width, y * self._height)
        triangles = skia.Vertices.VertexMode.kTriangles_VertexMode
        net = skia.Vertices(triangles, moved, self._knots, [_WHITE] * len(moved), _TRIANGLES)
        canvas.drawVertices(net, self._paint, skia.BlendMode.kModulate)

    def moved(self, since: float) -> tuple[Grid, Grid]:
        """Where the knots of the net are, in widths and heights of the frame."""
        into = approach(since)
        grown = 1.0 + into * (_FAR + _NEAR * self._near)
        aside = self._way * into * math.sin(math.tau * since / 13.0) * (_ASIDE_FAR + _ASIDE_NEAR * self._near)
        return 0.5 + (self._u - 0.5) * grown + aside, _EYE + (self._v - _EYE) * grown


def _points(x: Grid, y: Grid) -> list[skia.Point]:
    return [skia.Point(float(a), float(b)) for a, b in zip(x.ravel(), y.ravel(), strict=True)]


def _net() -> list[int]:
    """The corners of two triangles for each mesh."""
    corners: list[int] = []
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            a = row * (_COLUMNS + 1) + column
            b = a + _COLUMNS + 1
            corners += [a, a + 1, b, a + 1, b + 1, b]
    return corners


_TRIANGLES = _net()
