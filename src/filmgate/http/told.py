"""What was told of a task, kept to be told again: most looks at a task find it as the last one did.

Nothing here knows when a task has changed. The store does: it hands out the very same Task only where nothing about it
has (``ports.TaskStore.get``), so an answer is good for that object, and for no equal one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from ..domain.forecast import Outlook
from ..domain.task import Task
from .edition import Edition

MOST = 1024  #: answers, of a few KiB each

Tell = Callable[[Task, Edition, Outlook], Response]


@dataclass(frozen=True, slots=True)
class _Answer:
    task: Task
    edition: Edition
    outlook: Outlook
    response: Response


class Told:
    """``tell`` makes the answer. It must depend on nothing else, and nobody changes what it returns."""

    def __init__(self, tell: Tell, most: int = MOST) -> None:
        self._tell = tell
        self._most = most
        self._known: dict[str, _Answer] = {}

    def __call__(self, task: Task, edition: Edition, outlook: Outlook) -> Response:
        known = self._known.get(task.id)
        if known is None or known.task is not task or known.outlook != outlook or known.edition != edition:
            known = _Answer(task, edition, outlook, self._tell(task, edition, outlook))
            self._keep(task.id, known)
        return known.response

    def _keep(self, task_id: str, answer: _Answer) -> None:
        self._known.pop(task_id, None)
        self._known[task_id] = answer
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
