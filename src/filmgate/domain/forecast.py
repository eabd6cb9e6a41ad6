"""When will it be my turn, and when will it be done? The queue played through in advance, by the rules of the claim.

The account with the fewest running tasks for its weight comes first, then the one that was not served for the longest
time; within an account priority decides, then age. What nobody knows (new orders, faults, other durations than those
of late) is left out: a forecast is no promise.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

#: What a task's duration depends on: model, kind, resolution and seconds of film.
Size = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued task. The sequence that it stands in is ordered by priority, then age."""

    task_id: str
    account_id: str
    size: Size
    run_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    account_id: str
    task_id: str
    size: Size
    started_ms: int
    progress: float = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """What the claim looks at in an account."""

    weight: float = 1.0
    served: int = 0  #: the turn at which it was last served


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue at one moment. ``paces``: how many milliseconds tasks of a size have taken of late."""

    now_ms: int
    waiting: Sequence[Waiting] = ()
    running: Sequence[Running] = ()
    shares: Mapping[str, Share] = field(default_factory=dict)
    paces: Mapping[Size, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outlook:
    """``position``: 1 is next, None is not in the queue. ``finish_ms`` is None where nothing is known to tell from."""

    position: int | None = None
    finish_ms: int | None = None


def forecast(queue: Queue) -> dict[str, Outlook]:
    """The outlook of every task that waits or runs. As many are made at a time as are being made now, at least one."""
    outlooks: dict[str, Outlook] = {}
    frees: list[tuple[float, str]] = []  # when a place becomes free, and which account's task frees it
    for each in queue.running:
        finish = _finish_of(each, queue)
        outlooks[each.task_id] = Outlook(None, None if finish is None else round(finish))
        frees.append((queue.now_ms if finish is None else finish, each.account_id))
    frees = frees or [(queue.now_ms, "")]
    heapq.heapify(frees)
    for position, (waiting, done) in enumerate(_Turns(queue).in_order(frees), 1):
        outlooks[waiting.task_id] = Outlook(position, None if done is None else round(done))
    return outlooks


def _finish_of(task: Running, queue: Queue) -> float | None:
    """By its own progress where there is enough of it, else by how long such tasks have taken."""
    gone = queue.now_ms - task.started_ms
    pace = pace_of(task.size, queue.paces)
    if task.progress >= 0.1:
        return queue.now_ms + gone * (1 - task.progress) / task.progress
    return None if pace is None else max(queue.now_ms, task.started_ms + pace)


def pace_of(size: Size, paces: Mapping[Size, float]) -> float | None:
    """Of this very size, else the mean over what is known of the model, else over all; None where nothing is known."""
    if size in paces:
        return paces[size]
    of_model = [pace for known, pace in paces.items() if known[0] == size[0]]
    known = of_model or list(paces.values())
    return sum(known) / len(known) if known else None


class _Turns:
    """Whose turn it is, over and over: the claim of ``store/moves.py`` in memory."""

    def __init__(self, queue: Queue) -> None:
        self._paces = queue.paces
        self._lines: dict[str, list[Waiting]] = {}
        for each in reversed(queue.waiting):  # the first of a line stands at the end of its list
            self._lines.setdefault(each.account_id, []).append(each)
        self._shares = dict(queue.shares)
        self._busy: dict[str, int] = {}
        for task in queue.running:
            self._busy[task.account_id] = self._busy.get(task.account_id, 0) + 1
        self._turn = max((share.served for share in self._shares.values()), default=0)
        self._heap = [self._place(account) for account in self._lines]
        heapq.heapify(self._heap)

    def in_order(self, frees: list[tuple[float, str]]) -> Iterator[tuple[Waiting, float | None]]:
        """The queued tasks as they will be taken, and when each will be done. Uses ``frees`` up."""
        while self._lines:
            free_at, account = heapq.heappop(frees)
            self._freed(account)
            task = self._next()
            pace = pace_of(task.size, self._paces)
            finish = None if pace is None else max(free_at, task.run_at_ms) + pace
            heapq.heappush(frees, (free_at if finish is None else finish, task.account_id))
            yield task, finish

    def _freed(self, account: str) -> None:
        if self._busy.get(account):
            self._busy[account] -= 1
            self._renew(account)

    def _next(self) -> Waiting:
        while True:
            place = heapq.heappop(self._heap)
            account = place[2]
            if account in self._lines and place == self._place(account):  # else it has moved on since
                break
        task = self._lines[account].pop()
        if not self._lines[account]:
            del self._lines[account]
        self._turn += 1
        share = self._shares.get(account, Share())
        self._shares[account] = Share(share.weight, self._turn)
        self._busy[account] = self._busy.get(account, 0) + 1
        self._renew(account)
        return task

    def _renew(self, account: str) -> None:
        if account in self._lines:
            heapq.heappush(self._heap, self._place(account))

    def _place(self, account: str) -> tuple[float, int, str]:
        share = self._shares.get(account, Share())
        return self._busy.get(account, 0) / share.weight, share.served, account


def mean_paces(ended: Iterable[tuple[Size, int]]) -> dict[Size, float]:
    """(size, milliseconds) of tasks that have ended of late -> the mean of each size."""
    sums: dict[Size, tuple[float, int]] = {}
    for size, took in ended:
        total, count = sums.get(size, (0.0, 0))
        sums[size] = (total + took, count + 1)
    return {size: total / count for size, (total, count) in sums.items()}
