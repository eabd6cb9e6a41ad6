"""The inside of a slot: a child process that loads one engine (or the media tools) once and then takes orders.

    python -m filmgate.engines.slot storyboard
    python -m filmgate.engines.slot media /var/lib/filmgate/tmp/serve
    python -m filmgate.engines.slot media /var/lib/filmgate/tmp/serve graphics

Orders come on standard input, messages go to standard output (``wire.py``). Whatever a library prints goes to standard
error, which is the server's log. When the runner dies, by whatever cause, standard input ends; then this process takes
its whole process group down, so that no render goes on for nobody.
"""

from __future__ import annotations

import logging
import os
import queue
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from ..domain.errors import FULL_DISK, Cancelled, EngineFailed, StorageUnavailable, TaskError, is_full_disk
from ..domain.routing import UPSCALE
from ..ports import Engine, Finished, Job, Order, Work
from . import registry, wire

MEDIA = "media"

log = logging.getLogger("filmgate.slot")


class Worker(Protocol):
    """What a slot does with orders."""

    def load(self) -> None: ...

    def work(self, order: Order, report: Callable[[float, str], None], stopped: Callable[[], bool]) -> wire.Message: ...


class Inbox:
    """The orders that have come, and whether the one that is worked on has been taken back since."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._stopped: str | None = None  #: one is enough: a slot has one order at a time

    def put(self, asked: wire.Asked) -> None:
        if isinstance(asked, wire.Stop):
            self._stopped = asked.order
        elif isinstance(asked, wire.Do):
            self._orders.put(asked.order)

    def next(self) -> Order:
        return self._orders.get()

    def is_stopped(self, name: str) -> bool:
        return self._stopped == name

    def done(self) -> None:
        """With the last order: whoever gives it anew means it."""
        self._stopped = None


class EngineWorker:
    """Renders clips with one engine."""

    def __init__(self, name: str, asked: wire.Load) -> None:
        self._name = name
        self._asked = asked
        self._engine: Engine | None = None

    def load(self) -> None:
        engine = registry.Registry({self._name: wire.declared_of(self._asked)}).make(self._name)
        self._engine = cast("Engine", engine)  # the runner opens slots for engines that render here
        self._engine.load()

    def work(self, order: Order, report: Callable[[float, str], None], stopped: Callable[[], bool]) -> wire.Message:
        assert self._engine is not None  # ``serve`` loads before it works
        job = Job(
            task_id=order.task_id,
            attempt=order.attempt,
            spec=order.spec,
            workdir=order.workdir,
            report=report,
            cancelled=stopped,
            images=order.images,
            source=order.source,
            state=order.state,
            options=order.options,
        )
        return wire.Made(wire.name_of(order), self._engine.render(job))


class MediaWorker:
    """Checks films and images, and makes them ready for storing. ``graphics``: with a GPU."""

    def __init__(self, *, graphics: bool = False) -> None:
        self._graphics = graphics

    def load(self) -> None:
        # now, not during the first order
        from ..media import edit, finish, fit, images, limits, provenance, upscale  # noqa: F401

        images.bound()
        limits.bound(graphics=self._graphics)

    def work(self, order: Order, report: Callable[[float, str], None], stopped: Callable[[], bool]) -> wire.Message:
        from ..media import limits

        films = replace(limits.FILMS, memory=None) if self._graphics else limits.FILMS
        with limits.within(limits.PICTURES if order.work is Work.IMAGES else films):
            return wire.Done(wire.name_of(order), tuple(_MEDIA_WORK[order.work](order, report)))


def _fit(order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
    from ..media.fit import fit

    return [fit(_given(order.clip), order.spec, order.workdir / "fitted.mp4", report, after=order.source)]


def _finish(order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
    from ..media.finish import finish

    clip = _given(order.clip)
    enlarged = order.provenance is not None and order.provenance.engine == UPSCALE
    theirs = None if enlarged else _with_credentials(order, clip)
    files = finish(clip, order.spec, order.workdir, report)
    _declare(files[0].path, order, opened=order.source if enlarged else theirs, resized=enlarged)
    return files


def _with_credentials(order: Order, clip: Path) -> Path | None:
    """A copy of a clip that comes with credentials, which go on in ours: finishing changes or moves the clip itself."""
    from ..media.label import has_manifest

    signs = order.provenance is not None and order.provenance.key is not None
    if not (signs and has_manifest(clip)):
        return None
    return Path(shutil.copyfile(clip, clip.with_name(f"{clip.stem}-as-it-came.mp4")))


def _declare(film: Path, order: Order, **past: Any) -> None:
    from ..media.provenance import Past, declare

    if order.provenance is not None:
        declare(film, order.provenance, order.task_id, Past(**past))


def _images(order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
    from ..media.images import check

    checked = []
    for number, image in enumerate(order.images, 1):
        report((number - 1) / len(order.images), "checking the images")
        checked.append(check(image, order.workdir / f"image-{number}.png"))
    return checked


def _upscale(order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
    from ..media.upscale import Way, upscale

    way, weights = Way(order.options.get("way", Way.LANCZOS)), order.options.get("weights")
    larger = order.workdir / "larger.mp4"
    return [upscale(_given(order.source), order.spec.size, larger, report, way, Path(weights) if weights else None)]


def _join(order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
    from ..media.edit import join

    joined = join(_given(order.source), _given(order.clip), order.workdir / "full.mp4", report)
    _declare(joined.path, order, opened=order.source, placed=order.clip)
    return [joined]


def _judge(order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
    """Images of an order, or frames of a film."""
    from ..media.safety import judge_film, judge_images

    report(0.0, "looking at the pictures")
    if order.images:
        judge_images(order.images, order.options["threshold"])
    else:
        judge_film(_given(order.clip), order.options["every"], order.options["threshold"])
    return ()


def _not_ours(order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
    raise EngineFailed("The media slot renders nothing: that is for engines.")


_MEDIA_WORK: Mapping[Work, Callable[[Order, Callable[[float, str], None]], Sequence[Finished]]] = {
    Work.FIT: _fit,
    Work.FINISH: _finish,
    Work.IMAGES: _images,
    Work.UPSCALE: _upscale,
    Work.JOIN: _join,
    Work.JUDGE: _judge,
    Work.RENDER: _not_ours,
}


def _given(film: Path | None) -> Path:
    if film is None:
        raise EngineFailed("The media slot was given no film.")
    return film


def serve(worker: Worker, inbox: Inbox, out: BinaryIO) -> None:
    """Load, say so, and work off orders until the process is ended."""

    def send(message: wire.Message) -> None:
        out.write(wire.encode(message))
        out.flush()

    try:
        worker.load()
    except TaskError as error:
        send(wire.Broken("", error.slug, str(error)))
        return
    send(wire.Ready())
    while True:
        order = inbox.next()
        stopped = partial(inbox.is_stopped, wire.name_of(order))
        outcome = _outcome(worker, order, send, stopped)
        inbox.done()
        send(outcome)


def _outcome(
    worker: Worker, order: Order, send: Callable[[wire.Message], None], stopped: Callable[[], bool]
) -> wire.Message:
    """What the order came to. An engine's own bug is logged whole here and told without its details."""
    name = wire.name_of(order)
    try:
        return worker.work(order, _Rising(name, send), stopped)
    except TaskError as error:
        return wire.Broken(name, error.slug, str(error))
    except MemoryError:
        return wire.Broken(name, EngineFailed.slug, "The engine ran out of memory: order a smaller or shorter film.")
    except Exception as error:
        if is_full_disk(error):
            return wire.Broken(name, StorageUnavailable.slug, FULL_DISK)
        if stopped():  # how an engine leaves its work when told to is its own affair
            return wire.Broken(name, Cancelled.slug, Cancelled.sentence)
        return _bug(order)


