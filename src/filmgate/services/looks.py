"""Looks after the tasks that engines elsewhere work on: asks how far they are, takes those up again that are done, and
cancels there what nobody wants any more."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ..domain.errors import EngineTimeout, InternalFault, LeaseLost, TaskError
from ..domain.task import Lease, Task
from ..ports import Clock, Polled, WaitingStore
from .attempts import Resumed
from .marks import Mark, mark_of
from .remotes import Remotes

log = logging.getLogger("filmgate.runner")

_AT_ONCE = 32  #: looks at the same time
_SWEPT = 20  #: abandoned orders that are cancelled in one go


@dataclass
class Looks:
    """``run`` until cancelled. ``begin`` is called with what is taken up again."""

    owner: str
    waiting: WaitingStore
    remotes: Remotes
    clock: Clock
    lease_ms: int
    idle_s: float  #: a look at the table although nobody nudged
    begin: Callable[[Lease, Resumed], Awaitable[None]]
    end: Callable[[Lease, TaskError], Awaitable[object]]
    room: Callable[[], bool] = lambda: True
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _misses: Counter[str] = field(default_factory=Counter)

    def nudge(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        await self._tell_of_orphans()
        if not self.remotes.names:
            return
        try:
            while True:
                self._wake.clear()
                wait_s = self.idle_s
                try:
                    wait_s = await self._round()
                except Exception:
                    log.exception("event=not_looked_after looking again in %.0f s", wait_s)
                await self._rest(wait_s)
        finally:
            for look in self._under_way:
                look.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _tell_of_orphans(self) -> None:
        """Tasks of engines that this worker has not; if the operator has removed one, nobody has it."""
        said = "name it in filmgate.toml again, or cancel them, unless another worker has it"
        for name, count in (await self.waiting.counts()).items():
            if name not in self.remotes:
                log.warning("engine=%s event=nobody_looks_after_it tasks=%s %s", name, count, said)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _round(self) -> float:
        """Begin the looks that are due; seconds until the next one is."""
        for cancelling in await self._cancellations():
            self._start(cancelling)
        free = _AT_ONCE - len(self._under_way)
        if free > 0:
            for task in await self.waiting.take(self.remotes.names, self.lease_ms, free):
                self._start(self._look(task))
        due = await self.waiting.next_look(self.remotes.names)
        return self.idle_s if due is None else min(self.idle_s, max(due, 0.02))

    async def cancel_abandoned(self) -> None:
        """Now, and not in the next round."""
        if self.remotes.names:
            await asyncio.gather(*await self._cancellations())

    async def _cancellations(self) -> Sequence[Coroutine[Any, Any, None]]:
        found = await self.waiting.abandoned(self.remotes.names, _SWEPT)
        for task_id, run in found:
            log.info("task=%s event=cancelled_elsewhere engine=%s upstream=%s", task_id, run.engine, run.upstream_id)
        known = ((run.engine, run.upstream_id) for _, run in found)
        return [self.remotes.cancel(engine, upstream_id) for engine, upstream_id in known if upstream_id is not None]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        look = asyncio.create_task(work)
        self._under_way.add(look)
        look.add_done_callback(self._done)

    def _done(self, look: asyncio.Future[None]) -> None:
        self._under_way.discard(look)
        if not look.cancelled() and (error := look.exception()) is not None:
            log.error("event=look_failed %s", type(error).__name__, exc_info=error)
        self._wake.set()

    async def _look(self, task: Task) -> None:
        try:
            mark = mark_of(task.checkpoint)
        except msgspec.MsgspecError:
            mark = None
        if mark is None or mark.upstream_id is None:
            log.error("task=%s event=unreadable its checkpoint says nothing of an order elsewhere", task.id)
            await self._bury(task)
            return
        try:
            polled = await self._polled(mark, mark.upstream_id)
        except TaskError as error:
            await self._missed(task, mark, error)
            return
        self._misses.pop(task.id, None)
        if polled.done:
            await self._take_up(task, mark, None)
        elif self._late(mark):
            await self._give_up(task, mark)
        else:
            next_ms = self._in(self.remotes.next_look_s(mark.engine, polled))
            await self.waiting.look_again(task, next_ms, polled.progress)

    async def _polled(self, mark: Mark, upstream_id: str) -> Polled:
        """Before anybody else may look."""
        try:
            async with asyncio.timeout(0.9 * self.lease_ms / 1000):
                return await self.remotes.poll(mark.engine, upstream_id)
        except TimeoutError as error:
            raise EngineTimeout(f"The engine {mark.engine} did not answer in time.") from error

    async def _missed(self, task: Task, mark: Mark, error: TaskError) -> None:
        if not error.retryable:
            await self._take_up(task, mark, error)
        elif self._late(mark):
            await self._give_up(task, mark)
        else:
            self._misses[task.id] += 1
            wait_s = self.remotes.next_look_s(mark.engine, None, self._misses[task.id])
            log.warning("task=%s event=not_seen engine=%s again_s=%.1f %s", task.id, mark.engine, wait_s, error)
            await self.waiting.look_again(task, self._in(wait_s))

    def _late(self, mark: Mark) -> bool:
        return self.clock.now_ms() - mark.since_ms > self.remotes.within_s(mark.engine) * 1000

    async def _give_up(self, task: Task, mark: Mark) -> None:
        assert mark.upstream_id is not None  # it was asked about
        await self.remotes.cancel(mark.engine, mark.upstream_id)
        within_s = self.remotes.within_s(mark.engine)
        await self._take_up(
            task, mark, EngineTimeout(f"The engine {mark.engine} did not make the film within {within_s:.0f} s.")
        )

    async def _bury(self, task: Task) -> None:
        lease = await self.waiting.collect(task, self.owner, self.lease_ms)
        await self.end(lease, InternalFault("What is on record of this order cannot be read."))

    async def _take_up(self, task: Task, mark: Mark, error: TaskError | None) -> None:
        self._misses.pop(task.id, None)
        if error is None and not self.room():
            await self.waiting.look_again(task, self._in(self.idle_s))  # it is kept there meanwhile
            return
        try:
            lease = await self.waiting.collect(task, self.owner, self.lease_ms)
        except LeaseLost:  # cancelled, or somebody else was faster
            return
        await self.begin(lease, Resumed(mark, error))

    def _in(self, seconds: float) -> int:
        return self.clock.now_ms() + round(seconds * 1000)
