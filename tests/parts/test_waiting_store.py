"""Tasks that nobody holds: who looks after them, and that nobody does it twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.errors import LeaseLost
from filmgate.domain.task import Lease, Run, Status, Task
from filmgate.ports import Progress
from filmgate.services.looks import Looks
from filmgate.services.remotes import Remotes
from filmgate.store.runs import SqlRunStore
from filmgate.store.waiting import SqlWaitingStore
from support.storing import MODELS, NOON, Shelf, shelf

RUN = Run(1, "house", "filmgate 1", "worker", NOON, parameters={"seed": 12345})
THERE = replace(RUN, upstream_id="film 7")


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Shelf, SqlWaitingStore]]:
    async with shelf(folder) as s:
        await s.account()
        yield s, SqlWaitingStore(s.database, s.clock)


async def running(s: Shelf) -> Lease:
    await s.submitted()
    lease = await s.tasks.claim("worker", 30_000, MODELS)
    assert lease is not None
    await s.tasks.checkpoint(lease, "sent", run=THERE)
    return lease


async def waiting(s: Shelf, store: SqlWaitingStore, at_ms: int = NOON) -> Task:
    return await store.hand_over(await running(s), at_ms)


def over(folder: Path, job: Callable[[Shelf, SqlWaitingStore], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with opened(folder) as (s, store):
            await job(s, store)

    asyncio.run(run())


def test_nobody_holds_a_task_that_is_handed_over(tmp_path: Path) -> None:
    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        lease = await running(s)
        task = await store.hand_over(lease, NOON + 500)
        assert (task.status, task.owner, task.lease_until_ms, task.engine) == (Status.WAITING, None, None, "house")
        assert task.checkpoint == "sent"
        s.clock.ms += 3_600_000
        assert await s.tasks.sweep_leases() == []
        with pytest.raises(LeaseLost):
            await store.hand_over(lease, NOON)

    over(tmp_path, job)


def test_each_look_is_of_one_worker(tmp_path: Path) -> None:
    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        ids = {(await waiting(s, store)).id for _ in range(10)}
        taken = await asyncio.gather(*(store.take(["house"], 30_000, 3) for _ in range(6)))
        seen = [task.id for tasks in taken for task in tasks]
        assert sorted(seen) == sorted(ids)
        assert await store.take(["house"], 30_000, 10) == []
        assert await store.next_look(["house"]) == 30.0
        s.clock.ms += 30_000  # whoever looked has died: somebody else looks
        assert len(await store.take(["house"], 30_000, 20)) == 10

    over(tmp_path, job)


def test_only_those_whose_engine_a_worker_has_and_that_are_due(tmp_path: Path) -> None:
    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        await waiting(s, store, NOON + 1000)
        assert await store.take(["house"], 30_000, 10) == []
        s.clock.ms += 1000
        assert await store.take(["another"], 30_000, 10) == []
        assert await store.next_look(["another"]) is None
        assert await store.counts() == {"house": 1}
        assert len(await store.take(["another", "house"], 30_000, 10)) == 1

    over(tmp_path, job)


def test_what_a_late_look_has_seen_is_not_written(tmp_path: Path) -> None:
    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        await waiting(s, store)
        (late,) = await store.take(["house"], 1000, 1)
        s.clock.ms += 1000
        (mine,) = await store.take(["house"], 1000, 1)
        await store.look_again(late, NOON + 77_000, Progress(0.9, "lying"))
        with pytest.raises(LeaseLost):
            await store.collect(late, "late", 30_000)
        await store.look_again(mine, NOON + 5000, Progress(0.4, "drawing"))
        task = await s.tasks.get(mine.id)
        assert (task.progress, task.stage, task.run_at_ms) == (0.4, "drawing", NOON + 5000)

    over(tmp_path, job)


def test_progress_only_rises(tmp_path: Path) -> None:
    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        await waiting(s, store)
        for fraction, seen in ((0.5, 0.5), (0.2, 0.5), (0.7, 0.7)):
            (task,) = await store.take(["house"], 1000, 1)
            await store.look_again(task, s.clock.ms, Progress(fraction, f"at {fraction}"))
            assert (await s.tasks.get(task.id)).progress == seen

    over(tmp_path, job)


def test_what_is_taken_up_again_is_a_new_attempt_and_ends_like_any_other(tmp_path: Path) -> None:
    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        await waiting(s, store)
        (task,) = await store.take(["house"], 1000, 1)
        lease = await store.collect(task, "worker", 30_000)
        assert (lease.attempt, lease.task.status, lease.owner) == (2, Status.RUNNING, "worker")
        ended = replace(THERE, ended_ms=NOON, outcome="succeeded")
        await s.tasks.succeed(lease, [], engine="house", state=b"", runs=[ended])
        assert await SqlRunStore(s.database).runs(task.id) == [ended]
        assert await store.abandoned(["house"], 10) == []

    over(tmp_path, job)


@pytest.mark.parametrize("by", ["cancel", "deadline"])
def test_what_goes_on_there_for_a_task_that_has_ended_is_given_once(tmp_path: Path, by: str) -> None:
    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        task = await waiting(s, store)
        assert await store.abandoned(["house"], 10) == []
        if by == "cancel":
            await s.tasks.cancel(task.id)
        else:
            assert len(await s.tasks.expire(begun_by_ms=None, ended_by_ms=NOON + 1, limit=10)) == 1
        assert (await s.accounts.account("default")).balance == 10_000
        assert await store.abandoned(["another"], 10) == []
        ((task_id, run),) = await store.abandoned(["house"], 10)
        assert (task_id, run.upstream_id) == (task.id, "film 7")
        assert await store.abandoned(["house"], 10) == []
        assert (await SqlRunStore(s.database).runs(task.id))[0].outcome == "abandoned"

    over(tmp_path, job)


def test_what_becomes_known_after_the_end_is_cancelled_too(tmp_path: Path) -> None:
    """The order was on its way when its task was cancelled."""

    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        await s.submitted()
        lease = await s.tasks.claim("worker", 30_000, MODELS)
        assert lease is not None
        await s.tasks.checkpoint(lease, "to be sent", run=RUN)
        await s.tasks.cancel(lease.task.id)
        ((_, run),) = await store.abandoned(["house"], 10)
        assert run.upstream_id is None
        await store.note_upstream(lease.task.id, THERE)
        ((_, run),) = await store.abandoned(["house"], 10)
        assert run.upstream_id == "film 7"

    over(tmp_path, job)


def test_what_an_engine_works_on_that_is_named_no_more_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def job(s: Shelf, store: SqlWaitingStore) -> None:
        await waiting(s, store)
        looks = Looks(
            owner="worker",
            waiting=store,
            remotes=Remotes(),
            clock=s.clock,
            lease_ms=1000,
            idle_s=1.0,
            begin=_nobody,
            end=_nobody,
        )
        await looks.run()

    over(tmp_path, job)
    assert "engine=house event=nobody_looks_after_it tasks=1" in caplog.text


async def _nobody(lease: Lease, outcome: object) -> None:
    raise AssertionError("there is nothing to take up")
