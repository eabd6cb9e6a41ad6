"""Deadlines: what is late fails, gives its credits back and is told; what is in time is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from filmgate.domain.errors import EngineCrashed, LeaseLost
from filmgate.domain.task import Status
from filmgate.http.codes import failure_of
from filmgate.services.sweeps import Sweep, deadlines
from support.storing import FILM, MODELS, Shelf, shelf

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with shelf(tmp_path) as made:
        await made.account(credits=100_000)
        yield made


def sweep_of(rows: Shelf, *, start: float = 0.0, end: float = 0.0, nudges: list[int] | None = None) -> Sweep:
    told: list[int] = [] if nudges is None else nudges
    return deadlines(rows.tasks, rows.clock, lambda: told.append(1), start_within_s=start, end_within_s=end)


async def test_a_task_that_is_not_begun_in_time_fails_and_costs_nothing(rows: Shelf) -> None:
    nudges: list[int] = []
    late = await rows.submitted(callback="https://receiver.example/", run_at_ms=rows.clock.ms)
    rows.clock.ms += 10_000
    young = await rows.submitted(run_at_ms=rows.clock.ms)
    sweep = sweep_of(rows, start=10, nudges=nudges)
    assert await sweep() == 0
    rows.clock.ms += 1
    assert await sweep() == 1
    task = await rows.tasks.get(late.id)
    assert task.status is Status.FAILED
    assert (failure_of(task) or (0, ""))[0] == 408
    assert rows.rows("SELECT kind, credits FROM ledger WHERE task_id = ? ORDER BY id", late.id) == [
        ("hold", -60),
        ("refund", 60),
    ]
    assert rows.rows("SELECT task_id, state FROM callbacks") == [(late.id, "pending")]
    assert rows.rows("SELECT live FROM accounts") == [(1,)]
    assert (await rows.tasks.get(young.id)).status is Status.QUEUED
    assert nudges == [1]


async def test_a_task_that_was_begun_has_kept_the_first_deadline(rows: Shelf) -> None:
    """Also one that has gone back to the queue since."""
    await rows.submitted(run_at_ms=rows.clock.ms)
    lease = await rows.tasks.claim("w", 1_000_000_000, MODELS)
    assert lease is not None
    rows.clock.ms += 3_600_000
    assert await sweep_of(rows, start=10)() == 0
    await rows.tasks.drain(lease)
    assert await sweep_of(rows, start=10)() == 0


async def test_a_task_that_has_not_ended_in_time_fails_wherever_it_stands(rows: Shelf) -> None:
    for _ in range(3):
        await rows.submitted(run_at_ms=rows.clock.ms)
    running = await rows.tasks.claim("w", 1_000_000_000, MODELS)
    faulty = await rows.tasks.claim("w", 1_000_000_000, MODELS)
    assert running is not None
    assert faulty is not None
    again = await rows.tasks.retry(faulty, EngineCrashed(), rows.clock.ms + 5_000)
    rows.clock.ms += 60_001
    assert await sweep_of(rows, end=60)() == 2
    with pytest.raises(LeaseLost):
        await rows.tasks.succeed(running, [FILM], engine="trial", state=b"")
    assert (await rows.tasks.get(running.task.id)).status is Status.FAILED
    rows.clock.ms += 5_000
    assert await sweep_of(rows, end=60)() == 1
    assert (await rows.tasks.get(again.id)).status is Status.FAILED
    balance, live = rows.rows("SELECT balance, live FROM accounts")[0]
    assert (balance, live) == (100_000, 0)


async def test_what_has_ended_is_not_late(rows: Shelf) -> None:
    await rows.submitted(run_at_ms=rows.clock.ms)
    lease = await rows.tasks.claim("w", 1_000_000_000, MODELS)
    assert lease is not None
    await rows.tasks.succeed(lease, [FILM], engine="trial", state=b"")
    rows.clock.ms += 3_600_000
    before = rows.dump()
    assert await sweep_of(rows, start=1, end=1)() == 0
    assert rows.dump() == before


async def test_a_heap_is_ended_in_batches(rows: Shelf) -> None:
    for _ in range(250):
        await rows.submitted(price=0, run_at_ms=rows.clock.ms)
    rows.clock.ms += 10_001
    sweep = sweep_of(rows, start=10)
    assert [await sweep() for _ in range(4)] == [100, 100, 50, 0]


@pytest.mark.only("sqlite")
async def test_what_is_late_is_found_by_indexes(rows: Shelf) -> None:
    """Each statement as it is sent to the database."""
    asked: list[str] = []
    await rows.database.write(lambda c: _driver(c).set_trace_callback(asked.append))
    assert await rows.tasks.expire(begun_by_ms=1, ended_by_ms=1, limit=5) == []
    await rows.database.write(lambda c: _driver(c).set_trace_callback(None))
    ending = [query for query in asked if query.startswith("UPDATE tasks")]
    assert len(ending) == 3
    for query, index in zip(ending, ("ix_tasks_due", "ix_tasks_due", "ix_tasks_begun"), strict=True):
        looks = [row[3] for row in rows.rows(f"EXPLAIN QUERY PLAN {query}") if " late " in row[3]]
        assert len(looks) == 1
        assert index in looks[0]


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
