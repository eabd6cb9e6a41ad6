"""What ran where for a task: for the operator, and for what goes on elsewhere after its task has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, select, update

from ..domain.task import Run
from .database import Database
from .rows import json_text
from .schema import runs

_OF_TASK = select(runs).where(runs.c.task_id == bindparam("of_task")).order_by(runs.c.began_ms, runs.c.attempt)
_ADD = insert(runs)
_CHANGE = update(runs).where(
    runs.c.task_id == bindparam("of_task"),
    runs.c.attempt == bindparam("of_attempt"),
    runs.c.engine == bindparam("of_engine"),
)
_CHANGING = ("ended_ms", "outcome", "upstream_id")


def note_runs(connection: Connection, task_id: str, made: Sequence[Run]) -> None:
    """In the transaction of what has begun or ended them."""
    for run in made:
        row = _row_of(task_id, run)
        whose = {"of_task": task_id, "of_attempt": run.attempt, "of_engine": run.engine}
        if connection.execute(_CHANGE, whose | {name: row[name] for name in _CHANGING}).rowcount == 0:
            connection.execute(_ADD, row)


def run_of(row: Row[Any]) -> Run:
    return Run(
        attempt=row.attempt,
        engine=row.engine,
        version=row.version,
        worker=row.worker,
        began_ms=row.began_ms,
        ended_ms=row.ended_ms,
        outcome=row.outcome,
        upstream_id=row.upstream_id,
        parameters=msgspec.json.decode(row.parameters, type=dict[str, Any]),
    )


def _row_of(task_id: str, run: Run) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "attempt": run.attempt,
        "engine": run.engine,
        "version": run.version,
        "worker": run.worker,
        "began_ms": run.began_ms,
        "ended_ms": run.ended_ms,
        "outcome": run.outcome,
        "upstream_id": run.upstream_id,
        "parameters": json_text(dict(run.parameters)),
    }


class SqlRunStore:
    """The RunStore of ``ports`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def runs(self, task_id: str) -> Sequence[Run]:
        return await self._database.read(
            lambda c: [run_of(row) for row in c.execute(_OF_TASK, {"of_task": task_id}).all()]
        )
