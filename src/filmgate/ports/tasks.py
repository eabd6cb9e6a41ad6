"""Tasks and what hangs on their state: the queue, its steps, who works on it, and what is told at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..domain.breaker import BreakerState
from ..domain.callback import Callback, Delivery
from ..domain.credits import NO_CAPS, Caps
from ..domain.errors import TaskError
from ..domain.forecast import Queue
from ..domain.listing import ANY, Page, Sought
from ..domain.spec import Kind
from ..domain.task import Artifact, Lease, OrderKey, Run, Status, Task


@dataclass(frozen=True)
class Progress:
    fraction: float
    stage: str


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """A step in the life of a task. They are numbered 1, 2, 3 ...; its creation, which is not stored, is number 0."""

    number: int
    at_ms: int
    status: Status
    progress: float
    stage: str


class EventStore(Protocol):
    async def since(self, task_id: str, number: int, limit: int) -> Sequence[TaskEvent]:
        """The events of a task after that one, the oldest first."""


class QueueView(Protocol):
    async def queue(self, limit: int) -> Queue:
        """The queue as it stands; of those that wait, the first ``limit`` by priority and age."""


class TaskStore(Protocol):
    """Tasks and what hangs on their state. Every method is one transaction, named after the event."""

    async def submit(
        self, task: Task, caps: Caps = NO_CAPS, order_key: OrderKey | None = None, *, by: str | None = None
    ) -> Task:
        """Store a new task and hold its price; the task as it is stored, its time that at which it was taken.
        ``by``: the operator who has an older one tried again, for the audit log.

        Where the account has ordered the same under this key before, it is that task, and nothing is stored or held.
        On disk on return. Raises KeyReused, InsufficientCredits, TooManyRequests (QueueFull is one) or, by the caps of
        the API key, KeySpent: nothing is stored.
        """

    async def ordered(self, account_id: str, order_key: OrderKey) -> Task | None:
        """The task that was ordered under this key, if any. Raises KeyReused where that was another order."""

    async def forget_order_keys(self, before_ms: int, limit: int) -> int:
        """Forget keys of orders that came before this time; how many."""

    async def get(self, task_id: str, account_id: str | None = None) -> Task:
        """Raises TaskNotFound, also for a task of another account; account None is the operator.

        A store may hand out the same Task again, and does so only where nothing about it has changed: what somebody
        has made of that very object is still right.
        """

    async def submit_once(
        self, task: Task, caps: Caps = NO_CAPS, order_key: OrderKey | None = None, *, by: str | None = None
    ) -> Task:
        """As ``submit``, for an upgrade, of which a film has one: where there is one already that has not failed, that
        one is returned and nothing is stored or held."""

    async def upgrade_of(
        self, source_id: str, kind: Kind, index: int, failed_since_ms: int | None = None
    ) -> Task | None:
        """The upgrade of a film that has not failed, or, since that time, the last one that has; if there is any."""

    async def state_of(self, task_id: str) -> bytes:
        """The Clip.state of a succeeded task."""

    async def list(
        self,
        *,
        account_id: str | None = None,
        sought: Sought = ANY,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Task]:
        """The newest first; with ``before``, those that are older than this task. Raises TaskNotFound for it."""

    async def page(self, account_id: str, sought: Sought, *, before: int | None = None, limit: int = 50) -> Page:
        """The newest of an account, or those with a number below ``before``. Orders that come meanwhile move nothing;
        what a page costs does not depend on how many tasks there are."""

    async def claim(self, owner: str, lease_ms: int, models: Sequence[str]) -> Lease | None:
        """Take the task that is due next, least-served account first; of these models only.

        Tasks whose account or key has as many running as it may have wait, and stand in nobody's way.
        """

    async def heartbeat(self, owner: str, lease_ms: int, progress: Mapping[str, Progress]) -> set[str]:
        """Renew all leases of a worker and note the progress of its tasks. Returns the ids that it still holds."""

    async def checkpoint(
        self,
        lease: Lease,
        checkpoint: str | None,
        *,
        run: Run | None = None,
        artifacts: Sequence[Artifact] | None = None,
    ) -> None:
        """Note how far an attempt has come, so that the next one goes on from there; with a run that has begun, gone on
        or ended, and files that are stored already. Raises LeaseLost."""

    async def succeed(
        self,
        lease: Lease,
        artifacts: Sequence[Artifact],
        *,
        engine: str,
        state: bytes,
        fallback_used: bool = False,
        runs: Sequence[Run] = (),
    ) -> Task:
        """Publish the film, settle the hold, queue the callback. Raises LeaseLost: nothing changed."""

    async def end(self, lease: Lease, error: TaskError, runs: Sequence[Run] = ()) -> Task:
        """Reject (a Rejection) or fail (any other), refund the hold, queue the callback. Raises LeaseLost."""

    async def retry(self, lease: Lease, error: TaskError, run_at_ms: int, runs: Sequence[Run] = ()) -> Task:
        """Back to the queue after a passing fault."""

    async def drain(self, lease: Lease) -> Task:
        """Back to the queue, the attempt not counted."""

    async def cancel(self, task_id: str, account_id: str | None = None, *, by: str | None = None) -> Task:
        """By the owner, or by the operator where no account is named: ``by``, for the audit log. Raises TaskNotFound,
        or IllegalTransition once it has ended."""

    async def held(self, owner: str) -> Mapping[str, int]:
        """The tasks that a worker holds now, each with the attempt that it is in."""

    async def expire(self, *, begun_by_ms: int | None, ended_by_ms: int | None, limit: int) -> Sequence[Task]:
        """Fail tasks that were created before ``begun_by_ms`` and have never been begun, or before ``ended_by_ms`` and
        have not ended: a number of each."""

    async def sweep_leases(self, owner: str | None = None) -> Sequence[Task]:
        """Requeue (or, at the last straw, fail) tasks whose lease has run out; with ``owner``, all of that owner's."""

    async def bring_forward(self, longest_ms: int) -> None:
        """The clock has gone back: nothing that is queued waits longer than this from now."""

    async def waiting_time(self) -> float | None:
        """Seconds until the next queued task is due (0: now), or None when none is queued."""


