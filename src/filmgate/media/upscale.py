"""A larger film of the same pictures. One function, so that better ways can take its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..domain.task import Role
from ..ports import Finished
from .encode import Encoder
from .mux import mux
from .pictures import pace, pictures
from .probe import probe, readable


@readable()
def upscale(source: Path, size: tuple[int, int], out: Path, report: Callable[[float, str], None]) -> Finished:
    """The film at exactly ``size`` (width, height): Lanczos, the same speed, its sound untouched.

    Raises OutputUnusable where ``source`` is no film; then there is no ``out``.
    """
    width, height = size
    found, counted = probe(source), pace(source)
    silent = out.with_name(f"{out.stem}-silent.mp4")
    try:
        with Encoder(silent, width, height, counted.fps, sound=False) as encoder:
            for number, planes in enumerate(pictures(source, width, height)):
                encoder.frame_yuv(planes)
                report(number / counted.frames, "enlarging the pictures")
        mux(out, [silent], source if found.has_audio else None)
    finally:
        silent.unlink(missing_ok=True)
    return Finished(out, Role.RESULT, "video/mp4", width, height, float(counted.seconds), found.has_audio)
