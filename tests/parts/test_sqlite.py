"""One file, many writers: what is acknowledged is kept, what fails is undone, and nobody is told that it is locked."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from filmgate.store import schema
from filmgate.store.database import DatabaseBusy
from filmgate.store.migrate import migrate
from filmgate.store.sqlite import Database, connect, patiently
from support.storing import NOON, shelf

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "filmgate.db"
    migrate(path)
    return path


def secret_named(name: str) -> Callable[[Connection], None]:
    """Work that adds one row."""

    def work(connection: Connection) -> None:
        connection.execute(schema.secrets.insert(), {"name": name, "value": "", "created_ms": NOON})

    return work


def names_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM secrets ORDER BY name")]


async def batch(database: Database, *works: Callable[[Connection], object]) -> list[object]:
    """Have these done in one transaction: they are handed in while the writer is held up."""
    gate = threading.Event()
    holding = asyncio.create_task(database.write(lambda _: gate.wait()))
    await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(database.write(work)) for work in works]
    await asyncio.sleep(0)
    gate.set()
    await holding
    return await asyncio.gather(*waiting, return_exceptions=True)


# ------------------------------------------------------------ writing -------------------------------------------------


async def test_writing_returns_what_the_work_returned(path: Path) -> None:
    async with Database(path) as database:
        assert await database.write(lambda c: c.execute(text("SELECT 41 + 1")).scalar_one()) == 42


async def test_what_was_written_is_in_the_file_when_the_call_returns(path: Path) -> None:
    async with Database(path) as database:
        await database.write(secret_named("a"))
        assert names_in(path) == ["a"]


async def test_those_who_wait_share_one_transaction(path: Path) -> None:
    seen: list[list[str]] = []
    async with Database(path) as database:
        await batch(database, secret_named("a"), lambda _: seen.append(names_in(path)), secret_named("b"))
    assert seen == [[]]  # in the file only after the last of them
    assert names_in(path) == ["a", "b"]


async def test_work_that_fails_is_undone_and_the_others_of_its_batch_are_not(path: Path) -> None:
    def half(connection: Connection) -> None:
        secret_named("half")(connection)
        raise LookupError("no")

    async with Database(path) as database:
        outcomes = await batch(database, secret_named("a"), half, secret_named("b"))
    assert [type(outcome) for outcome in outcomes] == [type(None), LookupError, type(None)]
    assert names_in(path) == ["a", "b"]


async def test_when_a_commit_is_impossible_everyone_in_it_is_told_and_the_next_goes_through(path: Path) -> None:
    def spoil(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")

    async with Database(path) as database:
        outcomes = await batch(database, secret_named("a"), spoil, secret_named("b"))
        assert [type(outcome) for outcome in outcomes] == [sqlite3.OperationalError] * 3
        assert names_in(path) == []
        await database.write(secret_named("c"))
    assert names_in(path) == ["c"]


async def test_a_caller_who_left_holds_up_nobody(path: Path) -> None:
    gate = threading.Event()
    async with Database(path) as database:
        leaving = asyncio.create_task(database.write(lambda _: gate.wait()))
        await asyncio.sleep(0.01)
        staying = asyncio.create_task(database.write(secret_named("a")))
        leaving.cancel()
        await asyncio.sleep(0)
        gate.set()
        await staying
        assert leaving.cancelled()


async def test_closing_finishes_what_was_asked_for_and_then_refuses(path: Path) -> None:
    database = Database(path)
    writes = [asyncio.create_task(database.write(secret_named(f"{i:03}"))) for i in range(300)]
    await asyncio.sleep(0)
    await database.close()
    await database.close()
    await asyncio.gather(*writes)
    assert len(names_in(path)) == 300
    with pytest.raises(RuntimeError, match="closed"):
        await database.write(secret_named("late"))
    assert sorted(file.name for file in path.parent.iterdir()) == ["filmgate.db"]  # no journal left over


# ------------------------------------------------------------ reading -------------------------------------------------


async def test_a_reader_sees_what_was_committed_and_not_what_is_under_way(path: Path) -> None:
    counted = text("SELECT count(*) FROM secrets")
    async with Database(path) as database:
        seen: list[int] = []

        def work(connection: Connection) -> None:
            secret_named("a")(connection)
            seen.append(len(names_in(path)))

        await database.write(work)
        assert seen == [0]
        assert await database.read(lambda c: c.execute(counted).scalar_one()) == 1


async def test_a_long_read_sees_one_moment_throughout(path: Path) -> None:
    counted = text("SELECT count(*) FROM secrets")
    async with Database(path) as database:
        loop = asyncio.get_running_loop()

        def work(connection: Connection) -> tuple[int, int]:
            before = connection.execute(counted).scalar_one()
            asyncio.run_coroutine_threadsafe(database.write(secret_named("a")), loop).result()
            return before, connection.execute(counted).scalar_one()

        assert await database.read_aside(work) == (0, 0)
        assert await database.read_aside(lambda c: c.execute(counted).scalar_one()) == 1


# ------------------------------------------------------------ other processes -----------------------------------------

_COUNT_UP = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import text
from filmgate.store.sqlite import Database

async def main():
    up = text("UPDATE accounts SET balance = balance + 1")
    now = text("SELECT balance FROM accounts")
    async with Database(Path(sys.argv[1])) as database:
        async def some():
            for _ in range(25):
                await database.write(lambda c: c.execute(up).rowcount)
                await database.read(lambda c: c.execute(now).scalar_one())
        await asyncio.gather(*(some() for _ in range(16)))

asyncio.run(main())
"""

