"""Clips of real photographs, moved by a camera: what a larger film ought to have shown, and the small one of it.

The photographs come inside the wheel of scikit-image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from filmgate.media.encode import AUDIO_RATE, Encoder, Pixels

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "camera.png")
SIZE = (384, 216)  #: of the truth; each photograph is larger
FRAMES = 12
_ROOM = 1.12  #: how much of the photograph the camera leaves to move in
#: What small pictures come from: the mean over an area, as a sensor takes it, and the filters of programs.
SMALLER = {"area": Image.Resampling.BOX, "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


def truth(name: str, frames: int = FRAMES) -> Sequence[Image.Image]:
    """What the camera sees on its way to the right and closer, in steps that are no whole pixels."""
    found = find_spec("skimage")
    assert found is not None
    assert found.origin is not None
    with Image.open(Path(found.origin).parent / "data" / name) as stored:
        photograph = stored.convert("RGB")
    return [_seen(photograph, number / frames) for number in range(frames)]


def _seen(photograph: Image.Image, done: float) -> Image.Image:
    width, height = SIZE
    step = min(photograph.width / width, photograph.height / height) / _ROOM * (1 - 0.02 * done)
    left = (photograph.width - width * step) * (0.2 + 0.6 * done)
    top = (photograph.height - height * step) * (0.3 + 0.3 * done)
    where = (step, 0, left, 0, step, top)
    return photograph.transform(SIZE, Image.Transform.AFFINE, where, Image.Resampling.BICUBIC)


def small_film(path: Path, shown: Sequence[Image.Image], times: float, filter_: Image.Resampling) -> Path:
    """The film of it at a fraction of the size, encoded as engines' films are, with sound."""
    width, height = (round(side / times) for side in SIZE)
    with Encoder(path, width, height) as film:
        film.audio((0.1 * np.random.default_rng(1).standard_normal((len(shown) * AUDIO_RATE // 24, 2))).astype("f4"))
        for picture in shown:
            film.frame_bgra(bgra(picture.resize((width, height), filter_)))
    return path


def bgra(picture: Image.Image) -> Pixels:
    pixels: Pixels = np.asarray(picture.convert("RGBA"))[..., [2, 1, 0, 3]]
    return pixels


def cases() -> Iterator[tuple[float, str]]:
    """(how many times larger, what made it small): 720p to 1080p and to 4K."""
    yield from product((1.5, 3.0), SMALLER)


def nearness(true: Pixels, seen: Pixels) -> tuple[float, float]:
    """PSNR in dB and SSIM, as scikit-image knows them."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    psnr = float(peak_signal_noise_ratio(true, seen))  # type: ignore[no-untyped-call]
    return psnr, float(structural_similarity(true, seen))  # type: ignore[no-untyped-call]
