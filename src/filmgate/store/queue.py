"""The queue as a whole, for forecasts: what waits, what runs, and how long such tasks have taken of late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select

from ..domain.forecast import Queue, Running, Share, Size, Waiting, mean_paces
from ..domain.task import Status
from ..ports import Clock
from .database import Database
from .moves import in_state
from .rows import spec_of
from .schema import accounts, tasks

_LATELY = 200  #: ended tasks that paces are taken from

_WAITING = (
    select(tasks.c.id, tasks.c.account_id, tasks.c.spec, tasks.c.run_at_ms)
    .where(in_state(Status.QUEUED))
    .order_by(tasks.c.priority.desc(), tasks.c.created_ms, tasks.c.id)
    .limit(bindparam("of_limit"))
)
_RUNNING = select(tasks.c.id, tasks.c.account_id, tasks.c.spec, tasks.c.started_ms, tasks.c.progress).where(
    in_state(Status.RUNNING, Status.WAITING)
)
_SHARES = select(accounts.c.id, accounts.c.weight, accounts.c.served)
_ENDED = (
    select(tasks.c.spec, tasks.c.started_ms, tasks.c.ended_ms, tasks.c.status)
    .where(tasks.c.ended_ms.is_not(None))
    .order_by(tasks.c.ended_ms.desc())
    .limit(_LATELY)
)


class SqlQueueView:
    """The QueueView of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def queue(self, limit: int) -> Queue:
        return await self._database.read_aside(lambda c: _queue(c, limit, self._clock.now_ms()))


def _queue(connection: Connection, limit: int, now_ms: int) -> Queue:
    waiting = _sized(connection.execute(_WAITING, {"of_limit": limit}))
    running = _sized(connection.execute(_RUNNING))
    ended = _sized(connection.execute(_ENDED))
    return Queue(
        now_ms,
        [Waiting(row.id, row.account_id, size, row.run_at_ms) for row, size in waiting],
        [Running(row.account_id, row.id, size, row.started_ms, float(row.progress)) for row, size in running],
        {row.id: Share(row.weight, row.served) for row in connection.execute(_SHARES)},
        mean_paces((size, row.ended_ms - row.started_ms) for row, size in ended if row.status == Status.SUCCEEDED),
    )


def _sized(rows: Iterable[Row[Any]]) -> Iterator[tuple[Row[Any], Size]]:
    """Without those whose order this version cannot read: they are failed when their turn comes."""
    for row in rows:
        with suppress(msgspec.MsgspecError, ValueError):
            spec = spec_of(row.spec)
            yield row, (spec.model, spec.kind.value, spec.resolution.value, spec.seconds)
