"""Filling the tables of a stopped server: copies of rows that the server itself has written."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, func, insert, select, text, update

from filmgate.store.schema import accounts, ledger, task_state, tasks

_BATCH = 5_000
_STEP_MS = 40  #: between two tasks of the past
_DAY_MS = 86_400_000
_PLENTY = 10**12


def engine_of(database: Path | str) -> Engine:
    """Of a SQLite file, without flushes while it is filled; or of a PostgreSQL address."""
    if isinstance(database, str):
        return create_engine(f"postgresql+psycopg://{database.partition('://')[2]}", poolclass=NullPool)
    engine = create_engine(f"sqlite:///{database}", poolclass=NullPool)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    return engine


def grant(database: Path | str, credits: int = _PLENTY) -> None:
    """Credits for the account of the key, as an operator gives them."""
    now = time.time_ns() // 1_000_000
    with engine_of(database).begin() as connection:
        account = connection.execute(select(accounts.c.id)).scalars().first()
        connection.execute(
            insert(ledger).values(account_id=account, kind="grant", credits=credits, at_ms=now, note="benchmark")
        )
        connection.execute(update(accounts).values(balance=accounts.c.balance + credits))


def count_tasks(database: Path | str, status: str | None = None) -> int:
    wanted = select(func.count()).select_from(tasks)
    if status is not None:
        wanted = wanted.where(tasks.c.status == status)
    with engine_of(database).connect() as connection:
        return connection.execute(wanted).scalar_one()


def count_ended(database: Path | str) -> int:
    with engine_of(database).connect() as connection:
        return connection.execute(select(func.count()).where(tasks.c.ended_ms.is_not(None))).scalar_one()


def ids(database: Path | str, *, ended: bool, limit: int) -> list[str]:
    """The newest of them."""
    that = tasks.c.status == "succeeded" if ended else tasks.c.status == "queued"
    wanted = select(tasks.c.id).where(that).order_by(tasks.c.created_ms.desc()).limit(limit)
    with engine_of(database).connect() as connection:
        return list(connection.execute(wanted).scalars())


def fill(database: Path | str, *, finished: int, queued: int, of_accounts: int = 100) -> None:
    """Finished tasks with their ledger and state, and queued ones with their holds, spread over accounts."""
    with engine_of(database).begin() as connection:
        names = _accounts(connection, of_accounts)
        done, waits = _row(connection, "succeeded"), _row(connection, "queued")
        state = connection.execute(select(task_state.c.state)).scalars().first()
        now = time.time_ns() // 1_000_000
        past = _copies(done, names, finished, now - finished * _STEP_MS - _DAY_MS)
        for batch in _batches(past):
            connection.execute(insert(tasks), batch)
            connection.execute(insert(task_state), [{"task_id": row["id"], "state": state} for row in batch])
            connection.execute(insert(ledger), [entry for row in batch for entry in _entries(row, "settle")])
        for batch in _batches(_copies(waits, names, queued, now - queued * _STEP_MS, behind=finished)):
            connection.execute(insert(tasks), batch)
            connection.execute(insert(ledger), [entry for row in batch for entry in _entries(row)])
        _count_orders(connection)
    if isinstance(database, str):
        with engine_of(database).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))  # as autovacuum would have by the time that it is so full


def _accounts(connection: Connection, count: int) -> list[str]:
    first = connection.execute(select(accounts)).mappings().first()
    assert first is not None
    made = [
        dict(first) | {"id": f"bench{number:05}", "label": f"{number}", "served": number} for number in range(count)
    ]
    connection.execute(insert(accounts), made)
    return [row["id"] for row in made]


def _row(connection: Connection, status: str) -> dict[str, Any]:
    row = connection.execute(select(tasks).where(tasks.c.status == status).limit(1)).mappings().first()
    if row is None:
        raise SystemExit(f"There is no task that is {status} to be copied.")
    return dict(row)


def _copies(
    row: dict[str, Any], names: list[str], count: int, from_ms: int, behind: int = 0
) -> Iterator[dict[str, Any]]:
    """Under ids of their own, each 40 ms after the one before it, its account in turn."""
    took = {name: row[name] - row["created_ms"] for name in _TIMES if row[name] is not None}
    for number in range(count):
        at_ms = from_ms + number * _STEP_MS
        yield row | {
            "id": f"{at_ms:012x}7{secrets.token_hex(10)[:19]}",
            "account_id": names[number % len(names)],
            "created_ms": at_ms,
            **({} if row["number"] is None else {"number": (behind + number) // len(names) + 2}),
            **{name: at_ms + ms for name, ms in took.items()},
        }


_TIMES = ("run_at_ms", "started_ms", "ended_ms", "media_until_ms")


def _entries(row: dict[str, Any], *closing: str) -> list[dict[str, Any]]:
    of_task = {"account_id": row["account_id"], "at_ms": row["created_ms"], "task_id": row["id"], "note": ""}
    kinds = {"hold": -row["price"]} | dict.fromkeys(closing, 0)
    return [of_task | {"kind": kind, "credits": credits} for kind, credits in kinds.items()]


def _count_orders(connection: Connection) -> None:
    """What the server keeps beside the tasks: how many each account has ordered, and how many have not ended."""
    theirs = select(func.count()).where(tasks.c.account_id == accounts.c.id)
    live = theirs.where(tasks.c.ended_ms.is_(None))
    connection.execute(update(accounts).values(orders=theirs.scalar_subquery(), live=live.scalar_subquery()))


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch
