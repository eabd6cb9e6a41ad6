"""Whose turn it is: the one transaction in which a worker takes a task."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, select, update

from ..domain.errors import InternalFault
from ..domain.task import Lease, Status
from . import moves
from .admission import Hold, release
from .events import note_events
from .rows import failed, task_of
from .schema import accounts

log = logging.getLogger("filmgate.store")

NO_BOUND = 2**31 - 1
FIRST_TURNS = 8  #: accounts that a claim looks at before it looks at all of them

_SERVED = (
    update(accounts)
    .where(accounts.c.id == bindparam("of_id"))
    .values(served=select(func.max(accounts.c.served) + 1).scalar_subquery())
)


def claim(values: dict[str, Any], connection: Connection) -> Lease | None:
    """The task that is due next, least-served account first; ``values`` are those of ``moves.CLAIM``."""
    row = _next_row(connection, values)
    if row is None:
        return None
    connection.execute(_SERVED, {"of_id": row.account_id})
    note_events(connection, [row.id], values["of_now"])
    try:
        task = task_of(row)
    except (msgspec.MsgspecError, ValueError) as error:
        log.error("task=%s event=unreadable %s", row.id, error)
        _bury(connection, row, values["of_now"])
        return None
    return Lease(task, values["owner"], task.attempt)


def _next_row(connection: Connection, values: dict[str, Any]) -> Row[Any] | None:
    """Of the few accounts whose turn it is; of all the others only when those have nothing that could run."""
    few = connection.execute(moves.CLAIM, values | {"of_many": FIRST_TURNS, "of_past": 0}).one_or_none()
    if few is not None:
        return few
    return connection.execute(moves.CLAIM, values | {"of_many": NO_BOUND, "of_past": FIRST_TURNS}).one_or_none()


def _bury(connection: Connection, row: Row[Any], now_ms: int) -> None:
    """Fail a row that this version cannot read, so that it does not stop the queue for all others."""
    values = failed(Status.FAILED, InternalFault("The task's record cannot be read.")) | {"ended_ms": now_ms}
    connection.execute(moves.FAIL, {"of_id": row.id, "of_owner": row.owner, "of_attempt": row.attempt} | values)
    release(connection, Hold(row.id, row.account_id, row.key_id, row.price, row.created_ms), now_ms, charged=False)
    note_events(connection, [row.id], now_ms)
