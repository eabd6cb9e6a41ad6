"""The parent of `filmgate serve` and of `filmgate worker`: it does nothing but keep its processes alive.

It owns the listening socket, so that connections wait, rather than fail, while an API process is replaced. It
forks (it has no threads and no event loop), so that a child starts with the settings as they were read and with the
modules already loaded. Every child watches the parent: when that is gone, by whatever cause, the child ends at once,
and with a runner its slots.
"""

from __future__ import annotations

import logging
import signal
import time
from contextlib import AbstractContextManager

from ..settings import Settings
from .children import Bonds, Child, check_hope, dismiss, kill_all, note_fall, reaped, start
from .households import Household, pipe
from .logs import start_logging
from .refusal import CannotStart

log = logging.getLogger("filmgate.serve")


class Supervisor:
    """``run`` returns the exit code: 0 after a drain. ``household`` is entered before anything is started."""

    def __init__(self, settings: Settings, household: AbstractContextManager[Household]) -> None:
        self._settings = settings
        self._household = household
        self._signals = _waited_for()

    def run(self) -> int:
        """Raises CannotStart, and then nothing is left running."""
        start_logging("serve", self._settings.log)
        signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)  # from now on they are read where we wait
        try:
            with self._household as household, pipe() as lifeline:
                return self._keep(household, Bonds(lifeline[0], (lifeline[1], *household.locks), self._signals))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._signals)

    def _keep(self, household: Household, bonds: Bonds) -> int:
        if not self._prepare(household, bonds):
            return 0
        children = household.children()
        household.announce()
        try:
            self._tend(children, bonds)
        except CannotStart:
            self._leave(children)
            raise
        return self._leave(children)

    def _prepare(self, household: Household, bonds: Bonds) -> bool:
        """In a child of its own, so that nothing of it stays in the parent. False where we are told to stop."""
        child = Child("prepare", lambda ready: household.make_ready())
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
