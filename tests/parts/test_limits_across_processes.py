"""Limits are one server's, whatever number of processes there are: several at once never let one task too many in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from filmgate.domain.credits import Caps
from filmgate.domain.limits import Limits
from support.hammer import Job, together
from support.storing import shelf

pytestmark = pytest.mark.anyio

PROCESSES = 3
KEY = "key_0123456789abcdef"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def answers(job: Job) -> Counter[str]:
    """What all processes together were answered."""
    return sum((Counter(each) for each in await together(job, PROCESSES)), Counter())


async def test_within_one_window_exactly_so_many_orders_are_taken(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100_000)
        job = Job(s.address, "submit", tries=60, limits=Limits(creates_per_10s=20))
        assert await answers(job) == {"taken": 20, "too_many_requests": 160}
        assert s.rows("SELECT orders, live, balance FROM accounts") == [(20, 20, 100_000 - 20 * 60)]


async def test_no_ten_seconds_ever_hold_more_orders_than_the_limit(tmp_path: Path) -> None:
    """The clock of all processes runs twenty times as fast, so that many windows go by."""
    async with shelf(tmp_path) as s:
        await s.account(credits=1_000_000)
        job = Job(s.address, "submit", tries=3000, haste=20, limits=Limits(creates_per_10s=20))
        taken = (await answers(job))["taken"]
        times = [ms for (ms,) in s.rows("SELECT created_ms FROM tasks ORDER BY number")]
        assert len(times) == taken > 20
        assert times == sorted(times)
        assert all(later - earlier >= 10_000 for earlier, later in zip(times, times[20:], strict=False))


async def test_the_queue_is_filled_to_the_last_place_and_not_beyond(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        for account in ("a", "b", "c"):
            await s.account(account, credits=100_000)
        limits = Limits(queue=50, queue_per_account=30)
        job = Job(s.address, "submit", tries=60, accounts=("a", "b", "c"), limits=limits)
        assert await answers(job) == {"taken": 50, "queue_full": 130}
        assert s.rows("SELECT sum(live), max(live) <= 30 FROM accounts") == [(50, 1)]


@pytest.mark.parametrize("caps", [Caps(hourly=650), Caps(daily=650), Caps(total=650)])
async def test_a_key_spends_no_credit_beyond_its_cap(tmp_path: Path, caps: Caps) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100_000)
        assert await answers(Job(s.address, "submit", tries=30, caps=caps)) == {"taken": 10, "key_spent": 80}
        assert s.rows("SELECT key_id, credits FROM key_spending") == [(KEY, 600)]


async def test_the_last_credits_are_spent_once(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=610)
        assert await answers(Job(s.address, "submit", tries=30)) == {"taken": 10, "insufficient_credits": 80}


@pytest.mark.parametrize("keep", [True, False])
async def test_no_more_tasks_run_than_an_account_and_a_key_may_have(tmp_path: Path, keep: bool) -> None:
    async with shelf(tmp_path) as s:
        for account in ("a", "b"):
            await s.account(account, credits=100_000)
            for key in ("one", "two", "three"):
                await s.key(account, f"{account}/{key}", max_running=2)
                for _ in range(10):
                    await s.submitted(account=account, key=f"{account}/{key}")
        job = Job(s.address, "claim", limits=Limits(running_per_account=5), keep=keep)
        seen = await together(job, PROCESSES)
        assert max(each["of_account"] for each in seen) <= 5
        assert max(each["of_key"] for each in seen) <= 2
        running = s.rows("SELECT account_id, count(*) FROM tasks WHERE status = 'running' GROUP BY 1 ORDER BY 1")
        assert running == ([("a", 5), ("b", 5)] if keep else [])
        assert sum(each["claimed"] for each in seen) == (10 if keep else 60)
