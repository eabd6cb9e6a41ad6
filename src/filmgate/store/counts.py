"""Sums over the tables, for whoever watches the server.

What grows for ever is never summed up twice: entries of the ledger and deliveries are only added, in the order of their
ids, so that each is counted when it is seen for the first time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, literal_column, select, union_all

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
_LEDGER = (
    select(ledger.c.kind, func.sum(ledger.c.credits), func.max(ledger.c.id))
    .where(ledger.c.id > bindparam("of_seen"))
    .group_by(ledger.c.kind)
)
_HUNDREDS = deliveries.c.status.op("/")(literal_column("100"))  # of whole numbers: the rest is dropped
_DELIVERIES = (
    select(_HUNDREDS, func.count(), func.max(deliveries.c.id))
    .where(deliveries.c.id > bindparam("of_seen"))
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
class SqlCounts:
    database: Database
    clock: Clock
    _seen_entry: int = 0
    _seen_delivery: int = 0
    _entries: Counter[str] = field(default_factory=Counter)
    _deliveries: Counter[str] = field(default_factory=Counter)

    async def counts(self) -> Counts:
        return await self.database.read_aside(self._count)

    def _count(self, connection: Connection) -> Counts:
        now = self.clock.now_ms()
        live = connection.execute(_TASKS).all()
        oldest = connection.execute(_OLDEST).scalar_one()
        self._add_entries(connection)
        self._add_deliveries(connection)
        return Counts(
            tasks={(row[0], row[1]): row[2] for row in live},
            oldest_s=max(0.0, (now - oldest) / 1000) if oldest is not None else 0.0,
            owed=connection.execute(_OWED).scalar_one(),
            workers=connection.execute(_WORKERS, {"of_now": now}).scalar_one(),
            credits=self._credits(sum(row[3] for row in live)),
            deliveries=dict(self._deliveries),
        )

    def _credits(self, outstanding: int) -> Mapping[str, int]:
        """What was held and neither given back nor is still held has been charged."""
        held, refunded = -self._entries["hold"], self._entries["refund"]
        charged = held - refunded - outstanding
        return {"granted": self._entries["grant"], "held": held, "refunded": refunded, "charged": charged}

    def _add_entries(self, connection: Connection) -> None:
        for kind, credits, newest in connection.execute(_LEDGER, {"of_seen": self._seen_entry}).all():
            self._entries[kind] += int(credits)
            self._seen_entry = max(self._seen_entry, newest)

    def _add_deliveries(self, connection: Connection) -> None:
        for kind, count, newest in connection.execute(_DELIVERIES, {"of_seen": self._seen_delivery}).all():
            self._deliveries["none" if kind is None else f"{int(kind)}xx"] += count
            self._seen_delivery = max(self._seen_delivery, newest)
