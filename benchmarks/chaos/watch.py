"""Looks into the books twenty times a second: how tasks end, and how soon those of a dead worker go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from .books import Books
from .journal import Journal, now_ms
from .plan import Plan
from .processes import Member

_LOOK_S = 0.05
_OVERLAP_MS = 8_000  #: ends are looked at again for so long: a commit may come late, after its time was taken
_SLACK_MS = 100


@dataclass(slots=True)
class Interrupted:
    """A task whose worker was hit."""

    attempt: int
    since_ms: int
    blow: str


class Watch:
    """``hit`` it with every blow; ``look`` until cancelled. ``ended`` has the first sight of each ended task."""

    def __init__(self, plan: Plan, books: Books, journal: Journal, members: list[Member]) -> None:
        self._plan = plan
        self._books = books
        self._journal = journal
        self._workers = [member for member in members if member.works]
        self._interrupted: dict[str, Interrupted] = {}
        self.ended: dict[str, dict[str, Any]] = {}

    def ready_workers(self) -> list[Member]:
        """Those that are alive, not frozen, and have announced themselves since they were started."""
        until = self._books.workers()
        return [worker for worker in self._workers if self._is_ready(worker, until)]

    def _is_ready(self, worker: Member, until: dict[str, int]) -> bool:
        born_ms = worker.started_ms + round(self._plan.lease_s * 1000)
        own = [ms for owner, ms in until.items() if worker.owns(owner)]
        runner = worker.runner()
        return runner is not None and runner not in worker.frozen and any(ms > max(now_ms(), born_ms) for ms in own)

    def hit(self, worker: Member, blow: str, owned: list[str]) -> None:
        """Its tasks are interrupted from now on. Where nobody is left to take them up, neither can others be."""
        at_ms = now_ms()
        for row in self._books.running():
            if row["owner"] in owned:
                self._interrupted.setdefault(row["id"], Interrupted(row["attempt"], at_ms, blow))
        self._nobody_but(worker, at_ms)

    def left(self, worker: Member) -> None:
        """It has drained and ended, as it was asked to: meanwhile it took up nothing."""
        self._nobody_but(worker, now_ms())

    def _nobody_but(self, worker: Member, at_ms: int) -> None:
        if not [other for other in self.ready_workers() if other is not worker]:
            for each in self._interrupted.values():
                each.since_ms = at_ms

    def owned_by(self, worker: Member) -> list[str]:
        """The owners' names that are this worker's; to be asked before it dies."""
        return [owner for owner in self._books.workers() if worker.owns(owner)]

    def live(self) -> int:
        """Acknowledged orders that have not been seen to end."""
        return len(self._journal.acknowledged.keys() - self.ended.keys())

    async def look(self) -> None:
        seen_ms = 0
        while True:
            at_ms = now_ms()
            for row in self._books.ended_since(seen_ms - _OVERLAP_MS):
                self._note_end(dict(row))
            seen_ms = at_ms
            for task_id in list(self._interrupted):
                self._follow(task_id)
            await asyncio.sleep(_LOOK_S)

    def _note_end(self, row: dict[str, Any]) -> None:
        first = self.ended.setdefault(row["id"], row)
        if first is row:
            self._journal.note("ended", task=row["id"], status=row["status"], attempt=row["attempt"])

    def _follow(self, task_id: str) -> None:
        interrupted = self._interrupted[task_id]
        row = self._books.task(task_id)
        resumed_ms = None if row is None else self._resumed_ms(row, interrupted)
        if row is not None and resumed_ms is None:
            return
        del self._interrupted[task_id]
        if resumed_ms:
            self._note_resumption(task_id, (resumed_ms - interrupted.since_ms) / 1000, interrupted)

    def _resumed_ms(self, row: RowMapping, interrupted: Interrupted) -> int | None:
        """When somebody took it up; 0 where there was nothing to take up: it has ended, or its worker goes on."""
        if row["attempt"] > interrupted.attempt:
            return int(row["started_ms"])
        if row["ended_ms"] is not None:
            return 0
        goes_on_ms = interrupted.since_ms + round(self._plan.lease_s * 1000) + _SLACK_MS
        renewed = row["status"] == "running" and row["lease_until_ms"] > goes_on_ms
        return 0 if renewed else None

    def _note_resumption(self, task_id: str, seconds: float, interrupted: Interrupted) -> None:
        self._journal.resumes_s.append(seconds)
        self._journal.note("resumed", task=task_id, after_s=seconds, blow=interrupted.blow)
        if self._plan.resume_s is not None and seconds > self._plan.resume_s:
            sentence = f"It was taken up {seconds:.2f} s after its worker had been hit ({interrupted.blow})."
            self._journal.breach("late", task_id, sentence)
