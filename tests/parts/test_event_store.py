"""What is kept of a task's way, and what the whole queue looks like, over a real file."""

from __future__ import annotations

from pathlib import Path

import pytest

from filmgate.domain.errors import EngineCrashed, EngineFailed
from filmgate.domain.forecast import Running, Waiting, forecast
from filmgate.ports import Progress
from filmgate.store.events import SqlEventStore
from filmgate.store.queue import SqlQueueView
from support.storing import FILM, MODELS, NOON, Shelf, shelf

pytestmark = pytest.mark.anyio

LEASE_MS = 30_000
SIZE = ("veo3_fast", "generate", "720p", 8)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def steps(s: Shelf, task_id: str, number: int = 0) -> list[tuple[int, int, str, float, str]]:
    found = await SqlEventStore(s.database).since(task_id, number, 100)
    return [(each.number, each.at_ms - NOON, each.status.value, each.progress, each.stage) for each in found]


async def test_each_step_of_a_task_is_kept_once_and_in_order(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task = await s.submitted()
        assert await steps(s, task.id) == [], "that it was created is known from the task itself"
        lease = await s.tasks.claim("w", LEASE_MS, MODELS)
        assert lease is not None
        for fraction, stage in ((0.3, "painting"), (0.3, "painting"), (0.1, "mixing"), (0.5, "framing")):
            s.clock.ms += 1000
            await s.tasks.heartbeat("w", LEASE_MS, {task.id: Progress(fraction, stage)})
        await s.tasks.retry(lease, EngineCrashed(), NOON)
        lease = await s.tasks.claim("w", LEASE_MS, MODELS)
        assert lease is not None
        s.clock.ms += 1000
        await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"")
        told = await steps(s, task.id)
        assert told == [
            (1, 0, "running", 0.0, "starting"),
            (2, 1000, "running", 0.3, "painting"),
            (3, 4000, "running", 0.5, "framing"),
            (4, 4000, "queued", 0.5, "waits to be tried again: engine crashed"),
            (5, 4000, "running", 0.5, "starting again"),
            (6, 5000, "succeeded", 1.0, "succeeded"),
        ]
        assert await steps(s, task.id, 4) == told[4:]


async def test_every_end_is_a_step(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        cancelled = await s.submitted()
        await s.tasks.cancel(cancelled.id)
        failed = await s.submitted()
        lease = await s.tasks.claim("w", LEASE_MS, MODELS)
        assert lease is not None
        await s.tasks.end(lease, EngineFailed("No."))
        lost = await s.submitted()
        for _ in range(3):
            assert await s.tasks.claim("w", LEASE_MS, MODELS)
            await s.tasks.sweep_leases("w")
        assert [(await steps(s, each.id))[-1][2:] for each in (cancelled, failed, lost)] == [
            ("rejected", 0.0, "rejected"),
            ("failed", 0.0, "failed"),
            ("failed", 0.0, "failed"),
        ]
        assert [step[2] for step in await steps(s, lost.id)] == [
            "running",
            "queued",
            "running",
            "queued",
            "running",
            "failed",
        ]


async def test_the_queue_is_seen_whole(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.account("b")
        await s.submitted()
        lease = await s.tasks.claim("w", LEASE_MS, MODELS)
        assert lease is not None
        s.clock.ms += 700
        await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"")
        running = await s.submitted(account="b")
        await s.tasks.claim("w", LEASE_MS, MODELS)
        ordinary = await s.submitted()
        urgent = await s.submitted(priority=5)
        broken = await s.submitted()
        s.write("UPDATE tasks SET spec = '{}' WHERE id = ?", broken.id)
        queue = await SqlQueueView(s.database, s.clock).queue(10)
        assert queue.waiting == [
            Waiting(urgent.id, "default", SIZE, 0),
            Waiting(ordinary.id, "default", SIZE, 0),
        ]
        assert queue.running == [Running("b", running.id, SIZE, s.clock.ms)]
        assert queue.paces == {SIZE: 700.0}
        assert {name: share.served for name, share in queue.shares.items()} == {"default": 1, "b": 2}
        assert len((await SqlQueueView(s.database, s.clock).queue(1)).waiting) == 1


async def test_the_forecast_is_the_order_in_which_tasks_are_really_taken(tmp_path: Path) -> None:
    """One place, and each task ended before the next is taken."""
    async with shelf(tmp_path) as s:
        for account in ("default", "b", "c"):
            await s.account(account)
        for number, account in enumerate(["default"] * 4 + ["b", "c", "c", "b", "default"]):
            s.clock.ms += 1
            await s.submitted(account=account, priority=number % 2)
        foretold = forecast(await SqlQueueView(s.database, s.clock).queue(100))
        taken = []
        while (lease := await s.tasks.claim("w", LEASE_MS, MODELS)) is not None:
            taken.append(lease.task.id)
            await s.tasks.end(lease, EngineFailed("No."))
        assert len(taken) == 9
        assert sorted(foretold, key=lambda task_id: foretold[task_id].position or 0) == taken


async def test_steps_go_with_their_task(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task = await s.submitted()
        await s.tasks.cancel(task.id)
        s.write("DELETE FROM tasks WHERE id = ?", task.id)
        assert await steps(s, task.id) == []