def _bug(order: Order) -> wire.Broken:
    log.exception("task=%s event=engine_raised attempt=%s", order.task_id, order.attempt)
    return wire.Broken(
        wire.name_of(order), EngineFailed.slug, "The engine failed unexpectedly; its log has the details."
    )


class _Rising:
    """Progress as people expect it: between 0 and 1, and it never falls."""

    def __init__(self, order: str, send: Callable[[wire.Message], None]) -> None:
        self._order = order
        self._send = send
        self._highest = 0.0

    def __call__(self, fraction: float, stage: str) -> None:
        self._highest = max(self._highest, min(1.0, float(fraction)))
        self._send(wire.Report(self._order, self._highest, str(stage)))


def _asked_for(line: bytes) -> wire.Load:
    asked = wire.decode_asked(line)
    if not isinstance(asked, wire.Load):
        raise SystemExit("A slot is told first which engine it is.")
    return asked


def _read_orders(source: BinaryIO, inbox: Inbox) -> None:
    for line in source:
        inbox.put(wire.decode_asked(line))
    os.killpg(0, signal.SIGKILL)  # the runner is gone


def main(kind: str, folder: str | None = None, graphics: str | None = None) -> None:
    """``folder``: all that the media slot may change from here on; ``graphics``: it may use the GPUs, too."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; only the runner decides
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # stray prints of libraries must not get between the messages
    if folder is not None:
        from ..media import cage  # before there is a second thread: the cage is around this one alone

        if not cage.enter(Path(folder), cage.graphics() if graphics else ()):
            log.warning("event=no_landlock this system cannot keep the media slot in its folder")
    inbox = Inbox()
    worker: Worker
    if kind == MEDIA:
        worker = MediaWorker(graphics=graphics is not None)
    else:
        worker = EngineWorker(kind, _asked_for(sys.stdin.buffer.readline()))
    threading.Thread(target=_read_orders, args=(sys.stdin.buffer, inbox), daemon=True).start()
    serve(worker, inbox, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
