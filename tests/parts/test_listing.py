"""Looking through many tasks: a page costs the same however many there are, and nothing is told twice or left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.errors import TaskNotFound
from filmgate.domain.listing import Sought
from filmgate.domain.spec import Kind
from filmgate.domain.task import Status, Task
from filmgate.store import listing
from support.storing import Shelf, shelf

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with shelf(tmp_path) as made:
        await made.account()
        yield made


async def fill(rows: Shelf, many: int, apart_ms: int = 1000) -> list[Task]:
    """Tasks of one account, some of which are cancelled, some for another model."""
    made = []
    for number in range(many):
        rows.clock.ms += apart_ms
        task = await rows.submitted(price=0, model=("veo3", "veo3_fast")[number % 2])
        made.append(await rows.tasks.cancel(task.id) if number % 3 == 0 else task)
    return made


async def walked(rows: Shelf, sought: Sought, limit: int = 50) -> tuple[list[str], int]:
    """The ids of all pages, and how many pages that took."""
    seen: list[str] = []
    before, pages = None, 0
    while True:
        page = await rows.tasks.page("default", sought, before=before, limit=limit)
        assert len(page.tasks) <= limit
        seen += [task.id for task in page.tasks]
        before, pages = page.before, pages + 1
        if before is None:
            return seen, pages


async def test_what_is_rare_takes_more_pages_and_no_page_takes_longer(
    rows: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WINDOW", 10)
    made = await fill(rows, 95)
    rare = Sought(kind=Kind.EXTEND)
    assert await walked(rows, rare) == ([], 10)
    found, _ = await walked(rows, Sought(statuses=(Status.REJECTED,)), limit=2)
    assert found == [task.id for task in made[::-1] if task.status is Status.REJECTED]


async def test_a_time_is_found_without_walking_to_it(rows: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "WINDOW", 10)
    made = await fill(rows, 90, apart_ms=120_000)
    at = made[4].created_ms
    assert await walked(rows, Sought(until_ms=at)) == ([task.id for task in made[3::-1]], 1)
    assert await walked(rows, Sought(since_ms=at, until_ms=made[6].created_ms)) == ([made[5].id, made[4].id], 1)


async def test_numbers_that_were_forgotten_are_no_obstacle(rows: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "WINDOW", 5)
    made = await fill(rows, 60, apart_ms=120_000)

    def forget(connection: Any) -> None:
        connection.exec_driver_sql("DELETE FROM tasks WHERE number < 40 OR number IN (45, 46, 50)")

    await rows.database.write(forget)
    left = [task.id for number, task in enumerate(made, 1) if number >= 40 and number not in (45, 46, 50)][::-1]
    seen, pages = await walked(rows, Sought())
    assert seen == left
    assert pages <= 6
    assert (await walked(rows, Sought(until_ms=made[44].created_ms)))[0] == left[-5:]


@settings(max_examples=25, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 90_000), min_size=1, max_size=25),
    window=st.integers(1, 30),
    limit=st.integers(1, 30),
    since=st.none() | st.integers(-10, 1_000_000),
    until=st.none() | st.integers(-10, 1_000_000),
    status=st.sampled_from([(), (Status.QUEUED,), (Status.REJECTED, Status.FAILED)]),
    model=st.sampled_from([None, "veo3"]),
)
async def test_all_pages_together_are_what_a_plain_filter_finds(
    gaps: list[int],
    window: int,
    limit: int,
    since: int | None,
    until: int | None,
    status: tuple[Status, ...],
    model: str | None,
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(listing, "WINDOW", window)
        async with shelf(Path(folder)) as rows:
            await rows.account()
            start, made = rows.clock.ms, []
            for number, gap in enumerate(gaps):
                rows.clock.ms += gap
                task = await rows.submitted(price=0, model=("veo3", "veo3_fast")[number % 2])
                made.append(await rows.tasks.cancel(task.id) if number % 3 == 0 else task)
            since_ms, until_ms = (None if ms is None else start + ms for ms in (since, until))
            sought = Sought(status, model, None, since_ms, until_ms)
            right = [
                task.id
                for task in reversed(made)
                if (not status or task.status in status)
                and model in (None, task.spec.model)
                and (since_ms is None or task.created_ms >= since_ms)
                and (until_ms is None or task.created_ms < until_ms)
            ]
            assert (await walked(rows, sought, limit))[0] == right


async def test_the_operator_sees_all_accounts_or_one_and_goes_on_from_a_task(rows: Shelf) -> None:
    await rows.account("ada")
    mine = await fill(rows, 4)
    theirs = await rows.submitted(account="ada", price=0)
    newest = [theirs.id, *(task.id for task in reversed(mine))]
    assert [task.id for task in await rows.tasks.list()] == newest
    assert [task.id for task in await rows.tasks.list(limit=2, before=newest[1])] == newest[2:4]
    assert [task.id for task in await rows.tasks.list(account_id="ada")] == [theirs.id]
    assert [task.id for task in await rows.tasks.list(account_id="default", before=newest[2])] == newest[3:]
    assert [task.id for task in await rows.tasks.list(sought=Sought(model="veo3"))] == [mine[2].id, mine[0].id]
    with pytest.raises(TaskNotFound):
        await rows.tasks.list(before="no such task")


@pytest.mark.parametrize("sought", [Sought(), Sought(statuses=(Status.QUEUED, Status.RUNNING), model="veo3")], ids=str)
@pytest.mark.only("sqlite")
async def test_a_page_is_read_by_the_number_of_the_account(rows: Shelf, sought: Sought) -> None:
    asked: list[str] = []
    await fill(rows, 3)

    def explained(connection: Any) -> None:
        driver = connection.connection.driver_connection
        driver.set_trace_callback(asked.append)
        listing.page(connection, account_id="default", sought=sought, before=None, limit=5)
        driver.set_trace_callback(None)

    await rows.database.read_aside(explained)
    looks = [query for query in asked if "ORDER BY tasks.number DESC" in query]
    assert looks
    for query in looks:
        plan = " ".join(row[3] for row in rows.rows(f"EXPLAIN QUERY PLAN {query}"))
        assert "uq_tasks_number (account_id=?" in plan, plan
        assert "TEMP B-TREE" not in plan
