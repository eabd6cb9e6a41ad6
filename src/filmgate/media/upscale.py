"""A larger film of the same pictures, in one of three ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from ..domain.task import Role
from ..ports import Finished
from . import span
from .encode import Encoder, Pixels
from .mux import mux
from .pictures import pace, pictures
from .probe import Probed, probe, readable
from .sharp import sharpened


class Way(StrEnum):
    """How. What each costs and is worth, ``benchmarks/upscale.py`` measures."""

    LANCZOS = "lanczos"  #: as fast as the encoder
    SHARP = "sharp"  #: nearer to what a larger film would have shown
    BEST = "best"  #: a network of the operator's, on a GPU


@readable()
def upscale(
    source: Path,
    size: tuple[int, int],
    out: Path,
    report: Callable[[float, str], None],
    way: Way = Way.LANCZOS,
    weights: Path | None = None,
) -> Finished:
    """The film at exactly ``size`` (width, height): the same speed, its sound untouched. One picture is held at a time.

    Raises OutputUnusable where ``source`` is no film, EngineUnavailable where ``way`` is best and there are no torch or
    no ``weights``; then there is no ``out``.
    """
    width, height = size
    found, counted = probe(source), pace(source)
    silent = out.with_name(f"{out.stem}-silent.mp4")
    try:
        with Encoder(silent, width, height, counted.fps, sound=False) as encoder:
            for number, planes in enumerate(_larger(source, found, size, way, weights)):
                encoder.frame_yuv(planes)
                report(number / counted.frames, "enlarging the pictures")
        mux(out, [silent], source if found.has_audio else None)
    finally:
        silent.unlink(missing_ok=True)
    return Finished(out, Role.RESULT, "video/mp4", width, height, float(counted.seconds), found.has_audio)


def _larger(source: Path, found: Probed, size: tuple[int, int], way: Way, weights: Path | None) -> Iterator[Pixels]:
    if way is Way.BEST:
        span.check(weights)
        assert weights is not None  # as was checked
        return span.network_pictures(source, *size, weights)
    grows = found.width < size[0] and found.height < size[1]
    return sharpened(source, *size) if way is Way.SHARP and grows else pictures(source, *size)
