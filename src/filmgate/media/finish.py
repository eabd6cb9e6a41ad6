"""From an engine's clip to files that can be stored: checked, watermarked when asked, streamable, with a poster."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from PIL import Image

from ..domain.errors import OutputUnusable
from ..domain.spec import Spec
from ..domain.task import Role
from ..ports import Finished
from .encode import Encoder
from .probe import Probed, probe, readable, reading, starts_fast
from .sound import read_sound
from .watermark import Watermark, watermark

Report = Callable[[float, str], None]

RESULT, POSTER = "result.mp4", "poster.jpg"
_LONGER_OR_SHORTER_S = 0.25  #: a film may miss the ordered length by so much
_POSTER_AT_S = 1.0
_POSTER_QUALITY = 85
_SECOND_CRF = 17.0  #: finer than the first encoding, so that the second one is not seen


@readable()
def finish(clip: Path, spec: Spec, folder: Path, report: Report) -> Sequence[Finished]:
    """The film and its poster, in ``folder``. Raises OutputUnusable where the clip is not what was ordered."""
    report(0.0, "checking the film")
    found = _checked(clip, spec)
    film = folder / RESULT
    if spec.watermark or not found.plays_everywhere:
        stage = "burning in the watermark" if spec.watermark else "encoding the film anew"
        mark = watermark(spec.watermark, found.width, found.height) if spec.watermark else None
        _encode(clip, found, mark, film, lambda done: report(0.1 + 0.8 * done, stage))
    elif starts_fast(clip):
        shutil.move(clip, film)
    else:
        _remux(clip, film)
    report(0.9, "making the poster")
    poster = _poster(film, folder / POSTER)
    report(1.0, "storing")
    return (
        Finished(film, Role.RESULT, "video/mp4", found.width, found.height, found.seconds, found.has_audio),
        Finished(poster, Role.POSTER, "image/jpeg", found.width, found.height, 0.0, False),
    )


def _checked(clip: Path, spec: Spec) -> Probed:
    found = probe(clip)
    if (found.width, found.height) != spec.size:
        raise OutputUnusable(
            f"The engine made a film of {found.width}x{found.height} pixels where "
            f"{spec.size[0]}x{spec.size[1]} were ordered."
        )
    if abs(found.seconds - spec.seconds) > _LONGER_OR_SHORTER_S:
        raise OutputUnusable(f"The engine made a film of {found.seconds:.2f} s where {spec.seconds} s were ordered.")
    return found


def _encode(clip: Path, found: Probed, mark: Watermark | None, film: Path, report: Callable[[float], None]) -> None:
    """The film once more, playable everywhere, with the text in its pictures where there is one."""
    height, width = found.height, found.width
    frames = max(1, round(found.seconds * found.fps))
    with Encoder(film, width, height, round(found.fps), sound=found.has_audio, crf=_SECOND_CRF) as encoder:
        if found.has_audio:
            encoder.audio(read_sound(clip))
        for number, planes in enumerate(_pictures(clip)):
            if mark is not None:
                chroma = planes[height:].reshape(2, height // 2, width // 2)
                mark.burn(planes[:height], chroma[0], chroma[1])
            encoder.frame_yuv(planes)
            report(min(1.0, number / frames))


def _pictures(clip: Path) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Each picture as (height * 3 / 2, width) yuv420p planes, ours to change."""
    with reading(clip) as film:
        for frame in film.decode(video=0):
            yield np.ascontiguousarray(frame.to_ndarray(format="yuv420p"))


def _remux(clip: Path, film: Path) -> None:
    """The same streams with the index in front."""
    with reading(clip) as source, av.open(str(film), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams if s.type in ("video", "audio")}
        for packet in source.demux():
            if packet.dts is not None and packet.stream.index in streams:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)


def _poster(film: Path, path: Path) -> Path:
    """The picture nearest to one second in, as a JPEG."""
    with reading(film) as opened:
        for frame in opened.decode(video=0):
            if (frame.time or 0.0) >= _POSTER_AT_S:
                break
        picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
    picture.save(path, "JPEG", quality=_POSTER_QUALITY, optimize=True)
    return path
