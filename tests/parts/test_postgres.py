"""What only a PostgreSQL does: many writers at once, connections that are lost, notices, and a clock of its own."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text

from filmgate.domain.features import Feature
from filmgate.ports import Key
from filmgate.services.accounts import create_account
from filmgate.store import moves
from filmgate.store.accounts import SqlAccountStore
from filmgate.store.database import DatabaseRefused, DatabaseUnavailable, Notice, Remembered, Turn
from filmgate.store.features import SqlFeatureStore
from filmgate.store.migrate import REVISIONS, migrate
from filmgate.store.postgres import PLANS, Database, driver_of, engine_for
from filmgate.store.servertime import ServerClock, server_time
from filmgate.store.tables import facts
from support import postgres
from support.storing import MODELS, NOON, HandClock, on, shelf
from support.tools import program

pytestmark = pytest.mark.anyio
UP = text("UPDATE accounts SET balance = balance + 1 WHERE id = :id")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as made:
        with psycopg.connect(made, autocommit=True) as connection:
            connection.execute("INSERT INTO accounts (id, label, created_ms) VALUES ('a', 'a', 1), ('b', 'b', 1)")
        yield made


def balance(url: str, account: str = "a") -> int:
    with psycopg.connect(url) as connection:
        return int(connection.execute("SELECT balance FROM accounts WHERE id = %s", [account]).fetchall()[0][0])


def sever(url: str) -> int:
    """As a server does that is restarted; how many connections there were."""
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
        return len(ended.fetchall())


@asynccontextmanager
async def away(url: str) -> AsyncIterator[None]:
    """Nobody is let in, and who was in is put out."""
    name = urlsplit(url).path[1:]
    with psycopg.connect(postgres.URL, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def up(account: str = "a") -> Callable[[Connection], int]:
    return lambda connection: connection.execute(UP, {"id": account}).rowcount


def one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


async def seen(true: Callable[[], object], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


# ---------------------------------------------------------------- connections -------------------------------------


async def test_connections_that_were_cut_are_made_anew_and_nobody_notices(url: str) -> None:
    async with Database(url) as database:
        for _ in range(3):
            await database.write(up())
            await database.write(up(), turn=Turn.ORDERS)
            assert await database.read(one) == 1
            assert sever(url) >= 3
        assert await database.read_aside(one) == 1
    assert balance(url) == 6


async def test_a_server_that_is_away_for_long_is_told_and_one_that_comes_back_is_used(url: str) -> None:
    async with Database(url) as database:
        await database.write(up())
        async with away(url):
            with pytest.raises(DatabaseUnavailable):
                await database.write(up())
            began = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                await database.write(up(), turn=Turn.ORDERS)
            with pytest.raises(DatabaseUnavailable):
                await database.read(one)
            with pytest.raises(DatabaseUnavailable):
                await database.read_aside(one)
            assert time.monotonic() - began < 30
        await database.write(up())
        assert await database.read(one) == 1
    assert balance(url) == 2


async def test_what_is_asked_while_the_server_is_restarted_waits(url: str) -> None:
    async with Database(url) as database:
        await database.write(up())
        async with away(url):
            asked = [asyncio.create_task(database.write(up())), asyncio.create_task(database.read(one))]
            await asyncio.sleep(0.5)
            assert not any(task.done() for task in asked)
        assert await asyncio.gather(*asked) == [1, 1]
    assert balance(url) == 2


async def test_two_who_wait_for_each_other_are_both_done_in_the_end(url: str) -> None:
    meeting = threading.Barrier(2, timeout=10)

    def both(first: str, second: str) -> Callable[[Connection], int]:
        tries = []

        def work(connection: Connection) -> int:
            connection.execute(UP, {"id": first})
            tries.append(first)
            if len(tries) == 1:
                meeting.wait()
            connection.execute(UP, {"id": second})
            return len(tries)

        return work

    async with Database(url) as database:
        tries = await asyncio.gather(database.write(both("a", "b")), database.write(both("b", "a")))
    assert max(tries) > 1
    assert (balance(url, "a"), balance(url, "b")) == (2, 2)


async def test_who_is_frozen_at_his_turn_lets_the_others_go_on(url: str) -> None:
    """The server ends a transaction in which nothing happens; when its owner wakes up, he begins anew."""
    tries = []

    def frozen(connection: Connection) -> int:
        tries.append(connection.execute(UP, {"id": "a"}).rowcount)
        if len(tries) == 1:
            time.sleep(4)
        return int(connection.execute(UP, {"id": "b"}).rowcount)

    async with Database(url) as ours, Database(url) as theirs:
        began = time.monotonic()
        waking = asyncio.create_task(ours.write(frozen, turn=Turn.ORDERS))
        await seen(lambda: tries)
        await theirs.write(up(), turn=Turn.ORDERS)
        assert time.monotonic() - began < 3.5
        assert await waking == 1
    assert len(tries) == 2
    assert (balance(url, "a"), balance(url, "b")) == (2, 1)


async def test_a_piece_that_fails_takes_back_its_own_changes_and_nobody_elses(url: str) -> None:
    def failing(connection: Connection) -> int:
        connection.execute(UP, {"id": "a"})
        connection.execute(text("INSERT INTO accounts (id, label, created_ms) VALUES ('a', 'again', 1)"))
        return 1

    async with Database(url) as database:
        works = [up(), failing, up(), failing, up()]
        told = await asyncio.gather(*(database.write(work, turn=Turn.ORDERS) for work in works), return_exceptions=True)
        assert [isinstance(each, Exception) for each in told] == [False, True, False, True, False]
        with pytest.raises(Exception, match="accounts"):
            await database.write(failing)
    assert balance(url) == 3


# ---------------------------------------------------------------- notices -----------------------------------------


async def test_others_are_told_of_the_queue_also_after_the_connection_was_lost(url: str) -> None:
    heard: list[float] = []
    async with Database(url) as ours, Database(url) as theirs:
        ours.listen(lambda: heard.append(time.monotonic()))
        await seen(lambda: heard)  # it connects, and what was told before is not known
        for cut in (False, True):
            if cut:
                sever(url)
                heard.clear()
                await seen(lambda: heard)
            heard.clear()
            began = time.monotonic()
            await theirs.write(up(), notice=Notice.QUEUE)
            await seen(lambda: heard)
            assert heard[0] - began < 1
        heard.clear()
        with pytest.raises(ZeroDivisionError):
            await theirs.write(lambda connection: 1 // 0, notice=Notice.QUEUE)
        await theirs.write(up())
        await asyncio.sleep(0.2)
        assert not heard


async def test_a_feature_that_is_switched_is_known_to_those_who_listen_without_looking(url: str) -> None:
    async with Database(url) as ours, Database(url) as theirs:
        ours.listen(lambda: None)
        store, clock = SqlFeatureStore(ours, HandClock()), HandClock()
        await seen(lambda: ours.mark(Remembered.FEATURES) is not None)
        assert await store.is_on(Feature.EXTEND)
        before = ours.mark(Remembered.FEATURES)
        assert await store.is_on(Feature.EXTEND)
        await SqlFeatureStore(theirs, clock).set(Feature.EXTEND, False, "test")
        await seen(lambda: ours.mark(Remembered.FEATURES) != before)
        assert not await store.is_on(Feature.EXTEND)


async def test_a_key_is_remembered_by_those_who_listen_until_they_are_told_otherwise(url: str) -> None:
    """And for a second at most where nobody tells: here its row is changed behind the back of the stores."""
    async with Database(url) as ours, Database(url) as theirs:
        clock = HandClock()
        store, other = SqlAccountStore(ours, clock), SqlAccountStore(theirs, clock)
        await create_account(store, "acme", "Acme", credits=0)
        for number in (1, 2):
            await store.create_key(Key(f"key_{number}", "acme", "build", "fg_", clock.ms), str(number) * 64)
        assert await store.authenticate("1" * 64) is not await store.authenticate("1" * 64)
        ours.listen(lambda: None)
        await seen(lambda: ours.mark(Remembered.KEYS) is not None)

        async def is_kept() -> bool:
            return await store.authenticate("1" * 64) is await store.authenticate("1" * 64)

        async with asyncio.timeout(5):
            while not await is_kept():  # the second may end between the two
                await asyncio.sleep(0.01)
            await other.revoke_key("key_1", by="test")
            while await store.authenticate("1" * 64) is not None:
                await asyncio.sleep(0.01)
            assert await store.authenticate("2" * 64) is not None
            revoke = text("UPDATE keys SET revoked_ms = 1 WHERE id = 'key_2'")
            await theirs.write(lambda connection: connection.execute(revoke).close())
            while await store.authenticate("2" * 64) is not None:
                await asyncio.sleep(0.01)


async def test_a_key_that_this_process_revokes_opens_nothing_from_then_on(url: str) -> None:
    async with Database(url) as ours:
        ours.listen(lambda: None)
        await seen(lambda: ours.mark(Remembered.KEYS) is not None)
        store = SqlAccountStore(ours, HandClock())
        await create_account(store, "acme", "Acme", credits=0)
        await store.create_key(Key("key_1", "acme", "build", "fg_", HandClock().ms), "1" * 64)
        assert await store.authenticate("1" * 64) is not None
        await store.revoke_key("key_1", by="test")
        assert await store.authenticate("1" * 64) is None


# ---------------------------------------------------------------- time --------------------------------------------

_TELL_TIME = """
import asyncio, sys, time
from filmgate.store.postgres import PLANS, Database, driver_of, engine_for
from filmgate.store.servertime import server_time

