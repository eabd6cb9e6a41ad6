"""What hangs and stands on the stage, baked: sheets, puppets, stickers, cards and weather, each of which can draw
itself for one instant through the matrix of the camera at its depth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import skia

from .bake import Baked
from .camera import Affine

SMOOTH = skia.SamplingOptions(skia.FilterMode.kLinear)
FADE_FROM, FADE_TO = 1.9, 2.9  #: magnifications between which a sheet that passes the lens dissolves


class Prop(Protocol):
    """Something on the stage. Props are drawn far to near."""

    @property
    def depth(self) -> float: ...

    def draw(self, canvas: skia.Canvas, camera: Affine, t: float) -> None:
        """Draws the instant ``t``; ``camera`` takes stage units at this depth to pixels."""


def put(canvas: skia.Canvas, baked: Baked, matrix: Affine, paint: skia.Paint | None = None) -> None:
    """Draws a baked piece; ``matrix`` takes the units of its paint to pixels."""
    s = 1.0 / baked.scale
    x, y = matrix(baked.left, baked.top)
    a, b, c, d = matrix.a * s, matrix.b * s, matrix.c * s, matrix.d * s
    if abs(a - 1.0) < 5e-5 and abs(d - 1.0) < 5e-5 and abs(b) < 1e-5 and abs(c) < 1e-5:
        a, b, c, d = 1.0, 0.0, 0.0, 1.0  # at its own size: the fast way
    canvas.setMatrix(skia.Matrix.MakeAll(a, c, x, b, d, y, 0.0, 0.0, 1.0))
    if paint is None and (abs(b) > 1e-5 or abs(c) > 1e-5):
        leaf, how = baked.leaf
        canvas.drawVertices(leaf, how, skia.BlendMode.kModulate)
    elif baked.patches:
        _put_patches(canvas, baked, (a, d, x, y), paint)
    else:
        canvas.drawImage(baked.image, 0, 0, SMOOTH, paint)


def _put_patches(
    canvas: skia.Canvas, baked: Baked, matrix: tuple[float, float, float, float], paint: skia.Paint | None
) -> None:
    """Only those parts of the image in which there is something: most of a sheet with trees is empty."""
    a, d, x, y = matrix
    patches = [
        skia.IRect.MakeLTRB(*(math.floor(v) for v in (a * left + x, d * top + y, a * right + x, d * bottom + y)))
        for left, top, right, bottom in baked.patches
    ]
    region = skia.Region()
    region.setRects(patches)
    canvas.save()
    canvas.clipRegion(region)
    canvas.drawImage(baked.image, 0, 0, SMOOTH, paint)
    canvas.restore()


@dataclass(frozen=True, eq=False)
class Hanging:
    """A sheet of the set."""

    depth: float
    baked: Baked
    unit: float  #: pixels in a stage unit when the camera is at rest
    drift: Callable[[float], tuple[float, float]] | None = None

    def draw(self, canvas: skia.Canvas, camera: Affine, t: float) -> None:
        size = camera.scale / self.unit
        if self.depth < 1.0 and size > FADE_FROM:
            left = 1.0 - (size - FADE_FROM) / (FADE_TO - FADE_FROM)
            if left > 0.0:
                put(canvas, self.baked, self._drifted(camera, t), skia.Paint(Alphaf=left))
            return
        put(canvas, self.baked, self._drifted(camera, t))

    def covers_from(self, camera: Affine, t: float) -> float:
        """The height in the frame, pixels, from which on down this sheet hides all that is behind it."""
        solid = self.baked.solid
        if solid is None or self.depth < 1.0 or camera.b != 0.0:  # near ones may dissolve, tilted ones cover askew
            return math.inf
        return self._drifted(camera, t)(0.0, solid)[1] + 1.0

    def _drifted(self, camera: Affine, t: float) -> Affine:
        return camera if self.drift is None else camera @ Affine.move(*self.drift(t))


class Shade:
    """Throws the one soft shadow of all limbs of a figure: drawn at a quarter of the frame's size, then enlarged.

    Limb by limb at full size it would cost more than the limbs themselves, and be darker where they overlap.
    """

    STEP = 4

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width // self.STEP, height // self.STEP
        self._surface = skia.Surface.MakeRaster(skia.ImageInfo.MakeN32Premul(self._width, self._height))
        self._canvas = self._surface.getCanvas()

    def cast(self, canvas: skia.Canvas, pieces: Sequence[tuple[Baked, Affine]], darkness: float) -> None:
        """Darkens what is on the canvas; matrices take the units of the pieces to pixels of the frame."""
        smaller = Affine.stretch(1 / self.STEP, 1 / self.STEP)
        placed = [(baked, smaller @ matrix) for baked, matrix in pieces]
        area = skia.IRect.MakeWH(self._width, self._height)
        if not placed or not area.intersect(_around(placed)):
            return
        self._canvas.clear(0)
        for baked, matrix in placed:
            put(self._canvas, baked, matrix)
        image = self._surface.makeImageSnapshot(area)
        canvas.resetMatrix()
        canvas.scale(self.STEP, self.STEP)
        canvas.drawImage(image, area.left(), area.top(), SMOOTH, skia.Paint(Alphaf=darkness))


def _around(pieces: Sequence[tuple[Baked, Affine]]) -> skia.IRect:
    """Whole pixels around all pieces."""
    corners = [corner for baked, matrix in pieces for corner in _corners(baked, matrix)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return skia.IRect.MakeLTRB(int(min(xs)) - 2, int(min(ys)) - 2, int(max(xs)) + 3, int(max(ys)) + 3)


def _corners(baked: Baked, matrix: Affine) -> list[tuple[float, float]]:
    right = baked.left + baked.image.width() / baked.scale
    bottom = baked.top + baked.image.height() / baked.scale
    return [matrix(x, y) for x in (baked.left, right) for y in (baked.top, bottom)]


@dataclass(frozen=True, eq=False)
class Limb:
    """A piece of a figure, and its soft silhouette from which the figure's shadow is made."""

    paper: Baked
    silhouette: Baked | None = None
    shut: Baked | None = None  #: the paper with shut eyes, where it has any


