"""Render processes: they share the frames of one film, and the frames come back in order.

Skia holds the interpreter's lock while it draws, so that threads would gain nothing. Each process is a fresh
interpreter which builds the same theatre and is then handed short runs of frames, whoever is free the next one; a frame
does not depend on the others, so the film does not depend on who rendered what. The pictures come back through one file
in the job's work folder that all processes map into memory: a process that is killed leaves nothing but that folder.
A render process ends when its parent does, however that dies: its standard input ends then.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec
import numpy as np
import numpy.typing as npt

from ...media.encode import Converter
from .model import FPS
from .script import Script

CHUNK = 8  #: frames that a process is handed at once, at most
CHUNK_BYTES = 24_000_000  #: ... and so many that they fit into this
AHEAD = 2  #: chunks that a process has in hand, so that it never waits for the next order

Pixels = npt.NDArray[np.uint8]


class RenderError(RuntimeError):
    """A render process failed; the text ends with what it said."""


class Theatre(msgspec.Struct, frozen=True):
    """The first line that a render process reads: what to build, and where frames go."""

    script: Script
    images: tuple[str, ...]
    width: int
    height: int
    path: str
    slots: int
    chunk: int


class Order(msgspec.Struct, frozen=True):
    """Every further line: render these frames into that slot."""

    number: int
    first: int
    count: int
    slot: int


class _Film:
    """The mapped file: ``slots`` times ``chunk`` frames of YUV 4:2:0."""

    def __init__(self, theatre: Theatre) -> None:
        shape = (theatre.slots, theatre.chunk, theatre.height * 3 // 2, theatre.width)
        with Path(theatre.path).open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), int(np.prod(shape)))
        self.frames: Pixels = np.frombuffer(self._map, np.uint8).reshape(shape)


@dataclass(eq=False)
class _Process:
    """A render process, the orders that it has not done yet, and what it wrote about its troubles."""

    child: subprocess.Popen[bytes]
    log: Path
    orders: set[int] = field(default_factory=set)

    @property
    def stdin(self) -> IO[bytes]:
        assert self.child.stdin is not None
        return self.child.stdin

    def tell(self, message: msgspec.Struct) -> None:
        try:
            self.stdin.write(msgspec.json.encode(message) + b"\n")
            self.stdin.flush()
        except BrokenPipeError as error:
            raise RenderError(self.trouble()) from error

    def trouble(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = lines[-1] if lines else "it said nothing"
        return f"A render process ended early (exit status {self.child.poll()}): {said}"


class Pool:
    """Renders a whole film with ``processes`` processes. Use it as a context manager, and ``frames`` once."""

    def __init__(
        self, script: Script, width: int, height: int, workdir: Path, processes: int, images: Sequence[Path] = ()
    ) -> None:
        frame = width * height * 3 // 2
        chunk = max(1, min(CHUNK, CHUNK_BYTES // frame))
        slots = AHEAD * processes + 1
        self._total = script.plan.seconds * FPS
        path = workdir / "frames.yuv"
        with path.open("wb") as file:
            file.truncate(slots * chunk * frame)
        self._theatre = Theatre(script, tuple(map(str, images)), width, height, str(path), slots, chunk)
        self._film = _Film(self._theatre)
        self._said: queue.SimpleQueue[tuple[_Process, bytes]] = queue.SimpleQueue()
        self._processes = [self._start(workdir / f"render-{n}.log") for n in range(processes)]

    def _start(self, log: Path) -> _Process:
        with log.open("wb") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        process = _Process(child, log)
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        process.tell(self._theatre)
        return process

    def _listen(self, process: _Process) -> None:
        """Passes on what the process says; at its end, an empty word."""
        assert process.child.stdout is not None
        for line in process.child.stdout:
            self._said.put((process, line))
        self._said.put((process, b""))

    def frames(self) -> Iterator[Pixels]:
        """All frames in order, each (height * 3 / 2, width) as ``Converter.yuv`` makes it, valid until the next.

        Raises RenderError when a process fails.
        """
        chunk = self._theatre.chunk
        orders = [Order(n, n * chunk, min(chunk, self._total - n * chunk), -1) for n in range(-(-self._total // chunk))]
        free, given, done, shown = list(range(self._theatre.slots)), 0, dict[int, int](), 0
        slots: dict[int, int] = {}
        while shown < len(orders):
            while free and given < len(orders) and (idle := self._idle()) is not None:
                slots[given] = free.pop()
                idle.orders.add(given)
                idle.tell(msgspec.structs.replace(orders[given], slot=slots[given]))
                given += 1
            number = self._next_done()
            done[number] = slots[number]
            while shown in done:
                slot = done.pop(shown)
                yield from self._film.frames[slot, : orders[shown].count]
                free.append(slot)
                shown += 1

    def _idle(self) -> _Process | None:
        """The process with the least to do, if it can take another order."""
        process = min(self._processes, key=lambda p: len(p.orders))
        return process if len(process.orders) < AHEAD else None

    def _next_done(self) -> int:
        while True:
            process, line = self._said.get()
            if not line:
                process.child.wait()
                raise RenderError(process.trouble())
            number = int(line)
            process.orders.discard(number)
            return number

    def close(self) -> None:
        """Ends the processes. Their file goes with the work folder."""
        for process in self._processes:
            process.child.kill()
            process.child.wait()
            for pipe in (process.child.stdin, process.child.stdout):
                if pipe is not None:
                    _close(pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):  # orders that were still on the way to a process that is gone
        pipe.close()


def serve(orders: IO[bytes], answers: IO[bytes]) -> None:
    """What a render process does: builds the theatre, then renders what it is told until there is no more."""
    from .filming import film_of

    parent = os.getppid()
    first = orders.readline()
    if not first:
        return
    theatre = msgspec.json.decode(first, type=Theatre)
    shared, convert = _Film(theatre), Converter(theatre.width, theatre.height)
    film = film_of(theatre.script, [Path(name) for name in theatre.images], theatre.width, theatre.height)
    for line in orders:
        order = msgspec.json.decode(line, type=Order)
        for i in range(order.count):
            if os.getppid() != parent:
                return  # nobody waits for the frames that are still in hand
            shared.frames[order.slot, i] = convert.yuv(film.frame(order.first + i))
        answers.write(b"%d\n" % order.number)
        answers.flush()


def main() -> int:
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        return 0  # the parent is gone
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
