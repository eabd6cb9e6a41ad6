"""One attempt at a task: judged, gathered, rendered (by a fallback engine, if need be), finished and stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.errors import ContentRejected, InternalFault, StorageUnavailable, TaskError
from ..domain.features import Feature
from ..domain.policy import may_fall_back
from ..domain.routing import Capabilities, Route, further
from ..domain.task import Artifact, Lease, Task
from ..ports import Clip, FeatureStore, Order, Progress, Slots, Watch, Work
from .inputs import Inputs
from .policy.judging import Policy
from .postprocess import Postprocess
from .watching import Watches, timed

log = logging.getLogger("filmgate.runner")

UPSCALE = "upscale"  #: in place of an engine's name: the film was scaled up, not made anew

_UNWATCHED = Watches()
_STARTING = Progress(0.0, "starting")
_RENDER_SHARE = 0.92  #: of the progress bar; the rest is finishing and storing


@dataclass(eq=False)
class Attempt:
    """An attempt that is under way in this runner."""

    lease: Lease
    engine: str  #: whose slot it has, or waits for
    workdir: Path
    freed: Callable[[], None]  #: called when that slot is needed no longer
    work: asyncio.Task[None] | None = None
    progress: Progress = _STARTING
    noted: Progress | None = None  #: what the store knows of it
    rendering: bool = True  #: it has, or waits for, an engine's slot
    making: bool = True  #: until there is a film or an error; what is left then is tidying, which nobody may stop
    lost: bool = False  #: the task is no longer ours

    @property
    def task_id(self) -> str:
        return self.lease.task.id

    def part(self, low: float, high: float) -> Callable[[float, str], None]:
        """A reporter for a part of the progress bar, which never goes back: a fallback begins where the first engine
        has stopped."""

        def report(fraction: float, stage: str) -> None:
            self.progress = Progress(max(self.progress.fraction, low + (high - low) * fraction), stage)

        return report

    def takes(self, engine: str) -> None:
        """Wait for a slot of this engine, in place of the one before."""
        self.engine, self.rendering = engine, True
        self.freed()

    def leaves_slot(self) -> None:
        """The next render need not wait until this film is stored."""
        self.rendering = False
        self.freed()


@dataclass(frozen=True)
class Made:
    """What an attempt came to: stored files, and how they came about."""

    artifacts: Sequence[Artifact]
    state: bytes
    engine: str
    fallback_used: bool = False


@dataclass(frozen=True)
class Make:
    """Call it with an attempt. Raises TaskErrors."""

    slots: Slots
    inputs: Inputs
    postprocess: Postprocess
    policy: Policy
    features: FeatureStore
    routes: Mapping[str, Route]
    capabilities: Callable[[str], Capabilities]
    watch: Watch = _UNWATCHED

    async def __call__(self, attempt: Attempt) -> Made:
        task = attempt.lease.task
        verdict = await self.policy.judge(task.spec, self._able(attempt))
        if verdict.engine != attempt.engine:
            attempt.takes(verdict.engine)
        await asyncio.to_thread(attempt.workdir.mkdir, mode=0o700, parents=True)
        asked = Order(task.id, attempt.lease.attempt, verdict.spec, attempt.workdir.resolve())
        with self._timed(attempt, "inputs"):
            order = await self.inputs.gather(attempt.lease, asked, attempt.part(0.0, 0.0))
        await self.policy.look_at_images(order, self.slots, attempt.part(0.0, 0.0))
        try:
            if verdict.refusal is not None:
                raise verdict.refusal
            return await self._film(attempt, order)
        except ContentRejected as refusal:
            return await self._fallback(attempt, order, refusal)

    def _able(self, attempt: Attempt) -> Mapping[str, Capabilities]:
        """The engine that the runner has chosen, and those of the route that could take its place."""
        if attempt.engine == UPSCALE:
            return {UPSCALE: Capabilities()}
        task = attempt.lease.task
        others = further(self.routes[task.spec.model], attempt.engine, task.spec, self.capabilities)
        return {name: self.capabilities(name) for name in (attempt.engine, *others)}

    async def _film(self, attempt: Attempt, order: Order) -> Made:
        """By the attempt's engine."""
        engine, task = attempt.engine, attempt.lease.task
        order = replace(order, options=self.routes[task.spec.model].options.get(engine, {}))
        if engine == UPSCALE:  # the film that is enlarged has its watermark already
            order = replace(order, spec=replace(order.spec, watermark=None))
        with self._timed(attempt, "render"):
            clip = await self._clip(engine, order, attempt.part(attempt.progress.fraction, _RENDER_SHARE))
        attempt.leaves_slot()
        looking = attempt.part(_RENDER_SHARE, _RENDER_SHARE)
        await self.policy.look_at_film(replace(order, clip=clip.path), engine, self.slots, looking)
        with self._timed(attempt, "finish"):
            artifacts = await self.postprocess(attempt.lease, order, clip, attempt.part(_RENDER_SHARE, 1.0))
        return Made(artifacts, clip.state, engine)

    def _timed(self, attempt: Attempt, stage: str) -> AbstractContextManager[None]:
        return timed(self.watch, attempt.lease.task, attempt.engine, stage)

    async def _clip(self, engine: str, order: Order, report: Callable[[float, str], None]) -> Clip:
        if engine != UPSCALE:
            return await self.slots.render(engine, order, report)
        (larger,) = await self.slots.media(replace(order, work=Work.UPSCALE), report)
        return Clip(larger.path)

    async def _fallback(self, attempt: Attempt, order: Order, refusal: ContentRejected) -> Made:
        """By the next engine that can. Raises ``refusal`` where there is none, or none that will."""
        for number, name in enumerate(await self._fallbacks(attempt, order, refusal), 1):
            log.info("task=%s event=fallback engine=%s after=%s", attempt.task_id, name, refusal.slug)
            attempt.takes(name)
            folder = order.workdir / f"fallback-{number}"
            await asyncio.to_thread(folder.mkdir, mode=0o700)
            try:
                made = await self._film(attempt, replace(order, workdir=folder))
            except (StorageUnavailable, InternalFault):  # no fault of the engine's: the whole is tried again
                raise
            except TaskError as error:
                log.warning("task=%s event=no_fallback engine=%s %s", attempt.task_id, name, error)
            else:
                return replace(made, fallback_used=True)
        raise refusal

    async def _fallbacks(self, attempt: Attempt, order: Order, refusal: ContentRejected) -> Sequence[str]:
        task: Task = attempt.lease.task
        if not may_fall_back(order.spec, refusal) or not await self.features.is_on(Feature.FALLBACK):
            return ()
        return further(self.routes[task.spec.model], attempt.engine, order.spec, self.capabilities)
