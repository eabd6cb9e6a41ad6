"""The queue over a real file: every event moves exactly the rows it may move, with all that hangs on it, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from filmgate.domain.errors import (
    Cancelled,
    ContentRejected,
    EngineCrashed,
    EngineFailed,
    FilmgateError,
    IllegalTransition,
    InsufficientCredits,
    LeaseLost,
    TaskNotFound,
)
from filmgate.domain.lifecycle import MAX_LOST_LEASES, TRANSITIONS, Event
from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution, Spec
from filmgate.domain.task import Failure, Lease, Origin, Status, Task
from filmgate.ports import Progress
from filmgate.store import moves, schema
from filmgate.store.rows import row_of
from support.storing import FILM, MODELS, NOON, Shelf, order, shelf

pytestmark = pytest.mark.anyio

LEASE_MS = 30_000
CALLBACK = "https://receiver.example/hook"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def claimed(s: Shelf, owner: str = "w1", **changes: Any) -> Lease:
    """A lease on a new task, the only one in the queue."""
    task = await s.submitted(**changes)
    lease = await s.tasks.claim(owner, LEASE_MS, MODELS)
    assert lease is not None
    assert lease.task.id == task.id
    return lease


def upgrade_of(source: Task, kind: Kind, index: int = 0) -> Task:
    return order(price=5, spec=replace(source.spec, kind=kind, source_id=source.id, index=index))


def ledger(s: Shelf, task_id: str) -> list[tuple[Any, ...]]:
    return s.rows("SELECT kind, credits FROM ledger WHERE task_id = ? ORDER BY id", task_id)


# ------------------------------------------------------------ every row of the table ----------------------------------

Act = Callable[[Shelf, Lease], Awaitable[object]]

#: How each event is asked of the store, for those that a port has.
ACTS: dict[Event, Act] = {
    Event.CLAIM: lambda s, lease: s.tasks.claim("w2", LEASE_MS, MODELS),
    Event.SUCCEED: lambda s, lease: s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"plan"),
    Event.REJECT: lambda s, lease: s.tasks.end(lease, ContentRejected()),
    Event.FAIL: lambda s, lease: s.tasks.end(lease, EngineFailed()),
    Event.RETRY: lambda s, lease: s.tasks.retry(lease, EngineCrashed(), NOON + 5000),
    Event.DRAIN: lambda s, lease: s.tasks.drain(lease),
    Event.CANCEL: lambda s, lease: s.tasks.cancel(lease.task.id),
    Event.LOSE_LEASE: lambda s, lease: s.tasks.sweep_leases("w1"),
    Event.GIVE_UP: lambda s, lease: s.tasks.sweep_leases("w1"),
}


async def placed(s: Shelf, status: Status, *, lost_leases: int = 0) -> Lease:
    """A task put into a state by hand. All of them look held by the same worker: only the state tells them apart."""
    task = await s.submitted(callback=CALLBACK)
    held = replace(
        task, status=status, owner="w1", attempt=1, lease_until_ms=NOON + LEASE_MS, lost_leases=lost_leases, stage="x"
    )
    row = row_of(held)
    await s.database.write(lambda c: c.execute(schema.tasks.update().where(schema.tasks.c.id == task.id), row).rowcount)
    return Lease(held, "w1", 1)


@pytest.mark.parametrize(("status", "event"), list(product(Status, ACTS)))
async def test_the_store_moves_a_task_as_the_table_says_and_else_touches_nothing(
    tmp_path: Path, status: Status, event: Event
) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        lease = await placed(s, status, lost_leases=MAX_LOST_LEASES - 1 if event is Event.GIVE_UP else 0)
        before = s.dump()
        try:
            await ACTS[event](s, lease)
        except (LeaseLost, IllegalTransition) as refusal:
            assert (status, event) not in TRANSITIONS, refusal  # noqa: PT017
        target = TRANSITIONS.get((status, event), status)
        assert (await s.tasks.get(lease.task.id)).status is target
        assert (s.dump() == before) == ((status, event) not in TRANSITIONS)


@pytest.mark.parametrize(("status", "event"), list(product(Status, Event)))
async def test_the_statement_of_an_event_is_its_rows_of_the_table(tmp_path: Path, status: Status, event: Event) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task_id = (await placed(s, status)).task.id
        statement = moves.move(event).where(schema.tasks.c.id == task_id)
        moved = await s.database.write(lambda c: c.execute(statement).rowcount)
        assert moved == ((status, event) in TRANSITIONS)
        assert (await s.tasks.get(task_id)).status is TRANSITIONS.get((status, event), status)


# ------------------------------------------------------------ orders --------------------------------------------------


async def test_a_task_comes_back_as_it_was_put_in(tmp_path: Path) -> None:
    spec = Spec(
        prompt="Ein Hund “spielt”\n🐕",
        model="veo3",
        kind=Kind.EXTEND,
        mode=Mode.FRAMES,
        aspect_ratio=AspectRatio.PORTRAIT,
        resolution=Resolution.K4,
        seconds=6,
        seed=99999,
        images=("https://a.example/1.png", "https://a.example/2.png"),
        watermark="© me",
        translate=False,
        fallback=False,
        callback_url=CALLBACK,
    )
    origin = Origin("default", "key_1", "veo3", "https://films.example", {"times": "iso"})
    task = Task("f" * 32, origin, spec, NOON, run_at_ms=NOON, priority=3, price=250)
    async with shelf(tmp_path) as s:
        await s.account()
        await s.tasks.submit(task)
        assert await s.tasks.get(task.id) == task


async def test_an_order_holds_its_price(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100)
        task = await s.submitted(price=60)
        assert ledger(s, task.id) == [("hold", -60)]
        assert await s.accounts.balance("default") == 40


async def test_an_order_that_the_balance_does_not_cover_leaves_no_trace(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=59)
        before = s.dump()
        with pytest.raises(InsufficientCredits, match="needs 60 credits and the account has 59"):
            await s.submitted(price=60)
        assert s.dump() == before


async def test_a_free_order_needs_no_credits(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=0)
        lease = await claimed(s, price=0)
        await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"")
        assert ledger(s, lease.task.id) == [("hold", 0), ("settle", 0)]


async def test_a_second_order_of_the_same_id_is_not_taken_and_not_paid(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=1000)
        task = await s.submitted()
        before = s.dump()
        with pytest.raises(Exception, match="UNIQUE constraint failed"):
            await s.tasks.submit(task)
        assert s.dump() == before


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.is_upgrade])
async def test_a_film_has_one_live_upgrade_of_a_kind_and_index(tmp_path: Path, kind: Kind) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=1000)
        source = await s.submitted(price=0)
        first, second, third = (upgrade_of(source, kind) for _ in range(3))
        assert await s.tasks.upgrade_of(source.id, kind, 0) is None
        assert await s.tasks.submit_once(first) == first
        before = s.dump()
        assert await s.tasks.submit_once(second) == first
        assert s.dump() == before
        assert await s.tasks.upgrade_of(source.id, kind, 0) == first
        await s.tasks.cancel(first.id)
        assert await s.tasks.upgrade_of(source.id, kind, 0) is None
        assert await s.tasks.submit_once(third) == third
        assert await s.tasks.submit_once(upgrade_of(source, kind, index=1)) != third
        assert ledger(s, first.id) == [("hold", -5), ("refund", 5)]
        assert ledger(s, second.id) == []
        assert ledger(s, third.id) == [("hold", -5)]


async def test_an_upgrade_that_the_balance_does_not_cover_leaves_no_trace(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=4)
        source = await s.submitted(price=0)
        before = s.dump()
        with pytest.raises(InsufficientCredits):
            await s.tasks.submit_once(upgrade_of(source, Kind.UPGRADE_4K))
        assert s.dump() == before


async def test_the_database_itself_refuses_a_second_live_upgrade(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source = await s.submitted(price=0)
        await s.tasks.submit(upgrade_of(source, Kind.UPGRADE_4K))
        before = s.dump()
        with pytest.raises(IntegrityError, match="UNIQUE"):
            await s.tasks.submit(upgrade_of(source, Kind.UPGRADE_4K))
        assert s.dump() == before


async def test_only_upgrades_are_submitted_once(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source = await s.submitted()
        for task in (order(), upgrade_of(source, Kind.EXTEND)):
            with pytest.raises(ValueError, match="Only upgrades"):
                await s.tasks.submit_once(task)
        twice = [upgrade_of(source, Kind.EXTEND) for _ in range(2)]
        for task in twice:
            await s.tasks.submit(task)  # a film may be extended as often as one likes
        assert await s.tasks.upgrade_of(source.id, Kind.EXTEND, 0) is None


@pytest.mark.only("sqlite")
async def test_the_upgrade_of_a_film_is_found_by_its_index(tmp_path: Path) -> None:
    query = (
        "EXPLAIN QUERY PLAN SELECT * FROM tasks WHERE source_id = 'a' AND kind = 'b' AND result_index = 0 "
        f"AND {schema.LIVE_UPGRADE.text}"
    )
    async with shelf(tmp_path) as s:
        ((*_, plan),) = s.rows(query)
        assert "uq_tasks_upgrade" in plan


async def test_a_task_is_its_accounts_own(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task = await s.submitted()
        assert (await s.tasks.get(task.id, "default")).id == task.id
        for refused in (s.tasks.get(task.id, "other"), s.tasks.get("0" * 32), s.tasks.cancel(task.id, "other")):
            with pytest.raises(TaskNotFound):
                await refused


async def test_lists_begin_with_the_newest(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.account("other")
        first = await s.submitted()
        s.clock.ms += 1
        second, third = await s.submitted(account="other"), await s.submitted()
        assert [task.id for task in await s.tasks.list()] == [third.id, second.id, first.id]
        assert [task.id for task in await s.tasks.list(account_id="default", limit=1)] == [third.id]


# ------------------------------------------------------------ a worker and its lease ----------------------------------


async def test_a_heartbeat_renews_every_lease_of_its_worker_and_no_other(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        mine = [await claimed(s), await claimed(s)]
        other = await claimed(s, "w2")
        s.clock.ms += 10_000
        progress = {mine[0].task.id: Progress(0.5, "painting"), other.task.id: Progress(0.9, "stolen")}
        assert await s.tasks.heartbeat("w1", LEASE_MS, progress) == {lease.task.id for lease in mine}
        first, second, theirs = [await s.tasks.get(lease.task.id) for lease in (*mine, other)]
        assert (first.progress, first.stage, first.lease_until_ms) == (0.5, "painting", NOON + 10_000 + LEASE_MS)
        assert (second.progress, second.stage, second.lease_until_ms) == (0.0, "starting", NOON + 10_000 + LEASE_MS)
        assert theirs == other.task


async def test_what_is_seen_of_a_task_only_rises_through_all_attempts(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        lease = await claimed(s)
        for fraction, stage in ((0.5, "painting"), (0.2, "mixing paint")):
            await s.tasks.heartbeat("w1", LEASE_MS, {lease.task.id: Progress(fraction, stage)})
        task = await s.tasks.get(lease.task.id)
        assert (task.progress, task.stage) == (0.5, "painting")
        assert (await s.tasks.retry(lease, EngineCrashed(), NOON)).progress == 0.5
        again = await s.tasks.claim("w1", LEASE_MS, MODELS)
        assert again is not None
        assert (again.task.progress, again.task.stage) == (0.5, "starting again")
        await s.tasks.heartbeat("w1", LEASE_MS, {again.task.id: Progress(0.4, "painting")})
        assert (await s.tasks.get(again.task.id)).stage == "starting again"
        await s.tasks.heartbeat("w1", LEASE_MS, {again.task.id: Progress(0.6, "framing")})
        task = await s.tasks.get(again.task.id)
        assert (task.progress, task.stage) == (0.6, "framing")


async def test_success_publishes_the_film_and_turns_the_hold_into_a_charge(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100)
        lease = await claimed(s, callback=CALLBACK)
        s.clock.ms += 16_000
        done = await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"\0plan")
        assert done == await s.tasks.get(lease.task.id)
        assert (done.status, done.artifacts, done.engine) == (Status.SUCCEEDED, (FILM,), "storyboard")
        assert (done.progress, done.ended_ms, done.owner, done.lease_until_ms) == (1.0, s.clock.ms, None, None)
        assert await s.tasks.state_of(done.id) == b"\0plan"
        assert ledger(s, done.id) == [("hold", -60), ("settle", 0)]
        assert await s.accounts.balance("default") == 40
        (callback,) = await s.outbox.of_task(done.id)
        assert (callback.url, callback.account_id, callback.next_at_ms) == (CALLBACK, "default", s.clock.ms)
        assert callback.id.startswith("msg_")
        assert len(callback.id) == 36


@pytest.mark.parametrize(
    ("error", "status"), [(ContentRejected("No."), Status.REJECTED), (EngineFailed("Out of paint."), Status.FAILED)]
)
async def test_an_end_without_a_film_gives_the_hold_back(tmp_path: Path, error: Any, status: Status) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100)
        lease = await claimed(s, callback=CALLBACK)
        ended = await s.tasks.end(lease, error)
        assert (ended.status, ended.failure) == (status, Failure(error.slug, str(error)))
        assert ledger(s, ended.id) == [("hold", -60), ("refund", 60)]
        assert await s.accounts.balance("default") == 100
        assert len(await s.outbox.of_task(ended.id)) == 1


async def test_without_an_address_nobody_is_told(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        lease = await claimed(s, callback=None)
        await s.tasks.end(lease, EngineFailed())
        assert await s.outbox.of_task(lease.task.id) == []


async def test_a_retry_waits_for_its_time_and_is_counted_but_a_drain_is_not(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        lease = await claimed(s)
        again = await s.tasks.retry(lease, EngineCrashed(), NOON + 5000)
        assert (again.status, again.run_at_ms, again.faults, again.owner) == (Status.QUEUED, NOON + 5000, 1, None)
        assert "engine crashed" in again.stage
        s.clock.ms += 5000
        second = await s.tasks.claim("w1", LEASE_MS, MODELS)
        assert second is not None
        assert second.attempt == 2
        drained = await s.tasks.drain(second)
        assert (drained.status, drained.faults, drained.lost_leases) == (Status.QUEUED, 1, 0)
        third = await s.tasks.claim("w1", LEASE_MS, MODELS)
        assert third is not None
        assert third.attempt == 3  # the number of an attempt is never used again: it fences


async def test_a_checkpoint_is_kept_through_the_next_attempt(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        lease = await claimed(s)
        await s.tasks.checkpoint(lease, "upstream-7")
        await s.tasks.sweep_leases("w1")
        assert (await s.tasks.get(lease.task.id)).checkpoint == "upstream-7"
        with pytest.raises(LeaseLost):
            await s.tasks.checkpoint(lease, "too late")


STALE: dict[str, Act] = {
    "succeed": ACTS[Event.SUCCEED],
    "reject": ACTS[Event.REJECT],
    "fail": ACTS[Event.FAIL],
    "retry": ACTS[Event.RETRY],
    "drain": ACTS[Event.DRAIN],
    "checkpoint": lambda s, lease: s.tasks.checkpoint(lease, "x"),
}


@pytest.mark.parametrize("next_owner", ["w1", "w2"])
@pytest.mark.parametrize("act", list(STALE.values()), ids=list(STALE))
async def test_a_stale_lease_changes_nothing(tmp_path: Path, act: Act, next_owner: str) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        stale = await claimed(s)
        s.clock.ms += LEASE_MS
        await s.tasks.sweep_leases()
        assert await s.tasks.claim(next_owner, LEASE_MS, MODELS) is not None
        before = s.dump()
        with pytest.raises(LeaseLost):
            await act(s, stale)
        assert s.dump() == before


# ------------------------------------------------------------ workers that are gone -----------------------------------


async def test_a_lease_that_ran_out_goes_round_again_until_the_last_straw(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100)
        task = await s.submitted(callback=CALLBACK)
        for lost in range(1, MAX_LOST_LEASES + 1):
            lease = await s.tasks.claim("w1", LEASE_MS, MODELS)
            assert lease is not None
            s.clock.ms += LEASE_MS - 1
            assert await s.tasks.sweep_leases() == []
            s.clock.ms += 1
            (swept,) = await s.tasks.sweep_leases()
            assert (swept.lost_leases, swept.owner, swept.lease_until_ms) == (lost, None, None)
            assert swept.status is (Status.QUEUED if lost < MAX_LOST_LEASES else Status.FAILED)
        ended = await s.tasks.get(task.id)
        assert ended.failure is not None
        assert ended.failure.slug == "attempts_used_up"
        assert f"died {MAX_LOST_LEASES} times" in ended.failure.sentence
        assert ended.ended_ms == s.clock.ms
        assert ledger(s, task.id) == [("hold", -60), ("refund", 60)]
        assert len(await s.outbox.of_task(task.id)) == 1


async def test_a_worker_that_comes_back_takes_its_own_tasks_back_at_once(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        mine, other = await claimed(s), await claimed(s, "w2")
        (swept,) = await s.tasks.sweep_leases("w1")
        assert (swept.id, swept.status) == (mine.task.id, Status.QUEUED)
        assert await s.tasks.get(other.task.id) == other.task


# ------------------------------------------------------------ cancelling ----------------------------------------------


async def test_a_cancelled_task_is_refunded_and_its_worker_has_lost_it(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100)
        lease = await claimed(s, callback=CALLBACK)
        gone = await s.tasks.cancel(lease.task.id, "default")
        assert (gone.status, gone.failure) == (Status.REJECTED, Failure("cancelled", str(Cancelled())))
        assert await s.tasks.heartbeat("w1", LEASE_MS, {}) == set()
        with pytest.raises(LeaseLost):
            await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"")
        with pytest.raises(IllegalTransition, match="rejected cannot cancel"):
            await s.tasks.cancel(lease.task.id)
        assert ledger(s, gone.id) == [("hold", -60), ("refund", 60)]
        with pytest.raises(TaskNotFound):
            await s.tasks.state_of(gone.id)


async def test_the_database_itself_refuses_a_second_end_of_a_hold(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        lease = await claimed(s)
        await s.tasks.end(lease, EngineFailed())
        settle = {"account_id": "default", "kind": "settle", "credits": 0, "at_ms": NOON, "task_id": lease.task.id}
        with pytest.raises(Exception, match="UNIQUE constraint failed") as refusal:
            await s.database.write(lambda c: c.execute(insert(schema.ledger), settle).close())
        assert not isinstance(refusal.value, FilmgateError)
