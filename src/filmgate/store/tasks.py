"""The queue: tasks, the leases on them, and everything that must change together with their state."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from ..domain.audit import Note
from ..domain.callback import CallbackState
from ..domain.credits import NO_CAPS, Caps
from ..domain.errors import (
    AttemptsUsedUp,
    Cancelled,
    Conflict,
    DeadlinePassed,
    LeaseLost,
    Rejection,
    TaskError,
    TaskNotFound,
)
from ..domain.lifecycle import MAX_LOST_LEASES, Event, after, sources
from ..domain.limits import NO_LIMITS, Limits
from ..domain.listing import ANY, Page, Sought
from ..domain.spec import Kind
from ..domain.task import Artifact, Lease, OrderKey, Run, Status, Task
from ..ports import Clock, Progress
from . import claims, listing, moves, order_keys
from .admission import admit, hold_of, release
from .audit import add_note
from .database import Database, Notice, Remembered, Turn
from .events import note_events
from .hot import Hot, together
from .memory import Memory
from .rows import artifacts_text, failed, media_until, row_of, task_of
from .runs import note_runs
from .schema import LIVE_UPGRADE, callbacks, task_state, tasks

log = logging.getLogger("filmgate.store")

_OF_ID = select(tasks).where(tasks.c.id == bindparam("of_id"))
_GET = Hot(_OF_ID)
#: Nobody else may move it until we have.
_GET_LOCKED = _OF_ID.with_for_update()
_STATE = select(task_state.c.state).where(task_state.c.task_id == bindparam("of_id"))
_UPGRADE = select(tasks).where(
    tasks.c.source_id == bindparam("of_source"),
    tasks.c.kind == bindparam("of_kind"),
    tasks.c.result_index == bindparam("of_index"),
    LIVE_UPGRADE,
)
_FAILED_UPGRADE = (
    select(tasks)
    .where(
        tasks.c.source_id == bindparam("of_source"),
        tasks.c.kind == bindparam("of_kind"),
        tasks.c.result_index == bindparam("of_index"),
        tasks.c.status.in_([Status.REJECTED.value, Status.FAILED.value]),
        tasks.c.ended_ms >= bindparam("of_since"),
    )
    .order_by(tasks.c.ended_ms.desc())
    .limit(1)
)
_HELD = select(tasks.c.id, tasks.c.attempt).where(moves.HELD_BY_OWNER)
_ADD = Hot(insert(tasks))
_ADD_STATE = insert(task_state)
_ADD_CALLBACK = insert(callbacks)
_FORWARD = (
    update(tasks)
    .where(moves.in_state(*sources(Event.CLAIM)), tasks.c.run_at_ms > bindparam("of_latest"))
    .values(run_at_ms=bindparam("of_now"))
)
_DUE = select(func.min(tasks.c.run_at_ms)).where(moves.in_state(*sources(Event.CLAIM)))
_heartbeat = lru_cache(maxsize=64)(moves.heartbeat)

_KNOWN = 1024  #: tasks that are remembered: as many as may be asked about at a time

GIVEN_UP = (
    f"The process that was making this film died {MAX_LOST_LEASES} times, so it is not tried again. "
    "Nothing was charged. Try a shorter or smaller film; the server's log has the cause."
)

NOT_BEGUN = (
    "The task waited longer than this server lets tasks wait, and was not begun. Nothing was charged: order it again."
)
NOT_ENDED = (
    "The task took longer than this server lets tasks take, and was given up. Nothing was charged: order it again, or "
    "something shorter or smaller."
)
BY_OPERATOR = "The task was cancelled by the operator of the server."


def random_callback_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class _Known:
    """A task as it was read."""

    row: Any
    task: Task


def _sort(task: Task) -> Remembered:
    return Remembered.ENDED if task.status.ended else Remembered.ROWS


@dataclass(frozen=True, slots=True)
class _Order:
    """A task that is to be stored, and what its being stored depends on."""

    task: Task
    row: dict[str, Any]
    caps: Caps
    key: OrderKey | None
    by: str | None  #: the operator, where it is not its owner who orders


class SqlTaskStore:
    """The TaskStore of ``ports`` over a database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_callback_id: Callable[[], str] = random_callback_id,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_callback_id = new_callback_id
        self._limits = limits
        self._known: Memory[_Known] = Memory(_KNOWN)

    async def submit(
        self, task: Task, caps: Caps = NO_CAPS, order_key: OrderKey | None = None, *, by: str | None = None
    ) -> Task:
        return await self._ordering(self._submit, _Order(task, row_of(task), caps, order_key, by))

    async def submit_once(
        self, task: Task, caps: Caps = NO_CAPS, order_key: OrderKey | None = None, *, by: str | None = None
    ) -> Task:
        return await self._ordering(self._submit_once, _Order(task, row_of(task), caps, order_key, by))

    async def _ordering(self, submit: Callable[[_Order, Connection], Task], order: _Order) -> Task:
        """The unique index knows whether a key is new, whoever else is asking: then the other one's task is ours."""
        try:
            return await self._database.write(partial(submit, order), turn=Turn.ORDERS, notice=Notice.QUEUE)
        except IntegrityError as error:
            task, key = order.task, order.key
            if task.retry_of is not None:
                raise Conflict("This task has been ordered once more already.") from error
            known = None if key is None else await self.ordered(task.origin.account_id, key)
            if known is None:
                raise
            return known

    async def ordered(self, account_id: str, order_key: OrderKey) -> Task | None:
        task_id = await self._database.read(lambda c: order_keys.known(c, account_id, order_key))
        return None if task_id is None else await self.get(task_id, account_id)

    async def forget_order_keys(self, before_ms: int, limit: int) -> int:
        return await self._database.write(lambda c: order_keys.forget(c, before_ms, limit))

    async def upgrade_of(
        self, source_id: str, kind: Kind, index: int, failed_since_ms: int | None = None
    ) -> Task | None:
        live = await self._database.read(lambda c: _live_upgrade(c, source_id, kind, index))
        if live is not None or failed_since_ms is None:
            return live
        of_film = {"of_source": source_id, "of_kind": kind.value, "of_index": index, "of_since": failed_since_ms}
        row = await self._database.read(lambda c: c.execute(_FAILED_UPGRADE, of_film).one_or_none())
        return None if row is None else task_of(row)

    async def get(self, task_id: str, account_id: str | None = None) -> Task:
        kept = self._known.last(task_id)
        if (
            kept is not None
            and account_id in (None, kept.value.task.origin.account_id)
            and kept.holds(self._database.mark(_sort(kept.value.task)))
        ):
            return kept.value.task
        return await self._look(task_id, account_id, None if kept is None else kept.value)

    async def _look(self, task_id: str, account_id: str | None, before: _Known | None) -> Task:
        """The same Task as the last time where its row has not changed: see ``TaskStore.get``.

        Somebody else's is looked up as one that there is not: it is neither decoded nor remembered, so that nothing
        about it can be told by how long that took.
        """
        marks = {of: self._database.mark(of) for of in (Remembered.ROWS, Remembered.ENDED)}
        row = await self._database.read(lambda c: _GET.one(c, {"of_id": task_id}))
        if row is None or account_id not in (None, row.account_id):
            raise TaskNotFound
        known = before if before is not None and before.row == row else _Known(row, task_of(row))
        self._known.keep(task_id, known, marks[_sort(known.task)])
        return known.task

    async def state_of(self, task_id: str) -> bytes:
        state = await self._database.read(lambda c: c.execute(_STATE, {"of_id": task_id}).scalar_one_or_none())
        if state is None:
            raise TaskNotFound
        return bytes(state)

    async def list(
        self,
        *,
        account_id: str | None = None,
        sought: Sought = ANY,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Task]:
        asked = partial(listing.newest, account_id=account_id, sought=sought, before=before, limit=limit)
        return await self._database.read_aside(asked)

    async def page(self, account_id: str, sought: Sought, *, before: int | None = None, limit: int = 50) -> Page:
        asked = partial(listing.page, account_id=account_id, sought=sought, before=before, limit=limit)
        return await self._database.read_aside(asked)

    async def claim(self, owner: str, lease_ms: int, models: Sequence[str]) -> Lease | None:
        now = self._clock.now_ms()
        return await self._database.write(
            partial(
                claims.claim,
                {
                    "of_now": now,
                    "of_models": list(models),
                    "of_most": self._limits.running_per_account or claims.NO_BOUND,
                    "owner": owner,
                    "lease_until_ms": now + lease_ms,
                    "started_ms": now,
                },
            ),
            turn=Turn.CLAIMS,
        )

    async def heartbeat(self, owner: str, lease_ms: int, progress: Mapping[str, Progress]) -> set[str]:
        values: dict[str, Any] = {"of_owner": owner, "lease_until_ms": self._clock.now_ms() + lease_ms}
        for number, (task_id, made) in enumerate(progress.items()):
            values |= {
                f"of_id_{number}": task_id,
                f"of_fraction_{number}": made.fraction,
                f"of_stage_{number}": made.stage,
            }
        renewal = _heartbeat(len(progress))

        def work(connection: Connection) -> set[str]:
            held = set(connection.execute(renewal, values).scalars())
            note_events(connection, sorted(held & progress.keys()), self._clock.now_ms())
            return held

        return await self._database.write(work)

    async def checkpoint(
        self,
        lease: Lease,
        checkpoint: str | None,
        *,
        run: Run | None = None,
        artifacts: Sequence[Artifact] | None = None,
    ) -> None:
        values: dict[str, Any] = {"checkpoint": checkpoint}
        if run is not None:
            values["engine"] = run.engine
        if artifacts is not None:
            values |= {"artifacts": artifacts_text(artifacts), "media_until_ms": media_until(artifacts)}

        def work(connection: Connection) -> None:
            if connection.execute(moves.CHECKPOINT, _fence(lease) | values).rowcount != 1:
                raise LeaseLost
            note_runs(connection, lease.task.id, [run] if run is not None else [])

        await self._database.write(work)

    async def succeed(
        self,
        lease: Lease,
        artifacts: Sequence[Artifact],
        *,
        engine: str,
        state: bytes,
        fallback_used: bool = False,
        runs: Sequence[Run] = (),
    ) -> Task:
        values = {
            "artifacts": artifacts_text(artifacts),
            "media_until_ms": media_until(artifacts),
            "engine": engine,
            "fallback_used": fallback_used,
            "stage": "succeeded",
        }

        def work(connection: Connection) -> Task:
            task = _move(connection, moves.SUCCEED, lease, values | {"ended_ms": self._clock.now_ms()})
            connection.execute(_ADD_STATE, {"task_id": task.id, "state": state})
            note_runs(connection, task.id, runs)
            return self._close(connection, task)

        return await self._database.write(work, notice=Notice.QUEUE)

    async def end(self, lease: Lease, error: TaskError, runs: Sequence[Run] = ()) -> Task:
        rejected = isinstance(error, Rejection)
        values = failed(Status.REJECTED if rejected else Status.FAILED, error)

        def work(connection: Connection) -> Task:
            statement = moves.REJECT if rejected else moves.FAIL
            task = _move(connection, statement, lease, values | {"ended_ms": self._clock.now_ms()})
            note_runs(connection, task.id, runs)
            return self._close(connection, task)

        return await self._database.write(work, notice=Notice.QUEUE)

    async def retry(self, lease: Lease, error: TaskError, run_at_ms: int, runs: Sequence[Run] = ()) -> Task:
        values = {"run_at_ms": run_at_ms, "stage": f"waits to be tried again: {error.slug.replace('_', ' ')}"}

        def work(connection: Connection) -> Task:
            note_runs(connection, lease.task.id, runs)
            return self._requeue(connection, moves.RETRY, lease, values)

        return await self._database.write(work)

    async def drain(self, lease: Lease) -> Task:
        again = partial(self._requeue, statement=moves.DRAIN, lease=lease, values={"stage": "queued"})
        return await self._database.write(again, notice=Notice.QUEUE)

    async def cancel(self, task_id: str, account_id: str | None = None, *, by: str | None = None) -> Task:
        def work(connection: Connection) -> Task:
            row = connection.execute(_GET_LOCKED, {"of_id": task_id}).one_or_none()
            if row is None or account_id not in (None, row.account_id):
                raise TaskNotFound
            after(Status(row.status), Event.CANCEL)
            error = Cancelled(BY_OPERATOR) if account_id is None else Cancelled()
            values = failed(Status.REJECTED, error) | {"ended_ms": self._clock.now_ms()}
            of_row = {"of_id": task_id, "of_status": row.status}
            if by is not None:
                add_note(connection, Note(self._clock.now_ms(), by, "task.cancel", task_id, row.account_id))
            return self._close(connection, task_of(connection.execute(moves.CANCEL, of_row | values).one()))

        return await self._database.write(work, notice=Notice.QUEUE)

    async def held(self, owner: str) -> Mapping[str, int]:
        rows = await self._database.read(lambda c: c.execute(_HELD, {"of_owner": owner}).all())
        return {row.id: row.attempt for row in rows}

    async def expire(self, *, begun_by_ms: int | None, ended_by_ms: int | None, limit: int) -> Sequence[Task]:
        def work(connection: Connection) -> Sequence[Task]:
            ended: list[Task] = []
            for late, created_by_ms, error in (
                (moves.NOT_BEGUN, begun_by_ms, DeadlinePassed(NOT_BEGUN)),
                (moves.STILL_QUEUED, ended_by_ms, DeadlinePassed(NOT_ENDED)),
                (moves.STILL_BEGUN, ended_by_ms, DeadlinePassed(NOT_ENDED)),
            ):
                if created_by_ms is not None:
                    values = failed(Status.FAILED, error) | {"ended_ms": self._clock.now_ms()}
                    whose = {"of_created": created_by_ms, "of_limit": limit}
                    rows = connection.execute(late, whose | values).all()
                    ended += [self._close(connection, task_of(row)) for row in rows]
            return ended

        return await self._database.write(work, notice=Notice.QUEUE)

    async def sweep_leases(self, owner: str | None = None) -> Sequence[Task]:
        last, others = moves.LEASES_RUN_OUT if owner is None else moves.LEASES_OF_OWNER

        def work(connection: Connection) -> Sequence[Task]:
            now = self._clock.now_ms()
            whose = {"of_now": now} if owner is None else {"of_owner": owner}
            ending = whose | failed(Status.FAILED, AttemptsUsedUp(GIVEN_UP)) | {"ended_ms": now}
            given_up = [task_of(row) for row in connection.execute(last, ending).all()]
            requeued = [task_of(row) for row in connection.execute(others, whose | {"stage": "queued"}).all()]
            note_events(connection, [task.id for task in requeued], now)
            return [self._close(connection, task) for task in given_up] + requeued

        return await self._database.write(work, notice=Notice.QUEUE)

    async def bring_forward(self, longest_ms: int) -> None:
        now = self._clock.now_ms()
        await self._database.write(lambda c: c.execute(_FORWARD, {"of_now": now, "of_latest": now + longest_ms}))

    async def waiting_time(self) -> float | None:
        due_ms = await self._database.read(lambda c: c.execute(_DUE).scalar_one())
        return None if due_ms is None else max(0.0, (due_ms - self._clock.now_ms()) / 1000)

    def _submit(self, order: _Order, connection: Connection) -> Task:
        """The time is that of the transaction: then a later order never has an earlier one, and windows are exact."""
        task = replace(order.task, created_ms=self._clock.now_ms())
        if order.key is not None:
            order_keys.note(connection, order.key, task)
        number, changes = admit(connection, hold_of(task), order.caps, self._limits)
        row = order.row | {"created_ms": task.created_ms, "number": number}
        together(connection, [*changes, (_ADD, row)])
        if order.by is not None:
            said = {"retry_of": task.retry_of, "credits": task.price}
            note = Note(task.created_ms, order.by, "task.retry", task.id, task.origin.account_id, said)
            add_note(connection, note)
        return task

    def _submit_once(self, order: _Order, connection: Connection) -> Task:
        """Nobody else writes between the look and the order; the unique index holds even where that is not so."""
        spec = order.task.spec
        if spec.source_id is None or not spec.kind.is_upgrade:
            raise ValueError(f"Only upgrades are submitted once, and this is a task of kind {spec.kind}.")
        known = _live_upgrade(connection, spec.source_id, spec.kind, spec.index)
        return self._submit(order, connection) if known is None else known

    def _requeue(
        self, connection: Connection, statement: ReturningUpdate[Any], lease: Lease, values: dict[str, Any]
    ) -> Task:
        task = _move(connection, statement, lease, values)
        note_events(connection, [task.id], self._clock.now_ms())
        return task

    def _close(self, connection: Connection, task: Task) -> Task:
        """What an ended task leaves behind: the fate of its hold, and the word to its owner."""
        assert task.ended_ms is not None
        note_events(connection, [task.id], task.ended_ms)
        release(connection, hold_of(task), task.ended_ms, charged=task.status is Status.SUCCEEDED)
        if task.spec.callback_url is not None:
            connection.execute(_ADD_CALLBACK, self._callback_row(task, task.spec.callback_url))
        return task

    def _callback_row(self, task: Task, url: str) -> dict[str, Any]:
        return {
            "id": self._new_callback_id(),
            "task_id": task.id,
            "account_id": task.origin.account_id,
            "url": url,
            "created_ms": task.ended_ms,
            "next_at_ms": task.ended_ms,
            "tries": 0,
            "state": CallbackState.PENDING.value,
        }


def _live_upgrade(connection: Connection, source_id: str, kind: Kind, index: int) -> Task | None:
    of_film = {"of_source": source_id, "of_kind": kind.value, "of_index": index}
    row = connection.execute(_UPGRADE, of_film).one_or_none()
    return None if row is None else task_of(row)


def _fence(lease: Lease) -> dict[str, Any]:
    return {"of_id": lease.task.id, "of_owner": lease.owner, "of_attempt": lease.attempt}


def _move(connection: Connection, statement: ReturningUpdate[Any], lease: Lease, values: dict[str, Any]) -> Task:
    row = connection.execute(statement, _fence(lease) | values).one_or_none()
    if row is None:
        raise LeaseLost
    return task_of(row)
