"""From vector paint to paper: every sheet, limb and card becomes an image once, before the first frame is filmed.

Here the paper gets what only a whole piece can have: its grain, the shadow that it throws on what hangs behind it, and
the softness of what is out of focus. Nothing of that may cost time in a frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import skia

Box = tuple[float, float, float, float]
Pixels = npt.NDArray[np.uint8]

GRAIN_UNIT = 80.0  #: pixels of the grain tile in a stage unit
STEP = 4  #: pixels: pieces begin and end on this grid, so that what is made at a quarter of the size fits it
TILE = 32  #: pixels: large pictures are looked at in squares of this size
LARGE = 100_000  #: pixels of a picture that counts as large
MOST_PIXELS = 14_000_000  #: of one baked image


@dataclass(frozen=True, eq=False)
class Baked:
    """An image of a piece of paper and where it belongs."""

    image: skia.Image
    left: float  #: of its upper left corner, in the units of its paint
    top: float
    scale: float  #: pixels in such a unit
    patches: tuple[tuple[int, int, int, int], ...] = ()  #: what of a large image is not empty, in its pixels
    solid: float | None = None  #: from this height down nothing can be seen through it, in the units of its paint

    @cached_property
    def leaf(self) -> tuple[skia.Vertices, skia.Paint]:
        """The image as two triangles: turned, these are drawn three times as fast as the image itself."""
        right, bottom = self.image.width(), self.image.height()
        corners = [skia.Point(x, y) for x, y in ((0, 0), (right, 0), (right, bottom), (0, bottom))]
        fan = skia.Vertices.VertexMode.kTriangleFan_VertexMode
        clamp, smooth = skia.TileMode.kClamp, skia.SamplingOptions(skia.FilterMode.kLinear)
        shader = self.image.makeShader(clamp, clamp, smooth)
        return skia.Vertices(fan, corners, corners, [0xFFFFFFFF] * 4), skia.Paint(Shader=shader)


@dataclass(frozen=True)
class Finish:
    """What happens to a piece when it is baked; lengths in the units of its paint."""

    grain: float = 0.04  #: how strongly the grain lightens and darkens the paper
    ply: float = 1.0  #: units of the paint in a stage unit (1 / height for puppets)
    blur: float = 0.0  #: out of focus by this standard deviation
    rim: float = 0.0  #: a border of white paper around the piece, as wide as this
    rim_colour: int = 0xFFFFFFFF
    shadow: float = 0.0  #: how dark the shadow on what hangs behind is
    shadow_blur: float = 0.12
    shadow_shift: tuple[float, float] = (0.0, 0.0)
    opaque: bool = False
    tone: skia.ColorFilter | None = None  #: laid on all its colours


def new_canvas(width: int, height: int) -> tuple[Pixels, skia.Canvas]:
    """A transparent picture (height, width, 4), premultiplied BGRA, and the canvas that draws into it."""
    pixels = np.zeros((height, width, 4), np.uint8)
    return pixels, canvas_on(pixels)


def canvas_on(pixels: Pixels) -> skia.Canvas:
    """A canvas that draws into these pixels; it keeps its surface alive, the caller keeps the pixels."""
    height, width = pixels.shape[:2]
    info = skia.ImageInfo.Make(width, height, skia.kBGRA_8888_ColorType, skia.kPremul_AlphaType)
    return skia.Surface.MakeRasterDirect(info, pixels, width * 4).getCanvas()


def to_image(pixels: Pixels, *, opaque: bool = False) -> skia.Image:
    """An image with its own copy of the pixels (premultiplied BGRA)."""
    kind = skia.kOpaque_AlphaType if opaque else skia.kPremul_AlphaType
    return skia.Image.fromarray(np.ascontiguousarray(pixels), skia.kBGRA_8888_ColorType, kind, None, True)


def bake(paint: Callable[[skia.Canvas], None], box: Box, scale: float, finish: Finish) -> Baked | None:
    """The piece that ``paint`` draws inside ``box``; None where it draws nothing.

    ``scale`` is pixels in a unit; it is lowered where the image would become too large.
    """
    left, top, right, bottom = box
    scale = min(scale, (MOST_PIXELS / max(1e-9, (right - left) * (bottom - top))) ** 0.5)
    left, top = (math.floor(place * scale / STEP) * STEP / scale for place in (left, top))
    pixels, canvas = new_canvas(_whole((right - left) * scale), _whole((bottom - top) * scale))
    canvas.scale(scale, scale)
    canvas.translate(-left, -top)
    _painted(canvas, paint, finish)
    if finish.opaque:
        _grain(pixels, finish, scale, left, top)
        soft = blurred(pixels, finish.blur * scale)
        return Baked(to_image(soft, opaque=True), left, top, scale)
    found = _bounds(pixels)
    if found is None:
        return None
    pixels, left, top = _margin(pixels, found, finish, scale, left, top)
    if finish.rim:
        pixels = _with_rim(pixels, finish, scale)
    _grain(pixels, finish, scale, left, top)
    pixels = blurred(pixels, finish.blur * scale)
    solid = _solid(pixels)
    if finish.shadow:
        pixels = _with_shadow(pixels, finish, scale)
    return Baked(to_image(pixels), left, top, scale, _patches(pixels), None if solid is None else top + solid / scale)


def _painted(canvas: skia.Canvas, paint: Callable[[skia.Canvas], None], finish: Finish) -> None:
    if finish.tone is None:
        paint(canvas)
        return
    canvas.saveLayer(None, skia.Paint(ColorFilter=finish.tone))
    paint(canvas)
    canvas.restore()


def _whole(length: float) -> int:
    """A length in whole steps of pixels, at least one."""
    return max(1, math.ceil(length / STEP - 1e-6)) * STEP


def _bounds(pixels: Pixels) -> tuple[int, int, int, int] | None:
    """(x, y, right, bottom) of what is not empty."""
    alpha = pixels[..., 3]
    rows, columns = np.flatnonzero(alpha.max(axis=1)), np.flatnonzero(alpha.max(axis=0))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else None


def _solid(pixels: Pixels) -> int | None:
    """The row from which on nothing shines through; None where there is no such row."""
    thin = np.flatnonzero(pixels[..., 3].min(axis=1) < 255)
    first = int(thin[-1]) + 1 if len(thin) else 0
    return first if first < len(pixels) else None


def _patches(pixels: Pixels) -> tuple[tuple[int, int, int, int], ...]:
    """(left, top, right, bottom) of the parts of a large picture in which there is something; none for a full one."""
    height, width = pixels.shape[:2]
    if height * width < LARGE:
        return ()
    rows, columns = -(-height // TILE), -(-width // TILE)
    alpha = np.zeros((rows * TILE, columns * TILE), np.uint8)
    alpha[:height, :width] = pixels[..., 3]
    full = alpha.reshape(rows, TILE, columns, TILE).max(axis=(1, 3)) > 0
    near = np.pad(full, 1)  # what is smoothed across the edge of a tile belongs to it
    full = near[1:-1, 1:-1] | near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:]
    if full.all():
        return ()
    found = []
    for row in range(rows):
        ends = np.flatnonzero(np.diff(np.pad(full[row], 1).astype(np.int8)))
        runs = zip(ends[::2] * TILE, ends[1::2] * TILE, strict=True)
        found += [(int(left), row * TILE, int(right), (row + 1) * TILE) for left, right in runs]
    return tuple(found)


def _margin(
    pixels: Pixels, found: tuple[int, int, int, int], finish: Finish, scale: float, left: float, top: float
) -> tuple[Pixels, float, float]:
    """The piece with just the room around it that its rim, softness and shadow need, and where that begins.

    What ends at the edge of its picture goes on beyond it, unseen: there it gets no margin, or it would fade.
    """
    shift = max(map(abs, finish.shadow_shift)) if finish.shadow else 0.0
    soft = 3 * finish.shadow_blur if finish.shadow else 0.0
    wide = 1 + int((finish.rim + 3 * finish.blur + soft + shift) * scale)
    height, width = pixels.shape[:2]
    x, y, right, bottom = found
    begin = (max(0, x - wide) // STEP * STEP, max(0, y - wide) // STEP * STEP)
    kept = pixels[begin[1] : min(height, _whole(bottom + wide)), begin[0] : min(width, _whole(right + wide))]
    return np.ascontiguousarray(kept), left + begin[0] / scale, top + begin[1] / scale


# ---------------------------------------------------------------- grain -------------------------------------------


def _grain(pixels: Pixels, finish: Finish, scale: float, left: float, top: float) -> None:
    """Lays the grain on the paper, and on nothing but the paper."""
    if finish.grain <= 0:
        return
    size = scale * finish.ply / GRAIN_UNIT
    # Fixed to the place of the paper, not to its edge: a film that goes on cuts the same paper a little larger.
    across, down = (-place * GRAIN_UNIT / finish.ply % 512 for place in (left, top))
    matrix = skia.Matrix.Translate(across, down).postConcat(skia.Matrix.Scale(size, size))
    shader = grain_image(round(finish.grain * 1000)).makeShader(
        skia.TileMode.kRepeat, skia.TileMode.kRepeat, skia.SamplingOptions(skia.FilterMode.kLinear), matrix
    )
    canvas = canvas_on(pixels)
    canvas.drawPaint(skia.Paint(Shader=shader, BlendMode=skia.BlendMode.kSrcATop))


@lru_cache(maxsize=4)
def grain_image(strength: int) -> skia.Image:
    """A tile of 512 x 512 pixels: white where the paper is lighter, black where it is darker; strength in 1/1000."""
    random = np.random.default_rng(20)
    height = 0.7 * _noise(random, 0.9, 0.9) + 0.16 * _noise(random, 60.0, 60.0)
    for turn in range(4):  # fibres: noise that is long one way and short the other, in four slanting directions
        height += 0.3 * np.roll(_noise(random, 9.0, 0.9, 20.0 + turn * 45.0), turn * 97, axis=1)
    amount = np.clip(height * strength / 1000 * 255, -110, 110)
    tile = np.zeros((512, 512, 4), np.uint8)
    tile[..., 3] = np.abs(amount)
    tile[..., :3] = np.where(amount > 0, np.abs(amount), 0).astype(np.uint8)[..., None]
    return to_image(tile)


def _noise(random: np.random.Generator, along: float, across: float, turn: float = 0.0) -> npt.NDArray[np.float64]:
    """Smooth noise that tiles, mean 0 and deviation 1; lengths of its features in pixels."""
    spectrum = np.fft.fft2(random.standard_normal((512, 512)))
    fy, fx = np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512), indexing="ij")
    angle = np.radians(turn)
    u, v = fx * np.cos(angle) + fy * np.sin(angle), fy * np.cos(angle) - fx * np.sin(angle)
    spectrum *= np.exp(-2 * np.pi**2 * ((u * along) ** 2 + (v * across) ** 2) / 2)
    spectrum[0, 0] = 0
    field: npt.NDArray[np.float64] = np.fft.ifft2(spectrum).real
    deviation = float(field.std())
    return field / deviation


# ---------------------------------------------------------------- blur and shadow ---------------------------------


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """The picture out of focus; wide blurs are made small and enlarged again, which nobody can see."""
    if sigma < 0.4:
        return pixels
    height, width = pixels.shape[:2]
    step = 1 if sigma < 1.3 else 2 if sigma < 6 else 4
    if step == 1:
        return _soft(pixels, sigma)
    return _resized(_soft(_resized(pixels, width // step, height // step), sigma / step), width, height)


def _soft(pixels: Pixels, sigma: float) -> Pixels:
    result, canvas = new_canvas(pixels.shape[1], pixels.shape[0])
    blur = skia.Paint(ImageFilter=skia.ImageFilters.Blur(sigma, sigma, skia.TileMode.kClamp))
    canvas.drawImage(to_image(pixels), 0, 0, skia.SamplingOptions(), blur)
    return result


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    result, canvas = new_canvas(max(1, width), max(1, height))
    image = to_image(pixels)
    if width < pixels.shape[1]:
        image = image.withDefaultMipmaps()
    sampling = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
    canvas.drawImageRect(image, skia.Rect.MakeWH(max(1, width), max(1, height)), sampling)
    return result


def silhouette(pixels: Pixels, darkness: float) -> Pixels:
    """The alpha of a picture, in the colour of shadows."""
    alpha = pixels[..., 3].astype(np.float32) * darkness
    shade = np.empty_like(pixels)
    for channel, part in enumerate((0.16, 0.08, 0.10, 1.0)):
        shade[..., channel] = alpha * part
    return shade


def _with_shadow(pixels: Pixels, finish: Finish, scale: float) -> Pixels:
    """The piece on its own soft shadow, which is made at a quarter of the size."""
    height, width = pixels.shape[:2]
    small = silhouette(_resized(pixels, width // 4, height // 4), finish.shadow)
    soft = _soft(small, finish.shadow_blur * scale / 4)
    result, canvas = new_canvas(width, height)
    dx, dy = finish.shadow_shift
    place = skia.Rect.MakeXYWH(round(dx * scale), round(dy * scale), width, height)
    canvas.drawImageRect(to_image(soft), place, skia.SamplingOptions(skia.FilterMode.kLinear))
    canvas.drawImage(to_image(pixels), 0, 0)
    return result


def _with_rim(pixels: Pixels, finish: Finish, scale: float) -> Pixels:
    """The piece on a slightly larger one, as scissors leave it when they keep a little distance."""
    width = max(0.6, finish.rim * scale)
    plain, canvas = new_canvas(pixels.shape[1], pixels.shape[0])
    # Only of the paper: the piece's own soft shadow, which is never half opaque, gets no border.
    solid = skia.ColorFilters.Matrix([1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2.0, -1.0])
    colour = skia.ColorFilters.Blend(finish.rim_colour, skia.BlendMode.kSrcIn)
    paint = skia.Paint(ColorFilter=skia.ColorFilters.Compose(colour, solid))
    canvas.drawImage(to_image(pixels), 0, 0, skia.SamplingOptions(), paint)
    border, sampling = to_image(plain), skia.SamplingOptions(skia.FilterMode.kLinear)
    result, canvas = new_canvas(pixels.shape[1], pixels.shape[0])
    for step in range(12):  # round and round: a dilation would leave square corners, and takes longer
        turn = step * math.tau / 12
        canvas.drawImage(border, width * math.cos(turn), width * math.sin(turn), sampling)
    canvas.drawImage(to_image(pixels), 0, 0)
    return result
