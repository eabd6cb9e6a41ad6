"""A film that is nearly what was ordered -> that film: engines elsewhere keep to sizes and lengths of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from math import ceil
from pathlib import Path

import numpy as np

from ..domain.errors import OutputUnusable
from ..domain.spec import Kind, Spec
from ..domain.task import Role
from ..ports import Finished
from .encode import AUDIO_RATE, Encoder, Pixels
from .pictures import Pace, pace, pictures
from .probe import Probed, probe, readable
from .sound import read_sound

Report = Callable[[float, str], None]

_CRF = 17.0  #: finer than the first encoding, so that the second one is not seen
_MOST_CUT_OFF = 0.12  #: of a side, to make a picture as wide as was ordered; 832x480 loses 0.03 for 16:9
_STAGE = "fitting the film"


@readable()
def fit(clip: Path, spec: Spec, out: Path, report: Report, *, after: Path | None = None) -> Finished:
    """The film in the ordered size, at its own speed, and not longer than ordered; untouched where it is that already.

    With ``after`` it begins where that film ends: the clip holds both, and all that is new of it is kept. Raises
    OutputUnusable for pictures of another shape, and where the clip does not go on after that film.
    """
    report(0.0, _STAGE)
    found, paced = probe(clip), pace(clip)
    shown = _shown(paced, spec, pace(after).seconds if after else None)
    if (found.width, found.height) == spec.size and shown == range(paced.frames):
        return _finished(clip, found, paced)
    picture = _picture(found, spec)
    with Encoder(out, *spec.size, paced.fps, sound=found.has_audio, crf=_CRF) as encoder:
        if found.has_audio:
            encoder.audio(read_sound(clip)[int(shown.start / paced.fps * AUDIO_RATE) :])
        for number, planes in enumerate(_cut(clip, picture, spec, shown), 1):
            encoder.frame_yuv(planes)
            report(min(1.0, number / len(shown)), _STAGE)
    return _finished(out, probe(out), pace(out))


def _shown(paced: Pace, spec: Spec, after_s: Fraction | None) -> range:
    """The numbers of the frames that are kept."""
    if after_s is None:
        longest = spec.kind is not Kind.EXTEND and ceil(spec.seconds * paced.fps)
        return range(min(paced.frames, longest or paced.frames))
    shown = range(round(after_s * paced.fps), paced.frames)
    if not shown:
        raise OutputUnusable("The engine made a film that does not go on after the one that it should continue.")
    return shown


@dataclass(frozen=True, slots=True)
class _Picture:
    """How large a picture is made before its edges are cut off, and where the cut begins; all of it even."""

    width: int
    height: int
    left: int
    top: int


def _picture(found: Probed, spec: Spec) -> _Picture:
    """The smallest picture of the film's shape that covers the ordered one."""
    wide, high = spec.size
    scale = max(Fraction(wide, found.width), Fraction(high, found.height))
    width, height = _even(found.width * scale, wide), _even(found.height * scale, high)
    if width > wide * (1 + _MOST_CUT_OFF) or height > high * (1 + _MOST_CUT_OFF):
        raise OutputUnusable(
            f"The engine made a film of {found.width}x{found.height} pixels where {wide}x{high} were ordered: "
            "its pictures have another shape."
        )
    return _Picture(width, height, (width - wide) // 4 * 2, (height - high) // 4 * 2)


def _even(length: Fraction, least: int) -> int:
    return max(least, round(length / 2) * 2)


def _cut(clip: Path, picture: _Picture, spec: Spec, shown: range) -> Iterator[Pixels]:
    """The pictures that are kept, in the ordered size."""
    wide, high = spec.size
    for planes in islice(pictures(clip, picture.width, picture.height), shown.start, shown.stop):
        yield planes if (picture.width, picture.height) == spec.size else _inner(planes, picture, wide, high)


def _inner(planes: Pixels, picture: _Picture, wide: int, high: int) -> Pixels:
    """The middle of a picture: of the plane of brightness, and of the two of colour at half the size."""
    full = picture.width * picture.height
    flat = planes.reshape(-1)
    colours = flat[full:].reshape(2, picture.height // 2, picture.width // 2)
    kept = [flat[:full].reshape(picture.height, picture.width)[picture.top :, picture.left :][:high, :wide]]
    kept += [each[picture.top // 2 :, picture.left // 2 :][: high // 2, : wide // 2] for each in colours]
    return np.concatenate([each.reshape(-1) for each in kept]).reshape(high * 3 // 2, wide)


def _finished(film: Path, found: Probed, paced: Pace) -> Finished:
    return Finished(film, Role.RESULT, "video/mp4", found.width, found.height, float(paced.seconds), found.has_audio)
