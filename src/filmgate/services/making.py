"""One attempt at a task: judged, gathered, rendered (by another engine of the route, if need be), finished, stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ..domain.errors import (
    Breakdown,
    ContentRejected,
    EngineTimeout,
    EngineUnavailable,
    InternalFault,
    OrderUnclear,
    StorageUnavailable,
    TaskError,
)
from ..domain.features import Feature
from ..domain.policy import may_fall_back
from ..domain.routing import UPSCALE, Capabilities, Route, further
from ..domain.task import Run, Task
from ..ports import Clip, Clock, FeatureStore, Order, Provenance, Slots, Watch, Work
from .attempts import Attempt, HandedOver, Made, Turn
from .elsewhere import Elsewhere
from .inputs import Inputs
from .marks import Mark, mark_of, refusal_of
from .policy.judging import Policy
from .postprocess import Postprocess
from .watching import Watches, timed

log = logging.getLogger("filmgate.runner")

_UNWATCHED = Watches()
_RENDER_SHARE = 0.92  #: of the progress bar; the rest is finishing and storing
_TOLD = ("seed", "resolution", "aspect_ratio", "seconds", "mode", "kind")


@dataclass(frozen=True)
class Make:
    """Call it with an attempt. Raises TaskErrors."""

    slots: Slots
    elsewhere: Elsewhere
    inputs: Inputs
    postprocess: Postprocess
    policy: Policy
    features: FeatureStore
    clock: Clock
    routes: Mapping[str, Route]
    capabilities: Callable[[str], Capabilities]
    version: Callable[[str], str] = lambda engine: ""
    watch: Watch = _UNWATCHED
    provenance: Callable[[str], Provenance | None] = lambda engine: None  #: what films of an engine say of themselves

    async def __call__(self, attempt: Attempt) -> Made | HandedOver:
        mark = attempt.resumed.mark if attempt.resumed else mark_of(attempt.lease.task.checkpoint)
        if mark is None:
            return await self._anew(attempt)
        if attempt.resumed is None and mark.upstream_id is not None:
            return HandedOver(self.clock.now_ms())  # an attempt that has died had sent it
        return await self._further(attempt, mark)

    async def _anew(self, attempt: Attempt) -> Made | HandedOver:
        task = attempt.lease.task
        verdict = await self.policy.judge(task.spec, self._able(attempt))
        if verdict.engine != attempt.engine:
            attempt.takes(verdict.engine)
        await asyncio.to_thread(attempt.workdir.mkdir, mode=0o700, parents=True)
        asked = Order(task.id, attempt.lease.attempt, verdict.spec, attempt.workdir.resolve())
        with self._timed(attempt, "inputs"):
            order = await self.inputs.gather(attempt.lease, asked, attempt.part(0.0, 0.0))
        await self.policy.look_at_images(order, self.slots, attempt.part(0.0, 0.0))
        turn = Turn(attempt.engine)
        if verdict.refusal is not None:
            turn = await self._next(attempt, order, turn, verdict.refusal)
        return await self._made(attempt, order, turn)

    async def _further(self, attempt: Attempt, mark: Mark) -> Made | HandedOver:
        """From what the attempts before this one have come to. Raises OrderUnclear where nobody knows that."""
        task, resumed = attempt.lease.task, attempt.resumed
        if resumed is None and not self.capabilities(mark.engine).starts_once:
            attempt.ended(mark.run, OrderUnclear.slug, self.clock.now_ms())
            raise OrderUnclear
        await asyncio.to_thread(attempt.workdir.mkdir, mode=0o700, parents=True)
        asked = Order(task.id, attempt.lease.attempt, mark.spec, attempt.workdir.resolve())
        with self._timed(attempt, "inputs"):
            order = await self.inputs.again(attempt.lease, asked)
        again = mark if resumed is None else None
        return await self._made(attempt, order, Turn(mark.engine, mark.tried, refusal_of(mark.refusal), resumed, again))

    def _able(self, attempt: Attempt) -> Mapping[str, Capabilities]:
        """The engine that the runner has chosen, and those of the route that could take its place."""
        if attempt.engine == UPSCALE:
            return {UPSCALE: Capabilities()}
        task = attempt.lease.task
        others = further(self.routes[task.spec.model], attempt.engine, task.spec, self.capabilities)
        return {name: self.capabilities(name) for name in (attempt.engine, *others)}

    # ------------------------------------------------------------ engine by engine

    async def _made(self, attempt: Attempt, order: Order, turn: Turn) -> Made | HandedOver:
        """By the engine whose turn it is, or by the next one, until there is a film or nobody left."""
        while True:
            run = self._run(attempt, order, turn)
            try:
                made = await self._film(attempt, order, turn, run)
            except TaskError as error:
                run = attempt.ended(run, error.slug, self.clock.now_ms())
                if turn.resumed is not None and not _fetched_again(turn, error):
                    attempt.paid = True
                    await self.elsewhere.void(attempt.lease, run)
                turn = await self._next(attempt, order, turn, error)
                order = replace(order, workdir=attempt.workdir.resolve() / f"turn-{len(turn.tried)}")
                await asyncio.to_thread(order.workdir.mkdir, mode=0o700)
            else:
                if isinstance(made, Made):
                    attempt.ended(run, "succeeded", self.clock.now_ms())
                    return replace(made, fallback_used=turn.refusal is not None)
                return made

    async def _next(self, attempt: Attempt, order: Order, turn: Turn, error: TaskError) -> Turn:
        """After an engine has refused the order or broken down over it. Raises what its owner is to be told where
        nobody else is asked: the refusal that began it, or the error."""
        if self._is_no_fault_of_the_engine(turn, error):
            raise error
        route = self.routes[attempt.lease.task.spec.model]
        refusal = turn.refusal or await self._refusal(order, error)
        if refusal is None and not (isinstance(error, Breakdown) and route.failover):
            raise error
        tried = (*turn.tried, turn.engine)
        others = further(route, turn.engine, order.spec, self.capabilities)
        name = next((each for each in others if each not in tried and not self.elsewhere.remotes.rests(each)), None)
        if name is None:
            raise turn.refusal or error
        kind = "failover" if refusal is None else "fallback"
        log.warning("task=%s event=%s engine=%s after=%s %s", attempt.task_id, kind, name, turn.engine, error)
        attempt.takes(name)
        return Turn(name, tried, refusal)

    def _is_no_fault_of_the_engine(self, turn: Turn, error: TaskError) -> bool:
        """Or not its last word: the whole is tried again, or not at all."""
        ours = isinstance(error, StorageUnavailable | InternalFault | OrderUnclear)
        return ours or _fetched_again(turn, error) or self._sent_once(turn, error)

    async def _refusal(self, order: Order, error: TaskError) -> ContentRejected | None:
        """What a fallback may be asked for."""
        allowed = may_fall_back(order.spec, error) and await self.features.is_on(Feature.FALLBACK)
        return error if allowed and isinstance(error, ContentRejected) else None

    def _sent_once(self, turn: Turn, error: TaskError) -> bool:
        """An order that may have been taken, and is taken once however often it is sent: it is sent there again."""
        return turn.resumed is None and turn.engine in self.elsewhere and isinstance(error, EngineTimeout)

    def _run(self, attempt: Attempt, order: Order, turn: Turn) -> Run:
        """What is on record of this turn; of one that goes on elsewhere it is there already."""
        mark = turn.again or (turn.resumed.mark if turn.resumed else None)
        if mark is not None:
            return mark.run
        spec = order.spec
        return Run(
            attempt=attempt.lease.attempt,
            engine=turn.engine,
            version=self.version(turn.engine),
            worker=attempt.lease.owner,
            began_ms=self.clock.now_ms(),
            parameters={name: getattr(spec, name) for name in _TOLD} | {"options": self._options(attempt, turn.engine)},
        )

    def _options(self, attempt: Attempt, engine: str) -> Mapping[str, object]:
        task: Task = attempt.lease.task
        options: Mapping[str, object] = self.routes[task.spec.model].options.get(engine, {})
        return options

    # ------------------------------------------------------------ one engine

    async def _film(self, attempt: Attempt, order: Order, turn: Turn, run: Run) -> Made | HandedOver:
        engine = turn.engine
        order = replace(order, options=self._options(attempt, engine), provenance=self.provenance(engine))
        if engine == UPSCALE:  # the film that is enlarged has its watermark already
            order = replace(order, spec=replace(order.spec, watermark=None))
        if engine in self.elsewhere and turn.resumed is None:
            return await self.elsewhere.order(attempt, order, turn, run)
        with self._timed(attempt, "render"):
            clip = await self._clip(attempt, order, turn)
        attempt.leaves_slot()
        looking = attempt.part(_RENDER_SHARE, _RENDER_SHARE)
        await self.policy.look_at_film(replace(order, clip=clip.path), engine, self.slots, looking)
        with self._timed(attempt, "finish"):
            artifacts = await self.postprocess(attempt.lease, order, clip, attempt.part(_RENDER_SHARE, 1.0))
        return Made(artifacts, clip.state, engine)

    def _timed(self, attempt: Attempt, stage: str) -> AbstractContextManager[None]:
        return timed(self.watch, attempt.lease.task, attempt.engine, stage)

    async def _clip(self, attempt: Attempt, order: Order, turn: Turn) -> Clip:
        if turn.resumed is not None:
            return await self.elsewhere.clip(attempt, order, turn.resumed)
        report = attempt.part(attempt.progress.fraction, _RENDER_SHARE)
        if turn.engine != UPSCALE:
            return await self.slots.render(turn.engine, order, report)
        (larger,) = await self.slots.media(replace(order, work=Work.UPSCALE), report)
        return Clip(larger.path)


def _fetched_again(turn: Turn, error: TaskError) -> bool:
    """The film is there, and could not be fetched this time."""
    ready = turn.resumed is not None and turn.resumed.error is None
    return ready and isinstance(error, EngineUnavailable | EngineTimeout | StorageUnavailable | InternalFault)
