"""What an order passes before it becomes a task: a refused one leaves nothing behind, and limits hold to the point."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.credits import Caps
from filmgate.domain.errors import (
    Cancelled,
    EngineFailed,
    FilmgateError,
    InsufficientCredits,
    KeySpent,
    QueueFull,
    TooManyRequests,
)
from filmgate.domain.limits import DAY_MS, HOUR_MS, Limits, day_of, hour_of
from filmgate.domain.spec import Kind, Spec
from filmgate.domain.task import Status
from filmgate.store.admission import QUEUE_RETRY_S
from support.storing import FILM, MODELS, NOON, Shelf, order, shelf

pytestmark = pytest.mark.anyio

KEY = "key_0123456789abcdef"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def refused(s: Shelf, caps: Caps = Caps(), **changes: object) -> FilmgateError:  # noqa: B008
    """What refused an order, which has changed nothing at all."""
    before = s.dump()
    with pytest.raises(FilmgateError) as raised:
        await s.tasks.submit(order(created_ms=s.clock.ms, **changes), caps)  # type: ignore[arg-type]
    assert s.dump() == before
    return raised.value


async def test_orders_are_numbered_and_timed_as_they_are_taken(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account("a")
        await s.account("b", credits=60)
        for account in ("a", "b", "a"):
            s.clock.ms += 5
            taken = await s.tasks.submit(order(account=account, created_ms=NOON))
            assert taken.created_ms == s.clock.ms
            assert await s.tasks.get(taken.id) == taken
        assert isinstance(await refused(s, account="b"), InsufficientCredits)
        rows = s.rows("SELECT account_id, number, created_ms FROM tasks ORDER BY id")
        assert rows == [("a", 1, NOON + 5), ("b", 1, NOON + 10), ("a", 2, NOON + 15)]
        assert s.rows("SELECT id, orders, live FROM accounts ORDER BY id") == [("a", 2, 2), ("b", 1, 1)]


async def test_only_so_many_orders_of_an_account_in_ten_seconds(tmp_path: Path) -> None:
    async with shelf(tmp_path, Limits(creates_per_10s=2)) as s:
        await s.account("a")
        await s.account("b")
        await s.submitted(account="a")
        s.clock.ms += 4000
        await s.submitted(account="a", key="key_two")
        s.clock.ms += 1
        error = await refused(s, account="a", key="key_three")
        assert isinstance(error, TooManyRequests)
        assert error.retry_after_s == 5.999
        await s.submitted(account="b")
        s.clock.ms += 5998
        assert await refused(s, account="a")
        s.clock.ms += 1
        await s.submitted(account="a")
        assert await refused(s, account="a")


async def test_tasks_that_have_ended_still_count_among_the_orders_of_ten_seconds(tmp_path: Path) -> None:
    async with shelf(tmp_path, Limits(creates_per_10s=1)) as s:
        await s.account()
        await s.tasks.cancel((await s.submitted()).id)
        assert isinstance(await refused(s), TooManyRequests)


async def test_a_clock_that_is_set_back_locks_nobody_out(tmp_path: Path) -> None:
    async with shelf(tmp_path, Limits(creates_per_10s=2)) as s:
        await s.account()
        for _ in range(2):
            await s.submitted()
        s.clock.ms -= HOUR_MS
        for _ in range(2):
            await s.submitted()
        assert isinstance(await refused(s), TooManyRequests)


@settings(max_examples=25, deadline=None)
@given(most=st.integers(1, 4), pauses=st.lists(st.sampled_from([0, 1, 2500, 4999, 9999, 10_000]), max_size=30))
def test_the_window_of_the_store_agrees_with_a_list_of_times(most: int, pauses: list[int]) -> None:
    async def run(folder: Path) -> None:
        taken: list[int] = []
        async with shelf(folder, Limits(creates_per_10s=most)) as s:
            await s.account()
            for pause in pauses:
                s.clock.ms += pause
                if sum(s.clock.ms - 10_000 < each for each in taken) < most:
                    await s.submitted()
                    taken.append(s.clock.ms)
                else:
                    assert isinstance(await refused(s), TooManyRequests)

    with TemporaryDirectory() as folder:
        anyio.run(run, Path(folder))


async def test_the_queue_takes_so_many_tasks_and_no_more(tmp_path: Path) -> None:
    async with shelf(tmp_path, Limits(queue=3)) as s:
        await s.account("a")
        await s.account("b")
        for account in ("a", "b", "b"):
            await s.submitted(account=account)
        for account in ("a", "b"):
            error = await refused(s, account=account)
            assert isinstance(error, QueueFull)
            assert error.retry_after_s == QUEUE_RETRY_S
        lease = await s.tasks.claim("w1", 1000, MODELS)
        assert lease is not None
        assert isinstance(await refused(s, account="a"), QueueFull)  # it runs, and has not ended
        await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"")
        await s.submitted(account="a")
        assert isinstance(await refused(s, account="b"), QueueFull)


async def test_one_account_cannot_fill_the_queue(tmp_path: Path) -> None:
    async with shelf(tmp_path, Limits(queue=10, queue_per_account=2)) as s:
        await s.account("a")
        await s.account("b")
        first, _ = await s.submitted(account="a"), await s.submitted(account="a")
        error = await refused(s, account="a")
        assert isinstance(error, QueueFull)
        assert "This account has 2 tasks that have not ended" in str(error)
        await s.submitted(account="b")
        await s.tasks.cancel(first.id)
        await s.submitted(account="a")


async def test_a_key_spends_up_to_its_cap_and_no_further(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        caps = Caps(hourly=120)
        for _ in range(2):
            await s.tasks.submit(order(), caps)
        assert isinstance(await refused(s, caps), KeySpent)
        await s.tasks.submit(order(price=0), caps)
        await s.tasks.submit(order(key="another"), caps)
        await s.tasks.submit(order())  # without a cap, the same key spends on


@pytest.mark.parametrize(
    ("caps", "frees_ms"),
    [(Caps(hourly=100), hour_of(NOON) + HOUR_MS), (Caps(daily=100), day_of(NOON) + DAY_MS), (Caps(total=100), None)],
)
async def test_a_cap_frees_when_its_hour_or_day_is_over(tmp_path: Path, caps: Caps, frees_ms: int | None) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.tasks.submit(order(), caps)
        s.clock.ms = frees_ms - 1 if frees_ms else NOON + 400 * DAY_MS
        assert isinstance(await refused(s, caps), KeySpent)
        if frees_ms:
            s.clock.ms = frees_ms
            await s.tasks.submit(order(), caps)


async def test_what_is_refunded_is_taken_out_of_the_hour_of_the_order(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        caps = Caps(hourly=100, daily=120)
        early = await s.tasks.submit(order(), caps)
        s.clock.ms += HOUR_MS
        late = await s.tasks.submit(order(), caps)
        assert isinstance(await refused(s, caps), KeySpent)
        await s.tasks.cancel(early.id)
        assert s.rows("SELECT hour_ms, credits FROM key_spending ORDER BY hour_ms") == [
            (hour_of(NOON), 0),
            (hour_of(NOON) + HOUR_MS, 60),
        ]
        assert "an hour" in str(await refused(s, caps))
        await s.tasks.cancel(late.id)
        await s.tasks.submit(order(), caps)


async def test_each_way_to_end_frees_what_a_task_has_taken(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        tasks = [await s.submitted() for _ in range(6)]
        leases = [await s.tasks.claim("w1", 1000, MODELS) for _ in range(4)]
        made, rejected, failed, lost = [lease for lease in leases if lease is not None]
        await s.tasks.succeed(made, [FILM], engine="storyboard", state=b"")
        await s.tasks.end(rejected, Cancelled())
        await s.tasks.end(failed, EngineFailed())
        await s.database.write(
            lambda c: c.exec_driver_sql("UPDATE tasks SET lost_leases = 2 WHERE id = ?", (lost.task.id,)).rowcount
        )
        await s.tasks.sweep_leases("w1")
        await s.tasks.cancel(tasks[4].id)
        assert s.rows("SELECT live, orders, balance FROM accounts") == [(1, 6, 9880)]
        await s.database.write(
            lambda c: c.exec_driver_sql("UPDATE tasks SET spec = '{}' WHERE id = ?", (tasks[5].id,)).rowcount
        )
        assert await s.tasks.claim("w1", 1000, MODELS) is None  # it cannot be read, and is buried
        assert s.rows("SELECT live, orders, balance FROM accounts") == [(0, 6, 9940)]
        assert s.rows("SELECT key_id, credits FROM key_spending") == [(KEY, 60)]
        states = dict(s.rows("SELECT status, count(*) FROM tasks GROUP BY status"))
        assert states == {Status.SUCCEEDED: 1, Status.REJECTED: 2, Status.FAILED: 3}


async def test_an_upgrade_is_an_order_but_finding_it_is_none(tmp_path: Path) -> None:
    async with shelf(tmp_path, Limits(creates_per_10s=2)) as s:
        await s.account()
        source = await s.submitted()
        spec = Spec("A dog", "veo3_fast", kind=Kind.UPGRADE_1080P, source_id=source.id, seed=12345)
        made = await s.tasks.submit_once(order(spec=spec, price=5), Caps(hourly=65))
        for _ in range(3):
            assert await s.tasks.submit_once(order(spec=spec, price=5), Caps(hourly=65)) == made
        assert isinstance(await refused(s), TooManyRequests)
        s.clock.ms += 10_000
        await s.tasks.cancel(made.id)
        with pytest.raises(KeySpent):
            await s.tasks.submit_once(order(spec=spec, price=5), Caps(hourly=64))
        assert s.rows("SELECT orders, live FROM accounts") == [(2, 1)]
