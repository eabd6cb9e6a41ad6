"""From one picture to another: sheets of paper with cut edges are drawn across the first, and the last is the second.

It works for pictures that have nothing in common: nothing of one is mixed with the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import skia

from .bake import Pixels, grain_image
from .camera import ease

_SHEETS = 3  #: two coloured ones, and the picture itself
_LATER = 0.09  #: each sheet starts so much later than the one before it, of the whole time
_WAVE = 0.05  #: how deep the cut of an edge is, in diagonals of the frame
_PAPER = (251, 243, 226)


@dataclass(frozen=True)
class Wipe:
    """Sheets that are drawn across the frame between two seconds."""

    start: float
    end: float
    width: int
    height: int
    colours: tuple[tuple[int, int, int], tuple[int, int, int]]  #: of the coloured sheets, red, green, blue
    way: int  #: to which side they are drawn, 1 or -1

    def draw(self, canvas: skia.Canvas, t: float, second: Callable[[], None]) -> None:
        """Draws the sheets over the first picture; ``second`` draws the other picture on the canvas."""
        for number in range(_SHEETS):
            share = self._share(t, number)
            if share <= 0.0:
                continue
            edge, sheet = self._cut(share, number)
            _shadow(canvas, edge, self._diagonal)
            canvas.save()
            canvas.clipPath(sheet, skia.ClipOp.kIntersect, True)
            if number == _SHEETS - 1:
                second()
            else:
                _paper(canvas, self.colours[number], self._diagonal)
            canvas.restore()
            _lit(canvas, edge, self._diagonal)

    def _share(self, t: float, number: int) -> float:
        length = 1.0 - (_SHEETS - 1) * _LATER
        return ease(((t - self.start) / (self.end - self.start) - number * _LATER) / length)

    @property
    def _diagonal(self) -> float:
        return math.hypot(self.width, self.height)

    def _cut(self, share: float, number: int) -> tuple[skia.Path, skia.Path]:
        """(The cut edge, the sheet behind it) when it is drawn across by this share."""
        turn = math.radians(-24.0 if self.width > self.height else -58.0)
        along, across = complex(self.way * math.cos(turn), math.sin(turn)), 1j
        across *= along
        middle, far = complex(self.width, self.height) / 2, 0.62 * self._diagonal
        reach = (abs(along.real) * self.width + abs(along.imag) * self.height) / 2 + 1.6 * _WAVE * self._diagonal
        place = -reach + 2 * reach * share
        steps = np.linspace(-1.0, 1.0, 41)
        waves = [_wave(float(step), number, share) * self._diagonal for step in steps]
        cut = [middle + along * (place + wave) + across * far * step for step, wave in zip(steps, waves, strict=True)]
        back = [middle - along * 2 * far + across * far * step for step in (1.0, -1.0)]
        return _line(cut, closed=False), _line([*cut, *back], closed=True)


def _wave(step: float, number: int, share: float) -> float:
    """Soft hills, other ones on each sheet, which flow a little while the sheet is drawn."""
    flow = 0.8 * share + 2.1 * number
    return _WAVE * (0.62 * math.sin(4.1 * step + flow) + 0.3 * math.sin(9.7 * step - 1.4 * flow))


def _line(points: list[complex], *, closed: bool) -> skia.Path:
    path = skia.Path()
    path.moveTo(points[0].real, points[0].imag)
    for point in points[1:]:
        path.lineTo(point.real, point.imag)
    if closed:
        path.close()
    return path


def _shadow(canvas: skia.Canvas, edge: skia.Path, diagonal: float) -> None:
    """A soft shadow: strokes over each other, which is faster than a blur of the whole frame."""
    for step in range(9):
        width = diagonal * 0.0045 * (step + 1)
        pen = skia.Paint(Color=skia.Color(20, 12, 30, 15), AntiAlias=True, Style=skia.Paint.kStroke_Style)
        pen.setStrokeWidth(width)
        canvas.drawPath(edge, pen)


def _lit(canvas: skia.Canvas, edge: skia.Path, diagonal: float) -> None:
    """The cut of the paper catches the light."""
    pen = skia.Paint(Color=skia.Color(*_PAPER, 235), AntiAlias=True, Style=skia.Paint.kStroke_Style)
    pen.setStrokeWidth(diagonal * 0.0026)
    canvas.drawPath(edge, pen)


def _paper(canvas: skia.Canvas, colour: tuple[int, int, int], diagonal: float) -> None:
    canvas.drawColor(skia.Color(*colour))
    size = diagonal / 1400
    grain = grain_image(42).makeShader(
        skia.TileMode.kRepeat, skia.TileMode.kRepeat, skia.SamplingOptions(skia.FilterMode.kLinear),
        skia.Matrix.Scale(size, size),
    )  # fmt: skip
    canvas.drawPaint(skia.Paint(Shader=grain, BlendMode=skia.BlendMode.kSrcATop))


def colour_of(pixels: Pixels, lighter: float) -> tuple[int, int, int]:
    """A paper that goes with a picture (BGRA): its mean colour, livelier, and mixed with white by ``lighter``."""
    mean = pixels[::8, ::8, 2::-1].reshape(-1, 3).astype(np.float64).mean(axis=0)
    lively = np.clip(mean.mean() + 1.5 * (mean - mean.mean()), 0, 255)
    red, green, blue = (lively * (1 - lighter) + np.array(_PAPER) * lighter).round().astype(int).tolist()
    return red, green, blue
