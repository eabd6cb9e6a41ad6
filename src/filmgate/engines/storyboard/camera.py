"""The camera of the theatre: how a View at a depth becomes a matrix, and the family of moves that shots are made of.

A sheet at depth ``d`` is authored where the camera at rest sees it. When the camera has travelled by (x, y) and
forward by ``dolly``, a pinhole shows the authored point p at ``scale * (p - travel / d)`` about the middle of the
frame, with ``scale = zoom * d / (d - dolly)``. Nothing else happens in here: parallax is that one division.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from .model import Stage, View

Motion = Callable[[float], View]

REST = View()
TRAVEL_X, TRAVEL_Y = 3.0, 2.0  #: how far the camera may travel; Stage.span covers exactly this
DOLLY = 0.42  #: how far it may go into the set: the puppets' plane then looks 1.7 times as large
NEAREST = 0.12  #: a sheet is never closer to the lens than this


@dataclass(frozen=True)
class Affine:
    """x' = a x + c y + e, y' = b x + d y + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @property
    def scale(self) -> float:
        return math.hypot(self.a, self.b)

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def __matmul__(self, first: Affine) -> Affine:
        """``first``, then this."""
        a, b, c, d, e, f = self.a, self.b, self.c, self.d, self.e, self.f
        return Affine(
            a * first.a + c * first.b, b * first.a + d * first.b, a * first.c + c * first.d, b * first.c + d * first.d,
            a * first.e + c * first.f + e, b * first.e + d * first.f + f,
        )  # fmt: skip

    @staticmethod
    def move(x: float, y: float) -> Affine:
        return Affine(1.0, 0.0, 0.0, 1.0, x, y)

    @staticmethod
    def stretch(x: float, y: float) -> Affine:
        return Affine(x, 0.0, 0.0, y, 0.0, 0.0)

    @staticmethod
    def turn(degrees: float, x: float = 0.0, y: float = 0.0) -> Affine:
        """A turn, clockwise on screen, about a point."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return Affine(cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y)


def magnification(view: View, depth: float) -> float:
    """How much larger than at rest a sheet at this depth looks."""
    return view.zoom * depth / max(NEAREST, depth - view.dolly)


def project(view: View, depth: float, stage: Stage, unit: float) -> Affine:
    """The matrix from stage units at a depth to pixels of the frame; ``unit`` = pixels in a stage unit."""
    scale = magnification(view, depth) * unit
    cos, sin = math.cos(math.radians(view.roll)) * scale, math.sin(math.radians(view.roll)) * scale
    middle = stage.top + stage.height / 2
    x, y = view.x / depth, middle + view.y / depth
    half_width, half_height = stage.width * unit / 2, stage.height * unit / 2
    return Affine(cos, sin, -sin, cos, half_width - cos * x + sin * y, half_height - sin * x - cos * y)


def seen(view: View, depth: float, stage: Stage) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) in stage units of what the frame shows of a sheet at this depth."""
    scale = magnification(view, depth)
    roll = abs(math.radians(view.roll))
    half_width = (stage.width * math.cos(roll) + stage.height * math.sin(roll)) / 2 / scale
    half_height = (stage.height * math.cos(roll) + stage.width * math.sin(roll)) / 2 / scale
    x, y = view.x / depth, stage.top + stage.height / 2 + view.y / depth
    return x - half_width, y - half_height, x + half_width, y + half_height


def within(view: View, stage: Stage) -> View:
    """The nearest view that shows no end of any sheet that covers ``Stage.span``.

    A zoomed view shows less, so it may travel farther; the factor keeps that true for the foreground, too, where
    travel counts double.
    """
    zoom, dolly = max(1.0, view.zoom), min(DOLLY, max(0.0, view.dolly))
    spare = (1.0 - 1.0 / zoom) * 0.4
    far_x, far_y = TRAVEL_X + stage.width / 2 * spare, TRAVEL_Y + stage.height / 2 * spare
    return View(
        _clamp(view.x, far_x), _clamp(view.y, far_y), zoom, dolly, _clamp(view.roll, 1.5 if stage.portrait else 2.0)
    )


