"""Who may run, and whose turn it is, against a plain model: caps, then the least-served account, priority and age."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.limits import Limits
from filmgate.domain.task import Lease
from filmgate.store.claims import FIRST_TURNS
from support.storing import FILM, Shelf, shelf

pytestmark = pytest.mark.anyio

LEASE_MS = 30_000
MOST = 3  #: running tasks of an account that says nothing


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Queued:
    account: str
    key: str
    priority: int
    pause_ms: int  #: after the one before
    delay_ms: int
    model: str
    waits_remotely: bool = False
    id: str = ""
    created_ms: int = 0
    state: str = "queued"


@dataclass
class Model:
    """The rules in a few lines. ``limit`` is of an account or of a key; a number that is not there is no bound."""

    weight: dict[str, float]
    limit: dict[str, int]
    tasks: list[Queued]
    served: dict[str, int] = field(default_factory=dict)

    def begun(self, of: str) -> int:
        return sum(task.state == "begun" and of in (task.account, task.key) for task in self.tasks)

    def has_room(self, task: Queued) -> bool:
        account = self.begun(task.account) < self.limit.get(task.account, MOST)
        return account and (task.key not in self.limit or self.begun(task.key) < self.limit[task.key])

    def next(self, now: int, models: list[str]) -> Queued | None:
        ready = [
            task
            for task in self.tasks
            if task.state == "queued"
            and task.created_ms + task.delay_ms <= now
            and task.model in models
            and self.has_room(task)
        ]
        return min(ready, key=self.turn, default=None)

    def turn(self, task: Queued) -> tuple[float, int, str, int, int, str]:
        share = self.begun(task.account) / self.weight.get(task.account, 1.0)
        served = self.served.get(task.account, 0)
        return share, served, task.account, -task.priority, task.created_ms, task.id

    def claim(self, task: Queued) -> None:
        task.state = "begun"
        self.served[task.account] = max(self.served.values(), default=0) + 1


ACCOUNTS = [f"account{number:02}" for number in range(FIRST_TURNS + 3)]
KEYS = ["one", "two", "three"]

QUEUED = st.builds(
    Queued,
    account=st.sampled_from(ACCOUNTS[:2]) | st.sampled_from(ACCOUNTS),
    key=st.sampled_from(KEYS),
    priority=st.sampled_from([0, 0, 1]),
    pause_ms=st.sampled_from([0, 1]),
    delay_ms=st.sampled_from([0, 0, 0, 50]),
    model=st.sampled_from(["veo3", "veo3_fast", "veo3_fast"]),
    waits_remotely=st.sampled_from([False, False, False, True]),
)
LIMITED = st.dictionaries(
    st.sampled_from([*ACCOUNTS, *(f"{account}/{key}" for account in ACCOUNTS[:3] for key in KEYS)]),
    st.integers(0, 2),
    max_size=8,
)
WEIGHTS = st.dictionaries(st.sampled_from(ACCOUNTS), st.sampled_from([0.5, 1.0, 2.0]), max_size=3)
STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "claim", "claim", "end", "wait"]), st.integers(0, 99)), min_size=5, max_size=40
)


@settings(max_examples=60, deadline=None)
@given(weights=WEIGHTS, limited=LIMITED, tasks=st.lists(QUEUED, min_size=1, max_size=30), steps=STEPS)
def test_claims_agree_with_the_model(
    weights: dict[str, float], limited: dict[str, int], tasks: list[Queued], steps: list[tuple[str, int]]
) -> None:
    async def run(folder: Path) -> None:
        async with shelf(folder, Limits(running_per_account=MOST)) as s:
            model = Model(weights, limited, tasks)
            await _put(s, model)
            leases: list[tuple[Queued, Lease]] = []
            for step, number in steps:
                if step == "wait":
                    s.clock.ms += number
                elif step == "end" and leases:
                    task, lease = leases.pop(number % len(leases))
                    await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"")
                    task.state = "ended"
                else:
                    leases += await _claimed(s, model, ["veo3", "veo3_fast"] if number % 4 else ["veo3"])

    with TemporaryDirectory() as folder:
        anyio.run(run, Path(folder))


async def _claimed(s: Shelf, model: Model, models: list[str]) -> list[tuple[Queued, Lease]]:
    expected = model.next(s.clock.ms, models)
    lease = await s.tasks.claim("w1", LEASE_MS, models)
    assert (lease and lease.task.id) == (expected and expected.id)
    if lease is None or expected is None:
        return []
    model.claim(expected)
    return [(expected, lease)]


async def _put(s: Shelf, model: Model) -> None:
    for account in ACCOUNTS:
        await s.account(account)
        await _set(s, "accounts", account, weight=model.weight.get(account, 1.0), max_running=model.limit.get(account))
        for key in KEYS[:2]:  # of the third one only its tasks are left
            await s.key(account, f"{account}/{key}", model.limit.get(f"{account}/{key}"))
            model.limit.pop(f"{account}/{KEYS[2]}", None)
    for task in model.tasks:
        s.clock.ms += task.pause_ms
        task.key = f"{task.account}/{task.key}"
        due_ms = s.clock.ms + task.delay_ms
        stored = await s.submitted(
            account=task.account, key=task.key, priority=task.priority, model=task.model, run_at_ms=due_ms
        )
        task.id, task.created_ms = stored.id, stored.created_ms
        if task.waits_remotely:
            await _set(s, "tasks", task.id, status="waiting")
            task.state = "begun"


async def _set(s: Shelf, table: str, row_id: str, **values: object) -> None:
    columns = ", ".join(f"{name} = ?" for name in values)
    parameters = (*values.values(), row_id)
    await s.database.write(
        lambda c: c.exec_driver_sql(f"UPDATE {table} SET {columns} WHERE id = ?", parameters).rowcount
    )


async def test_a_key_at_its_cap_holds_up_neither_its_account_nor_others(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        for account in ("a", "b"):
            await s.account(account)
        await s.key("a", "slow", 1)
        first = await s.submitted(account="a", key="slow", priority=9)
        await s.submitted(account="a", key="slow", priority=9)
        other = await s.submitted(account="a", key="fast")
        foreign = await s.submitted(account="b", key="b's")
        claims = [await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"]) for _ in range(4)]
        assert [lease and lease.task.id for lease in claims] == [first.id, foreign.id, other.id, None]


async def test_an_account_at_its_cap_goes_on_when_one_of_its_tasks_has_ended(tmp_path: Path) -> None:
    async with shelf(tmp_path, Limits(running_per_account=1)) as s:
        await s.account("a")
        await s.account("wide")
        await _set(s, "accounts", "wide", max_running=2)
        for account in ("a", "wide") * 3:
            await s.submitted(account=account)
        leases = [await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"]) for _ in range(4)]
        accounts = [lease and lease.task.origin.account_id for lease in leases]
        assert accounts == ["a", "wide", "wide", None]
        assert leases[0] is not None
        await s.tasks.drain(leases[0])
        again = await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"])
        assert again is not None
        assert again.task.id == leases[0].task.id


async def test_a_task_that_a_remote_engine_works_on_counts_as_running(tmp_path: Path) -> None:
    async with shelf(tmp_path, Limits(running_per_account=1)) as s:
        await s.account()
        remote, _ = await s.submitted(), await s.submitted()
        await _set(s, "tasks", remote.id, status="waiting")
        assert await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"]) is None
        await s.tasks.cancel(remote.id)
        assert await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"]) is not None


async def test_accounts_that_may_not_run_more_hide_nobody(tmp_path: Path) -> None:
    """More of them than a claim looks at first."""
    async with shelf(tmp_path) as s:
        for account in ACCOUNTS:
            await s.account(account)
            await s.key(account, f"{account}/closed", 0)
            await s.submitted(account=account, key=f"{account}/closed")
        last = await s.submitted(account=ACCOUNTS[-1], key="open")
        lease = await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"])
        assert lease is not None
        assert lease.task.id == last.id
        assert await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"]) is None


async def test_turns_go_round_however_many_accounts_there_are(tmp_path: Path) -> None:
    """More of them than a claim looks at first."""
    async with shelf(tmp_path) as s:
        for account in ACCOUNTS:
            await s.account(account)
            for _ in range(2):
                await s.submitted(account=account)
        served = []
        while lease := await s.tasks.claim("w1", LEASE_MS, ["veo3_fast"]):
            served.append(lease.task.origin.account_id)
            await s.tasks.succeed(lease, [FILM], engine="storyboard", state=b"")
        assert served == ACCOUNTS * 2
