"""A task that has failed, once more, by the operator.

It becomes a new task and the old one stays as it is: its owner has been told that it has ended, by the record and by a
callback, and what has ended does not change. The new task names the old one, in its record and in its callback, which
is how its owner finds it.
"""

from __future__ import annotations

from collections.abc import Callable

from ..domain.errors import Cancelled, Conflict, TaskNotEnded
from ..domain.task import Status, Task
from ..ports import Clock, TaskStore
from .submit import Nudge


class Retry:
    """Call it with a task that has failed or was refused; its order is in the queue again, and its price held, when the
    call returns."""

    def __init__(self, store: TaskStore, clock: Clock, new_id: Callable[[], str], nudge: Nudge) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._nudge = nudge

    async def __call__(self, task_id: str, *, by: str) -> Task:
        """The new task, ordered by this operator. The caps of the API key are not looked at, since it is not its holder
        who orders.

        Raises TaskNotFound, TaskNotEnded, Conflict, InsufficientCredits or TooManyRequests: nothing is stored.
        """
        old = await self._store.get(task_id)
        _check(old)
        now = self._clock.now_ms()
        task = Task(
            id=self._new_id(),
            origin=old.origin,
            spec=old.spec,
            created_ms=now,
            run_at_ms=now,
            priority=old.priority,
            price=old.price,
            retry_of=old.id,
        )
        taken = await (self._store.submit_once if old.spec.kind.is_upgrade else self._store.submit)(task, by=by)
        if taken.id != task.id:
            raise Conflict(f"The film has been made larger by another task since: {taken.id}.")
        self._nudge()
        return taken


def _check(task: Task) -> None:
    if not task.status.ended:
        raise TaskNotEnded("The task has not ended: there is nothing to try again yet.")
    if task.status is Status.SUCCEEDED:
        raise Conflict("The task has succeeded: there is nothing to try again.")
    if task.failure is not None and task.failure.slug == Cancelled.slug:
        raise Conflict("The task was cancelled: whoever wants it after all orders it again.")