async def main():
    async with Database(sys.argv[1]) as database, server_time(database) as clock:
        print(clock.now_ms(), time.time_ns() // 1_000_000)

asyncio.run(main())
"""


def test_a_process_whose_clock_is_wrong_goes_by_the_servers(url: str) -> None:
    wrong = [program("faketime"), "-f", "+3h", sys.executable, "-c", _TELL_TIME, url]
    now_ms = time.time_ns() // 1_000_000
    told = subprocess.run(wrong, capture_output=True, text=True, check=True, timeout=60).stdout
    servers_ms, own_ms = map(int, told.split())
    assert 0 <= servers_ms - now_ms < 60_000
    assert own_ms - now_ms > 10_000_000


async def test_the_clock_is_set_only_where_it_is_wrong(url: str) -> None:
    clock = ServerClock(0, steady=lambda: NOON * 1_000_000)
    clock.set(15_000_000)
    assert clock.now_ms() == NOON
    clock.set(-2_000_000_000)
    assert clock.now_ms() == NOON - 2000
    async with Database(url) as database, server_time(database) as followed:
        assert abs(followed.now_ms() - time.time_ns() // 1_000_000) < 1000


# ---------------------------------------------------------------- text --------------------------------------------


async def test_what_cannot_be_kept_is_not_found_and_no_fault(tmp_path: Path) -> None:
    with on("postgresql"):
        async with shelf(tmp_path) as s:
            assert await s.accounts.authenticate("a\0b") is None
            assert await s.accounts.create_account("nul", "a\0b")
            assert (await s.accounts.account("nul")).label == "a\ufffdb"


# ---------------------------------------------------------------- claims ------------------------------------------

CLAIMING = {
    "of_now": NOON,
    "of_models": [*MODELS],
    "of_most": 10,
    "of_many": 8,
    "of_past": 0,
    "owner": "w",
    "lease_until_ms": NOON,
    "started_ms": NOON,
}


def test_a_claim_finds_its_task_by_indexes(url: str) -> None:
    """However long the queue is, and however many tasks have ended."""
    engine, sent = engine_for(url), []
    event.listen(engine, "before_cursor_execute", lambda *told: sent.append(told[2:4]))
    with engine.connect() as connection, driver_of(connection).transaction():
        session = driver_of(connection)
        session.execute(PLANS[Turn.CLAIMS], prepare=False)
        connection.execute(moves.CLAIM, CLAIMING)
        statement, values = sent[-1]
        plan = [line for (line,) in session.execute(f"EXPLAIN {statement}", values)]
    looks = {found[2]: found[1] for line in plan if (found := re.search(r"using (\w+) on tasks (\w+)", line))}
    by_name = {name.rstrip("_0123456789"): index for name, index in looks.items()}
    assert by_name == {
        "theirs": "ix_tasks_begun",
        "queued": "ix_tasks_claim",
        "mine": "ix_tasks_claim",
        "head": "pk_tasks",
    }, plan
    assert not [line for line in plan if "Seq Scan on tasks" in line]


# ---------------------------------------------------------------- tables ------------------------------------------

_LOOK = """
SELECT 'column', table_name, column_name, data_type || ' ' || coalesce(character_maximum_length::text, '') || ' '
    || is_nullable || ' ' || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', '', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2, 3
"""


def looks(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(_LOOK).fetchall()


def test_the_revisions_lead_to_the_same_tables_as_the_schema(url: str) -> None:
    from sqlalchemy import create_engine

    stepwise = postgres.new_database()
    config = Config()
    config.set_main_option("script_location", "filmgate:store/migrations")
    engine = create_engine(f"postgresql+psycopg://{stepwise.partition('://')[2]}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    migrate(stepwise)
    engine.dispose()
    assert looks(stepwise) == looks(url)
    assert facts(stepwise).revision == REVISIONS[-1]


def test_several_processes_may_lay_the_tables_at_once() -> None:
    postgres.server()
    fresh = postgres.new_database()
    threads = [threading.Thread(target=migrate, args=(fresh,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert facts(fresh).revision == REVISIONS[-1]


def test_tables_of_a_newer_filmgate_and_of_others_are_refused(url: str) -> None:
    newer, strange = postgres.new_database(), postgres.new_database()
    migrate(newer)
    with psycopg.connect(newer, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with psycopg.connect(strange, autocommit=True) as connection:
        connection.execute("CREATE TABLE guests (name text)")
    with pytest.raises(DatabaseRefused, match="written by a newer Filmgate"):
        migrate(newer)
    with pytest.raises(DatabaseRefused, match="belongs to another program"):
        migrate(strange)


def test_mistakes_in_the_address_are_told_and_no_password_with_them(url: str) -> None:
    parts = urlsplit(url)
    wrong = {
        urlunsplit(parts._replace(path="/nowhere")): "nowhere.*does not exist",
        urlunsplit(parts._replace(netloc="ada:secret@127.0.0.1:1")): "refused",
        "postgresql://ada:secret@[::1/x": "cannot be read",
    }
    for address, words in wrong.items():
        with pytest.raises((DatabaseRefused, DatabaseUnavailable), match=words) as told:
            migrate(address)
        assert "secret" not in str(told.value)
