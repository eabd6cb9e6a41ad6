"""Callbacks that are still to be told, and every try to tell them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, insert, literal_column, select, update
from sqlalchemy.sql.dml import Update

from ..domain.callback import Callback, CallbackState, Delivery
from ..domain.errors import TaskNotFound
from ..ports import Clock
from .database import Database, Notice
from .schema import callbacks, deliveries

# A literal, so that the partial index may be used.
PENDING = callbacks.c.state == literal_column(f"'{CallbackState.PENDING}'")
_NEXT = select(func.min(callbacks.c.next_at_ms)).where(PENDING)
_FORWARD = (
    update(callbacks)
    .where(PENDING, callbacks.c.next_at_ms > bindparam("of_latest"))
    .values(next_at_ms=bindparam("of_now"))
)
_NEXT_FEW = (
    select(callbacks.c.id)
    .where(PENDING, callbacks.c.next_at_ms <= bindparam("of_now"))
    .order_by(callbacks.c.next_at_ms)
    .limit(bindparam("of_limit"))
    .with_for_update(skip_locked=True)
)
_TAKE = update(callbacks).where(PENDING, callbacks.c.id.in_(_NEXT_FEW)).returning(callbacks)
# Of this very lease: another sender may have taken it since.
_GIVE_BACK = (
    update(callbacks)
    .where(PENDING, callbacks.c.id == bindparam("of_id"), callbacks.c.next_at_ms == bindparam("of_lease"))
    .values(next_at_ms=bindparam("of_now"))
)
_OF_ID = callbacks.c.id == bindparam("of_id")
_MORE_TRIES = case((callbacks.c.tries < bindparam("of_number"), bindparam("of_number")), else_=callbacks.c.tries)
_TRIED = update(callbacks).where(_OF_ID, PENDING).values(tries=_MORE_TRIES)
# Two senders may have had the same callback, one of them with an expired lease: that it arrived outweighs all else.
_ARRIVED = update(callbacks).where(_OF_ID).values(tries=_MORE_TRIES)
# Tries are counted anew, since they choose the waits of the schedule; the deliveries of before stay.
_REDELIVER = (
    update(callbacks)
    .where(_OF_ID)
    .values(tries=0, state=CallbackState.PENDING.value, next_at_ms=bindparam("of_now"))
    .returning(callbacks)
)
_ADD_DELIVERY = insert(deliveries).inline()  # nobody asks for its number


class SqlOutbox:
    """The Outbox of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def due(self, limit: int, lease_ms: int) -> Sequence[Callback]:
        now = self._clock.now_ms()
        values = {"of_now": now, "of_limit": limit, "next_at_ms": now + lease_ms}
        taken = await self._database.write(lambda c: c.execute(_TAKE, values).all())
        return sorted(map(_callback_of, taken), key=lambda callback: (callback.created_ms, callback.id))

    async def give_back(self, callbacks: Sequence[Callback]) -> None:
        now = self._clock.now_ms()
        leases = [
            {"of_id": callback.id, "of_lease": callback.next_at_ms, "of_now": now}
            for callback in callbacks
            if callback.next_at_ms > now
        ]
        if leases:
            await self._database.write(lambda c: c.execute(_GIVE_BACK, leases))

    async def delivered(self, callback: Callback, delivery: Delivery) -> None:
        await self._note(_ARRIVED, callback, delivery, {"state": CallbackState.DELIVERED.value})

    async def retry_at(self, callback: Callback, delivery: Delivery, at_ms: int) -> None:
        await self._note(_TRIED, callback, delivery, {"next_at_ms": at_ms})

    async def gave_up(self, callback: Callback, delivery: Delivery, *, refused: bool = False) -> None:
        state = CallbackState.REFUSED if refused else CallbackState.GAVE_UP
        await self._note(_TRIED, callback, delivery, {"state": state.value})

    async def deliveries(self, callback_id: str) -> Sequence[Delivery]:
        wanted = select(deliveries).where(deliveries.c.callback_id == callback_id).order_by(deliveries.c.id)
        return await self._database.read_aside(lambda c: [_delivery_of(row) for row in c.execute(wanted)])

    async def of_task(self, task_id: str) -> Sequence[Callback]:
        wanted = select(callbacks).where(callbacks.c.task_id == task_id).order_by(callbacks.c.created_ms)
        return await self._database.read_aside(lambda c: [_callback_of(row) for row in c.execute(wanted)])

    async def list(self, *, account_id: str | None = None, limit: int = 50) -> Sequence[Callback]:
        newest = select(callbacks).order_by(callbacks.c.created_ms.desc(), callbacks.c.id.desc()).limit(limit)
        if account_id is not None:
            newest = newest.where(callbacks.c.account_id == account_id)
        return await self._database.read_aside(lambda c: [_callback_of(row) for row in c.execute(newest)])

    async def redeliver(self, callback_id: str) -> Callback:
        values = {"of_id": callback_id, "of_now": self._clock.now_ms()}
        row = await self._database.write(lambda c: c.execute(_REDELIVER, values).one_or_none(), notice=Notice.QUEUE)
        if row is None:
            raise TaskNotFound(f"There is no callback {callback_id!r}: list the callbacks to see those there are.")
        return _callback_of(row)

    async def bring_forward(self, longest_ms: int) -> None:
        now = self._clock.now_ms()
        await self._database.write(lambda c: c.execute(_FORWARD, {"of_now": now, "of_latest": now + longest_ms}))

    async def waiting_time(self) -> float | None:
        due_ms = await self._database.read(lambda c: c.execute(_NEXT).scalar_one())
        return None if due_ms is None else max(0.0, (due_ms - self._clock.now_ms()) / 1000)

    async def _note(self, change: Update, callback: Callback, delivery: Delivery, values: dict[str, Any]) -> None:
        of_callback = {"of_id": callback.id, "of_number": delivery.number}

        def work(connection: Connection) -> None:
            connection.execute(change, of_callback | values)
            connection.execute(_ADD_DELIVERY, _row_of_delivery(delivery))

        await self._database.write(work)


def _row_of_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "callback_id": delivery.callback_id,
        "number": delivery.number,
        "at_ms": delivery.at_ms,
        "latency_ms": delivery.latency_ms,
        "status": delivery.status,
        "answer": delivery.answer,
        "error": delivery.error,
    }


def _delivery_of(row: Row[Any]) -> Delivery:
    return Delivery(row.callback_id, row.number, row.at_ms, row.latency_ms, row.status, row.answer, row.error)


def _callback_of(row: Row[Any]) -> Callback:
    return Callback(
        id=row.id,
        task_id=row.task_id,
        account_id=row.account_id,
        url=row.url,
        created_ms=row.created_ms,
        next_at_ms=row.next_at_ms,
        tries=row.tries,
        state=CallbackState(row.state),
    )
