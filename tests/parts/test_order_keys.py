"""Idempotency-Keys in the store: one task for one key, whatever number of processes ask at once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from filmgate.domain.errors import InsufficientCredits, KeyReused
from filmgate.domain.spec import Kind, Spec
from filmgate.domain.task import OrderKey
from filmgate.services.sweeps import old_order_keys
from filmgate.store.schema import order_keys as table
from support.storing import order, shelf

pytestmark = pytest.mark.anyio
KEY = OrderKey("order 1", "a" * 64)
OTHER = OrderKey("order 1", "b" * 64)

#: Orders under ten keys, over and over, as one of several API processes would; prints the ids that it was given.
PROGRAM = """
import asyncio, json, sys
from dataclasses import replace

from filmgate.app.chance import TaskIds
from filmgate.app.parts import SystemClock
from filmgate.domain.task import OrderKey
from filmgate.store.tasks import SqlTaskStore
from support.storing import opened, order

async def main() -> None:
    async with opened(sys.argv[1]) as database:
        store = SqlTaskStore(database, SystemClock())
        print("ready", flush=True)
        sys.stdin.readline()
        keys = [OrderKey(f"order {number % 10}", "d" * 64) for number in range(100)]
        new_id = TaskIds()
        made = [replace(order(), id=new_id()) for _ in keys]
        tasks = await asyncio.gather(*(store.submit(task, order_key=key) for task, key in zip(made, keys)))
        print(json.dumps({key.key: task.id for key, task in zip(keys, tasks)}))

asyncio.run(main())
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_known_key_gives_its_task_and_stores_nothing(tmp_path: Path) -> None:
    async with shelf(tmp_path) as rows:
        await rows.account(credits=100)
        first = await rows.tasks.submit(order(), order_key=KEY)
        before = rows.dump()
        assert await rows.tasks.submit(order(), order_key=KEY) == first
        assert await rows.tasks.ordered("default", KEY) == first
        assert rows.dump() == before


async def test_another_order_under_a_known_key_is_refused(tmp_path: Path) -> None:
    async with shelf(tmp_path) as rows:
        await rows.account()
        await rows.tasks.submit(order(), order_key=KEY)
        before = rows.dump()
        with pytest.raises(KeyReused):
            await rows.tasks.submit(order(), order_key=OTHER)
        with pytest.raises(KeyReused):
            await rows.tasks.ordered("default", OTHER)
        assert rows.dump() == before


async def test_what_was_refused_has_no_key(tmp_path: Path) -> None:
    async with shelf(tmp_path) as rows:
        await rows.account(credits=10)
        with pytest.raises(InsufficientCredits):
            await rows.tasks.submit(order(), order_key=KEY)
        assert rows.rows("SELECT count(*) FROM order_keys") == [(0,)]
        assert await rows.tasks.ordered("default", OTHER) is None


async def test_an_upgrade_that_there_is_takes_no_key(tmp_path: Path) -> None:
    """Who asked second has made nothing: the key stays free for what may be made later."""
    async with shelf(tmp_path) as rows:
        await rows.account()
        source = await rows.submitted()
        spec = Spec("", "veo3_fast", kind=Kind.UPGRADE_4K, source_id=source.id)
        first = await rows.tasks.submit_once(order(spec=spec))
        assert await rows.tasks.submit_once(order(spec=spec), order_key=KEY) == first
        assert await rows.tasks.ordered("default", KEY) is None


async def test_orders_that_come_at_once_make_one_task(tmp_path: Path) -> None:
    async with shelf(tmp_path) as rows:
        await rows.account(credits=60)
        made = await asyncio.gather(*(rows.tasks.submit(order(), order_key=KEY) for _ in range(200)))
        assert len({task.id for task in made}) == 1
        assert rows.rows("SELECT balance, orders, live FROM accounts") == [(0, 1, 1)]


async def test_keys_are_forgotten_in_batches_when_their_time_is_over(tmp_path: Path) -> None:
    async with shelf(tmp_path) as rows:
        await rows.account(credits=100_000)
        for number in range(150):
            await rows.tasks.submit(order(price=0), order_key=OrderKey(f"order {number}", "a" * 64))
        rows.clock.ms += 60_000
        kept = OrderKey("young", "a" * 64)
        await rows.tasks.submit(order(price=0), order_key=kept)
        sweep = old_order_keys(rows.tasks, rows.clock, 60.0)
        assert await sweep() == 0
        rows.clock.ms += 1
        assert [await sweep(), await sweep(), await sweep()] == [100, 50, 0]
        assert await rows.tasks.ordered("default", OrderKey("order 1", "a" * 64)) is None
        assert await rows.tasks.ordered("default", kept) is not None
        again = await rows.tasks.submit(order(price=0), order_key=OrderKey("order 1", "c" * 64))
        assert await rows.tasks.ordered("default", OrderKey("order 1", "c" * 64)) == again


async def test_processes_that_order_at_once_make_one_task_for_a_key(tmp_path: Path) -> None:
    async with shelf(tmp_path) as rows:
        await rows.account(credits=100_000)
        told = await asyncio.to_thread(ordered_by_processes, rows.address)
        assert told[0] == told[1] == told[2]
        assert len(told[0]) == 10
        assert rows.rows("SELECT balance, orders, live FROM accounts") == [(100_000 - 600, 10, 10)]
        assert rows.rows("SELECT count(*) FROM ledger WHERE kind = 'hold'") == [(10,)]


def ordered_by_processes(address: str) -> list[dict[str, str]]:
    """What three processes that begin at the same time were told: key -> task."""
    command = [sys.executable, "-c", PROGRAM, address]
    env = {"PYTHONPATH": str(Path(__file__).parents[1])}
    begin = partial(subprocess.Popen[str], command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
    processes = [begin() for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    return told


@pytest.mark.only("sqlite")
async def test_keys_are_looked_up_and_swept_by_indexes(tmp_path: Path) -> None:
    async with shelf(tmp_path) as rows:
        for query in (
            "SELECT digest FROM order_keys WHERE account_id = 'a' AND key = 'b'",
            "SELECT key FROM order_keys WHERE created_ms < 7 ORDER BY created_ms LIMIT 5",
        ):
            plan = " ".join(str(row[3]) for row in rows.rows(f"EXPLAIN QUERY PLAN {query}"))
            assert "SEARCH" in plan
            assert "SCAN" not in plan
        assert {column.name for column in table.primary_key} == {"account_id", "key"}
