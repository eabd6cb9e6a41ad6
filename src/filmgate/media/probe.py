"""What a film file really is: measured by opening it, never believed from its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

from ..domain.errors import OutputUnusable

#: What films come in. Playlists and scripts, which make a reader open yet other files, are none; nor are pictures.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,ogg"
#: What films are made in. A decoder that nobody needs can be attacked by nobody.
_DECODERS = (
    "h264,hevc,av1,libdav1d,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,mjpeg,prores,ffv1,"
    "aac,mp3,mp3float,opus,libopus,vorbis,libvorbis,flac,alac,ac3,pcm_s16le,pcm_s24le,pcm_f32le"
)


@dataclass(frozen=True, slots=True)
class Probed:
    width: int
    height: int
    seconds: float
    fps: float
    has_audio: bool
    video_codec: str
    audio_codec: str | None
    pixels: str  #: how they are stored: "yuv420p"
    container: str

    @property
    def plays_everywhere(self) -> bool:
        """H.264 in 4:2:0 and AAC in an MP4: what browsers and telephones agree on."""
        return (
            "mp4" in self.container
            and (self.video_codec, self.pixels) == ("h264", "yuv420p")
            and self.audio_codec in (None, "aac")
        )


def reading(path: Path) -> InputContainer:
    """A film to be read. Nothing in it has another file or an address opened, or a decoder that films do not need."""
    readers = {"format_whitelist": _CONTAINERS, "codec_whitelist": _DECODERS, "protocol_whitelist": "file"}
    return av.open(str(path), options=readers)


def probe(path: Path) -> Probed:
    """Raises OutputUnusable where the file is not a film that can be played. Before anything else opens it."""
    try:
        with reading(path) as film:
            if not film.streams.video:
                raise OutputUnusable("The engine made a file without a picture.")
            _check_decoders(film)
            video = film.streams.video[0]
            sound = film.streams.audio[0] if film.streams.audio else None
            seconds = float(video.duration * video.time_base) if video.duration and video.time_base else 0.0
            return Probed(
                width=video.codec_context.width,
                height=video.codec_context.height,
                seconds=seconds or float(film.duration or 0) / av.time_base,
                fps=float(video.average_rate or 0),
                has_audio=sound is not None,
                video_codec=video.codec_context.name,
                audio_codec=sound.codec_context.name if sound else None,
                pixels=video.codec_context.pix_fmt or "",
                container=film.format.name,
            )
    except (av.FFmpegError, OSError) as error:
        raise OutputUnusable(f"The engine made a file that cannot be opened as a film: {error}.") from error


def _check_decoders(film: InputContainer) -> None:
    for stream in (*film.streams.video, *film.streams.audio):
        if stream.codec_context.name not in _DECODERS.split(","):
            raise OutputUnusable(f"The engine made a film in {stream.codec_context.name}, which is not read here.")


@contextmanager
def readable() -> Iterator[None]:
    """Also a decorator: what decoders say of a damaged film comes out as OutputUnusable."""
    try:
        yield
    except av.InvalidDataError as error:
        raise OutputUnusable("The film is damaged and cannot be read to its end.") from error


def starts_fast(path: Path) -> bool:
    """Whether an MP4 can be played while it is still being loaded: its index (moov) lies before its media (mdat)."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind in (b"moov", b"mdat"):
                return kind == b"moov"
            header = 8
            if size == 1:
                size, header = int.from_bytes(file.read(8), "big"), 16
            if size < header:  # 0: to the end of the file
                break
            file.seek(size - header, 1)
    return False
