"""Whose turn it is: claims are fair between accounts, wait for their time, and never give a task to two workers."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from filmgate.domain.task import Lease, Status
from filmgate.store import moves
from support.storing import FILM, MODELS, NOON, Shelf, shelf

pytestmark = pytest.mark.anyio

LEASE_MS = 30_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_claim_begins_an_attempt_under_a_lease(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        task = await s.submitted()
        s.clock.ms += 1000
        lease = await s.tasks.claim("w1", LEASE_MS, MODELS)
        now = s.clock.ms
        assert lease == Lease(
            replace(
                task,
                status=Status.RUNNING,
                owner="w1",
                attempt=1,
                lease_until_ms=now + LEASE_MS,
                started_ms=now,
                stage="starting",
            ),
            "w1",
            1,
        )
        assert lease is not None
        assert await s.tasks.get(task.id) == lease.task
        assert await s.tasks.claim("w2", LEASE_MS, MODELS) is None


async def test_only_what_is_due_and_of_the_given_models_is_claimed(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.submitted(model="veo3", run_at_ms=NOON + 1000)
        assert await s.tasks.claim("w1", LEASE_MS, ["veo3"]) is None
        s.clock.ms += 1000
        assert await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"]) is None
        assert await s.tasks.claim("w1", LEASE_MS, []) is None
        assert await s.tasks.claim("w1", LEASE_MS, ["veo3_fast", "veo3"]) is not None


async def test_an_account_claims_by_priority_and_then_by_age(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        old, urgent, late = [await s.submitted(priority=priority) for priority in (0, 5, 0)]
        leases = [await s.tasks.claim("w1", LEASE_MS, MODELS) for _ in range(3)]
        assert [lease and lease.task.id for lease in leases] == [urgent.id, old.id, late.id]


async def test_accounts_take_turns_however_many_tasks_one_of_them_has(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        for account, tasks in (("greedy", 6), ("b", 2), ("c", 2)):
            await s.account(account)
            for _ in range(tasks):
                await s.submitted(account=account)
        served = []
        while lease := await s.tasks.claim("w1", LEASE_MS, MODELS):
            served.append(lease.task.origin.account_id)
            await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"")
        assert sorted(served[:3]) == sorted(served[3:6]) == ["b", "c", "greedy"]
        assert served[6:] == ["greedy"] * 4


async def test_the_account_with_fewer_running_tasks_for_its_weight_goes_first(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account("double")
        await s.account("single")
        await s.database.write(
            lambda c: c.exec_driver_sql("UPDATE accounts SET weight = 2 WHERE id = 'double'").rowcount
        )
        for account in ("double", "single") * 6:
            await s.submitted(account=account)
        running = [await s.tasks.claim("w1", LEASE_MS, MODELS) for _ in range(6)]
        served = [lease.task.origin.account_id for lease in running if lease is not None]
        assert (served.count("double"), served.count("single")) == (4, 2)


async def test_an_account_that_only_waits_does_not_block_the_others(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account("a")
        await s.account("b")
        await s.submitted(account="a", run_at_ms=NOON + 1)
        task = await s.submitted(account="b")
        lease = await s.tasks.claim("w1", LEASE_MS, MODELS)
        assert lease is not None
        assert lease.task.id == task.id


async def test_the_time_to_the_next_task_is_known(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        assert await s.tasks.waiting_time() is None
        await s.submitted(run_at_ms=NOON + 1500)
        assert await s.tasks.waiting_time() == 1.5
        await s.submitted(run_at_ms=NOON - 1)
        assert await s.tasks.waiting_time() == 0.0


@pytest.mark.only("sqlite")
async def test_ended_tasks_cost_a_claim_nothing(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        sql = str(moves.CLAIM.compile(dialect=sqlite.dialect())).replace("__[POSTCOMPILE_of_models]", "?")
        plan = [row[3] for row in s.rows(f"EXPLAIN QUERY PLAN {sql}", *[None] * sql.count("?"))]
        names = ("theirs", "queued", "mine", "head")
        steps = [(name, step) for step in plan for name in names if f" {name} " in step]
        assert {name for name, _ in steps} == set(names)
        assert all(step.startswith(f"SEARCH {name} USING") for name, step in steps), plan
        index = {"theirs": "ix_tasks_begun", "head": "sqlite_autoindex_tasks_1"}
        assert all(f" {index.get(name, 'ix_tasks_claim')} " in step for name, step in steps), plan


# ------------------------------------------------------------ several processes ---------------------------------------

_CLAIM_ALL = """
import asyncio, sys
from filmgate.store.tasks import SqlTaskStore
sys.path.insert(0, sys.argv[3])
from support.storing import FILM, MODELS, HandClock, opened

async def main():
    async with opened(sys.argv[1]) as database:
        store = SqlTaskStore(database, HandClock())
        print("ready", flush=True)
        sys.stdin.readline()
        while lease := await store.claim(sys.argv[2], 30_000, MODELS):
            await store.succeed(lease, [FILM], engine=sys.argv[2], state=b"")
            print(lease.task.id)

asyncio.run(main())
"""


async def test_two_processes_never_get_the_same_task(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100_000)
        ids = {task.id for task in await asyncio.gather(*(s.submitted() for _ in range(200)))}
        both = [await _claimer(s, name) for name in ("w1", "w2")]
        for process in both:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        answers = await asyncio.gather(*(process.communicate(b"go\n") for process in both))
        outputs = [answer.decode().split() for answer, _ in answers]
        assert [process.returncode for process in both] == [0, 0]
        assert sorted(outputs[0] + outputs[1]) == sorted(ids)


async def _claimer(s: Shelf, name: str) -> asyncio.subprocess.Process:
    tests = str(Path(__file__).parent.parent)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CLAIM_ALL, s.address, name, tests, stdin=pipe, stdout=pipe
    )
