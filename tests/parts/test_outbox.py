"""Callbacks between the end of a task and the word that they have arrived, over a real file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.callback import Callback, CallbackState, Delivery
from filmgate.domain.errors import EngineFailed, TaskNotFound
from support.storing import MODELS, NOON, Shelf, shelf

pytestmark = pytest.mark.anyio

LEASE_MS = 60_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def queued(s: Shelf, url: str = "https://receiver.example/hook", **changes: Any) -> Callback:
    """The callback of a task that has just ended."""
    task = await s.submitted(callback=url, **changes)
    lease = await s.tasks.claim("w1", LEASE_MS, MODELS)
    assert lease is not None
    await s.tasks.end(lease, EngineFailed())
    (callback,) = await s.outbox.of_task(task.id)
    return callback


def delivery(callback: Callback, number: int, status: int | None = 500) -> Delivery:
    return Delivery(callback.id, number, NOON + number, 12, status, "<html>", "" if status else "refused")


async def now_of(s: Shelf, callback: Callback) -> Callback:
    (now,) = await s.outbox.of_task(callback.task_id)
    return now


async def test_a_callback_is_due_at_once_and_then_taken(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        first = await queued(s)
        s.clock.ms += 1
        second = await queued(s, "https://other.example/")
        assert await s.outbox.waiting_time() == 0.0
        taken = await s.outbox.due(10, LEASE_MS)
        assert [callback.id for callback in taken] == [first.id, second.id]
        assert taken[1].url == "https://other.example/"
        assert await s.outbox.due(10, LEASE_MS) == []
        assert await s.outbox.waiting_time() == LEASE_MS / 1000


async def test_no_more_are_taken_than_asked_for(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        queue = [await queued(s) for _ in range(3)]
        batches = [await s.outbox.due(2, LEASE_MS), await s.outbox.due(2, LEASE_MS)]
        assert [len(batch) for batch in batches] == [2, 1]
        assert {callback.id for batch in batches for callback in batch} == {callback.id for callback in queue}


async def test_a_callback_whose_sender_died_is_due_again(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        callback = await queued(s)
        await s.outbox.due(1, LEASE_MS)
        s.clock.ms += LEASE_MS
        assert [again.id for again in await s.outbox.due(1, LEASE_MS)] == [callback.id]


async def test_what_is_given_back_is_due_at_once(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        queue = [await queued(s) for _ in range(3)]
        first, *others = await s.outbox.due(3, LEASE_MS)
        s.clock.ms += 5
        await s.outbox.give_back(others)
        assert await s.outbox.waiting_time() == 0.0
        assert {again.id for again in await s.outbox.due(3, LEASE_MS)} == {one.id for one in queue} - {first.id}


async def test_only_a_lease_that_still_runs_is_given_back(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        for _ in range(3):
            await queued(s)
        waiting, arrived, taken = await s.outbox.due(3, LEASE_MS)
        await s.outbox.retry_at(waiting, delivery(waiting, 1), NOON + 50_000)
        await s.outbox.delivered(arrived, delivery(arrived, 1, 200))
        s.clock.ms += LEASE_MS
        await s.outbox.due(3, LEASE_MS)
        s.clock.ms -= 1  # a sender whose clock is behind
        before = [await now_of(s, callback) for callback in (waiting, arrived, taken)]
        await s.outbox.give_back([waiting, arrived, taken])
        assert [await now_of(s, callback) for callback in (waiting, arrived, taken)] == before
        await s.outbox.give_back([])


async def test_a_callback_that_failed_waits_for_its_next_try(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        callback = await queued(s)
        await s.outbox.due(1, LEASE_MS)
        await s.outbox.retry_at(callback, delivery(callback, 1), NOON + 10_000)
        assert await s.outbox.waiting_time() == 10.0
        s.clock.ms += 10_000
        (again,) = await s.outbox.due(1, LEASE_MS)
        assert (again.id, again.tries, again.state) == (callback.id, 1, CallbackState.PENDING)


async def test_a_callback_that_arrived_is_never_due_again(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        callback = await queued(s)
        await s.outbox.delivered(callback, delivery(callback, 1, 200))
        assert ((now := await now_of(s, callback)).state, now.tries) == (CallbackState.DELIVERED, 1)
        s.clock.ms += 10**9
        assert await s.outbox.due(1, LEASE_MS) == []
        assert await s.outbox.waiting_time() is None


@pytest.mark.parametrize(("refused", "state"), [(False, CallbackState.GAVE_UP), (True, CallbackState.REFUSED)])
async def test_a_callback_can_be_given_up(tmp_path: Path, refused: bool, state: CallbackState) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        callback = await queued(s)
        await s.outbox.gave_up(callback, delivery(callback, 1, None), refused=refused)
        assert (await now_of(s, callback)).state is state
        assert await s.outbox.due(1, LEASE_MS) == []


async def test_every_try_is_kept_in_order(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        callback = await queued(s)
        tries = [delivery(callback, 1, None), delivery(callback, 2, 503), delivery(callback, 3, 204)]
        await s.outbox.retry_at(callback, tries[0], NOON + 1)
        await s.outbox.retry_at(callback, tries[1], NOON + 2)
        await s.outbox.delivered(callback, tries[2])
        assert await s.outbox.deliveries(callback.id) == tries
        assert (await now_of(s, callback)).tries == 3


async def test_of_two_senders_at_once_the_one_that_got_through_counts(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        first, second = await queued(s), await queued(s)
        await s.outbox.delivered(first, delivery(first, 1, 200))
        await s.outbox.gave_up(first, delivery(first, 1))
        await s.outbox.gave_up(second, delivery(second, 4))
        await s.outbox.delivered(second, delivery(second, 4, 200))
        for callback in (first, second):
            assert (await now_of(s, callback)).state is CallbackState.DELIVERED
            assert len(await s.outbox.deliveries(callback.id)) == 2
        assert await s.outbox.waiting_time() is None


async def test_lists_begin_with_the_newest(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.account("other")
        queue = []
        for account in ("default", "other", "default"):
            queue.append(await queued(s, account=account))
            s.clock.ms += 1
        ids = [callback.id for callback in queue]
        assert [callback.id for callback in await s.outbox.list()] == ids[::-1]
        assert [callback.id for callback in await s.outbox.list(limit=1)] == ids[2:]
        assert await s.outbox.list(account_id="default") == [queue[2], queue[0]]
        assert await s.outbox.list(account_id="nobody") == []


@pytest.mark.parametrize("account", [None, "default"])
@pytest.mark.only("sqlite")
async def test_the_newest_are_found_without_sorting_all(tmp_path: Path, account: str | None) -> None:
    where = "" if account is None else "WHERE account_id = 'default'"
    async with shelf(tmp_path) as s:
        query = f"EXPLAIN QUERY PLAN SELECT * FROM callbacks {where} ORDER BY created_ms DESC, id DESC LIMIT 50"
        ((*_, plan),) = s.rows(query)
        assert "USING INDEX ix_callbacks_newest" in plan


@pytest.mark.parametrize("end", ["delivered", "gave up", "refused", "waits", "is under way"])
async def test_a_callback_can_be_sent_again_with_its_whole_schedule(tmp_path: Path, end: str) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        callback = await queued(s)
        await s.outbox.due(1, LEASE_MS)
        tried = delivery(callback, 4, 200 if end == "delivered" else 500)
        match end:
            case "delivered":
                await s.outbox.delivered(callback, tried)
            case "gave up" | "refused":
                await s.outbox.gave_up(callback, tried, refused=end == "refused")
            case "waits":
                await s.outbox.retry_at(callback, tried, NOON + 10**9)
        s.clock.ms += 7
        again = await s.outbox.redeliver(callback.id)
        assert again == replace(callback, next_at_ms=NOON + 7, tries=0, state=CallbackState.PENDING)
        assert await now_of(s, callback) == again
        assert await s.outbox.waiting_time() == 0.0
        (taken,) = await s.outbox.due(1, LEASE_MS)
        await s.outbox.delivered(taken, delivery(taken, taken.tries + 1, 204))
        assert [made.number for made in await s.outbox.deliveries(callback.id)] == ([1] if "under" in end else [4, 1])
        assert (await now_of(s, callback)).state is CallbackState.DELIVERED


async def test_a_callback_that_there_is_not_cannot_be_sent_again(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        with pytest.raises(TaskNotFound, match="no callback 'msg_0'"):
            await s.outbox.redeliver("msg_0")
