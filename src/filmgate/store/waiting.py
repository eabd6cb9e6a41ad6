"""Tasks that engines elsewhere work on: who looks after them, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Float, bindparam, case, func, select, update

from ..domain.errors import LeaseLost
from ..domain.task import Lease, Run, Status, Task
from ..ports import Clock, Progress
from . import moves
from .database import Database
from .events import note_events
from .moves import in_state
from .rows import task_of
from .runs import note_runs, run_of
from .schema import runs, tasks

_COUNTS = select(tasks.c.engine, func.count()).where(in_state(Status.WAITING)).group_by(tasks.c.engine)
_NEXT = select(func.min(tasks.c.run_at_ms)).where(
    in_state(Status.WAITING), tasks.c.engine.in_(bindparam("of_engines", expanding=True))
)
_PROGRESS = moves.LOOK_AGAIN.values(
    progress=case(
        (bindparam("of_fraction", type_=Float) >= tasks.c.progress, bindparam("of_fraction", type_=Float)),
        else_=tasks.c.progress,
    ),
    stage=case((bindparam("of_fraction", type_=Float) >= tasks.c.progress, bindparam("of_stage")), else_=tasks.c.stage),
)
_ENDED = in_state(Status.SUCCEEDED, Status.REJECTED, Status.FAILED)
_ABANDONED = (
    select(runs)
    .join(tasks, tasks.c.id == runs.c.task_id)
    .where(runs.c.ended_ms.is_(None), runs.c.engine.in_(bindparam("of_engines", expanding=True)), _ENDED)
    .limit(bindparam("of_limit"))
)
_ABANDON = update(runs).where(
    runs.c.task_id == bindparam("of_task"),
    runs.c.attempt == bindparam("of_attempt"),
    runs.c.engine == bindparam("of_engine"),
    runs.c.ended_ms.is_(None),
)


class SqlWaitingStore:
    """The WaitingStore of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def hand_over(self, lease: Lease, run_at_ms: int) -> Task:
        whose = {"of_id": lease.task.id, "of_owner": lease.owner, "of_attempt": lease.attempt}

        def work(connection: Connection) -> Task:
            row = connection.execute(moves.HAND_OVER, whose | {"run_at_ms": run_at_ms}).one_or_none()
            if row is None:
                raise LeaseLost
            note_events(connection, [row.id], self._clock.now_ms())
            return task_of(row)

        return await self._database.write(work)

    async def take(self, engines: Sequence[str], hold_ms: int, limit: int) -> Sequence[Task]:
        now = self._clock.now_ms()
        values = {"of_now": now, "of_engines": list(engines), "of_limit": limit, "run_at_ms": now + hold_ms}
        return await self._database.write(lambda c: [task_of(row) for row in c.execute(moves.LOOK, values).all()])

    async def look_again(self, task: Task, run_at_ms: int, progress: Progress | None = None) -> None:
        values: dict[str, Any] = {"of_id": task.id, "of_look": task.run_at_ms, "run_at_ms": run_at_ms}

        def work(connection: Connection) -> None:
            if progress is None:
                connection.execute(moves.LOOK_AGAIN, values)
                return
            seen = {"of_fraction": progress.fraction, "of_stage": progress.stage}
            if connection.execute(_PROGRESS, values | seen).one_or_none() is not None:
                note_events(connection, [task.id], self._clock.now_ms())

        await self._database.write(work)

    async def collect(self, task: Task, owner: str, lease_ms: int) -> Lease:
        values = {
            "of_id": task.id,
            "of_look": task.run_at_ms,
            "owner": owner,
            "lease_until_ms": self._clock.now_ms() + lease_ms,
        }

        def work(connection: Connection) -> Lease:
            row = connection.execute(moves.COLLECT, values).one_or_none()
            if row is None:
                raise LeaseLost
            note_events(connection, [row.id], self._clock.now_ms())
            return Lease(task_of(row), owner, row.attempt)

        return await self._database.write(work)

    async def counts(self) -> Mapping[str, int]:
        return await self._database.read(lambda c: {row[0]: row[1] for row in c.execute(_COUNTS).all()})

    async def next_look(self, engines: Sequence[str]) -> float | None:
        values = {"of_engines": list(engines)}
        due_ms = await self._database.read(lambda c: c.execute(_NEXT, values).scalar_one())
        return None if due_ms is None else max(0.0, (due_ms - self._clock.now_ms()) / 1000)

    async def note_upstream(self, task_id: str, run: Run) -> None:
        await self._database.write(lambda c: note_runs(c, task_id, [run]))

    async def abandoned(self, engines: Sequence[str], limit: int) -> Sequence[tuple[str, Run]]:
        asked = {"of_engines": list(engines), "of_limit": limit}
        if not await self._database.read(lambda c: c.execute(_ABANDONED, asked | {"of_limit": 1}).all()):
            return []

        def work(connection: Connection) -> Sequence[tuple[str, Run]]:
            ours = []
            for row in connection.execute(_ABANDONED, asked).all():
                whose = {"of_task": row.task_id, "of_attempt": row.attempt, "of_engine": row.engine}
                ended = {"ended_ms": self._clock.now_ms(), "outcome": "abandoned"}
                if connection.execute(_ABANDON, whose | ended).rowcount == 1:
                    ours.append((row.task_id, run_of(row)))
            return ours

        return await self._database.write(work)
