"""Sums over the tables, for whoever watches the server.

What grows for ever is not summed up again and again: entries of the ledger and deliveries are only added. Where there
are several writers one may be seen before another with a lower id; so what is younger than a minute, which is longer
than any transaction takes, is summed up each time, and what is older once and for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, func, literal_column, select, union_all

from ..domain.task import Status
from ..ports import Clock
from .database import Database
from .moves import in_state
from .outbox import PENDING
from .schema import callbacks, deliveries, ledger, tasks, workers


def _count(*statuses: Status) -> Select[Any]:
    return (
        select(tasks.c.model, tasks.c.status, func.count(), func.sum(tasks.c.price))
        .where(in_state(*statuses))
        .group_by(tasks.c.model, tasks.c.status)
    )


#: In two halves, each by an index of its own: together they would go through all tasks that have ever been.
_TASKS = union_all(_count(Status.QUEUED), _count(Status.RUNNING, Status.WAITING))
_OLDEST = select(func.min(tasks.c.created_ms)).where(in_state(Status.QUEUED))
_OWED = select(func.count()).select_from(callbacks).where(PENDING)
_WORKERS = select(func.count()).select_from(workers).where(workers.c.until_ms > bindparam("of_now"))
_YOUNG_MS, _NO_END = 60_000, 2**62
_LEDGER = (
    select(ledger.c.kind, func.sum(ledger.c.credits))
    .where(ledger.c.id >= bindparam("of_first"), ledger.c.id < bindparam("of_end"))
    .group_by(ledger.c.kind)
)
_HUNDREDS = deliveries.c.status.op("/")(literal_column("100"))  # of whole numbers: the rest is dropped
_DELIVERIES = (
    select(_HUNDREDS, func.count())
    .where(deliveries.c.id >= bindparam("of_first"), deliveries.c.id < bindparam("of_end"))
    .group_by(_HUNDREDS)
)


@dataclass(frozen=True)
class Counts:
    """One moment."""

    tasks: Mapping[tuple[str, str], int]  #: (model, status) -> how many that have not ended
    oldest_s: float  #: how long the oldest queued task has waited
    owed: int  #: callbacks that are still to be told
    workers: int
    credits: Mapping[str, int]  #: granted, held, charged, refunded, since ever
    deliveries: Mapping[str, int]  #: "2xx", "4xx", ... or "none" for no answer


@dataclass
class _Sum:
    """Of a table that is only added to, by kind."""

    table: Table
    statement: Select[Any]
    first: int = 0  #: the lowest id that is not summed up for good
    old: dict[Any, int] = field(default_factory=dict)

    def all(self, connection: Connection, now_ms: int) -> dict[Any, int]:
        ids = self.table.c.id
        young = select(func.min(ids)).where(ids >= self.first, self.table.c.at_ms >= now_ms - _YOUNG_MS)
        end = connection.execute(young).scalar_one()
        if end is None:
            end = 1 + (connection.execute(select(func.max(ids))).scalar_one() or 0)
        self.old = self._with(connection, self.first, end)
        self.first = max(self.first, end)
        return self._with(connection, self.first, _NO_END)

    def _with(self, connection: Connection, first: int, end: int) -> dict[Any, int]:
        """And those between these ids."""
        sums = dict(self.old)
        for kind, amount in connection.execute(self.statement, {"of_first": first, "of_end": end}):
            sums[kind] = sums.get(kind, 0) + int(amount)
        return sums


@dataclass
class SqlCounts:
    database: Database
    clock: Clock
    _ledger: _Sum = field(default_factory=lambda: _Sum(ledger, _LEDGER))
    _deliveries: _Sum = field(default_factory=lambda: _Sum(deliveries, _DELIVERIES))

    async def counts(self) -> Counts:
        return await self.database.read_aside(self._count)

    def _count(self, connection: Connection) -> Counts:
        now = self.clock.now_ms()
        live = connection.execute(_TASKS).all()
        oldest = connection.execute(_OLDEST).scalar_one()
        told = self._deliveries.all(connection, now)
        return Counts(
            tasks={(row[0], row[1]): row[2] for row in live},
            oldest_s=max(0.0, (now - oldest) / 1000) if oldest is not None else 0.0,
            owed=connection.execute(_OWED).scalar_one(),
            workers=connection.execute(_WORKERS, {"of_now": now}).scalar_one(),
            credits=_credits(self._ledger.all(connection, now), sum(int(row[3]) for row in live)),
            deliveries={"none" if kind is None else f"{int(kind)}xx": count for kind, count in told.items()},
        )


def _credits(entries: Mapping[str, int], outstanding: int) -> Mapping[str, int]:
    """What was held and neither given back nor is still held has been charged."""
    held, refunded = -entries.get("hold", 0), entries.get("refund", 0)
    charged = held - refunded - outstanding
    return {"granted": entries.get("grant", 0), "held": held, "refunded": refunded, "charged": charged}
