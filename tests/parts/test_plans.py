"""However many tasks there have been, nothing that is done again and again goes through all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from filmgate.domain.credits import Caps
from filmgate.domain.errors import EngineFailed
from filmgate.domain.limits import Limits
from filmgate.domain.listing import ANY
from filmgate.domain.task import Lease, OrderKey
from filmgate.ports import Progress
from filmgate.store import accounts, admission, keys, tasks
from filmgate.store.counts import SqlCounts
from filmgate.store.events import SqlEventStore
from filmgate.store.hot import Hot
from filmgate.store.queue import SqlQueueView
from support.storing import FILM, MODELS, Shelf, order, shelf

pytestmark = pytest.mark.anyio

GROWING = ("tasks", "ledger", "task_state", "task_events", "callbacks", "deliveries", "order_keys", "audit")
#: Of what has not ended; the rest of the table is not in them.
PARTIAL = ("ix_tasks_begun", "ix_tasks_leases", "ix_callbacks_due")
ALIASES = ("theirs", "queued", "mine", "head", "late")  #: of tasks
ALL_ON = Limits(creates_per_10s=1000, queue=1000, queue_per_account=1000)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def listening() -> Iterator[set[str]]:
    """What SQLAlchemy executes meanwhile."""
    heard: set[str] = set()

    def hear(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        heard.add(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def hot() -> set[str]:
    found = [each for module in (accounts, admission, keys, tasks) for each in vars(module).values()]
    statements = [each for each in found if isinstance(each, Hot)]
    assert len(statements) >= 6
    every = (*statements, admission._take(True, True, True))
    return {each._compile(SQLiteDialect_pysqlite(paramstyle="named")).sql for each in every}


async def test_no_statement_goes_through_a_table_that_grows_for_ever(tmp_path: Path) -> None:
    async with shelf(tmp_path, ALL_ON) as s:
        with listening() as heard:
            await _everything(s)
        asked = [each for each in heard | hot() if each.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH"))]
        assert len(asked) > 40
        wrong = [(line, statement) for statement in asked for line in _plan(s, statement) if _goes_through_all(line)]
        assert wrong == []


def test_what_goes_through_all_is_recognised() -> None:
    assert _goes_through_all("SCAN tasks")
    assert _goes_through_all("SCAN late USING INDEX ix_tasks_newest")
    assert not _goes_through_all("SCAN late USING INDEX ix_tasks_begun")
    assert not _goes_through_all("SCAN accounts")
    assert not _goes_through_all("SEARCH tasks USING INDEX ix_tasks_due (status=?)")


def _plan(s: Shelf, statement: str) -> list[str]:
    values = [None] * statement.count("?")
    return [str(row[3]) for row in s.rows(f"EXPLAIN QUERY PLAN {_filled(statement)}", *values)]


def _filled(statement: str) -> str:
    """Positional where it is named: what the values are does not change the plan."""
    return re.sub(r":\w+", "NULL", statement)


def _goes_through_all(line: str) -> bool:
    words = line.split()
    if words[0] != "SCAN" or words[1] not in (*GROWING, *ALIASES):
        return False
    return not any(index in words for index in PARTIAL)


async def _everything(s: Shelf) -> None:
    """What API, runner, senders and sweeps do all day."""
    await s.account(credits=10**9)
    await s.key("default", "key")
    ordered = [await s.submitted(callback="https://example.org/") for _ in range(6)]
    await s.tasks.submit(order(created_ms=s.clock.ms), Caps(10**6, 10**6, 10**6), OrderKey("a", "b"))
    await s.tasks.ordered("default", OrderKey("a", "b"))
    await s.accounts.authenticate("key")
    await s.accounts.note_uses({"key": 1})
    await _work(s)
    await s.tasks.cancel(ordered[5].id, "default")
    await s.tasks.get(ordered[0].id)
    await s.tasks.page("default", ANY, limit=10)
    await s.tasks.page("default", ANY, limit=10, before=3)
    await SqlEventStore(s.database).since(ordered[0].id, 0, 10)
    await SqlQueueView(s.database, s.clock).queue(5000)
    await SqlCounts(s.database, s.clock).counts()
    await _sweep(s, ordered[0].id)


async def _work(s: Shelf) -> None:
    lease = await _claimed(s)
    await s.tasks.heartbeat("w", 1000, {lease.task.id: Progress(0.5, "drawing")})
    await s.tasks.succeed(lease, [FILM], engine="trial", state=b"x")
    await s.tasks.end(await _claimed(s), EngineFailed())
    await s.tasks.retry(await _claimed(s), EngineFailed(), s.clock.ms)
    await s.tasks.drain(await _claimed(s))
    await s.tasks.held("w")
    await s.tasks.waiting_time()
    await s.outbox.due(10, 1000)
    await s.outbox.waiting_time()


async def _claimed(s: Shelf) -> Lease:
    lease = await s.tasks.claim("w", 1000, MODELS)
    assert lease is not None
    return lease


async def _sweep(s: Shelf, task_id: str) -> None:
    await s.tasks.sweep_leases()
    await s.tasks.sweep_leases("w")
    await s.tasks.expire(begun_by_ms=1, ended_by_ms=1, limit=100)
    await s.tasks.bring_forward(1000)
    await s.outbox.bring_forward(1000)
    await s.tasks.forget_order_keys(1, 10)
    await s.media.expired(10)
    await s.media.newest(10)
    await s.media.outdated(1, 10)
    await s.media.forget([task_id], 1)
    await s.uploads.expired(10)