def awake(t: float) -> bool:
    """The eyes of what has none, or never shuts them."""
    return False


@dataclass(frozen=True, eq=False)
class Figure:
    """A puppet, a sticker or a card: limbs, and where each of them is."""

    depth: float
    limbs: tuple[Limb, ...]
    place: Callable[[float], Sequence[Affine]]  #: seconds -> a matrix to stage units for each limb
    shade: Shade
    shadow_shift: tuple[float, float]  #: where its shadow falls on the set, stage units
    darkness: float
    contact: Callable[[float], tuple[Affine, float] | None]  #: where its feet darken the boards, and how much
    contact_shadow: Baked
    blinks: Callable[[float], bool] = awake  #: seconds -> whether its eyes are shut

    def draw(self, canvas: skia.Canvas, camera: Affine, t: float) -> None:
        ground = self.contact(t)
        if ground is not None and ground[1] > 0.02:
            put(canvas, self.contact_shadow, camera @ ground[0], skia.Paint(Alphaf=ground[1]))
        places = self.place(t)
        aside = camera @ Affine.move(*self.shadow_shift)
        pairs = list(zip(self.limbs, places, strict=True))
        shadows = [(limb.silhouette, aside @ place) for limb, place in pairs if limb.silhouette is not None]
        self.shade.cast(canvas, shadows, self.darkness)
        shut = self.blinks(t)
        for limb, place in pairs:
            put(canvas, limb.shut if shut and limb.shut is not None else limb.paper, camera @ place)


@dataclass(frozen=True, eq=False)
class Grain:
    """One raindrop or snowflake: its image (about its own middle) and its way."""

    baked: Baked
    path: Callable[[float], tuple[float, float]]
    turn: float = 0.0  #: degrees, clockwise: an image of an upright streak has the fewest pixels


@dataclass(frozen=True, eq=False)
class Swarm:
    """All the weather at one depth."""

    depth: float
    grains: tuple[Grain, ...]

    def draw(self, canvas: skia.Canvas, camera: Affine, t: float) -> None:
        for (baked, turn), grains in self._looks.items():
            whole = camera @ Affine.turn(turn)
            s = 1.0 / baked.scale
            home, aside = whole(baked.left, baked.top), camera(0.0, 0.0)
            for grain in grains:
                x, y = camera(*grain.path(t))
                x, y = x + home[0] - aside[0], y + home[1] - aside[1]
                canvas.setMatrix(skia.Matrix.MakeAll(whole.a * s, whole.c * s, x, whole.b * s, whole.d * s, y, 0, 0, 1))
                if turn:
                    canvas.drawVertices(*baked.leaf, skia.BlendMode.kModulate)
                else:
                    canvas.drawImage(baked.image, 0, 0, SMOOTH)

    @cached_property
    def _looks(self) -> dict[tuple[Baked, float], list[Grain]]:
        """The grains by image and turn."""
        looks: dict[tuple[Baked, float], list[Grain]] = {}
        for grain in self.grains:
            looks.setdefault((grain.baked, grain.turn), []).append(grain)
        return looks
