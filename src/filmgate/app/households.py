"""Which processes a command keeps alive, and what they share: those of `filmgate serve`, and of `filmgate worker`."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..settings import Settings
from .children import Child
from .listening import announce, check_certificate, listening, raise_file_limit
from .locks import sole_user
from .owners import serve_owner, worker_owner
from .prepare import prepare
from .private import private_folder
from .refusal import CannotStart

log = logging.getLogger("filmgate.serve")

_LEAVE_S = 10.0  #: beyond what a child may take to end its work, until it is killed


@dataclass(frozen=True)
class Household:
    """``children`` are made after ``make_ready`` has run, in a process of its own. ``locks``: descriptors that the
    children keep. ``announce`` says that all is well so far."""

    make_ready: Callable[[], None]
    children: Callable[[], list[Child]]
    announce: Callable[[], None]
    locks: Sequence[int] = ()


@contextlib.contextmanager
def serving(settings: Settings, *, worker: bool) -> Iterator[Household]:
    """An API, and a runner unless the workers are elsewhere."""
    check_certificate(settings.server.tls_cert, settings.server.tls_key)
    _check_folder(settings.data)
    raise_file_limit()
    with (
        sole_user(settings) if worker else contextlib.nullcontext(()) as locks,
        listening(settings.server.host, settings.server.port) as listener,
        pipe() as nudges,
    ):
        owner = serve_owner(settings) if worker else None
        yield Household(
            partial(prepare, settings, owner=owner),
            partial(_servants, settings, listener, nudges, owner),
            partial(announce, settings, listener),
            locks,
        )


@contextlib.contextmanager
def working(settings: Settings, engines: Sequence[str]) -> Iterator[Household]:
    """A runner alone, with these engines, or all that models name."""
    _check_folder(settings.data)
    with worker_owner(settings) as (owner, lock), pipe() as nudges:
        yield Household(
            partial(prepare, settings, owner=owner, answers=False),
            lambda: [_runner(settings, owner, nudges[0], engines)],
            lambda: print(f"Filmgate works as {owner} (Ctrl-C stops it; data in {settings.data})", flush=True),
            (lock,),
        )


def _servants(settings: Settings, listener: socket.socket, nudges: tuple[int, int], owner: str | None) -> list[Child]:
    from . import api  # before the first fork: the children share what is loaded here

    answering = partial(api.main, settings, listener, nudges[1], worker=owner is not None)
    children = [Child("api", answering, api.CLOSE_S + _LEAVE_S)]
    return children if owner is None else [*children, _runner(settings, owner, nudges[0])]


def _runner(settings: Settings, owner: str, nudges: int, engines: Sequence[str] = ()) -> Child:
    from . import worker  # as above

    drain_s = settings.worker.drain_timeout_s + settings.callbacks.timeout_s  # films first, then what they cause
    return Child("runner", partial(worker.main, settings, owner, nudges, only=engines), drain_s + _LEAVE_S)


def _check_folder(data: Path) -> None:
    try:
        private_folder(data)
        mode = stat.S_IMODE(data.stat().st_mode)
    except OSError as error:
        raise CannotStart(
            f"The data folder {data} cannot be made ({error.strerror}): choose another with --data."
        ) from error
    if mode & 0o077:
        log.warning("event=open_folder Others can look into %s (mode %03o): chmod 700 %s", data, mode, data)


@contextlib.contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)
