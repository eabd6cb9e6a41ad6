"""A task that is not wanted any more."""

from __future__ import annotations

from ..domain.errors import Cancelled, IllegalTransition, TaskEnded
from ..domain.task import Status, Task
from ..ports import TaskStore
from .submit import Nudge


class Cancel:
    """Call it with a task; the task has ended, and its credits are back, when the call returns.

    Who works on it is nudged. A film that is published in the same moment stays published: the store lets only one of
    the two happen.
    """

    def __init__(self, store: TaskStore, nudge: Nudge) -> None:
        self._store = store
        self._nudge = nudge

    async def __call__(self, task_id: str, account_id: str | None = None, *, by: str | None = None) -> Task:
        """By the owner, or by an operator (``by``) where no account is named. One that was cancelled before stays as it
        is, so that asking twice does no harm. Raises TaskNotFound, or TaskEnded for any other that has ended."""
        try:
            task = await self._store.cancel(task_id, account_id, by=by)
        except IllegalTransition as error:
            task = await self._store.get(task_id, account_id)
            if task.failure is None or task.failure.slug != Cancelled.slug:
                raise TaskEnded(_ENDED[task.status]) from error
            return task
        self._nudge()
        return task


_ENDED = {
    Status.SUCCEEDED: "The task has succeeded already, so it cannot be cancelled: its films can be deleted instead.",
    Status.REJECTED: "The task was refused already, so there is nothing to cancel: its credits are back.",
    Status.FAILED: "The task has failed already, so there is nothing to cancel: its credits are back.",
}
