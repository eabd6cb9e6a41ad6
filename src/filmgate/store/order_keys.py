"""Idempotency-Keys: what stands for an order that a client may send more than once."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select

from ..domain.errors import KeyReused
from ..domain.task import OrderKey, Task
from .schema import order_keys

_ADD = insert(order_keys)
_KNOWN = select(order_keys.c.digest, order_keys.c.task_id).where(
    order_keys.c.account_id == bindparam("of_account"), order_keys.c.key == bindparam("of_key")
)
_OLD = (
    select(order_keys.c.account_id, order_keys.c.key)
    .where(order_keys.c.created_ms < bindparam("of_before"))
    .order_by(order_keys.c.created_ms)
    .limit(bindparam("of_limit"))
)
_FORGET = delete(order_keys).where(
    order_keys.c.account_id == bindparam("of_account"), order_keys.c.key == bindparam("of_key")
)


def note(connection: Connection, order_key: OrderKey, task: Task) -> None:
    """Raises IntegrityError where the key is known, also where another process is just noting it."""
    connection.execute(
        _ADD,
        {
            "account_id": task.origin.account_id,
            "key": order_key.key,
            "digest": order_key.digest,
            "task_id": task.id,
            "created_ms": task.created_ms,
        },
    )


def known(connection: Connection, account_id: str, order_key: OrderKey) -> str | None:
    """The id of the task that was ordered under this key, if any. Raises KeyReused where that was another order."""
    row = connection.execute(_KNOWN, {"of_account": account_id, "of_key": order_key.key}).one_or_none()
    if row is not None and row.digest != order_key.digest:
        raise KeyReused
    return None if row is None else str(row.task_id)


def forget(connection: Connection, before_ms: int, limit: int) -> int:
    """Those of before this time, the oldest first; how many there were."""
    old = connection.execute(_OLD, {"of_before": before_ms, "of_limit": limit}).all()
    if old:
        connection.execute(_FORGET, [{"of_account": row.account_id, "of_key": row.key} for row in old])
    return len(old)
