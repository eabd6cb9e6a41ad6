"""Render processes: they share the frames of one film, and the frames come back in order.

Skia holds the interpreter's lock while it draws, so that threads would gain nothing. One fresh interpreter, the keeper,
builds the theatre and splits into the render processes, which are then handed short runs of frames, whoever is free the
next one; a frame does not depend on the others, so the film does not depend on who rendered what. The pictures come
back through one file in the job's work folder that all processes map into memory: a process that is killed leaves
nothing but that folder. The keeper ends when its parent does, however that dies, since its standard input ends then;
the render processes end with the keeper.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, BinaryIO, NoReturn, Self

import msgspec
import numpy as np
import numpy.typing as npt

from ...media.encode import Converter
from .model import FPS
from .script import Script

if TYPE_CHECKING:
    from .filming import Shown

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
    """A render process: where it is told what to do, where it says what is done, and what it has not done yet."""

    tells: IO[bytes]
    says: IO[bytes]
    orders: set[int] = field(default_factory=set)
    ear: threading.Thread | None = None  #: listens to it


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
        self._log = workdir / "render.log"
        self._processes = self._open(processes)

    def _open(self, count: int) -> list[_Process]:
        """Starts the keeper, which builds the theatre and splits into ``count`` render processes."""
        pipes = [(os.pipe(), os.pipe()) for _ in range(count)]  # each: orders, answers
        theirs = [(orders[0], answers[1]) for orders, answers in pipes]
        told = ",".join(f"{orders}:{answers}" for orders, answers in theirs)
        with self._log.open("wb") as errors:
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", __name__, told],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
                pass_fds=[fd for pair in theirs for fd in pair],
            )  # fmt: skip
        for fd in (fd for pair in theirs for fd in pair):
            os.close(fd)
        processes = [_Process(open(orders[1], "wb"), open(answers[0], "rb")) for orders, answers in pipes]  # noqa: SIM115
        for process in processes:
            process.ear = threading.Thread(target=self._listen, args=(process,), daemon=True)
            process.ear.start()
        assert self._keeper.stdin is not None
        self._tell(self._keeper.stdin, self._theatre)
        return processes

    def _tell(self, pipe: IO[bytes], message: msgspec.Struct) -> None:
        try:
            pipe.write(msgspec.json.encode(message) + b"\n")
            pipe.flush()
        except BrokenPipeError as error:
            raise RenderError(self._trouble()) from error

    def _trouble(self) -> str:
        """Why a process ended: what it, or the keeper, said last."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # one of several ended, and the keeper is well
            self._keeper.wait(timeout=0.5)
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"A render process ended early: {lines[-1] if lines else 'it said nothing'}"

    def _listen(self, process: _Process) -> None:
        """Passes on what the process says; at its end, an empty word."""
        with process.says:
            for line in process.says:
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
                self._tell(idle.tells, msgspec.structs.replace(orders[given], slot=slots[given]))
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
                raise RenderError(self._trouble())
            number = int(line)
            process.orders.discard(number)
            return number

    def close(self) -> None:
        """Ends the processes. Their file goes with the work folder."""
        assert self._keeper.stdin is not None
        _close(self._keeper.stdin)  # it ends the others at once, and itself
        self._keeper.wait()
        for process in self._processes:
            _close(process.tells)
            if process.ear is not None:
                process.ear.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):  # orders that were still on the way to a process that is gone
        pipe.close()


def keep(said: BinaryIO, pairs: Sequence[tuple[int, int]]) -> None:
    """What the keeper does: builds the theatre once, splits into render processes, and ends them when its own ends.

    Split after building, they share the paper in memory and nobody cuts it twice.
    """
    from .filming import film_of

    first = said.readline()
    if not first:
        return
    theatre = msgspec.json.decode(first, type=Theatre)
    shared, convert = _Film(theatre), Converter(theatre.width, theatre.height)
    film = film_of(theatre.script, [Path(name) for name in theatre.images], theatre.width, theatre.height)
    split = []
    for pair in pairs:
        pid = os.fork()
        if pid == 0:
            _live(partial(_render, film, shared, convert, pair, pairs))
        split.append(pid)
    for fd in (fd for pair in pairs for fd in pair):
        os.close(fd)
    said.read()  # until the parent closes it, or is gone
    for pid in split:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _live(work: Callable[[], None]) -> NoReturn:
    """The whole life of a split process: it must not return into its parent's code."""
    try:
        work()
    except BrokenPipeError:
        os._exit(0)  # the parent is gone
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _render(
    film: Shown, shared: _Film, convert: Converter, own: tuple[int, int], pairs: Sequence[tuple[int, int]]
) -> None:
    """What a render process does: films what it is told until there is no more."""
    for fd in (fd for pair in pairs if pair != own for fd in pair):
        os.close(fd)
    keeper = os.getppid()
    with open(own[0], "rb") as orders, open(own[1], "wb") as answers:
        for line in orders:
            order = msgspec.json.decode(line, type=Order)
            for i in range(order.count):
                if os.getppid() != keeper:
                    return  # nobody waits for the frames that are still in hand
                shared.frames[order.slot, i] = convert.yuv(film.frame(order.first + i))
            answers.write(b"%d\n" % order.number)
            answers.flush()


def main() -> int:
    pairs = [tuple(map(int, pair.split(":"))) for pair in sys.argv[1].split(",")]
    try:
        keep(sys.stdin.buffer, [(orders, answers) for orders, answers in pairs])
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
