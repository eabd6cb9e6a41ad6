"""The last layer of every frame, baked once: the tint of the mood, the warm key light, the vignette and the mark."""

from __future__ import annotations

import skia

from .bake import canvas_on, grain_image, new_canvas, to_image
from .draw import hex_rgb
from .lettering import Face, face
from .light import Light
from .model import Mood
from .style import manner

#: (how much more warmth, how much more vignette, a tint over everything, how much of it)
_MOODS: dict[Mood, tuple[float, float, str, float]] = {
    "calm": (0.0, 0.0, "#ffffff", 0.0),
    "happy": (0.03, -0.04, "#ffe9b0", 0.03),
    "tense": (-0.05, 0.14, "#1c2748", 0.09),
    "epic": (0.05, 0.08, "#ff9a50", 0.03),
    "melancholy": (-0.06, 0.06, "#4a5d8c", 0.10),
    "funny": (0.02, -0.06, "#fff3c8", 0.02),
}
_WARMTH = {"day": 0.13, "sunset": 0.20, "night": 0.08}
_VIGNETTE = {"day": 0.26, "sunset": 0.34, "night": 0.42}
MARK = "storyboard"


def overlay(width: int, height: int, light: Light, mood: Mood) -> skia.Image:
    """What is laid over each frame of this size (pixels)."""
    warmer, darker, tint, share = _MOODS[mood]
    pixels, canvas = new_canvas(width, height)
    canvas.drawColor(skia.Color(*hex_rgb(tint), round(255 * share)))
    look = manner(light.style)
    if look.squared:
        _squares(canvas, width, height)
    _vignette(canvas, width, height, max(0.0, _VIGNETTE[light.time] + darker + look.vignette))
    _key_light(canvas, width, height, light, max(0.0, _WARMTH[light.time] + warmer) * look.warmth)
    if look.rough:
        _rough(canvas, width, height, look.rough)
    _mark(canvas_on(pixels), width, height)
    return to_image(pixels)


def _squares(canvas: skia.Canvas, width: int, height: int) -> None:
    """Squared paper: fine lines, every fifth of them stronger."""
    step = min(width, height) / 36
    for number in range(int(max(width, height) / step) + 1):
        at, strong = number * step, number % 5 == 0
        pen = skia.Paint(Color=skia.Color(225, 238, 255, 46 if strong else 22), StrokeWidth=max(1.0, step * 0.04))
        canvas.drawLine(at, 0, at, height, pen)
        canvas.drawLine(0, at, width, at, pen)


def _rough(canvas: skia.Canvas, width: int, height: int, strength: float) -> None:
    """The tooth of thick paper, or the grain of old film, over everything."""
    size = min(width, height) / 720
    grain = grain_image(round(strength * 1000)).makeShader(
        skia.TileMode.kRepeat, skia.TileMode.kRepeat, skia.SamplingOptions(skia.FilterMode.kLinear),
        skia.Matrix.Scale(size, size),
    )  # fmt: skip
    canvas.drawPaint(skia.Paint(Shader=grain))


def _vignette(canvas: skia.Canvas, width: int, height: int, strength: float) -> None:
    """Darker corners, as an oval of the shape of the frame."""
    stops = [(0.0, 0.0), (0.58, 0.0), (0.8, 0.25), (1.0, 1.0)]
    colours = [int(skia.Color(22, 12, 30, round(255 * strength * share))) for _, share in stops]
    shader = skia.GradientShader.MakeRadial(skia.Point(0, 0), 1.0, colours, [at for at, _ in stops])
    canvas.save()
    canvas.translate(width / 2, height * 0.48)
    canvas.scale(width * 0.72, height * 0.76)
    canvas.drawPaint(skia.Paint(Shader=shader, Dither=True))
    canvas.restore()


def _key_light(canvas: skia.Canvas, width: int, height: int, light: Light, warmth: float) -> None:
    """The lamp of the theatre, high on the side of the sun."""
    red, green, blue = hex_rgb(light.sun)
    colours = [int(skia.Color(red, green, blue, round(255 * warmth * share))) for share in (1.0, 0.45, 0.0)]
    x = width * (0.5 + 0.48 * light.side)
    radius = (width**2 + height**2) ** 0.5 * 0.72
    shader = skia.GradientShader.MakeRadial(skia.Point(x, -0.1 * height), radius, colours, [0.0, 0.4, 1.0])
    canvas.drawPaint(skia.Paint(Shader=shader, Dither=True))


def _mark(canvas: skia.Canvas, width: int, height: int) -> None:
    """A small word in the corner, so that nobody takes the film for what it does not claim to be."""
    size = min(width, height) * 0.0205
    font = skia.Font(face(Face.MEDIUM), size)
    font.setSubpixel(True)
    gap, x, y = size * 0.09, width - size * 1.5, height - size * 1.5
    for letter in reversed(MARK):
        x -= font.measureText(letter) + gap
        shade = skia.Paint(Color=skia.Color(15, 10, 25, 90), AntiAlias=True)
        shade.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, size * 0.12))
        canvas.drawString(letter, x, y + size * 0.05, font, shade)
        canvas.drawString(letter, x, y, font, skia.Paint(Color=skia.Color(255, 250, 240, 178), AntiAlias=True))
    _gate(canvas, x - size * 0.75, y - size * 0.36, size)


def _gate(canvas: skia.Canvas, x: float, y: float, size: float) -> None:
    """A film gate: a small frame with rounded corners."""
    pen = skia.Paint(
        Color=skia.Color(255, 250, 240, 178), AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=size * 0.11
    )
    box = skia.Rect.MakeLTRB(x - size * 0.42, y - size * 0.3, x + size * 0.42, y + size * 0.3)
    canvas.drawRoundRect(box, size * 0.1, size * 0.1, pen)
