"""`filmgate serve`: one API process and one runner process, and a parent that does nothing but keep them alive.

The parent owns the listening socket, so that connections wait, rather than fail, while an API process is replaced. It
forks (it has no threads and no event loop), so that a child starts with the settings as they were read and with the
modules already loaded. Every child watches the parent: when that is gone, by whatever cause, the child ends at once,
and with a runner its slots.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from ..settings import Settings
from .children import Bonds, Child, check_hope, dismiss, kill_all, note_fall, reaped, start
from .listening import announce, check_certificate, listening, raise_file_limit
from .locks import sole_user
from .logs import start_logging
from .prepare import prepare
from .private import private_folder
from .refusal import CannotStart

log = logging.getLogger("filmgate.serve")

_LEAVE_S = 10.0  #: beyond what a child may take to end its work, until it is killed


class Supervisor:
    """``run`` returns the exit code: 0 after a drain."""

    def __init__(self, settings: Settings, *, worker: bool = True) -> None:
        self._settings = settings
        self._worker = worker
        self._signals = _waited_for()

    def run(self) -> int:
        """Raises CannotStart, and then nothing is left running."""
        start_logging("serve", self._settings.log)
        signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)  # from now on they are read where we wait
        try:
            return self._serve()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._signals)

    def _serve(self) -> int:
        settings = self._settings
        check_certificate(settings.server.tls_cert, settings.server.tls_key)
        _check_folder(settings.data)
        raise_file_limit()
        with (
            sole_user(settings) if self._worker else contextlib.nullcontext(()) as locks,
            listening(settings.server.host, settings.server.port) as listener,
            _pipe() as lifeline,
            _pipe() as nudges,
        ):
            bonds = Bonds(lifeline[0], (lifeline[1], *locks), self._signals)
            if not self._prepare(bonds):
                return 0
            children = self._children(listener, nudges)
            announce(settings, listener)
            try:
                self._tend(children, bonds)
            except CannotStart:
                self._leave(children)
                raise
            return self._leave(children)

    def _prepare(self, bonds: Bonds) -> bool:
        """In a child of its own, so that nothing of it stays in the parent. False where we are told to stop."""
        child = Child("prepare", lambda ready: prepare(self._settings, worker=self._worker))
        start(child, bonds)
        while child.pid is not None:
            if (got := signal.sigwaitinfo(self._signals)).si_signo != signal.SIGCHLD:
                log.info("event=stopped signal=%s", signal.Signals(got.si_signo).name)
                kill_all([child])
                return False
            for _, fall in reaped([child]):
                if fall.code != 0:
                    raise fall.cause or CannotStart(
                        "The data folder could not be made ready; the lines above say why.", machine=True
                    )
        return True

    def _children(self, listener: socket.socket, nudges: tuple[int, int]) -> list[Child]:
        from . import api, worker  # before the first fork: the children share what is loaded here

        settings = self._settings
        drain_s = settings.worker.drain_timeout_s + settings.callbacks.timeout_s  # films first, then what they cause
        children = [
            Child(
                "api",
                lambda ready: api.main(settings, listener, nudges[1], ready, worker=self._worker),
                api.CLOSE_S + _LEAVE_S,
            )
        ]
        if self._worker:
            children.append(Child("runner", lambda ready: worker.main(settings, nudges[0], ready), drain_s + _LEAVE_S))
        return children

    def _tend(self, children: list[Child], bonds: Bonds) -> None:
        """Until somebody asks us to stop. Raises CannotStart for a child that cannot be brought to life."""
        while True:
            now = time.monotonic()
            for child in children:
                if child.pid is None and child.due <= now:
                    start(child, bonds)
            waits = [child.due - now for child in children if child.pid is None]
            got = (
                signal.sigtimedwait(self._signals, max(0.01, min(waits)))
                if waits
                else signal.sigwaitinfo(self._signals)
            )
            if got is not None and got.si_signo != signal.SIGCHLD:
                log.info("event=drain signal=%s", signal.Signals(got.si_signo).name)
                return
            for child, fall in reaped(children):
                check_hope(child, fall)
                note_fall(child, fall)

    def _leave(self, children: list[Child]) -> int:
        """The runner drains while the API still answers; then the API goes. A second signal ends all at once."""
        for child in reversed(children):
            if not dismiss(children, child, self._signals):
                kill_all(children)
                return 1
        return 0


def _waited_for() -> frozenset[signal.Signals]:
    """What ends us, and the death of a child. Under nohup, the end of the terminal is not meant for us."""
    signals = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
    return frozenset(signals if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else {*signals, signal.SIGHUP})


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
def _pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)
