"""How often a task is asked about: kept by each process for itself, in memory, and forgotten after a second."""

from __future__ import annotations

from collections import deque

from ..domain.errors import TooManyRequests
from ..domain.limits import wait_ms

WINDOW_MS = 1000


class Pace:
    """At most ``limit`` questions of one asker about one task in any second; 0 is no limit.

    Each question is one look at the N-th last of its kind, and forgets those of its kind that no longer count. What was
    asked about lies in two tables: the current one becomes the past one after a second, when the past one can hold
    nothing that still counts. So no more is remembered than was asked in two seconds, and nobody has to tidy up.
    """

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._since_ms = 0
        self._now: dict[object, deque[int]] = {}
        self._before: dict[object, deque[int]] = {}

    @property
    def remembered(self) -> int:
        """Of how many pairs of asker and task something is remembered."""
        return len(self._now) + len(self._before)

    def count(self, about: tuple[str, str], now_ms: int) -> None:
        """One more question, by whom and about what. Raises TooManyRequests; the refused ones do not count."""
        if not self._limit:
            return
        if not 0 <= now_ms - self._since_ms < WINDOW_MS:
            self._now, self._before, self._since_ms = {}, self._now, now_ms
        key = hash(about)  # of one size, however long the name that somebody makes up
        times = self._now.get(key) or self._before.get(key) or deque()
        while times and now_ms - times[0] >= WINDOW_MS:
            times.popleft()
        nth_last_ms = times[0] if len(times) == self._limit else None
        if wait := wait_ms(nth_last_ms, now_ms, WINDOW_MS):
            raise TooManyRequests(retry_after_s=wait / 1000)
        if nth_last_ms is not None:
            times.popleft()
        times.append(now_ms)
        self._now[key] = times
