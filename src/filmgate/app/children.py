"""The child processes of `serve`: forked, listened to, counted, and asked to go."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .refusal import CannotStart, refusal

log = logging.getLogger("filmgate.serve")

_FIRST_RESTART_S, _LONGEST_RESTART_S = 0.2, 10.0
_STEADY_S = 30.0  #: a child that lived so long is restarted at once
_TRIES = 4  #: for a child that has never been ready
_READY = b"ready\n"


@dataclass
class Child:
    """One of the processes: what it runs, and how its last lives went. ``main`` calls its argument once it is ready."""

    name: str
    main: Callable[[Callable[[], None]], None]
    patience_s: float = 10.0  #: from being asked to go until it is killed
    pid: int | None = None
    ear: int = -1  #: where the child says that it is ready, or why it is not
    born: float = 0.0
    ready: bool = False  #: in this life or one before
    falls: int = 0  #: quick deaths in a row, or deaths before it was ready
    due: float = 0.0  #: not started again before


@dataclass(frozen=True)
class Bonds:
    """What a child inherits, and what it must not keep."""

    lifeline: int  #: a pipe's end that says nothing until the parent is gone
    parents: Sequence[int]  #: descriptors that are the parent's alone: while they are open, it counts as alive
    signals: frozenset[signal.Signals]  #: blocked in the parent


@dataclass(frozen=True)
class Fall:
    """How a life ended."""

    code: int
    cause: CannotStart | None = None


# ---------------------------------------------------------------- in the child ------------------------------------


@dataclass
class _Voice:
    """The child's end of the pipe to its parent."""

    pipe: int
    is_ready: bool = field(default=False)

    def ready(self) -> None:
        self.is_ready = True
        os.write(self.pipe, _READY)

    def explain(self, name: str, error: BaseException) -> None:
        """To the parent where the operator can mend it; to the log where it is a bug, or came in mid-work."""
        cause = None if self.is_ready else refusal(error)
        if cause is None:
            log.error("event=died process=%s", name, exc_info=error)
        else:
            os.write(self.pipe, cause.to_line())


def _live(child: Child, bonds: Bonds, voice: _Voice) -> None:
    """The whole life of a child. Never returns into the parent's code."""
    code = 1
    try:
        os.setsid()  # a Ctrl-C reaches the whole terminal; the parent alone decides what it means
        for descriptor in bonds.parents:
            os.close(descriptor)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, bonds.signals)
        threading.Thread(target=_follow_parent, args=(bonds.lifeline,), daemon=True).start()
        child.main(voice.ready)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException as error:
        voice.explain(child.name, error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _follow_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # nobody writes: it returns when the last writer, the parent, is gone
    os._exit(1)


# ---------------------------------------------------------------- in the parent -----------------------------------


def start(child: Child, bonds: Bonds) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    child.born = time.monotonic()
    ear, mouth = os.pipe()
    pid = os.fork()
    if pid == 0:
        _live(child, bonds, _Voice(mouth))
    os.close(mouth)
    child.pid, child.ear = pid, ear


def reaped(children: Sequence[Child]) -> Iterator[tuple[Child, Fall]]:
    """Those that have died since the last look."""
    for child in children:
        if child.pid is not None:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                child.pid = None
                yield child, Fall(os.waitstatus_to_exitcode(status), _last_words(child))


def _last_words(child: Child) -> CannotStart | None:
    os.set_blocking(child.ear, False)
    with os.fdopen(child.ear, "rb") as ear:
        lines = (ear.read() or b"").splitlines(keepends=True)
    child.ready = child.ready or _READY in lines
    causes = [line for line in lines if line != _READY]
    return CannotStart.from_line(causes[-1]) if causes else None


def check_hope(child: Child, fall: Fall) -> None:
    """Raises CannotStart for a child that was never ready, and will not be if it is only started again."""
    if child.ready or (child.falls + 1 < _TRIES and (fall.cause is None or fall.cause.passing)):
        return
    raise fall.cause or CannotStart(
        f"The {child.name} process died {child.falls + 1} times before it was ready (exit code {fall.code}); "
        "the lines above say why.",
        machine=True,
    )


def note_fall(child: Child, fall: Fall) -> None:
    """When the next life may begin."""
    now = time.monotonic()
    steady = child.ready and now - child.born > _STEADY_S
    child.falls = 0 if steady else child.falls + 1
    wait = min(_LONGEST_RESTART_S, _FIRST_RESTART_S * 2 ** (child.falls - 1)) if child.falls else 0.0
    child.due = now + wait
    why = fall.cause or ""
    log.error("event=restart process=%s exit=%s next_try_in_s=%.1f %s", child.name, fall.code, wait, why)


def dismiss(children: Sequence[Child], child: Child, signals: frozenset[signal.Signals]) -> bool:
    """Ask a child to go and wait for it. False where it does not go in time, or where somebody is out of patience."""
    if child.pid is None:
        return True
    os.kill(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + child.patience_s
    while child.pid is not None:
        got = signal.sigtimedwait(signals, max(0.0, deadline - time.monotonic()))
        if got is None or got.si_signo != signal.SIGCHLD:
            return False
        for _ in reaped(children):
            pass
    return True


def kill_all(children: Sequence[Child]) -> None:
    for child in children:
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
