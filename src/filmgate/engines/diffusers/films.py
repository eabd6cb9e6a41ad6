"""Pictures and sound of a model -> the film that was ordered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
from PIL import Image

from ...domain.errors import EngineFailed
from ...media.encode import Encoder
from ...media.probe import probe, reading
from ...media.sound import read_sound
from ...ports import Job
from .fit import FPS
from .pictures import Fitter, framed, shown, sound_of
from .steps import DENOISED, DEVELOPED, Steps, check

if TYPE_CHECKING:
    from .making import Made
    from .model import Model

_CRF = 17.0


def write(job: Job, made: Made, path: Path, *, fps: int, skip: int, marked: tuple[int, ...]) -> None:
    """``skip``: frames in front that the film before has already; ``marked``: frames that are kept most faithfully.

    A model that makes no sound leaves a film without a sound track. Raises Cancelled.
    """
    width, height = job.spec.size
    total = job.spec.seconds * FPS
    fitter = Fitter(made.size, width, height)
    sound = sound_of(made.sound, made.rate, skip / fps)
    planes = fitter.planes(shown(made.frames, skip), fps, total)
    with Encoder(path, width, height, FPS, sound=sound is not None, crf=_CRF, faithful=marked) as encoder:
        if sound is not None:
            encoder.audio(sound)
        for number, each in enumerate(planes, 1):
            check(job)
            encoder.frame_yuv(each)
            job.report(DEVELOPED + (1 - DEVELOPED) * number / total, "encoding")


def write_larger(job: Job, model: Model, path: Path) -> None:
    """The film of ``job.source``, with its sound, in the size of the order. Raises Cancelled."""
    from .upscale import SCALE, enlarged

    if job.source is None:
        raise EngineFailed("The film that should be made larger did not come with the order.")
    found = probe(job.source)
    size = model.recipe.grid.around((found.width, found.height))
    frames = max(1, round(found.seconds * found.fps))
    fitter = Fitter((size[0] * SCALE, size[1] * SCALE), *job.spec.size)
    done = 0

    def tick(step: int) -> None:
        check(job)
        job.report(DENOISED * done / frames, "enlarging")

    with Encoder(path, *job.spec.size, round(found.fps), sound=found.has_audio, crf=_CRF) as encoder:
        if found.has_audio:
            encoder.audio(read_sound(job.source))
        for piece in enlarged(model, _framed(job.source, size), size, job.spec.seed or 0, Steps(tick)):
            for planes in fitter.planes(shown(piece, 0), FPS, len(piece)):
                encoder.frame_yuv(planes)
            done += len(piece)
            tick(0)


def _framed(film: Path, size: tuple[int, int]) -> Iterator[Image.Image]:
    with reading(film) as opened:
        for frame in opened.decode(video=0):
            assert isinstance(frame, av.VideoFrame)
            picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
            yield framed(picture, size, picture.size)
