"""The engines whose films are made elsewhere, as one worker sees them: whether they are well, how much may be sent to
them, and what they say. Nothing of a task is kept here."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import TypeVar

from ..domain.backoff import doubling
from ..domain.breaker import Breaker, BreakerState
from ..domain.errors import (
    FULL_DISK,
    Breakdown,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    OrderUnclear,
    StorageUnavailable,
    TaskError,
    is_full_disk,
)
from ..ports import Clip, Polled, RemoteEngine, RemoteJob

log = logging.getLogger("filmgate.remotes")

T = TypeVar("T")
_MINUTE_S = 60.0
_SOONEST_S, _LATEST_S = 0.05, 300.0  #: between two looks, whatever the other side says
_LONGEST_MISS_S = 60.0


@dataclass(frozen=True)
class RemoteLimits:
    """Of one engine; each is a setting, but for the patience."""

    concurrency: int = 10
    starts_per_minute: int = 0  #: 0 is no limit
    within_s: float = 3600.0
    poll_s: float = 5.0  #: between two looks, where the other side does not say
    faults_to_rest: int = 5
    rest_s: float = 30.0
    start_s: float = 120.0  #: patience with one order, its images included
    look_s: float = 25.0  #: with one look
    collect_s: float = 900.0  #: with one download


@dataclass
class _Line:
    """One engine and what is known of it."""

    engine: RemoteEngine
    limits: RemoteLimits
    breaker: Breaker
    starts: deque[float]  #: of the last minute


class Remotes:
    """By the names that routes have for them."""

    def __init__(
        self,
        engines: Mapping[str, RemoteEngine] = MappingProxyType({}),
        limits: Mapping[str, RemoteLimits] = MappingProxyType({}),
        changed: Callable[[str, BreakerState], None] = lambda name, state: None,
    ) -> None:
        self._lines = {name: _line(engine, limits.get(name, RemoteLimits())) for name, engine in engines.items()}
        self._changed = changed
        self._waiting: Mapping[str, int] = {}
        self._pledged: Counter[str] = Counter()  #: orders of ours that are on their way

    async def open(self) -> None:
        """Raises EngineUnavailable."""
        await asyncio.gather(*(line.engine.open() for line in self._lines.values()))
        for name in self._lines:
            self._changed(name, BreakerState.CLOSED)

    async def close(self) -> None:
        await asyncio.gather(*(line.engine.close() for line in self._lines.values()))

    @property
    def names(self) -> Sequence[str]:
        return list(self._lines)

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    # ------------------------------------------------------------ health and room

    def rests(self, name: str) -> bool:
        """Whether it is left alone for a while."""
        return name in self._lines and self._lines[name].breaker.rests(monotonic())

    def resting(self) -> Sequence[str]:
        return [name for name in self._lines if self.state(name) is not BreakerState.CLOSED]

    def state(self, name: str) -> BreakerState:
        return self._lines[name].breaker.state(monotonic())

    def counted(self, waiting: Mapping[str, int]) -> None:
        """So many films are made by each, for all workers."""
        self._waiting = waiting

    def has_room(self, name: str, claimed: int = 0) -> bool:
        """Whether one more order may be sent to it now, beside so many of ours that go to it or are on their way."""
        line, pledged = self._lines[name], self._pledged[name]
        coming = max(0, claimed - pledged)
        busy = self._waiting.get(name, 0) + pledged + coming
        return not self.rests(name) and busy < line.limits.concurrency and _paced(line, coming)

    def pledge(self, name: str) -> bool:
        """Keep a place for an order, until ``release``; False where there is none."""
        if not self.has_room(name):
            return False
        self._pledged[name] += 1
        self._lines[name].starts.append(monotonic())
        return True

    def release(self, name: str, *, handed_over: bool) -> None:
        self._pledged[name] -= 1
        if handed_over:
            self._waiting = {**self._waiting, name: self._waiting.get(name, 0) + 1}

    def within_s(self, name: str) -> float:
        return self._lines[name].limits.within_s

    def first_look_s(self, name: str) -> float:
        """Seconds after which a film may be there at the earliest: upstreams that answer from a store have it soon."""
        return min(1.0, self._lines[name].limits.poll_s)

    def next_look_s(self, name: str, polled: Polled | None, misses: int = 0) -> float:
        """As the other side says, within reason; later and later where it did not answer."""
        poll_s = self._lines[name].limits.poll_s
        if polled is None:
            return doubling(poll_s, misses, _LONGEST_MISS_S)
        return poll_s if polled.again_s is None else min(max(polled.again_s, _SOONEST_S), _LATEST_S)

    # ------------------------------------------------------------ what is asked of them

    async def start(self, name: str, job: RemoteJob) -> str:
        """Its id there. Raises EngineUnavailable where nothing may be sent to it, OrderUnclear where nobody can know
        whether it was taken, and what the engine raises."""
        line = self._lines[name]
        if self.rests(name):
            raise EngineUnavailable(f"The engine {name} has failed too often, and is left alone for a while.")
        self._turn(name, line.breaker.sent(monotonic()))
        try:
            upstream_id = await self._told(name, line.engine.start(job), _patience_s(line))
        except EngineTimeout as error:
            if line.engine.capabilities().starts_once:
                raise
            raise OrderUnclear from error
        except asyncio.CancelledError:
            self._turn(name, line.breaker.unsent())
            raise
        self._turn(name, line.breaker.accepted())
        return upstream_id

    async def poll(self, name: str, upstream_id: str) -> Polled:
        line = self._lines[name]
        return await self._told(name, line.engine.poll(upstream_id), line.limits.look_s)

    async def collect(self, name: str, upstream_id: str, into: Path) -> Clip:
        line = self._lines[name]
        clip = await self._told(name, line.engine.collect(upstream_id, into), line.limits.collect_s)
        if not clip.path.is_relative_to(into):
            raise EngineFailed(f"The engine {name} left its film outside the folder that it was given.")
        self._turn(name, line.breaker.good())
        return clip

    async def cancel(self, name: str, upstream_id: str) -> None:
        """Silent: nobody waits for it."""
        line = self._lines[name]
        try:
            async with asyncio.timeout(line.limits.look_s):
                await line.engine.cancel(upstream_id)
        except Exception as error:
            log.warning("engine=%s event=not_cancelled %s", name, _said(error))

    async def check(self, name: str) -> str:
        """Whether it would serve us: what it answered. Raises EngineUnavailable."""
        try:
            async with asyncio.timeout(self._lines[name].limits.look_s):
                return await self._lines[name].engine.check()
        except TimeoutError as error:
            raise EngineUnavailable(f"The engine {name} did not answer in time.") from error

    async def _told(self, name: str, asked: Awaitable[T], patience_s: float) -> T:
        """What it says, in time; whatever is no TaskError is its own bug, which the log has, and its owner has not."""
        line = self._lines[name]
        try:
            async with asyncio.timeout(patience_s):
                return await asked
        except TimeoutError as error:
            self._turn(name, line.breaker.fault(monotonic()))
            raise EngineTimeout(f"The engine {name} did not answer within {patience_s:.0f} s.") from error
        except Breakdown:
            self._turn(name, line.breaker.fault(monotonic()))
            raise
        except TaskError:
            self._turn(name, line.breaker.good())
            raise
        except Exception as error:
            if is_full_disk(error):  # ours: it has done nothing wrong
                raise StorageUnavailable(FULL_DISK) from error
            log.error("engine=%s event=engine_raised %s", name, _said(error))
            self._turn(name, line.breaker.fault(monotonic()))
            raise EngineTimeout(f"The engine {name} failed unexpectedly; the log has more.") from error

    def _turn(self, name: str, breaker: Breaker) -> None:
        line, now = self._lines[name], monotonic()
        before, line.breaker = line.breaker.state(now), breaker
        if (after := breaker.state(now)) is not before:
            log.warning("engine=%s event=breaker state=%s faults=%s", name, after, breaker.faults)
            self._changed(name, after)


def _paced(line: _Line, coming: int) -> bool:
    while line.starts and line.starts[0] <= monotonic() - _MINUTE_S:
        line.starts.popleft()
    most = line.limits.starts_per_minute
    return most == 0 or len(line.starts) + coming < most


def _line(engine: RemoteEngine, limits: RemoteLimits) -> _Line:
    return _Line(engine, limits, Breaker(limits.faults_to_rest, limits.rest_s), deque())


def _patience_s(line: _Line) -> float:
    """With an order. Who keeps to a time of its own says itself what a late answer means."""
    return max(line.limits.start_s, line.engine.capabilities().answers_within_s + 1)


def _said(error: Exception) -> str:
    """Its kind and where it came from, without its words: those may hold an address, or a key."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"
