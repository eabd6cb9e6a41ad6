"""The runner over a real store, real slots and a real folder, when things around it go wrong."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.errors import TaskEnded
from filmgate.domain.task import Lease, Status, Task
from filmgate.services.cancel import Cancel
from filmgate.services.runner import RunnerLimits
from filmgate.storage.local import LocalStorage
from support.running import workshop
from support.server import PLUGIN


@pytest.fixture(autouse=True)
def _plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))


def test_a_work_folder_that_cannot_be_made_costs_one_attempt_and_no_more(tmp_path: Path) -> None:
    """A full disk, or a folder that somebody removed: once it is mended everything goes on."""

    async def job() -> None:
        async with workshop(tmp_path) as shop:
            await shop.ended(await shop.submit("a bird"))
            shutil.rmtree(tmp_path / "tmp")
            (tmp_path / "tmp").write_text("in the way")
            task_id = await shop.submit("a dog")
            await shop.seen(task_id, lambda task: task.faults > 0)
            (tmp_path / "tmp").unlink()
            other = await shop.submit("a cat")
            assert (await shop.ended(task_id)).status is Status.SUCCEEDED
            assert (await shop.ended(other)).status is Status.SUCCEEDED

    asyncio.run(job())


def test_a_row_that_cannot_be_read_stops_nobody_else(tmp_path: Path) -> None:
    async def job() -> None:
        async with workshop(tmp_path) as shop:
            rendering = await shop.submit("slow 1")
            broken = await shop.submit("a dog", price=30)
            with closing(sqlite3.connect(shop.shelf.path)) as connection:
                connection.execute("UPDATE tasks SET spec = '{\"nonsense\": 1}' WHERE id = ?", (broken,))
                connection.commit()
            behind = await shop.submit("a dog")
            assert (await shop.ended(rendering)).status is Status.SUCCEEDED
            assert (await shop.ended(behind)).status is Status.SUCCEEDED
            assert shop.shelf.rows("SELECT status FROM tasks WHERE id = ?", broken) == [("failed",)]
            balance, total = shop.shelf.rows("SELECT balance, (SELECT SUM(credits) FROM ledger) FROM accounts")[0]
            assert balance == total
            assert (await shop.store.get(behind)).faults == 0

    asyncio.run(job())


def test_a_cancelled_task_frees_its_slot(tmp_path: Path) -> None:
    async def job() -> None:
        async with workshop(tmp_path) as shop:
            task_id = await shop.submit("slow 60")
            await shop.seen(task_id, lambda task: task.progress > 0)
            await shop.store.cancel(task_id)
            other = await shop.submit("a dog")
            assert (await shop.ended(other)).status is Status.SUCCEEDED
            assert (await shop.store.get(task_id)).status is Status.REJECTED
            async with asyncio.timeout(10):  # a film is published before its folder is tidied away
                while list((tmp_path / "tmp").iterdir()):
                    await asyncio.sleep(0.02)

    asyncio.run(job())


def test_a_nudge_tells_of_a_task_that_was_cancelled(tmp_path: Path) -> None:
    """Nothing else would for an hour: no look at the queue, no heartbeat, no progress."""
    seldom = RunnerLimits(lease=36000.0, heartbeat=3600.0, progress=3600.0, poll=3600.0)

    async def job() -> None:
        async with workshop(tmp_path, limits=seldom) as shop:
            task_id = await shop.submit("slow 60")
            await shop.seen(task_id, lambda task: task.status is Status.RUNNING)
            async with asyncio.timeout(20):
                while (shop.runner.progress(task_id) or (0.0, ""))[0] == 0.0:
                    await asyncio.sleep(0.02)
            await Cancel(shop.store, shop.runner.nudge)(task_id, "default")
            async with asyncio.timeout(20):
                while shop.runner.progress(task_id) is not None:
                    await asyncio.sleep(0.02)
            assert (await shop.store.get(task_id)).status is Status.REJECTED
            assert (await shop.ended(await shop.submit("a dog"))).status is Status.SUCCEEDED

    asyncio.run(job())


@pytest.mark.parametrize("cancel_first", [True, False])
def test_a_film_is_published_or_cancelled_and_never_both(tmp_path: Path, cancel_first: bool) -> None:
    """Both at once, in the moment in which the film is about to be published: the store lets one of them happen."""

    async def job() -> None:
        async with workshop(tmp_path) as shop:
            cancel, succeed = Cancel(shop.store, shop.runner.nudge), shop.store.succeed
            cancels: list[asyncio.Task[Task]] = []

            async def racing(lease: Lease, *args: Any, **more: Any) -> Task:
                publishing = None if cancel_first else asyncio.ensure_future(succeed(lease, *args, **more))
                await asyncio.sleep(0)
                cancels.append(asyncio.create_task(cancel(lease.task.id)))
                await asyncio.sleep(0)
                return await (publishing or succeed(lease, *args, **more))

            shop.store.succeed = racing  # type: ignore[method-assign]  # the real one, at the worst of times
            task = await shop.ended(await shop.submit("a dog", price=30))
            (outcome,) = await asyncio.gather(*cancels, return_exceptions=True)
            assert task.status is (Status.REJECTED if cancel_first else Status.SUCCEEDED)
            assert isinstance(outcome, Task if cancel_first else TaskEnded)
            assert bool(task.artifacts) is not cancel_first
            kinds = shop.shelf.rows("SELECT kind FROM ledger WHERE task_id = ? ORDER BY id", task.id)
            assert kinds == [("hold",), ("refund" if cancel_first else "settle",)]
            storage = LocalStorage(tmp_path / "media")
            async with asyncio.timeout(10):
                while set(await storage.keys(f"{task.id}/")) != {artifact.key for artifact in task.artifacts}:
                    await asyncio.sleep(0.02)

    asyncio.run(job())


def test_a_task_that_somebody_else_has_taken_is_let_go(tmp_path: Path) -> None:
    """The row is given to another owner, as when this runner had slept through its lease."""

    async def job() -> None:
        async with workshop(tmp_path) as shop:
            task_id = await shop.submit("slow 2")
            await shop.seen(task_id, lambda task: task.progress > 0)
            with closing(sqlite3.connect(shop.shelf.path)) as connection:
                connection.execute("UPDATE tasks SET owner = 'another', attempt = attempt + 1")
                connection.execute("UPDATE tasks SET lease_until_ms = lease_until_ms + 3600000")
                connection.commit()
            other = await shop.submit("a dog")
            assert (await shop.ended(other)).status is Status.SUCCEEDED
            task = await shop.store.get(task_id)
            assert (task.status, task.owner, task.artifacts) == (Status.RUNNING, "another", ())
            assert not (tmp_path / "media" / task_id).exists()

    asyncio.run(job())


def test_what_is_under_way_is_handed_back_and_not_counted(tmp_path: Path) -> None:
    async def job() -> None:
        async with workshop(tmp_path) as shop:
            task_id = await shop.submit("slow 60")
            await shop.seen(task_id, lambda task: task.progress > 0)
            await shop.runner.drain(0)
            task = await shop.store.get(task_id)
            assert (task.status, task.faults, task.lost_leases) == (Status.QUEUED, 0, 0)
            assert not list((tmp_path / "tmp").iterdir())

    asyncio.run(job())


def test_only_the_published_files_of_a_task_are_kept(tmp_path: Path) -> None:
    """What an earlier attempt had stored before its runner died is removed once the task has ended."""

    async def job() -> None:
        async with workshop(tmp_path) as shop:
            storage = LocalStorage(tmp_path / "media")
            task_id = secrets.token_hex(16)
            stray = tmp_path / "stray"
            stray.write_bytes(b"half a film")
            await storage.put(f"{task_id}/0/result.mp4", stray)
            unfinished = tmp_path / "media" / task_id / "0" / ".incoming-0123456789abcdef"
            unfinished.write_bytes(b"half a pos")
            task = await shop.ended(await shop.submit("a dog", task_id=task_id))
            async with asyncio.timeout(10):
                while unfinished.exists() or set(await storage.keys(f"{task_id}/")) != _keys(task):
                    await asyncio.sleep(0.02)
            assert len(task.artifacts) == 2

    asyncio.run(job())


def test_files_of_an_earlier_attempt_are_gone_before_the_film_is_published(tmp_path: Path) -> None:
    """A runner that is killed right after its commit leaves nothing that nobody knows of."""

    async def job() -> None:
        async with workshop(tmp_path) as shop:
            storage = LocalStorage(tmp_path / "media")
            task_id, stray = secrets.token_hex(16), tmp_path / "stray"
            succeed, there = shop.store.succeed, list[bool]()

            async def watched(lease: Lease, *args: Any, **more: Any) -> Task:
                there.extend((tmp_path / "media" / task_id / number).exists() for number in ("1", "3"))
                return await succeed(lease, *args, **more)

            shop.store.succeed = watched  # type: ignore[method-assign]  # the real one, and a look just before
            await shop.submit("crash till 2 slow 1", task_id=task_id)
            await shop.seen(task_id, lambda task: task.faults > 0)
            for number in (1, 3):
                stray.write_bytes(b"a film of another attempt")
                await storage.put(f"{task_id}/{number}/result.mp4", stray)
            task = await shop.ended(task_id)
            assert (task.status, task.attempt, there) == (Status.SUCCEEDED, 2, [False, True])

    asyncio.run(job())


def _keys(task: Task) -> set[str]:
    return {artifact.key for artifact in task.artifacts}


def test_a_task_that_is_given_up_leaves_no_files(tmp_path: Path) -> None:
    """Its last runner is dead, so that whoever gives it up tidies up behind it."""

    async def job() -> None:
        storage = LocalStorage(tmp_path / "media")
        async with workshop(tmp_path) as shop:
            task_id = await shop.submit("of another runner", model="veo3_fast")
            stray = tmp_path / "stray"
            stray.write_bytes(b"half a film")
            await storage.put(f"{task_id}/1/result.mp4", stray)
            with closing(sqlite3.connect(shop.shelf.path)) as connection:
                connection.execute(
                    "UPDATE tasks SET status = 'running', owner = 'dead', attempt = 3, lost_leases = 2, "
                    "lease_until_ms = 1 WHERE id = ?",
                    (task_id,),
                )
                connection.commit()
            assert (await shop.ended(task_id)).status is Status.FAILED
            async with asyncio.timeout(10):
                while (tmp_path / "media" / task_id).exists():
                    await asyncio.sleep(0.02)

    asyncio.run(job())
