"""An attempt's order to an engine elsewhere: written down before it is sent, so that nothing is paid for twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from ..domain.errors import EngineTimeout, EngineUnavailable, LeaseLost, OrderUnclear, TaskError
from ..domain.task import Lease, Role, Run
from ..ports import Clip, Clock, Order, RemoteJob, TaskStore, WaitingStore
from .attempts import Attempt, HandedOver, Resumed, Turn
from .marks import Mark, failure_of
from .postprocess import Postprocess
from .remotes import Remotes

_ROOM_S = 0.5  #: between two looks whether an engine takes one more
_LAST_WORD_S = 20.0  #: for an order that is on its way when its attempt is stopped


@dataclass(frozen=True)
class Elsewhere:
    """Sends orders to the engines of ``remotes``, and fetches their films."""

    remotes: Remotes
    store: TaskStore
    waiting: WaitingStore
    postprocess: Postprocess
    clock: Clock

    def __contains__(self, engine: str) -> bool:
        return engine in self.remotes

    async def order(self, attempt: Attempt, order: Order, turn: Turn, run: Run) -> HandedOver:
        """Send it. Raises what ``Remotes.start`` raises; then, unless that is unclear, it was not sent."""
        await self._room(attempt, run.engine)
        mark = turn.again or self._mark(order, turn, run)
        kept = attempt.lease.task.artifacts_of(Role.INPUT)
        if not kept and order.images:
            kept = tuple(await self.postprocess.keep_inputs(attempt.lease, order.images))
        await self.store.checkpoint(attempt.lease, mark.text(), run=run, artifacts=kept)
        attempt.part(attempt.progress.fraction, 1.0)(0.0, f"sending it to {run.engine}")
        known = mark.known_as(await self._sent(attempt.lease, _job(order, mark), mark))
        await self.store.checkpoint(attempt.lease, known.text(), run=known.run)
        return HandedOver(self.clock.now_ms() + round(self.remotes.first_look_s(run.engine) * 1000))

    async def clip(self, attempt: Attempt, order: Order, resumed: Resumed) -> Clip:
        """Its film. Raises what became of it instead."""
        mark = resumed.mark
        if resumed.error is not None:
            raise resumed.error
        assert mark.upstream_id is not None  # nobody looks for what has no id
        attempt.part(attempt.progress.fraction, 1.0)(0.0, "fetching the film")
        return await self.remotes.collect(mark.engine, mark.upstream_id, order.workdir)

    async def void(self, lease: Lease, run: Run) -> None:
        """Nothing more is to be had there: whatever comes next is a new order."""
        await self.store.checkpoint(lease, None, run=run)

    def _mark(self, order: Order, turn: Turn, run: Run) -> Mark:
        refusal = None if turn.refusal is None else failure_of(turn.refusal)
        key = f"{order.task_id}-{run.attempt}-{len(turn.tried)}"
        return Mark(order.spec, run, key, self.clock.now_ms(), turn.tried, refusal)

    async def _room(self, attempt: Attempt, engine: str) -> None:
        """Wait for as long as it makes as many films as it may. Raises EngineUnavailable for one that rests."""
        while not self.remotes.pledge(engine):
            if self.remotes.rests(engine):
                raise EngineUnavailable(f"The engine {engine} has failed too often, and is left alone for a while.")
            await self.clock.sleep(_ROOM_S)
            self.remotes.counted(await self.waiting.counts())
        attempt.pledged.append(engine)

    async def _sent(self, lease: Lease, job: RemoteJob, mark: Mark) -> str:
        sending = asyncio.ensure_future(self.remotes.start(mark.engine, job))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await self._last_word(lease, mark, sending)
            raise
        except (OrderUnclear, EngineTimeout):
            raise
        except TaskError as error:
            await self.void(lease, Attempt.done(mark.run, error.slug, self.clock.now_ms()))
            raise

    async def _last_word(self, lease: Lease, mark: Mark, sending: asyncio.Future[str]) -> None:
        """The attempt is stopped while its order is on its way: what was ordered must not be forgotten."""
        await asyncio.wait([sending], timeout=_LAST_WORD_S)
        if not sending.done():
            sending.cancel()
            return
        error = sending.exception()
        with suppress(LeaseLost):  # then what was ordered is cancelled, once somebody looks after what was abandoned
            if error is None:
                known = mark.known_as(sending.result())
                await self.waiting.note_upstream(lease.task.id, known.run)
                await self.store.checkpoint(lease, known.text(), run=known.run)
            elif isinstance(error, TaskError) and not isinstance(error, OrderUnclear | EngineTimeout):
                await self.void(lease, Attempt.done(mark.run, error.slug, self.clock.now_ms()))


def _job(order: Order, mark: Mark) -> RemoteJob:
    return RemoteJob(
        task_id=order.task_id,
        attempt=order.attempt,
        spec=order.spec,
        images=order.images,
        source=order.source,
        state=order.state,
        options=order.options,
        order_key=mark.order_key,
    )
