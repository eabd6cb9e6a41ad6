"""Any order of events, from several workers, on the real store: it always agrees with a model of a few lines.

The model is the transition table and plain arithmetic. Workers keep every lease they ever had, so most of what they ask
for is asked too late, as by a process that was frozen and woke up.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from filmgate.domain.errors import (
    ContentRejected,
    EngineCrashed,
    EngineFailed,
    FilmgateError,
    IllegalTransition,
    InsufficientCredits,
    LeaseLost,
)
from filmgate.domain.lifecycle import MAX_LOST_LEASES, Event, after
from filmgate.domain.limits import HOUR_MS, hour_of
from filmgate.domain.spec import Kind
from filmgate.domain.task import Lease, Status
from filmgate.ports import Progress
from support.storing import FILM, MODELS, order, shelf

T = TypeVar("T")

LEASE_MS = 1000
CREDITS = {"rich": 2000, "poor": 100}
OWNERS = st.sampled_from(["w1", "w2"])


@dataclass
class Known:
    """What the model knows of a task."""

    account: str
    price: int
    has_callback: bool
    run_at_ms: int
    created_ms: int
    status: Status = Status.QUEUED
    owner: str | None = None
    attempt: int = 0
    lost_leases: int = 0
    faults: int = 0
    lease_until_ms: int = 0
    progress: float = 0.0

    def happen(self, event: Event) -> None:
        self.status = after(self.status, event)
        if self.status is Status.QUEUED:
            self.owner = None
        elif self.status is Status.SUCCEEDED:
            self.progress = 1.0

    def held_under(self, lease: Lease) -> bool:
        return (self.status, self.owner, self.attempt) == (Status.RUNNING, lease.owner, lease.attempt)


class TaskLife(RuleBasedStateMachine):
    tasks = Bundle("tasks")
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.open = AsyncExitStack()
        folder = Path(self.open.enter_context(TemporaryDirectory()))
        self.shelf = self.do(self.open.enter_async_context(shelf(folder)))
        self.known: dict[str, Known] = {}
        self.upgrades: dict[tuple[str, Kind], str] = {}  # the latest of each

    def teardown(self) -> None:
        self.do(self.open.aclose())
        self.loop.close()

    def do(self, asked: Awaitable[T]) -> T:
        async def run() -> T:
            return await asked

        return self.loop.run(run())

    def refused(self, asked: Awaitable[object], error: type[FilmgateError]) -> bool:
        try:
            self.do(asked)
        except error:
            return True
        return False

    @property
    def now(self) -> int:
        return self.shelf.clock.ms

    @initialize()
    def open_accounts(self) -> None:
        for account, credits in CREDITS.items():
            self.do(self.shelf.account(account, credits))

    # -------------------------------------------------------- what may happen -----------------------------------------

    @rule(
        target=tasks,
        account=st.sampled_from(sorted(CREDITS)),
        price=st.sampled_from([0, 60, 250]),
        callback=st.sampled_from([None, "https://receiver.example/"]),
        delay_ms=st.sampled_from([0, 0, 500]),
    )
    def submit(self, account: str, price: int, callback: str | None, delay_ms: int) -> object:
        run_at_ms = self.now + delay_ms
        order = self.shelf.submitted(account=account, price=price, callback=callback, run_at_ms=run_at_ms)
        if self.balance(account) < price:
            assert self.refused(order, InsufficientCredits)
            return multiple()
        task_id = self.do(order).id
        self.known[task_id] = Known(account, price, callback is not None, run_at_ms, self.now)
        return task_id

    @rule(target=tasks, source_id=tasks, kind=st.sampled_from([Kind.UPGRADE_1080P, Kind.UPGRADE_4K]))
    def enlarge(self, source_id: str, kind: Kind) -> object:
        source = self.do(self.shelf.tasks.get(source_id))
        spec = replace(source.spec, kind=kind, source_id=source_id, callback_url=None)
        new = order(account=source.origin.account_id, price=120, spec=spec, created_ms=self.now)
        known = self.upgrades.get((source_id, kind))
        if known is not None and self.known[known].status not in (Status.REJECTED, Status.FAILED):
            assert self.do(self.shelf.tasks.submit_once(new)).id == known
            return multiple()
        if self.balance(source.origin.account_id) < new.price:
            assert self.refused(self.shelf.tasks.submit_once(new), InsufficientCredits)
            return multiple()
        assert self.do(self.shelf.tasks.submit_once(new)) == new
        self.upgrades[source_id, kind] = new.id
        self.known[new.id] = Known(source.origin.account_id, new.price, False, 0, self.now)
        again = order(account=source.origin.account_id, price=120, spec=spec, created_ms=self.now)
        assert self.do(self.shelf.tasks.submit_once(again)) == new
        return new.id

    @rule(target=leases, owner=OWNERS)
    def claim(self, owner: str) -> object:
        due = {id for id, task in self.known.items() if task.status is Status.QUEUED and task.run_at_ms <= self.now}
        lease = self.do(self.shelf.tasks.claim(owner, LEASE_MS, MODELS))
        if lease is None:
            assert not due
            return multiple()
        task = self.known[lease.task.id]
        assert lease.task.id in due
        assert self.running(task.account) == min(self.running(self.known[id].account) for id in due)
        task.happen(Event.CLAIM)
        task.owner, task.attempt, task.lease_until_ms = owner, task.attempt + 1, self.now + LEASE_MS
        return lease

    @rule(lease=leases)
    def succeed(self, lease: Lease) -> None:
        self.by_worker(lease, Event.SUCCEED, self.shelf.tasks.succeed(lease, [FILM], engine="storyboard", state=b"x"))

    @rule(lease=leases)
    def reject(self, lease: Lease) -> None:
        self.by_worker(lease, Event.REJECT, self.shelf.tasks.end(lease, ContentRejected()))

    @rule(lease=leases)
    def fail(self, lease: Lease) -> None:
        self.by_worker(lease, Event.FAIL, self.shelf.tasks.end(lease, EngineFailed()))

    @rule(lease=leases)
    def drain(self, lease: Lease) -> None:
        self.by_worker(lease, Event.DRAIN, self.shelf.tasks.drain(lease))

    @rule(lease=leases, wait_ms=st.sampled_from([0, 500]))
    def retry(self, lease: Lease, wait_ms: int) -> None:
        at_ms = self.now + wait_ms
        if self.by_worker(lease, Event.RETRY, self.shelf.tasks.retry(lease, EngineCrashed(), at_ms)):
            self.known[lease.task.id].run_at_ms = at_ms
            self.known[lease.task.id].faults += 1

    def by_worker(self, lease: Lease, event: Event, asked: Awaitable[object]) -> bool:
        """Whether it was allowed: only the holder of the lease may, everybody else has lost it."""
        task = self.known[lease.task.id]
        allowed = task.held_under(lease)
        assert self.refused(asked, LeaseLost) != allowed
        if allowed:
            task.happen(event)
        return allowed

    @rule(task_id=tasks)
    def cancel(self, task_id: str) -> None:
        task = self.known[task_id]
        ended = task.status.ended
        assert self.refused(self.shelf.tasks.cancel(task_id), IllegalTransition) == ended
        if not ended:
            task.happen(Event.CANCEL)

    @rule(owner=OWNERS, fraction=st.floats(0, 1))
    def heartbeat(self, owner: str, fraction: float) -> None:
        progress = {id: Progress(fraction, "painting") for id in self.known}
        held = {id for id, task in self.known.items() if task.status is Status.RUNNING and task.owner == owner}
        assert self.do(self.shelf.tasks.heartbeat(owner, LEASE_MS, progress)) == held
        for id in held:
            self.known[id].lease_until_ms = self.now + LEASE_MS
            self.known[id].progress = max(self.known[id].progress, fraction)

    @rule(ms=st.sampled_from([1, 499, LEASE_MS, HOUR_MS]))
    def time_passes(self, ms: int) -> None:
        self.shelf.clock.ms += ms

    @rule()
    def sweep(self) -> None:
        self.swept(self.shelf.tasks.sweep_leases, lambda task: task.lease_until_ms <= self.now)

    @rule(owner=OWNERS)
    def come_back(self, owner: str) -> None:
        self.swept(lambda: self.shelf.tasks.sweep_leases(owner), lambda task: task.owner == owner)

    def swept(self, sweep: Callable[[], Awaitable[object]], gone: Callable[[Known], bool]) -> None:
        self.do(sweep())
        for task in self.known.values():
            if task.status is Status.RUNNING and gone(task):
                task.lost_leases += 1
                task.happen(Event.GIVE_UP if task.lost_leases == MAX_LOST_LEASES else Event.LOSE_LEASE)

    # -------------------------------------------------------- what always holds ---------------------------------------

    def balance(self, account: str) -> int:
        """What is left: films that were made are paid, and unfinished ones are held for."""
        given_back = (Status.REJECTED, Status.FAILED)
        mine = [task for task in self.known.values() if task.account == account]
        return CREDITS[account] - sum(task.price for task in mine if task.status not in given_back)

    def running(self, account: str) -> int:
        mine = [task for task in self.known.values() if task.account == account]
        return sum(task.status is Status.RUNNING for task in mine)

    @invariant()
    def every_task_stands_where_the_model_says(self) -> None:
        rows = self.shelf.rows("SELECT id, status, attempt, lost_leases, faults, progress FROM tasks")
        assert {row[0]: row[1:] for row in rows} == {
            id: (task.status, task.attempt, task.lost_leases, task.faults, task.progress)
            for id, task in self.known.items()
        }

    @invariant()
    def a_lease_belongs_to_a_running_task(self) -> None:
        rows = self.shelf.rows("SELECT id, owner FROM tasks WHERE owner IS NOT NULL OR lease_until_ms IS NOT NULL")
        running = {(id, task.owner) for id, task in self.known.items() if task.status is Status.RUNNING}
        assert set(rows) == running

    @invariant()
    def balances_are_sums_and_never_below_zero(self) -> None:
        query = "SELECT id, balance, (SELECT sum(credits) FROM ledger WHERE account_id = accounts.id) FROM accounts"
        for account, balance, total in self.shelf.rows(query):
            assert balance == total == self.balance(account) >= 0

    @invariant()
    def accounts_know_how_many_tasks_they_have_ordered_and_how_many_are_live(self) -> None:
        for account, orders, live in self.shelf.rows("SELECT id, orders, live FROM accounts"):
            mine = [task for task in self.known.values() if task.account == account]
            assert (orders, live) == (len(mine), sum(not task.status.ended for task in mine))
            numbers = self.shelf.rows("SELECT number FROM tasks WHERE account_id = ? ORDER BY number", account)
            assert numbers == [(number,) for number in range(1, orders + 1)]

    @invariant()
    def a_key_has_spent_what_is_held_or_charged_by_the_hour_of_the_order(self) -> None:
        spent: Counter[int] = Counter()
        for task in self.known.values():
            if task.status not in (Status.REJECTED, Status.FAILED):
                spent[hour_of(task.created_ms)] += task.price
        rows = self.shelf.rows("SELECT hour_ms, credits FROM key_spending WHERE credits != 0")
        assert dict(rows) == +spent

    @invariant()
    def a_hold_is_settled_or_refunded_once_and_only_at_the_end(self) -> None:
        entries: dict[str, list[str]] = {id: [] for id in self.known}
        for task_id, kind in self.shelf.rows("SELECT task_id, kind FROM ledger WHERE task_id IS NOT NULL ORDER BY id"):
            entries[task_id].append(kind)
        closing = {Status.SUCCEEDED: ["settle"], Status.REJECTED: ["refund"], Status.FAILED: ["refund"]}
        assert entries == {id: ["hold", *closing.get(task.status, [])] for id, task in self.known.items()}

    @invariant()
    def every_ended_task_with_an_address_is_told_once(self) -> None:
        told = self.shelf.rows("SELECT task_id FROM callbacks ORDER BY task_id")
        ended = [(id,) for id, task in self.known.items() if task.status.ended and task.has_callback]
        assert told == sorted(ended)


TestTaskLife = TaskLife.TestCase
TestTaskLife.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