def _clamp(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


# ---------------------------------------------------------------- easing ------------------------------------------


def ease(u: float) -> float:
    """0 to 1 with a slow beginning and a slow end (both speed and acceleration are 0 there)."""
    u = min(1.0, max(0.0, u))
    return u * u * u * (u * (6.0 * u - 15.0) + 10.0)


def glide(u: float) -> float:
    """0 to 1 at an even speed but for soft ends: how a camera on rails moves."""
    u, soft = min(1.0, max(0.0, u)), 0.22
    speed = 1.0 / (1.0 - soft)
    if u < soft:
        return speed * u * u / (2 * soft)
    if u > 1.0 - soft:
        return 1.0 - speed * (1.0 - u) ** 2 / (2 * soft)
    return speed * (u - soft / 2)


def _part(t: float, start: float, end: float) -> float:
    return (t - start) / max(1e-6, end - start)


def _mix(a: float, b: float, u: float) -> float:
    return a + (b - a) * u


def between(first: View, last: View, start: float, end: float, easing: Callable[[float], float] = glide) -> Motion:
    """From one view to another; zoom changes by equal factors, as the eye expects."""

    def view(t: float) -> View:
        u = easing(_part(t, start, end))
        return View(
            _mix(first.x, last.x, u), _mix(first.y, last.y, u),
            math.exp(_mix(math.log(first.zoom), math.log(last.zoom), u)),
            _mix(first.dolly, last.dolly, u), _mix(first.roll, last.roll, u),
        )  # fmt: skip

    return view


# ---------------------------------------------------------------- framings ----------------------------------------


def look_at(stage: Stage, x: float, y: float, zoom: float = 1.0, depth: float = 1.0) -> View:
    """The view whose middle is the stage point (x, y) at a depth (as far as the travel limits let it be)."""
    middle = stage.top + stage.height / 2
    return within(View(x=x * depth, y=(y - middle) * depth, zoom=zoom), stage)


# ---------------------------------------------------------------- moves -------------------------------------------
# Each takes the first and the last second of its shot and ``at``, the framing about which it moves. None of them rolls:
# a turned frame costs five times as much to draw as one that stands straight, and a degree of it is hardly seen.


def static(start: float, end: float, at: View = REST) -> Motion:
    """A locked camera that breathes: a push of two per cent, too slow to notice, that keeps the paper alive."""
    return between(at, replace(at, zoom=at.zoom * 1.02, x=at.x + 0.06), start, end, lambda u: min(1.0, max(0.0, u)))


def pan(start: float, end: float, at: View = REST, by: float = 3.0) -> Motion:
    """Travels ``by`` units to the right (negative: to the left), ``at`` being the middle of the way."""
    return between(replace(at, x=at.x - by / 2), replace(at, x=at.x + by / 2), start, end)


def tilt(start: float, end: float, at: View = REST, by: float = -2.0) -> Motion:
    """Travels ``by`` units down (negative: up) and ends at ``at``."""
    return between(replace(at, y=at.y - by), at, start, end, ease)


def dolly_in(start: float, end: float, at: View = REST, by: float = 0.28) -> Motion:
    """Goes into the set: near things grow faster than far ones. Begins at ``at``."""
    return between(at, replace(at, dolly=at.dolly + by), start, end)


def dolly_out(start: float, end: float, at: View = REST, by: float = 0.28) -> Motion:
    """Comes out of the set and ends at ``at``."""
    return between(replace(at, dolly=at.dolly + by), at, start, end)


def crane(start: float, end: float, at: View = REST, by: float = 2.0) -> Motion:
    """Rises from near the boards over ``by`` units to ``at`` and draws back a little."""
    low = replace(at, y=at.y + by, dolly=at.dolly + 0.16)
    return between(low, at, start, end, ease)


def tracking(start: float, end: float, at: View = REST, by: float = 4.0) -> Motion:
    """Runs beside a moving subject: ``by`` units to the right, at an even speed from the first frame to the last."""
    first, last = replace(at, x=at.x - by / 2), replace(at, x=at.x + by / 2)
    return between(first, last, start, end, lambda u: u)


def drone(start: float, end: float, at: View = REST) -> Motion:
    """Comes in from high up, sinks and flies forward."""
    high = replace(at, x=at.x - 0.9, y=at.y - 1.9, dolly=at.dolly)
    low = replace(at, x=at.x + 0.6, y=at.y - 0.1, dolly=at.dolly + 0.26)
    return between(high, low, start, end, ease)


def handheld(start: float, end: float, at: View = REST, amount: float = 1.0) -> Motion:
    """A camera on a shoulder: breath and small steps, as a sum of slow waves that never repeats in a film."""

    def view(t: float) -> View:
        sway = math.sin(1.9 * t) + 0.6 * math.sin(4.3 * t + 1.0) + 0.3 * math.sin(7.7 * t + 2.0)
        bob = math.sin(2.7 * t + 0.5) + 0.5 * math.sin(5.9 * t + 1.7)
        return replace(
            at, x=at.x + 0.09 * amount * sway, y=at.y + 0.06 * amount * bob, zoom=at.zoom * 1.05,
            dolly=at.dolly + 0.05 * ease(_part(t, start, end)),
        )  # fmt: skip

    return view


def orbit(start: float, end: float, at: View = REST, by: float = 3.6) -> Motion:
    """Swings past the subject on an arc: sideways, and closer in the middle of the way."""

    def view(t: float) -> View:
        u = glide(_part(t, start, end))
        bow = math.sin(math.pi * u)
        return replace(at, x=at.x + by * (u - 0.5), dolly=at.dolly + 0.14 * bow)

    return view
