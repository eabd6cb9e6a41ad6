"""Pictures and sound -> an MP4 that plays everywhere: H.264 High and AAC-LC, ready to be streamed.

The same pictures and sound give the same bytes on the same machine: the encoder's threads are fixed in number and
the file carries neither a date nor the name of a program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

Pixels = npt.NDArray[np.uint8]
Sound = npt.NDArray[np.float32]

THREADS = 2  #: fixed: x264 decides differently with another number
AUDIO_RATE = 48_000
BLOCK = 1024  #: samples in an AAC frame
_FAITHFUL_QP = 4  #: within a tenth of a decibel of what chroma at half size allows, for 30 kB a frame at 720p
_BT709 = 1  # colour primaries and transfer characteristics of ITU-R BT.709, in the numbers of H.273


def open_film(path: Path) -> OutputContainer:
    """An MP4 to be written: index in front, neither a date nor the name of a program in it."""
    options = {"movflags": "+faststart", "fflags": "+bitexact", "use_editlist": "1"}
    return av.open(str(path), "w", format="mp4", options=options)


def add_sound(film: OutputContainer, rate: int = AUDIO_RATE) -> av.AudioStream:
    """The one kind of sound track that our films have."""
    stream = film.add_stream("aac", rate=rate)
    stream.layout, stream.bit_rate = "stereo", 128_000
    return stream


def sound_frame(sound: Sound, at: int, rate: int = AUDIO_RATE) -> av.AudioFrame:
    """(samples, 2), the first of which is number ``at``, as the AAC encoder takes it."""
    planes = np.ascontiguousarray(np.clip(sound, -1.0, 1.0).T)
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame


class EncodeError(ValueError):
    """What was given to the encoder does not fit: wrong shape, wrong type, nothing at all."""


class Converter:
    """BGRA pictures to limited-range BT.709 YUV 4:2:0, as one contiguous block of bytes each."""

    def __init__(self, width: int, height: int) -> None:
        _check_size(width, height)
        self._reformat, self.width, self.height = VideoReformatter(), width, height

    def yuv(self, pixels: Pixels) -> Pixels:
        """(height, width, 4) BGRA -> (height * 3 / 2, width): the planes Y, U and V one after the other."""
        _check_shape(pixels, (self.height, self.width, 4))
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), format="bgra")
        converted = self._reformat.reformat(
            frame, format="yuv420p", src_colorspace=Colorspace.ITU709, dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG,
        )  # fmt: skip
        planes: Pixels = converted.to_ndarray()  # type: ignore[assignment]  # yuv420p is always uint8
        return planes


class Encoder:
    """Writes one film. Blocking; one thread. Frames in order, sound at any time (all of it at once is best).

    Use it as a context manager: leaving it normally finishes the file, leaving it by an exception removes it.
    The sound is cut, or filled up with silence, to the exact length of the pictures; with ``sound=False`` there is
    no sound track at all. The frames whose numbers are in ``faithful`` are kept as nearly as 4:2:0 can hold them.
    Raises EncodeError for frames and sound of the wrong shape and for a film without frames; ``av.FFmpegError`` and
    OSError where writing fails.
    """

    def __init__(
        self, path: Path, width: int, height: int, fps: int | Fraction = 24, audio_rate: int = AUDIO_RATE, *,
        sound: bool = True, preset: str = "veryfast", crf: float = 20.0, faithful: Sequence[int] = (),
    ) -> None:  # fmt: skip
        _check_size(width, height)
        self.path, self.width, self.height, self.fps, self.audio_rate = path, width, height, fps, audio_rate
        self._convert = Converter(width, height)
        self._frames = self._samples = 0
        self._sound: list[Sound] = []
        self._file = open_film(path)
        self._video = self._video_stream(preset, crf, faithful)
        self._audio = add_sound(self._file, audio_rate) if sound else None

    def _video_stream(self, preset: str, crf: float, faithful: Sequence[int]) -> av.VideoStream:
        gop = round(2 * self.fps)
        # What x264 looks ahead for makes films half as large; its quickest presets leave it out.
        parameters = f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:mbtree=1:rc-lookahead=10"
        if faithful:
            parameters += ":zones=" + "/".join(f"{frame},{frame},q={_FAITHFUL_QP}" for frame in sorted({*faithful}))
        stream = self._file.add_stream("libx264", rate=self.fps)
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
        stream.time_base = 1 / Fraction(self.fps)
        # No B-frames: without them the first picture is shown at 0 with no edit list to say so.
        stream.options = {
            "preset": preset, "crf": str(crf), "profile": "high", "bf": "0", "x264-params": parameters,
        }  # fmt: skip
        context = stream.codec_context
        context.gop_size, context.thread_count, context.thread_type = gop, THREADS, "FRAME"
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = ColorRange.MPEG
        return stream

    def frame_bgra(self, pixels: Pixels) -> None:
        """The next picture, (height, width, 4) BGRA, of which alpha is not looked at."""
        self.frame_yuv(self._convert.yuv(pixels))

    def frame_yuv(self, planes: Pixels) -> None:
        """The next picture as ``Converter.yuv`` makes it: (height * 3 / 2, width), BT.709, limited range."""
        _check_shape(planes, (self.height * 3 // 2, self.width))
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
        frame.pts, frame.time_base = self._frames, 1 / Fraction(self.fps)
        self._file.mux(self._video.encode(frame))
        self._frames += 1
        self._encode_sound(self._due() - BLOCK)

    def audio(self, sound: Sound) -> None:
        """Sound that follows what came before it: (samples, 2), -1 to 1."""
        if self._audio is None:
            raise EncodeError("this film was begun without a sound track.")
        if sound.ndim != 2 or sound.shape[1] != 2:
            raise EncodeError(f"sound must have the shape (samples, 2), not {sound.shape}.")
        self._sound.append(sound.astype(np.float32, copy=False))

    def _due(self) -> int:
        """How many samples the pictures so far last."""
        return self._frames * self.audio_rate // self.fps

    def _encode_sound(self, until: int) -> None:
        """Whole AAC frames, as far as there is sound, so that both streams grow side by side in the file."""
        have = self._samples + sum(len(part) for part in self._sound)
        while self._samples + BLOCK <= min(until, have):
            self._send(self._take(BLOCK))

    def _take(self, count: int) -> Sound:
        """The next ``count`` samples; silence where there are none."""
        joined = (
            self._sound[0] if len(self._sound) == 1 else np.concatenate([*self._sound, np.zeros((0, 2), np.float32)])
        )
        taken, self._sound = joined[:count], [joined[count:]]
        return np.pad(taken, ((0, count - len(taken)), (0, 0)))

    def _send(self, sound: Sound) -> None:
        assert self._audio is not None
        self._file.mux(self._audio.encode(sound_frame(sound, self._samples, self.audio_rate)))
        self._samples += len(sound)

    def close(self) -> None:
        """Finishes the file."""
        if self._frames == 0:
            raise EncodeError("a film needs at least one frame.")
        if self._audio is not None:
            for count in self._blocks_left():
                self._send(self._take(count))
            self._file.mux(self._audio.encode(None))
        self._file.mux(self._video.encode(None))
        self._file.close()

    def _blocks_left(self) -> Iterator[int]:
        left = self._due() - self._samples
        yield from (BLOCK for _ in range(left // BLOCK))
        if left % BLOCK:
            yield left % BLOCK

    def discard(self) -> None:
        """Gives up: nothing of the file remains."""
        try:
            self._file.close()
        finally:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.close()
        except BaseException:
            self.discard()
            raise


def _check_size(width: int, height: int) -> None:
    if width < 16 or height < 16 or width % 2 or height % 2:
        raise EncodeError(f"a film must be at least 16 x 16 pixels and even both ways, not {width} x {height}.")


def _check_shape(pixels: Pixels, shape: tuple[int, ...]) -> None:
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise EncodeError(f"a frame must be uint8 of the shape {shape}, not {pixels.dtype} of {pixels.shape}.")
