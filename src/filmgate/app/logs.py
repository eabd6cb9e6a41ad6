"""Logs: one line an event on standard error, with the process's name."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable


def start_logging(process: str) -> None:
    """Once in each process. Lines read: time, level, process, "task=... event=..."."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format=f"%(asctime)s %(levelname)s {process} %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
        force=True,
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("httpcore2").setLevel(logging.WARNING)


class Seldom:
    """Warns at most once in a while of what may happen thousands of times a second."""

    def __init__(
        self, log: logging.Logger, period_s: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._period_s = period_s
        self._monotonic = monotonic
        self._next = 0.0

    def warning(self, message: str, *args: object) -> None:
        now = self._monotonic()
        if now >= self._next:
            self._next = now + self._period_s
            self._log.warning(message, *args)
