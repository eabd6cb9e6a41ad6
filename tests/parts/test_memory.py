"""What the stores remember is never older than what anybody has committed, in whatever process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from filmgate.app.chance import Seeds, TaskIds
from filmgate.domain.errors import ContentRejected, TaskNotFound
from filmgate.domain.spec import SEEDS
from filmgate.domain.task import Lease, Status
from filmgate.ports import Key, Progress
from filmgate.store import admission, keys, schema, tasks
from filmgate.store.accounts import SqlAccountStore
from filmgate.store.database import Remembered
from filmgate.store.hot import Hot
from filmgate.store.media import SqlMediaStore
from filmgate.store.memory import Memory
from filmgate.store.rows import row_of, task_of
from filmgate.store.schema import ledger, task_state
from filmgate.store.sqlite import Database, driver_of
from filmgate.store.tasks import SqlTaskStore
from support.storing import FILM, MODELS, Shelf, on, opened, order, shelf

pytestmark = pytest.mark.anyio

DIGEST = "d" * 64
LEASE_MS = 30_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def elsewhere(s: Shelf, statement: str, *values: Any) -> None:
    """In another process, whose commit is over when this returns."""
    program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2], sys.argv[3:]); c.commit()"
    subprocess.run([sys.executable, "-c", program, str(s.path), statement, *values], check=True, timeout=60)


# ---------------------------------------------------------------- tasks -------------------------------------------


async def test_what_another_process_does_to_a_task_is_seen_by_the_next_look(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task = await s.submitted()
        assert (await s.tasks.get(task.id)).stage == "queued"
        await asyncio.to_thread(elsewhere, s, "UPDATE tasks SET stage = 'drawn elsewhere' WHERE id = ?", task.id)
        assert (await s.tasks.get(task.id)).stage == "drawn elsewhere"
        await asyncio.to_thread(elsewhere, s, "DELETE FROM tasks WHERE id = ?", task.id)
        with pytest.raises(TaskNotFound):
            await s.tasks.get(task.id)


async def test_a_task_is_the_same_object_until_something_about_it_changes(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task = await s.submitted()
        first = await s.tasks.get(task.id)
        assert await s.tasks.get(task.id) is first
        await s.submitted()  # another one
        assert await s.tasks.get(task.id) is first
        lease = await s.tasks.claim("w1", LEASE_MS, MODELS)
        assert lease is not None
        begun = await s.tasks.get(task.id)
        assert begun is not first
        assert begun.status is Status.RUNNING
        await s.tasks.heartbeat("w1", LEASE_MS, {task.id: Progress(0.5, "drawing")})
        assert (await s.tasks.get(task.id)).progress == 0.5
        await s.tasks.succeed(lease, [FILM], engine="trial", state=b"")
        ended = await s.tasks.get(task.id)
        assert ended.artifacts == (FILM,)
        await s.media.discard(task.id)
        assert (await s.tasks.get(task.id)).artifacts == ()


async def test_a_remembered_task_is_nobody_elses(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task = await s.submitted()
        assert await s.tasks.get(task.id, "default") is await s.tasks.get(task.id)
        with pytest.raises(TaskNotFound):
            await s.tasks.get(task.id, "another")


async def test_on_postgresql_only_what_others_do_to_an_ended_task_may_be_told_a_second_later(tmp_path: Path) -> None:
    with on("postgresql"):
        async with shelf(tmp_path) as s, opened(s.address) as other:
            await s.account()
            ours, theirs, live = [(await s.submitted()).id for _ in range(3)]
            for _ in range(2):
                lease = await s.tasks.claim("w1", LEASE_MS, MODELS)
                assert lease is not None
                await s.tasks.succeed(lease, [FILM], engine="trial", state=b"")
            assert [len((await s.tasks.get(each)).artifacts) for each in (ours, theirs, live)] == [1, 1, 0]
            await SqlTaskStore(other, s.clock).cancel(live)
            assert (await s.tasks.get(live)).status is Status.REJECTED
            await s.media.discard(ours)
            assert (await s.tasks.get(ours)).artifacts == ()
            await SqlMediaStore(other, s.clock).discard(theirs)
            async with asyncio.timeout(5):
                while (await s.tasks.get(theirs)).artifacts:
                    await asyncio.sleep(0.05)


DEEDS = ("submit", "claim", "progress", "succeed", "end", "drain", "cancel", "discard", "forget")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(DEEDS), st.booleans()), min_size=4, max_size=25))
def test_two_processes_that_take_turns_see_every_row_as_it_is(deeds: Sequence[tuple[str, bool]]) -> None:
    """Each look, by either of them, finds what the table holds."""

    async def job(folder: Path) -> None:
        async with shelf(folder) as s, opened(s.address) as other:
            await s.account()
            stores = SqlTaskStore(s.database, s.clock), SqlTaskStore(other, s.clock)
            media = SqlMediaStore(s.database, s.clock), SqlMediaStore(other, s.clock)
            known = [(await s.submitted()).id]
            for deed, second in deeds:
                await _do(deed, stores[second], media[second], known)
                for store in stores:
                    for task_id in known:
                        assert await _seen(store, task_id) == await s.database.read(_stored(task_id))

    with TemporaryDirectory() as folder:
        asyncio.run(job(Path(folder)))


async def _do(deed: str, store: SqlTaskStore, media: SqlMediaStore, known: list[str]) -> None:
    lease = await store.claim("w", LEASE_MS, MODELS) if deed in ("progress", "succeed", "end", "drain") else None
    if deed == "submit":
        known.append((await store.submit(order())).id)
    elif deed == "claim":
        await store.claim("w", LEASE_MS, MODELS)
    elif deed == "discard":
        await media.discard(known[-1])
    elif deed == "forget":
        await media.forget(known, 2**60)
    elif deed == "cancel":
        for task in await store.list(limit=1):
            if not task.status.ended:
                await store.cancel(task.id)
    elif lease is not None:
        await _work(deed, store, lease)


async def _work(deed: str, store: SqlTaskStore, lease: Lease) -> None:
    match deed:
        case "progress":
            await store.heartbeat("w", LEASE_MS, {lease.task.id: Progress(0.25, "drawing")})
        case "succeed":
            await store.succeed(lease, [FILM], engine="trial", state=b"")
        case "end":
            await store.end(lease, ContentRejected())
        case _:
            await store.drain(lease)


async def _seen(store: SqlTaskStore, task_id: str) -> Any:
    try:
        return await store.get(task_id)
    except TaskNotFound:
        return None


def _stored(task_id: str) -> Any:
    """Past the store, and past its memory."""
    wanted: Any = select(schema.tasks).where(schema.tasks.c.id == task_id)

    def read(connection: Any) -> Any:
        row = connection.execute(wanted).one_or_none()
        return None if row is None else task_of(row)

    return read


# ---------------------------------------------------------------- keys --------------------------------------------


async def keyed(s: Shelf, **bounds: Any) -> Key:
    await s.account()
    key = Key("key_1", "default", "build", "fg_", s.clock.ms, **bounds)
    await s.accounts.create_key(key, DIGEST)
    return key


async def test_a_key_that_another_process_revokes_opens_nothing_from_then_on(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await keyed(s)
        known = await s.accounts.authenticate(DIGEST)
        assert known is not None
        assert await s.accounts.authenticate(DIGEST) is known
        await asyncio.to_thread(elsewhere, s, "UPDATE keys SET revoked_ms = 1 WHERE id = ?", "key_1")
        assert await s.accounts.authenticate(DIGEST) is None


async def test_a_key_that_is_narrowed_elsewhere_is_narrow_at_once(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s, opened(s.address) as other:
        await keyed(s)
        assert await s.accounts.authenticate(DIGEST) is not None
        theirs = SqlAccountStore(other, s.clock)
        await theirs.change_key("key_1", lambda key: replace(key, addresses=("10.0.0.0/8",)), by="cli:anna")
        caller = await s.accounts.authenticate(DIGEST)
        assert caller is not None
        assert caller.addresses == ("10.0.0.0/8",)


async def test_a_remembered_key_expires_in_time_though_nobody_writes(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await keyed(s, expires_ms=s.clock.ms + 1000)
        assert await s.accounts.authenticate(DIGEST) is not None
        s.clock.ms += 999
        assert await s.accounts.authenticate(DIGEST) is not None
        s.clock.ms += 1
        assert await s.accounts.authenticate(DIGEST) is None


async def test_a_remembered_secret_ends_with_its_overlap(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await keyed(s)
        await s.accounts.rotate_key("key_1", "e" * 64, "fg_", 1000, by="cli:anna")
        for digest in (DIGEST, "e" * 64):
            assert await s.accounts.authenticate(digest) is not None
        s.clock.ms += 1000
        assert await s.accounts.authenticate(DIGEST) is None
        assert await s.accounts.authenticate("e" * 64) is not None


async def test_what_is_unknown_is_not_remembered(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        assert await s.accounts.authenticate(DIGEST) is None
        await keyed(s)
        assert await s.accounts.authenticate(DIGEST) is not None


# ---------------------------------------------------------------- the seam ----------------------------------------


async def test_a_mark_changes_with_every_commit_of_anybody_and_with_nothing_else(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        assert isinstance(s.database, Database)
        marks = [s.database.mark(Remembered.ROWS)]
        await s.tasks.list()
        await asyncio.sleep(0)
        assert s.database.mark(Remembered.ROWS) == marks[-1]
        for number in range(4):
            if number % 2:
                await s.account(f"ours-{number}", credits=0)
            else:
                await asyncio.to_thread(s.write, "INSERT INTO features VALUES (?, 1, 1)", f"theirs-{number}")
            marks.append(s.database.mark(Remembered.ROWS))
        assert len(set(marks)) == 5


def test_memory_has_an_end() -> None:
    memory: Memory[int] = Memory(most=3)
    for number in range(10):
        memory.keep(f"{number % 5}", number, "mark")
    assert [memory.last(f"{number}") is not None for number in range(5)] == [False, False, True, True, True]
    kept = memory.last("4")
    assert kept is not None
    assert (kept.value, kept.holds("mark"), kept.holds("another"), kept.holds(None)) == (9, True, False, False)
    memory.forget("4")
    memory.forget("nothing")
    assert memory.last("4") is None


def test_what_a_database_could_not_tell_about_never_holds() -> None:
    memory: Memory[int] = Memory(most=3)
    memory.keep("a", 1, None)
    kept = memory.last("a")
    assert kept is not None
    assert not kept.holds(None)


# ---------------------------------------------------------------- hot statements ----------------------------------

HOT: dict[str, tuple[Hot, dict[str, Any]]] = {
    "a task": (tasks._GET, {"of_id": "t"}),
    "a caller": (keys.CALLER, {"of_digest": DIGEST, "of_now": 5}),
    "an order": (
        admission._take(True, True, True),
        {"of_id": "default", "of_price": 3, "of_creates": 1, "of_key": "k", "of_hour": 0, "of_day": 0},
    ),
}


@pytest.mark.parametrize("name", HOT)
async def test_past_sqlalchemy_and_through_it_a_statement_finds_the_same(tmp_path: Path, name: str) -> None:
    hot, values = HOT[name]
    async with shelf(tmp_path) as s:
        await keyed(s)
        await s.tasks.submit(replace(order(), id="t"))

        def both(connection: Any) -> tuple[Any, Any]:
            driver = driver_of(connection)
            driver.execute("SAVEPOINT twice")
            quick = hot.one(connection, values)
            driver.execute("ROLLBACK TO twice")
            slow = connection.execute(hot._core, values).one()
            return quick, slow

        quick, slow = await s.database.write(both)
        assert tuple(quick) == tuple(slow)
        assert quick._fields == tuple(slow._fields)


async def test_a_row_that_there_may_not_be_is_refused_under_the_usual_name(tmp_path: Path) -> None:
    add = Hot(insert(task_state))
    async with shelf(tmp_path) as s:
        with pytest.raises(IntegrityError):
            await s.database.write(lambda c: add.change(c, {"task_id": "there is no such task", "state": b""}))


async def test_a_column_that_nobody_sets_has_its_default(tmp_path: Path) -> None:
    add = Hot(insert(ledger), ("account_id", "kind", "credits", "at_ms"))
    row = {"account_id": "default", "kind": "grant", "credits": 0, "at_ms": 1}
    async with shelf(tmp_path) as s:
        await s.account(credits=0)
        assert await s.database.write(lambda c: add.change(c, row)) == 1
        assert s.rows("SELECT note, task_id FROM ledger") == [("", None)]


async def test_every_column_of_an_order_is_set(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task = await s.submitted(callback="https://example.org/")
        stored = await s.database.read(_stored(task.id))
        assert stored == task
        assert {**row_of(stored), "number": 1}.keys() == {column.name for column in schema.tasks.c}


# ---------------------------------------------------------------- transactions, chance ----------------------------


async def test_what_is_asked_for_in_one_turn_of_the_loop_shares_a_transaction(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        sizes: list[int] = []
        async with Database(s.path, lambda count, _: sizes.append(count)) as base:
            await asyncio.gather(*(base.write(lambda c: c.exec_driver_sql("SELECT 1").close()) for _ in range(40)))
        assert sizes == [40]


async def test_what_was_asked_for_before_the_end_is_done_before_it(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        base = Database(s.path)
        adding = "INSERT INTO features (name, is_on, changed_ms) VALUES ('late', 1, 1)"
        asking = asyncio.create_task(base.write(lambda c: c.exec_driver_sql(adding).close()))
        await asyncio.sleep(0)  # it has asked, and its turn is not over
        await base.close()
        await asking
        assert s.rows("SELECT name FROM features") == [("late",)]


def test_names_of_tasks_are_uuids_in_the_order_of_time_and_never_the_same() -> None:
    new_id = TaskIds()
    made = [new_id() for _ in range(3000)]
    assert len(set(made)) == 3000
    assert [each[:12] for each in made] == sorted(each[:12] for each in made)
    assert all(len(each) == 32 and each[12] == "7" and each[16] in "89ab" for each in made)
    assert len({each[13:16] + each[17:] for each in made}) == 3000  # by chance alone
    assert len({TaskIds()()[13:] for _ in range(50)}) == 50


def test_seeds_are_seeds() -> None:
    new_seed = Seeds()
    made = {new_seed() for _ in range(500)}
    assert len(made) > 480
    assert all(seed in SEEDS for seed in made)
