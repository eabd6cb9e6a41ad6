"""Images and films on their way into a model, and pictures and sound on their way out of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image

from ...media.encode import AUDIO_RATE, Pixels, Sound
from ...media.probe import reading
from .fit import FPS, Window, window

if TYPE_CHECKING:
    import torch

_FINE = Interpolation.LANCZOS | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
#: Pictures between those of the model are made by following what moves; a dissolve of two would show ghosts.
_BETWEEN = f"fps={FPS}:mi_mode=mci:me=epzs:mc_mode=obmc:scd=fdiff"
_LEAD = 3  #: pictures that ``minterpolate`` wants to have seen before and behind the ones it makes


def framed(image: Image.Image, made: tuple[int, int], shown: tuple[int, int]) -> Image.Image:
    """An image as a model of size ``made`` is to see it, so that the window that is shown has the whole of it.

    What sticks out of the film's shape is cut off evenly; what lies around the window is a mirror image of its edge.
    """
    left, top, width, height = window(made, shown)
    source = window(image.size, (width, height))
    box = (source.left, source.top, source.left + source.width, source.top + source.height)
    inside = np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS, box=box))
    around = ((top, made[1] - height - top), (left, made[0] - width - left), (0, 0))
    return Image.fromarray(np.pad(inside, around, mode="symmetric"))


def end_of(film: Path, count: int, fps: int) -> Sequence[Image.Image]:
    """The last ``count`` pictures of a film, in order, as if it had been filmed at this speed; the last is its last."""
    with reading(film) as opened:
        stream = opened.streams.video[0]
        own = float(stream.average_rate or FPS)
        wanted = round((count - 1) * own / fps) + 1
        if stream.duration and stream.time_base:
            seconds = wanted / own + 1.0
            opened.seek(max(0, stream.duration - int(seconds / stream.time_base)), stream=stream)
        kept = deque(opened.decode(video=0), maxlen=wanted)
    last = len(kept) - 1
    places = [max(0, last - round(back * own / fps)) for back in reversed(range(count))]
    return [Image.fromarray(kept[place].to_ndarray(format="rgb24")) for place in places]


def shown(frames: torch.Tensor, skip: int) -> Iterator[Pixels]:
    """(frames, 3, height, width) of 0 to 1 on any device -> (height, width, 3) each, from number ``skip`` on."""
    for frame in frames[skip:]:
        pixels = frame.detach().float().mul(255).round().clamp(0, 255).byte().permute(1, 2, 0)
        yield np.ascontiguousarray(pixels.cpu().numpy())


class Fitter:
    """RGB pictures of one size -> the planes of a film of another: the window that is shown, scaled only if need be."""

    def __init__(self, made: tuple[int, int], width: int, height: int) -> None:
        self._window: Window = window(made, (width, height))
        self._size = width, height
        self._reformat = VideoReformatter()

    def planes(self, pictures: Iterable[Pixels], fps: int, frames: int) -> Iterator[Pixels]:
        """(height, width, 3) each, made at ``fps`` -> exactly ``frames`` of (height * 3 / 2, width) at the film's
        speed, BT.709 in limited range; the last is held where they do not last so long.

        Pictures in between are made in the model's size, where they cost least.
        """
        if fps == FPS:
            return _held((self._scaled(self._inside(each), self._size) for each in pictures), frames)
        even = self._window.width // 2 * 2, self._window.height // 2 * 2
        own = (self._scaled(self._inside(each), even) for each in pictures)
        between = (av.VideoFrame.from_ndarray(each, format="yuv420p") for each in _held(_between(own, fps), frames))
        return (self._scaled(each, self._size) for each in between)

    def _inside(self, picture: Pixels) -> av.VideoFrame:
        left, top, width, height = self._window
        inside = np.ascontiguousarray(picture[top : top + height, left : left + width])
        return av.VideoFrame.from_ndarray(inside, format="rgb24")

    def _scaled(self, frame: av.VideoFrame, size: tuple[int, int]) -> Pixels:
        ranged = ColorRange.JPEG if frame.format.name == "rgb24" else ColorRange.MPEG
        made = self._reformat.reformat(
            frame, *size, "yuv420p", interpolation=_FINE,
            src_colorspace=Colorspace.ITU709, dst_colorspace=Colorspace.ITU709,
            src_color_range=ranged, dst_color_range=ColorRange.MPEG,
        )  # fmt: skip
        planes: Pixels = made.to_ndarray()  # type: ignore[assignment]  # yuv420p is always uint8
        return planes


def _held(pictures: Iterable[Pixels], frames: int) -> Iterator[Pixels]:
    sent = 0
    planes: Pixels | None = None
    for planes in islice(pictures, frames):
        yield planes
        sent += 1
    if planes is not None:
        yield from [planes] * (frames - sent)


def _between(pictures: Iterable[Pixels], fps: int) -> Iterator[Pixels]:
    """At the film's speed: each picture where its time is, and new ones between them."""
    led = _led(pictures)
    first = next(led, None)
    if first is None:
        return
    graph = _graph(first.shape[1], first.shape[0] * 2 // 3, fps)
    skip = round(_LEAD * FPS / fps)
    number = 0
    for number, planes in enumerate((first, *led)):
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, fps)
        graph.push(frame)
        for made in _pulled(graph):
            if made.pts is not None and made.pts >= skip:
                yield made.to_ndarray()  # type: ignore[misc]
    graph.push(None)
    yield from (made.to_ndarray() for made in _pulled(graph) if made.pts is not None and made.pts >= skip)  # type: ignore[misc]


def _led(pictures: Iterable[Pixels]) -> Iterator[Pixels]:
    """With the first and the last one repeated, which the filter takes for itself."""
    planes: Pixels | None = None
    for number, planes in enumerate(pictures):
        yield from [planes] * (_LEAD + 1 if number == 0 else 1)
    if planes is not None:
        yield from [planes] * _LEAD


def _graph(width: int, height: int, fps: int) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, fps))
    between, sink = graph.add("minterpolate", _BETWEEN), graph.add("buffersink")
    source.link_to(between)
    between.link_to(sink)
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.pull()  # type: ignore[misc]  # only pictures are in it
        except (av.BlockingIOError, av.EOFError):
            return


def sound_of(made: Any, rate: int, skip_s: float) -> Sound | None:
    """What a model has made to be heard, of any of the shapes that there are -> (samples, 2) at 48 kHz; None for none.

    ``skip_s``: so much of its beginning belongs to the film that this one continues.
    """
    if made is None:
        return None
    waves = np.asarray(made.detach().float().cpu().numpy() if hasattr(made, "detach") else made, np.float32)
    waves = waves.reshape(-1, waves.shape[-1])[:2]  # (channels, samples)
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(waves), format="fltp", layout="stereo" if len(waves) == 2 else "mono"
    )
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE)
    parts = [part.to_ndarray() for given in (frame, None) for part in resampler.resample(given)]
    sound: Sound = np.concatenate(parts, axis=1).T.astype(np.float32)
    return np.ascontiguousarray(sound[round(skip_s * AUDIO_RATE) :])