class RunStore(Protocol):
    async def runs(self, task_id: str) -> Sequence[Run]:
        """What ran for a task, the oldest first."""


class WaitingStore(Protocol):
    """Tasks that engines elsewhere work on. Nobody holds a lease on them; any worker that has the engine may look after
    one, and the time of the next look, which it puts off before it looks, says that it is the one."""

    async def hand_over(self, lease: Lease, run_at_ms: int) -> Task:
        """The engine of the last checkpoint works on it; the next look is due at that time. Raises LeaseLost."""

    async def take(self, engines: Sequence[str], hold_ms: int, limit: int) -> Sequence[Task]:
        """Tasks that are due for a look. Each is ours for ``hold_ms``, until its ``run_at_ms``."""

    async def look_again(self, task: Task, run_at_ms: int, progress: Progress | None = None) -> None:
        """There is no film yet. Silent where somebody else has come before."""

    async def collect(self, task: Task, owner: str, lease_ms: int) -> Lease:
        """Take it up again: its film is made, or will not be. Raises LeaseLost where somebody else has come before."""

    async def counts(self) -> Mapping[str, int]:
        """Engine -> tasks that wait for it."""

    async def next_look(self, engines: Sequence[str]) -> float | None:
        """Seconds until the next look is due (0: now), or None."""

    async def note_upstream(self, task_id: str, run: Run) -> None:
        """That a run has become known elsewhere, whoever has the task by now."""

    async def abandoned(self, engines: Sequence[str], limit: int) -> Sequence[tuple[str, Run]]:
        """What goes on elsewhere for tasks that have ended, with the task's id: each is given once."""


class WorkerStore(Protocol):
    """Who is there to do the work: what readiness rests on."""

    async def announce(self, worker: str, engines: Sequence[str], until_ms: int, resting: Sequence[str] = ()) -> None:
        """This worker has these engines loaded, and will say so again before ``until_ms``; those that rest are left
        alone for a while."""

    async def resting(self) -> Mapping[str, Sequence[str]]:
        """Worker -> those of its engines that rest, of workers that were heard of in time."""

    async def withdraw(self, worker: str) -> None: ...

    async def live(self) -> Mapping[str, Sequence[str]]:
        """Worker -> its engines, of those that were heard of in time."""


class Outbox(Protocol):
    async def due(self, limit: int, lease_ms: int) -> Sequence[Callback]:
        """Take the callbacks whose time has come; each is ours for ``lease_ms``, until its ``next_at_ms``: then due."""

    async def give_back(self, callbacks: Sequence[Callback]) -> None:
        """What was taken and not sent is due now. One whose lease has ended, or that was settled, stays as it is."""

    async def delivered(self, callback: Callback, delivery: Delivery) -> None: ...

    async def retry_at(self, callback: Callback, delivery: Delivery, at_ms: int) -> None: ...

    async def gave_up(self, callback: Callback, delivery: Delivery, *, refused: bool = False) -> None: ...

    async def deliveries(self, callback_id: str) -> Sequence[Delivery]: ...

    async def of_task(self, task_id: str) -> Sequence[Callback]: ...

    async def list(self, *, account_id: str | None = None, limit: int = 50) -> Sequence[Callback]:
        """The newest first."""

    async def redeliver(self, callback_id: str) -> Callback:
        """Due again, now, with its whole schedule, under the same id. Raises TaskNotFound."""

    async def bring_forward(self, longest_ms: int) -> None:
        """The clock has gone back: nothing that is owed waits longer than this from now."""

    async def waiting_time(self) -> float | None:
        """Seconds until the next callback is due, or None."""


class Watch(Protocol):
    """Is told what a worker does, as it happens. Never raises, never waits."""

    def claimed(self, task: Task, engine: str, waited_s: float) -> None: ...

    def stage(self, task: Task, engine: str, stage: str, seconds: float) -> None:
        """A part of an attempt is done: "inputs", "render", "finish" or "publish"."""

    def ended(self, task: Task, engine: str, outcome: str, seconds: float) -> None:
        """An attempt is over: "succeeded", or the slug of its error."""

    def breaker(self, engine: str, state: BreakerState) -> None:
        """An engine elsewhere is left alone for a while, or no longer."""

    def told(self, callback: Callback, delivery: Delivery) -> None:
        """One try to deliver a callback is over."""
