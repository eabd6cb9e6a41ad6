"""The clock of the database's server, as it goes in a process of another machine.

On several machines there are several clocks, and a lease that one of them gave would be over early, or never, by the
clock of another. So all of them go by the server's: each process measures how far the server's is ahead of a clock of
its own that is never set, at its start and again and again, and reckons with that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import Connection, text

from .database import Database, DatabaseUnavailable

log = logging.getLogger("filmgate.store")

EVERY_S = 10.0
_TRIES = 3  #: of which the quickest counts
_SLACK_NS = 20_000_000  #: so much a measurement may be off: the clock is not set for less

_NOW = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  #: goes on while the machine sleeps


def steady_ns() -> int:
    return time.clock_gettime_ns(_STEADY)


class ServerClock:
    """``ports.Clock`` by the server's time."""

    def __init__(self, ahead_ns: int, steady: Callable[[], int] = steady_ns) -> None:
        self._ahead_ns = ahead_ns
        self._steady = steady

    def now_ms(self) -> int:
        return (self._steady() + self._ahead_ns) // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def set(self, ahead_ns: int) -> None:
        """A difference that the measurement itself may have made is passed over: then time never goes back."""
        if abs(ahead_ns - self._ahead_ns) > _SLACK_NS:
            log.warning("event=clock_set by_ms=%d", (ahead_ns - self._ahead_ns) // 1_000_000)
            self._ahead_ns = ahead_ns


@asynccontextmanager
async def server_time(database: Database) -> AsyncIterator[ServerClock]:
    """A clock that follows the server's."""
    clock = ServerClock(await database.read(ahead_ns))
    following = asyncio.create_task(_follow(clock, database), name="server time")
    try:
        yield clock
    finally:
        following.cancel()


async def _follow(clock: ServerClock, database: Database) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            clock.set(await database.read(ahead_ns))
        except DatabaseUnavailable:
            continue  # the next measurement is not far


def ahead_ns(connection: Connection) -> int:
    """How far the server's clock is ahead of our steady one."""
    measured = []
    for _ in range(_TRIES):
        before = steady_ns()
        at_us = connection.execute(_NOW).scalar_one()
        took = steady_ns() - before
        measured.append((took, at_us * 1000 - before - took // 2))
    return int(min(measured)[1])
