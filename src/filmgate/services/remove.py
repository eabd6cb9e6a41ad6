"""Films that are not to be kept any longer."""

from __future__ import annotations

from ..domain.errors import TaskNotEnded
from ..domain.task import Task
from ..ports import Storage, TaskStore
from .janitor import MediaStore


class RemoveMedia:
    """Call it with a task; its stored files are gone, and their links dead, when the call returns.

    First the row forgets them, in a way that the janitor takes up: where this is interrupted in the middle, or the
    storage will not, what is left of the files goes with the next sweep.
    """

    def __init__(self, tasks: TaskStore, media: MediaStore, storage: Storage) -> None:
        self._tasks = tasks
        self._media = media
        self._storage = storage

    async def __call__(self, task_id: str, account_id: str | None = None, *, by: str | None = None) -> Task:
        """By the owner, or by an operator (``by``) where no account is named. Asking twice does no harm.

        Raises TaskNotFound, TaskNotEnded or StorageUnavailable.
        """
        task = await self._tasks.get(task_id, account_id)
        if not task.status.ended:
            raise TaskNotEnded
        await self._media.discard(task_id, by=by)
        for key in await self._storage.keys(f"{task_id}/"):
            await self._storage.delete(key)
        await self._media.removed([task_id])
        return await self._tasks.get(task_id, account_id)
