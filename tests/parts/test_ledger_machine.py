"""Whatever happens in whatever order: the balance is the sum of the ledger, and each task is closed exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from filmgate.domain.credits import Entry, EntryKind
from filmgate.domain.errors import ContentRejected, EngineFailed, IllegalTransition, InsufficientCredits, LeaseLost
from filmgate.domain.spec import Kind, Spec
from filmgate.domain.task import Lease
from filmgate.services.accounts import create_key, replace_secret
from support.storing import FILM, MODELS, order, shelf

T = TypeVar("T")

ACCOUNTS = ("a", "b")
LEASE_MS = 1000
WHO = st.sampled_from(ACCOUNTS)


class Ledger(RuleBasedStateMachine):
    """Operators, clients and workers at random, over a real file."""

    tasks: Bundle[str] = Bundle("tasks")
    films: Bundle[str] = Bundle("films")
    leases: Bundle[Lease] = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = TemporaryDirectory()
        self._shelf = shelf(Path(self._folder.name))
        self._s = self._do(self._shelf.__aenter__())
        self._balances: dict[str, int] = {}  # what they have to be, by a count of its own
        self._held: dict[str, tuple[str, int]] = {}  # task that has not ended -> account and price

    def teardown(self) -> None:
        self._do(self._shelf.__aexit__(None, None, None))
        self._loop.close()
        self._folder.cleanup()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    @initialize()
    def open_accounts(self) -> None:
        for account_id in ACCOUNTS:
            self._do(self._s.account(account_id, credits=100))
            self._balances[account_id] = 100

    # ------------------------------------------------------------ operators

    @rule(who=WHO, credits=st.integers(-150, 150))
    def grant(self, who: str, credits: int) -> None:
        try:
            self._do(self._s.accounts.post(Entry(who, EntryKind.GRANT, credits, self._s.clock.ms)))
        except InsufficientCredits:
            assert self._balances[who] + credits < 0
        else:
            self._balances[who] += credits

    @rule(who=WHO, overlap_ms=st.integers(0, 10))
    def rotate(self, who: str, overlap_ms: int) -> None:
        key = self._do(create_key(self._s.accounts, self._s.clock, "", account_id=who)).key
        self._do(replace_secret(self._s.accounts, key.id, f"a new secret of {key.id}", overlap_ms))

    # ------------------------------------------------------------ clients

    @rule(target=tasks, who=WHO, price=st.integers(0, 80))
    def order(self, who: str, price: int) -> Any:
        task = order(account=who, price=price, created_ms=self._s.clock.ms)
        try:
            self._do(self._s.tasks.submit(task))
        except InsufficientCredits:
            assert price > self._balances[who]
            return multiple()
        self._hold(task.id, who, price)
        return task.id

    @rule(target=tasks, film=films, price=st.integers(0, 20))
    def enlarge(self, film: str, price: int) -> Any:
        who = self._s.rows("SELECT account_id FROM tasks WHERE id = ?", film)[0][0]
        spec = Spec("larger", MODELS[0], kind=Kind.UPGRADE_4K, source_id=film)
        task = order(account=who, price=price, created_ms=self._s.clock.ms, spec=spec)
        try:
            found = self._do(self._s.tasks.submit_once(task))
        except InsufficientCredits:
            assert price > self._balances[who]
            return multiple()
        if found.id != task.id:  # somebody has ordered it before, and it costs nothing more
            return multiple()
        self._hold(task.id, who, price)
        return task.id

    @rule(task_id=tasks)
    def cancel(self, task_id: str) -> None:
        try:
            self._do(self._s.tasks.cancel(task_id))
        except IllegalTransition:
            assert task_id not in self._held
        else:
            self._closed(task_id, charged=False)

    def _hold(self, task_id: str, who: str, price: int) -> None:
        self._held[task_id] = (who, price)
        self._balances[who] -= price

    def _closed(self, task_id: str, *, charged: bool) -> None:
        who, price = self._held.pop(task_id)
        self._balances[who] += 0 if charged else price

    # ------------------------------------------------------------ workers

    @rule(target=leases)
    def claim(self) -> Any:
        lease = self._do(self._s.tasks.claim("a worker", LEASE_MS, MODELS))
        return multiple() if lease is None else lease

    @rule(target=films, lease=consumes(leases))
    def succeed(self, lease: Lease) -> Any:
        try:
            self._do(self._s.tasks.succeed(lease, [FILM], engine="trial", state=b""))
        except LeaseLost:
            return multiple()
        self._closed(lease.task.id, charged=True)
        return lease.task.id

    @rule(lease=consumes(leases), rejected=st.booleans())
    def end(self, lease: Lease, rejected: bool) -> None:
        try:
            self._do(self._s.tasks.end(lease, ContentRejected() if rejected else EngineFailed()))
        except LeaseLost:
            return
        self._closed(lease.task.id, charged=False)

    @rule(lease=consumes(leases), counts=st.booleans())
    def put_back(self, lease: Lease, counts: bool) -> None:
        tasks = self._s.tasks
        try:
            self._do(tasks.retry(lease, EngineFailed(), self._s.clock.ms) if counts else tasks.drain(lease))
        except LeaseLost:
            return

    @rule(waits_ms=st.sampled_from([1, LEASE_MS + 1]))
    def fall_silent(self, waits_ms: int) -> None:
        """Leases run out: tasks go back to the queue, or are given up at the last straw."""
        self._s.clock.ms += waits_ms
        for task in self._do(self._s.tasks.sweep_leases()):
            if task.status.ended:
                self._closed(task.id, charged=False)

    # ------------------------------------------------------------ what always holds

    @invariant()
    def the_balance_is_the_sum_of_the_ledger_and_what_was_counted(self) -> None:
        rows = self._s.rows(
            "SELECT id, balance, (SELECT COALESCE(SUM(credits), 0) FROM ledger WHERE account_id = accounts.id) "
            "FROM accounts"
        )
        assert {account_id: balance for account_id, balance, _ in rows} == self._balances
        assert all(balance == total >= 0 for _, balance, total in rows)

    @invariant()
    def each_task_is_held_for_once_and_closed_once_when_it_ends(self) -> None:
        rows = self._s.rows(
            "SELECT tasks.id, status, SUM(line.kind = 'hold'), SUM(line.kind = 'settle'), SUM(line.kind = 'refund'), "
            "SUM(credits), price FROM tasks JOIN ledger AS line ON line.task_id = tasks.id GROUP BY tasks.id"
        )
        for task_id, status, held, settled, refunded, total, price in rows:
            assert held == 1
            if task_id in self._held:
                assert (settled, refunded, total) == (0, 0, -price)
            elif status == "succeeded":
                assert (settled, refunded, total) == (1, 0, -price)
            else:
                assert (settled, refunded, total) == (0, 1, 0)
        assert len(rows) == self._s.rows("SELECT count(*) FROM tasks")[0][0]


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
