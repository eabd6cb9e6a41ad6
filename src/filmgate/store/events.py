"""What has happened to a task, step by step: for those who watch it, and for those who come back to watch it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, literal_column, select

from ..domain.task import Status
from ..ports import TaskEvent
from .database import Database
from .schema import task_events, tasks

_LAST = select(func.max(task_events.c.number)).where(task_events.c.task_id == tasks.c.id).correlate(tasks)
#: Nothing new since the last event of the task: a lease was renewed, and that is all.
_SAME = exists().where(
    task_events.c.task_id == tasks.c.id,
    task_events.c.number == _LAST.scalar_subquery(),
    task_events.c.status == tasks.c.status,
    task_events.c.progress == tasks.c.progress,
    task_events.c.stage == tasks.c.stage,
)
_COLUMNS = ["task_id", "number", "at_ms", "status", "progress", "stage"]
_NOTE = insert(task_events).from_select(
    _COLUMNS,
    select(
        tasks.c.id,
        func.coalesce(_LAST.scalar_subquery(), literal_column("0")) + 1,
        bindparam("of_now"),
        tasks.c.status,
        tasks.c.progress,
        tasks.c.stage,
    ).where(tasks.c.id.in_(bindparam("of_ids", expanding=True)), ~_SAME),
)
_SINCE = (
    select(task_events)
    .where(task_events.c.task_id == bindparam("of_task"), task_events.c.number > bindparam("of_number"))
    .order_by(task_events.c.number)
    .limit(bindparam("of_limit"))
)


def note_events(connection: Connection, task_ids: Sequence[str], now_ms: int) -> None:
    """Where these tasks stand now, as their next events: in the transaction of what has brought them there.

    That a task was created is no row: it is known from the task itself, and orders are to be cheap.
    """
    if task_ids:
        connection.execute(_NOTE, {"of_ids": list(task_ids), "of_now": now_ms})


class SqlEventStore:
    """The EventStore of ``ports`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, task_id: str, number: int, limit: int) -> Sequence[TaskEvent]:
        values = {"of_task": task_id, "of_number": number, "of_limit": limit}
        return await self._database.read(lambda c: [_event_of(row) for row in c.execute(_SINCE, values)])


def _event_of(row: Row[Any]) -> TaskEvent:
    return TaskEvent(row.number, row.at_ms, Status(row.status), float(row.progress), row.stage)
