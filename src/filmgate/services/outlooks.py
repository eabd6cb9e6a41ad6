"""Forecasts for whoever asks about a task: worked out for the whole queue at once, and seldom enough to cost little."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType

from ..domain.forecast import Outlook, forecast
from ..domain.task import Status, Task
from ..ports import Clock, QueueView

log = logging.getLogger(__name__)

HORIZON = 5000  #: so many waiting tasks are looked at; those behind them are told that they stand behind them
_FRESH_MS = 1000
_REST = 20  #: a look that took a while is not repeated before so many times that while

_NOTHING: Mapping[str, Outlook] = MappingProxyType({})


class Outlooks:
    """Ask it ``of`` a task. It looks at the queue in the background, and only while somebody asks."""

    def __init__(self, queue: QueueView, clock: Clock, horizon: int = HORIZON) -> None:
        self._queue = queue
        self._clock = clock
        self._horizon = horizon
        self._known = _NOTHING
        self._last = 0  #: the last position that is known
        self._stale_ms = 0
        self._looking: asyncio.Task[None] | None = None

    async def of(self, task: Task) -> Outlook:
        """By the last look at the queue. Only who asks before there was one waits for it."""
        if task.status.ended:
            return Outlook()
        if self._clock.now_ms() >= self._stale_ms and self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="look at the queue")
        if not self._stale_ms and self._looking is not None:
            await asyncio.shield(self._looking)
        return self._fitting(task)

    def _fitting(self, task: Task) -> Outlook:
        """The look may be older than what is known of the task itself."""
        known = self._known.get(task.id, Outlook())
        if task.status is not Status.QUEUED:
            return Outlook(None, known.finish_ms)
        return known if known.position else Outlook(self._last + 1, None)

    async def _look(self) -> None:
        started = self._clock.now_ms()
        try:
            queue = await self._queue.queue(self._horizon)
            self._known = await asyncio.to_thread(forecast, queue)
            self._last = len(queue.waiting)
        except Exception:
            log.exception("event=queue_not_forecast the last forecast stays for now")
        finally:
            took = self._clock.now_ms() - started
            self._stale_ms = self._clock.now_ms() + max(_FRESH_MS, _REST * took)
            self._looking = None