_WRITE_AND_TELL = """
import asyncio, sys
from pathlib import Path
from filmgate.store.sqlite import Database
from filmgate.store.tasks import SqlTaskStore
sys.path.insert(0, sys.argv[2])
from support.storing import HandClock, order

async def main():
    async with Database(Path(sys.argv[1])) as database:
        store = SqlTaskStore(database, HandClock())
        async def some():
            while True:
                task = order(price=1)
                await store.submit(task)
                print(task.id, flush=True)
        await asyncio.gather(*(some() for _ in range(16)))

asyncio.run(main())
"""


_ENLARGE = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from filmgate.domain.spec import Kind
from filmgate.store.sqlite import Database
from filmgate.store.tasks import SqlTaskStore
sys.path.insert(0, sys.argv[2])
from support.storing import HandClock, order

async def main():
    async with Database(Path(sys.argv[1])) as database:
        store = SqlTaskStore(database, HandClock())
        print("ready", flush=True)
        sys.stdin.readline()
        async def some(film, number):
            task = order(price=5)
            spec = replace(task.spec, kind=Kind.UPGRADE_4K, source_id=film)
            mine = replace(task, id=f"{sys.argv[3]}{number:031x}", spec=spec)
            print(film, (await store.submit_once(mine)).id, flush=True)
        await asyncio.gather(*(some(f"film-{number % 20}", number) for number in range(100)))

asyncio.run(main())
"""


async def test_two_processes_write_at_once_and_neither_is_locked_out(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=0)
        both = [await python(_COUNT_UP, s.path) for _ in range(2)]
        assert [await process.wait() for process in both] == [0, 0]
        assert await s.accounts.balance("default") == 2 * 16 * 25


async def test_when_two_processes_enlarge_a_film_at_once_there_is_one_upgrade_and_one_hold(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=20 * 5)
        both = [await python(_ENLARGE, s.path, Path(__file__).parent.parent, name) for name in "ab"]
        for process in both:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        told = [told for told, _ in await asyncio.gather(*(process.communicate(b"go\n") for process in both))]
        assert [process.returncode for process in both] == [0, 0]
        lines = [line.split() for lines in told for line in lines.decode().splitlines()]
        assert len(lines) == 200
        assert len({film for film, _ in lines}) == len({task_id for _, task_id in lines}) == 20
        assert s.rows("SELECT count(*) FROM tasks") == [(20,)]
        assert s.rows("SELECT count(*), sum(credits) FROM ledger WHERE kind = 'hold'") == [(20, -100)]
        assert await s.accounts.balance("default") == 0


async def test_nothing_that_was_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=1_000_000)
    process = await python(_WRITE_AND_TELL, s.path, Path(__file__).parent.parent)
    assert process.stdout is not None
    acknowledged = [await process.stdout.readline() for _ in range(300)]
    process.kill()
    acknowledged += [line async for line in process.stdout if line.endswith(b"\n")]
    await process.wait()
    kept = {task_id for (task_id,) in s.rows("SELECT id FROM tasks")}
    assert {line.decode().strip() for line in acknowledged} <= kept
    assert s.rows("SELECT balance, balance - (SELECT sum(credits) FROM ledger) FROM accounts") == [
        (1_000_000 - len(kept), 0)
    ]
    assert s.rows("PRAGMA integrity_check") == [("ok",)]


async def python(code: str, *arguments: object) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *map(str, arguments), stdin=pipe, stdout=pipe
    )


def test_waiting_for_another_process_ends_with_a_sentence(path: Path) -> None:
    with closing(connect(path)) as other, closing(connect(path, patience_ms=0)) as mine:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="stop the one that hangs"):
            patiently(lambda: mine.execute("BEGIN IMMEDIATE"), patience_s=0.01)
