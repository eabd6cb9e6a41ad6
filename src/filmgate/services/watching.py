"""Whoever watches a worker: all of them hear everything, and by default there is nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from ..domain.breaker import BreakerState
from ..domain.callback import Callback, Delivery
from ..domain.task import Task
from ..ports import Watch


class Watches:
    """Several as one."""

    def __init__(self, watches: Sequence[Watch] = ()) -> None:
        self._watches = watches

    def claimed(self, task: Task, engine: str, waited_s: float) -> None:
        for watch in self._watches:
            watch.claimed(task, engine, waited_s)

    def stage(self, task: Task, engine: str, stage: str, seconds: float) -> None:
        for watch in self._watches:
            watch.stage(task, engine, stage, seconds)

    def ended(self, task: Task, engine: str, outcome: str, seconds: float) -> None:
        for watch in self._watches:
            watch.ended(task, engine, outcome, seconds)

    def breaker(self, engine: str, state: BreakerState) -> None:
        for watch in self._watches:
            watch.breaker(engine, state)

    def told(self, callback: Callback, delivery: Delivery) -> None:
        for watch in self._watches:
            watch.told(callback, delivery)


@contextmanager
def timed(watch: Watch, task: Task, engine: str, stage: str) -> Iterator[None]:
    """A stage of an attempt; one that fails is told too."""
    began = monotonic()
    try:
        yield
    finally:
        watch.stage(task, engine, stage, monotonic() - began)
