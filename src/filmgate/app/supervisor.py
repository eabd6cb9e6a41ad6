"""`filmgate serve`: one API process and one runner process, and a parent that does nothing but keep them alive.

The parent owns the listening socket, so that connections wait, rather than fail, while an API process is replaced. It
forks (it has no threads and no event loop), so that a child starts with the settings as they were read and with the
modules already loaded. Every child watches the parent: when that is gone, by whatever cause, the child ends at once,
and with a runner its slots.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..settings import Settings
from .parts import prepare, private_folder

log = logging.getLogger("filmgate.serve")

_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
_FIRST_RESTART_S, _LONGEST_RESTART_S = 0.2, 10.0
_STEADY_S = 30.0  #: a child that lived so long is restarted at once
_LEAVE_S = 10.0  #: beyond the drain time-out, until a child that does not leave is killed


@dataclass
class _Child:
    """One of the processes: what it runs, and how its last lives went."""

    name: str
    main: Callable[[], None]
    pid: int | None = None
    born: float = 0.0
    falls: int = 0  #: quick deaths in a row
    due: float = 0.0  #: not started again before


class Supervisor:
    """``run`` returns the exit code: 0 after a drain."""

    def __init__(self, settings: Settings, *, worker: bool = True) -> None:
        self._settings = settings
        self._worker = worker
        self._lifeline: tuple[int, int] = (-1, -1)

    def run(self) -> int:
        with (
            _sole_user(self._settings.data) if self._worker else contextlib.nullcontext(),
            _listening(self._settings) as listener,
            _pipe() as lifeline,
            _pipe() as nudges,
        ):
            self._lifeline = lifeline
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            try:
                if (code := self._prepare()) != 0:
                    return code
                children = self._children(listener, nudges)
                _announce(self._settings, listener)
                self._tend(children)
                return self._leave(children)
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _children(self, listener: socket.socket, nudges: tuple[int, int]) -> list[_Child]:
        from . import api, worker  # before the first fork: the children share what is loaded here

        settings = self._settings
        children = [_Child("api", lambda: api.main(settings, listener, nudges[1], worker=self._worker))]
        if self._worker:
            children.append(_Child("runner", lambda: worker.main(settings, nudges[0])))
        return children

    def _prepare(self) -> int:
        """Database and first key, in a child of its own, so that nothing of it stays in the parent."""
        child = _Child("prepare", lambda: prepare(self._settings))
        self._start(child)
        assert child.pid is not None
        return os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])

    # ------------------------------------------------------------ keeping them alive

    def _tend(self, children: list[_Child]) -> None:
        """Until somebody asks us to stop."""
        while True:
            now = time.monotonic()
            for child in children:
                if child.pid is None and child.due <= now:
                    self._start(child)
            waits = [child.due - now for child in children if child.pid is None]
            got = signal.sigtimedwait(_SIGNALS, max(0.01, min(waits))) if waits else signal.sigwaitinfo(_SIGNALS)
            if got is not None and got.si_signo != signal.SIGCHLD:
                log.info("event=drain signal=%s", signal.Signals(got.si_signo).name)
                return
            for child, code in _reaped(children):
                _fallen(child, code)

    def _leave(self, children: list[_Child]) -> int:
        """The runner drains while the API still answers; then the API goes. A second signal ends all at once."""
        for child in reversed(children):
            if not _dismiss(children, child, self._settings.worker.drain_timeout_s + _LEAVE_S):
                for other in children:
                    if other.pid is not None:
                        os.kill(other.pid, signal.SIGKILL)
                        os.waitpid(other.pid, 0)
                return 1
        return 0

    def _start(self, child: _Child) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        child.born = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _live(child, self._lifeline)
        child.pid = pid


def _live(child: _Child, lifeline: tuple[int, int]) -> None:
    """The whole life of a child, in the child. Never returns into the parent's code."""
    code = 1
    try:
        os.setsid()  # a Ctrl-C reaches the whole terminal; the parent alone decides what it means
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(lifeline[1])
        threading.Thread(target=_follow_parent, args=(lifeline[0],), daemon=True).start()
        child.main()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        log.exception("event=died process=%s", child.name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _follow_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # nobody writes: it returns when the last writer, the parent, is gone
    os._exit(1)


def _reaped(children: list[_Child]) -> Iterator[tuple[_Child, int]]:
    for child in children:
        if child.pid is not None:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                child.pid = None
                yield child, os.waitstatus_to_exitcode(status)


def _fallen(child: _Child, code: int) -> None:
    """Note a death, and when the next life may begin."""
    now = time.monotonic()
    child.falls = 0 if now - child.born > _STEADY_S else child.falls + 1
    wait = min(_LONGEST_RESTART_S, _FIRST_RESTART_S * 2 ** max(0, child.falls - 1)) if child.falls else 0.0
    child.due = now + wait
    log.error("event=restart process=%s exit=%s next_try_in_s=%.1f", child.name, code, wait)


def _dismiss(children: list[_Child], child: _Child, patience_s: float) -> bool:
    """Ask a child to go and wait for it. False where it does not go in time, or where somebody is out of patience."""
    if child.pid is None:
        return True
    os.kill(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while child.pid is not None:
        got = signal.sigtimedwait(_SIGNALS, max(0.0, deadline - time.monotonic()))
        if got is None or got.si_signo != signal.SIGCHLD:
            return False
        for _ in _reaped(children):
            pass
    return True


class DataInUse(Exception):
    """Another server with a worker uses the data directory."""


@contextlib.contextmanager
def _sole_user(data: Path) -> Iterator[None]:
    """Hold the data directory against a second server, which would take the first one's tasks for left behind."""
    private_folder(data)
    with (data / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataInUse(
                f"Another `filmgate serve` uses {data}: stop it, give this one a folder of its own with --data, "
                "or start it with --no-worker."
            ) from None
        yield


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket. Raises OSError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in settings.server.host else socket.AF_INET
    with socket.create_server((settings.server.host, settings.server.port), family=family, backlog=2048) as listener:
        yield listener


def _announce(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.server.tls_cert else "http"
    shown = f"[{host}]" if ":" in host else host
    print(f"Filmgate listens on {scheme}://{shown}:{port} (Ctrl-C stops it; data in {settings.data})", flush=True)
