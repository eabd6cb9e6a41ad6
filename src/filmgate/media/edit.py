"""Two films -> one, as if it had been made in one piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..domain.task import Role
from ..ports import Finished
from .encode import AUDIO_RATE, Encoder, Pixels, Sound
from .mux import alike, mux
from .pictures import Pace, pace, pictures, repaced
from .probe import probe, readable
from .seam import joined
from .sound import fitted, read_sound, write_sound

_CRF = 17.0  #: finer than the first encoding, so that the second one is not seen


@readable()
def join(first: Path, second: Path, out: Path, report: Callable[[float, str], None]) -> Finished:
    """``first`` and then ``second``: every picture of both, one track of sound, as long as both together.

    The pictures are copied where our encoder made both; else those of both are encoded anew in the size and the speed
    of the first. Raises OutputUnusable where either is no film; then there is no ``out``.
    """
    films = (first, second)
    found = [probe(film) for film in films]
    paces = [pace(film) for film in films]
    report(0.0, "joining the films")
    with TemporaryDirectory(dir=out.parent, prefix="join-") as folder:
        parts = films if alike(*films) else (_encoded(films, paces, Path(folder) / "pictures.mp4", report),)
        sound = Path(folder) / "sound.mp4"
        if heard := any(each.has_audio for each in found):
            tracks = [read_sound(film) if each.has_audio else _NOTHING for film, each in zip(films, found, strict=True)]
            write_sound(_in_line(tracks, paces), sound)
        mux(out, parts, sound if heard else None)
    report(1.0, "joining the films")
    seconds = float(pace(out).seconds)
    return Finished(out, Role.FULL, "video/mp4", found[0].width, found[0].height, seconds, heard)


_NOTHING: Sound = np.zeros((0, 2), np.float32)


def _encoded(films: tuple[Path, Path], paces: list[Pace], out: Path, report: Callable[[float, str], None]) -> Path:
    size = probe(films[0])
    fps = paces[0].fps
    expected = round(sum(each.seconds for each in paces) * fps)
    with Encoder(out, size.width, size.height, fps, sound=False, crf=_CRF) as encoder:
        for number, planes in enumerate(_one_after_the_other(films, paces, size.width, size.height)):
            encoder.frame_yuv(planes)
            report(min(1.0, number / expected), "joining the films")
    return out


def _one_after_the_other(films: tuple[Path, Path], paces: list[Pace], width: int, height: int) -> Iterator[Pixels]:
    for film, each in zip(films, paces, strict=True):
        yield from repaced(pictures(film, width, height), each, paces[0].fps)


def _in_line(tracks: list[Sound], paces: list[Pace]) -> Sound:
    """Both sounds, each exactly as long as its pictures."""
    before, after = tracks
    seam = int(paces[0].seconds * AUDIO_RATE)
    end = int((paces[0].seconds + paces[1].seconds) * AUDIO_RATE)
    return joined(fitted(before, seam), fitted(after, end - seam))
