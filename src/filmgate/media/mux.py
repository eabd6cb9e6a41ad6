"""Streams that are encoded already -> one film. Packets are copied; nothing is decoded."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from .encode import open_film
from .pictures import pace
from .probe import reading

Copied: TypeAlias = "av.Packet[Any]"  # generic in its stubs alone


def mux(out: Path, parts: Sequence[Path], sound: Path | None) -> None:
    """The pictures of ``parts``, one film after the other, with the sound track of ``sound``; the index in front.

    Parts must be ``alike``. Raises ``av.FFmpegError`` and OSError; then there is no ``out``.
    """
    try:
        with ExitStack() as stack:
            files = [stack.enter_context(reading(part)) for part in parts]
            heard = stack.enter_context(reading(sound)) if sound else None
            film = stack.enter_context(open_film(out))
            for packet in _packets(film, files, _starts(parts), heard):
                film.mux(packet)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _starts(parts: Sequence[Path]) -> Sequence[Fraction]:
    """When each part begins, in seconds."""
    lengths = [pace(part).seconds for part in parts]
    return [sum(lengths[:number], Fraction(0)) for number in range(len(parts))]


def _packets(
    film: OutputContainer,
    files: Sequence[InputContainer],
    starts: Sequence[Fraction],
    heard: InputContainer | None,
) -> Iterator[Copied]:
    """All packets in the order in which they are needed, so that pictures and sound lie side by side in the file."""
    pictures = film.add_stream_from_template(files[0].streams.video[0])
    tracks: list[Iterator[Copied]] = [
        chain.from_iterable(
            _track(file, file.streams.video[0], pictures, start) for file, start in zip(files, starts, strict=True)
        )
    ]
    if heard is not None:
        source = heard.streams.audio[0]
        tracks.append(_track(heard, source, film.add_stream_from_template(source), Fraction(0)))
    return heapq.merge(*tracks, key=lambda packet: (packet.dts or 0) * (packet.time_base or 0))


def _track(file: InputContainer, source: Stream, into: Stream, start: Fraction) -> Iterator[Copied]:
    for packet in file.demux(source):
        if packet.dts is None:  # the end
            continue
        ticks = round(start / (packet.time_base or 1))
        packet.dts += ticks
        packet.pts = packet.dts if packet.pts is None else packet.pts + ticks
        packet.stream = into
        yield packet


def alike(first: Path, second: Path) -> bool:
    """Whether the pictures of both can be one track as they are: the same parameters of H.264, each picture shown in
    the order in which it is stored, evenly, from 0 on. Films of our own encoder are, if their sizes are equal."""
    return _parameters(first) == _parameters(second) and _even(first) and _even(second)


def _parameters(film: Path) -> tuple[object, ...]:
    with reading(film) as opened:
        stream = opened.streams.video[0]
        context = stream.codec_context
        return (context.name, context.extradata, stream.time_base, stream.average_rate, opened.format.name)


def _even(film: Path) -> bool:
    with reading(film) as opened:
        stream = opened.streams.video[0]
        if stream.codec_context.name != "h264" or not stream.average_rate or not stream.time_base:
            return False
        ticks = 1 / (stream.average_rate * stream.time_base)
        packets = [packet for packet in opened.demux(stream) if packet.dts is not None]
        shown = all(packet.pts == packet.dts == number * ticks for number, packet in enumerate(packets))
        return shown and bool(packets) and packets[0].is_keyframe
