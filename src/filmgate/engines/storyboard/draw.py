"""Paper and scissors: the brush with which every sheet and every part of a puppet is painted, once, before filming."""

from __future__ import annotations

from collections.abc import Sequence

import skia

from .light import Light
from .outline import outline
from .style import inked

SHADOW = 0.3  #: how dark the small shadow of a piece of paper is
EDGE = 0.016  #: the lit edge of a piece of paper, stage units
SPECK = 5.0  #: a piece smaller than this many pixels gets neither edge nor shadow


class Brush:
    """Paints paper in stage units onto a canvas that the renderer has scaled.

    Colours are given as they are in plain daylight, "#rrggbb"; the brush shows them in the light of the scene at the
    depth of the sheet (aerial perspective included). ``raw=True`` skips that: for lamps, windows, stars, fire.
    """

    def __init__(self, canvas: skia.Canvas, light: Light, depth: float, unit: float) -> None:
        self.canvas = canvas
        self.light = light
        self.depth = depth
        self.unit = unit  #: pixels in a stage unit, for whoever must know how fine a line may be
        self._near = min(1.0, 2.0 / max(1.0, depth) ** 0.8)  # far paper is seen through air: softer cuts
        self._shadow = self._soft_shadow()

    def _soft_shadow(self) -> skia.Paint:
        paint = skia.Paint(Color4f=skia.Color4f(0.06, 0.04, 0.12, SHADOW * self._near), AntiAlias=True)
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, 0.03))
        return paint

    def colour(self, colour: str, *, alpha: float = 1.0, raw: bool = False) -> int:
        red, green, blue = self.light.on(colour, self.depth) if not raw else hex_rgb(colour)
        if self.light.style == "blueprint":
            red, green, blue = inked((red, green, blue))
        return int(skia.Color(red, green, blue, round(alpha * 255)))

    def fill(self, path: skia.Path, colour: str, *, alpha: float = 1.0, raw: bool = False, card: bool = True) -> None:
        """A piece of paper: with ``card`` it has a lit edge and throws a short soft shadow on what lies below it."""
        solid = card and not raw and self._worth(path)
        if solid:
            self._drop(path, alpha)
        self.canvas.drawPath(path, skia.Paint(Color=self.colour(colour, alpha=alpha, raw=raw), AntiAlias=True))
        if solid and alpha == 1.0:
            self._edge(path, colour)

    def _worth(self, path: skia.Path) -> bool:
        bounds = path.getBounds()
        return float(max(bounds.width(), bounds.height())) * self.unit > SPECK

    def _drop(self, path: skia.Path, alpha: float) -> None:
        self.canvas.save()
        self.canvas.translate(-0.02 * self.light.side, 0.028)
        self._shadow.setAlphaf(SHADOW * self._near * alpha)
        self.canvas.drawPath(path, self._shadow)
        self.canvas.restore()

    def _edge(self, path: skia.Path, colour: str) -> None:
        """What tells one piece from the next: the lit cut of paper, a wet rim of colour, or a drawn line."""
        if self.light.style == "blueprint":
            self._line_edge(path)
        elif self.light.style == "watercolor":
            self._wet_edge(path, colour)
        else:
            self._light_edge(path, colour)

    def _line_edge(self, path: skia.Path) -> None:
        pen = skia.Paint(
            Color=skia.Color(255, 255, 255, round(235 * self._near)), AntiAlias=True,
            Style=skia.Paint.kStroke_Style, StrokeWidth=max(0.022, 1.3 / self.unit),
        )  # fmt: skip
        self.canvas.drawPath(path, pen)

    def _wet_edge(self, path: skia.Path, colour: str) -> None:
        """Where colour dried last there is most of it."""
        red, green, blue = (round(0.62 * value) for value in self.light.on(colour, self.depth))
        self.canvas.save()
        self.canvas.clipPath(path, skia.ClipOp.kIntersect, True)
        for width, alpha in ((0.16, 40), (0.08, 60), (0.03, 90)):
            pen = skia.Paint(
                Color=skia.Color(red, green, blue, alpha), AntiAlias=True, Style=skia.Paint.kStroke_Style,
                StrokeWidth=width,
            )  # fmt: skip
            self.canvas.drawPath(path, pen)
        self.canvas.restore()

    def _light_edge(self, path: skia.Path, colour: str) -> None:
        """The cut of the paper, where it faces the light: the piece once more, lighter, under itself moved away."""
        red, green, blue = self.light.on(colour, self.depth)
        sun = hex_rgb(self.light.sun)
        share = 0.42 * self._near
        lit = (round(a + (b - a) * share) for a, b in zip((red, green, blue), sun, strict=True))
        self.canvas.save()
        self.canvas.clipPath(path, skia.ClipOp.kIntersect, True)
        self.canvas.drawPath(path, skia.Paint(Color=skia.Color(*lit), AntiAlias=True))
        self.canvas.translate(-EDGE * self.light.side, EDGE)
        self.canvas.drawPath(path, skia.Paint(Color=skia.Color(red, green, blue), AntiAlias=True))
        self.canvas.restore()

    def oval(self, x: float, y: float, rx: float, ry: float, colour: str, **kind: bool | float) -> None:
        path = skia.Path()
        path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
        self.fill(path, colour, **kind)  # type: ignore[arg-type]

    def rect(
        self, left: float, top: float, right: float, bottom: float, colour: str, *, radius: float = 0.0,
        **kind: bool | float,
    ) -> None:  # fmt: skip
        path = skia.Path()
        path.addRoundRect(skia.Rect.MakeLTRB(left, top, right, bottom), radius, radius)
        self.fill(path, colour, **kind)  # type: ignore[arg-type]

    def polygon(self, points: Sequence[tuple[float, float]], colour: str, **kind: bool | float) -> None:
        path = skia.Path()
        path.addPoly([skia.Point(x, y) for x, y in points], True)
        self.fill(path, colour, **kind)  # type: ignore[arg-type]

    def svg(self, data: str, colour: str, **kind: bool | float) -> None:
        """A piece of paper whose outline is SVG path data in stage units."""
        self.fill(outline(data), colour, **kind)  # type: ignore[arg-type]

    def line(self, data: str, colour: str, width: float, *, alpha: float = 1.0, raw: bool = False) -> None:
        """A round-ended pen stroke along SVG path data; ``width`` in stage units."""
        pen = skia.Paint(
            Color=self.colour(colour, alpha=alpha, raw=raw), AntiAlias=True, Style=skia.Paint.kStroke_Style,
            StrokeWidth=width, StrokeCap=skia.Paint.kRound_Cap, StrokeJoin=skia.Paint.kRound_Join,
        )  # fmt: skip
        self.canvas.drawPath(outline(data), pen)

    def wash(self, box: tuple[float, float, float, float], colours: Sequence[str], *, raw: bool = False) -> None:
        """A rectangle that changes colour from top to bottom: skies, water, mist."""
        left, top, right, bottom = box
        shader = skia.GradientShader.MakeLinear(
            [skia.Point(0, top), skia.Point(0, bottom)], [self.colour(c, raw=raw) for c in colours]
        )
        self.canvas.drawRect(skia.Rect.MakeLTRB(left, top, right, bottom), skia.Paint(Shader=shader, Dither=True))

    def glow(self, x: float, y: float, radius: float, colour: str, alpha: float = 0.6) -> None:
        """Light in the air: a soft disc, added to what is there."""
        shader = skia.GradientShader.MakeRadial(
            skia.Point(x, y), radius,
            [self.colour(colour, alpha=alpha, raw=True), self.colour(colour, alpha=0.0, raw=True)],
        )  # fmt: skip
        self.canvas.drawCircle(x, y, radius, skia.Paint(Shader=shader, BlendMode=skia.BlendMode.kScreen, Dither=True))


def hex_rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
