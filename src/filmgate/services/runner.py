"""The runner: takes tasks from the queue, has them rendered in slots, keeps their leases, stores what came of it.

Several runners may work on one store. A runner never trusts that a task is still its own: whatever it writes is fenced
by its lease, and a runner that cannot renew its leases in time stops its work, since somebody else has the tasks by
then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from ..domain.backoff import doubling
from ..domain.errors import (
    AttemptsUsedUp,
    EngineCrashed,
    FilmgateError,
    InputUnusable,
    InternalFault,
    LeaseLost,
    OutputUnusable,
    TaskError,
    TaskNotFound,
)
from ..domain.lifecycle import MAX_FAULTS
from ..domain.routing import Capabilities, Route, choose
from ..domain.task import Lease, Task
from ..ports import Clip, Clock, Order, Progress, Slots, TaskStore, Watch, Work, WorkerStore
from .inputs import Inputs
from .postprocess import Postprocess
from .watching import Watchers, timed

log = logging.getLogger("filmgate.runner")

UPSCALE = "upscale"  #: in place of an engine's name: the film was scaled up, not made anew

_SOURCE_GONE = "The task that this one is made from no longer exists."
_UNWATCHED = Watchers()
_STARTING = Progress(0.0, "starting")
_RENDER_SHARE = 0.92  #: of the progress bar; the rest is finishing and storing


@dataclass(frozen=True)
class RunnerLimits:
    """Periods in seconds; each is a setting."""

    lease: float = 30.0
    heartbeat: float = 10.0
    progress: float = 1.0  #: how often progress is written while it changes
    poll: float = 1.0  #: a look at the queue although nobody nudged
    first_retry: float = 1.0  #: doubled for each further one
    longest_retry: float = 60.0


@dataclass(eq=False)
class _Attempt:
    """An attempt that is under way in this runner."""

    lease: Lease
    engine: str
    workdir: Path
    work: asyncio.Task[None] | None = None
    progress: Progress = _STARTING
    noted: Progress | None = None  #: what the store knows of it
    rendering: bool = True  #: it has, or waits for, an engine's slot
    making: bool = True  #: until there is a film or an error; what is left then is tidying, which nobody may stop
    lost: bool = False  #: the task is no longer ours

    @property
    def task_id(self) -> str:
        return self.lease.task.id


class Runner:
    """``run`` until ``drain``. ``owner`` must be unique among the runners that are alive at the same time; a runner
    that starts under the name of a dead one takes that one's tasks back at once."""

    def __init__(
        self,
        *,
        owner: str,
        store: TaskStore,
        workers: WorkerStore,
        slots: Slots,
        inputs: Inputs,
        postprocess: Postprocess,
        clock: Clock,
        routes: Mapping[str, Route],
        capabilities: Callable[[str], Capabilities],
        capacity: Mapping[str, int],
        workroot: Path,
        limits: RunnerLimits,
        ended: Callable[[], None],
        watch: Watch = _UNWATCHED,
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        self._owner = owner
        self._store = store
        self._workers = workers
        self._slots = slots
        self._inputs = inputs
        self._postprocess = postprocess
        self._clock = clock
        self._routes = routes
        self._capabilities = capabilities
        self._capacity = capacity
        self._workroot = workroot
        self._limits = limits
        self._ended = ended
        self._watch = watch
        self._room = room
        self._wake = asyncio.Event()
        self._draining = False
        self._attempts: dict[str, _Attempt] = {}
        slots.on_free(self.nudge)

    def nudge(self) -> None:
        """Something may have been queued, or a slot has become free."""
        self._wake.set()

    def progress(self, task_id: str) -> tuple[float, str] | None:
        """Fraction and stage of an attempt of ours, fresher than the store has them."""
        attempt = self._attempts.get(task_id)
        return (attempt.progress.fraction, attempt.progress.stage) if attempt else None

    async def run(self) -> None:
        """Claim and render until ``drain``. Raises what ended the heartbeat: a runner without one must not go on.

        However it ends, what is under way is stopped and handed back: a death of ours is no fault of a task's.
        """
        await self._take_back()
        await self._announce()
        try:
            async with asyncio.TaskGroup() as group:
                pulse = group.create_task(self._keep_leases())
                group.create_task(self._claim_until_drained(pulse))
        finally:
            await self._hand_back()

    async def drain(self, seconds: float) -> None:
        """No new claims; let renders end for so long, then give the rest back to the queue."""
        self._draining = True
        self._wake.set()
        await self._workers.withdraw(self._owner)
        if running := list(_works(self._attempts.values())):
            await asyncio.wait(running, timeout=seconds)
        await self._hand_back()

    async def _hand_back(self) -> None:
        """Stop what is under way and return it to the queue, the attempt not counted."""
        left = [attempt for attempt in self._attempts.values() if not attempt.lost]
        for work in _works(left):
            work.cancel()
        for attempt in left:
            await asyncio.wait(list(_works([attempt])))
            try:
                await self._store.drain(attempt.lease)
            except LeaseLost:
                continue
            except Exception:
                log.exception("task=%s event=not_handed_back it is taken back from us", attempt.task_id)

    async def _take_back(self) -> None:
        """What a runner of our name held when it died: its tasks, and the files that it left half-written."""
        await asyncio.to_thread(_empty, self._workroot)
        await self._postprocess.sweep()
        await self._bring_forward()
        for task in await self._store.sweep_leases(self._owner):
            log.info("task=%s event=taken_back status=%s", task.id, task.status)

    # ------------------------------------------------------------ claiming

    async def _claim_until_drained(self, pulse: asyncio.Task[None]) -> None:
        failures = 0
        while not self._draining:
            self._wake.clear()
            try:
                if await self._claim_one():
                    failures = 0
                    continue
                wait = await self._until_due()
            except Exception:
                failures += 1
                wait = doubling(self._limits.poll, failures, self._limits.longest_retry)
                log.exception("event=queue_unreadable looking again in %.0f s", wait)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()
        while running := list(_works(self._attempts.values())):
            await asyncio.wait(running)
        pulse.cancel()

    async def _claim_one(self) -> bool:
        models = self._servable()
        lease = await self._store.claim(self._owner, self._lease_ms, models) if models else None
        if lease is not None:
            await self._begin(lease)
        return lease is not None

    def _servable(self) -> Sequence[str]:
        """The models whose first engine has a free slot here right now: the others are for when that one cannot.

        None where there is no room for another film: it waits in the queue, which is better than to fail for that.
        """
        if not self._room():
            return []
        busy = Counter(attempt.engine for attempt in self._attempts.values() if attempt.rendering)
        ready = {name for name, count in self._capacity.items() if busy[name] < count and self._slots.free(name)}
        return [model for model, route in self._routes.items() if route.engines[0] in ready]

    async def _until_due(self) -> float:
        due = await self._store.waiting_time()
        return min(self._limits.poll, due) if due else self._limits.poll

    @property
    def _lease_ms(self) -> int:
        return round(self._limits.lease * 1000)

    async def _begin(self, lease: Lease) -> None:
        task = lease.task
        try:
            engine = await self._engine_for(task)
        except (
            TaskError,
            TaskNotFound,
        ) as error:  # routes changed, or the source has gone
            with contextlib.suppress(LeaseLost):
                await self._store.end(lease, error if isinstance(error, TaskError) else InputUnusable(_SOURCE_GONE))
            return
        if (earlier := self._attempts.get(task.id)) is not None:  # a lease that we lost, and have again
            self._let_go(earlier)
        attempt = _Attempt(lease, engine, self._workroot / f"{task.id}-{lease.attempt}")
        self._attempts[task.id] = attempt
        attempt.work = asyncio.create_task(self._attend(attempt), name=f"attempt {task.id}")
        self._watch.claimed(task, engine, max(0.0, (self._clock.now_ms() - task.created_ms) / 1000))
        log.info("task=%s event=claimed attempt=%s engine=%s", task.id, lease.attempt, engine)

    async def _engine_for(self, task: Task) -> str:
        """The route's choice; for what is made from another film, the engine that made that one, if it can.

        A film that no engine here can enlarge is scaled up (UPSCALE, which is not an engine).
        """
        spec, route = task.spec, self._routes[task.spec.model]
        if spec.source_id is not None:
            maker = (await self._store.get(spec.source_id)).engine
            if maker is not None and maker in self._capacity and self._capabilities(maker).lacks(spec) is None:
                return maker
            if spec.kind.is_upgrade:
                return UPSCALE
        return choose(route, spec, self._capabilities)

    # ------------------------------------------------------------ one attempt

    async def _attend(self, attempt: _Attempt) -> None:
        """An attempt from its claim to whatever ends it. Its files go before its end is told: nobody begins the next
        attempt while the last one is still being tidied away."""
        began = monotonic()
        try:
            error = await self._error_of(attempt)
            outcome = "succeeded" if error is None else error.slug
            self._watch.ended(attempt.lease.task, attempt.engine, outcome, monotonic() - began)
            attempt.making = False
            await self._tidy_up(attempt)
            if error is not None:
                await self._settle(attempt, error)
        except asyncio.CancelledError:
            await asyncio.to_thread(shutil.rmtree, attempt.workdir, ignore_errors=True)
            raise
        except Exception:
            log.exception("task=%s event=not_settled it is taken up when its lease runs out", attempt.task_id)
        finally:
            attempt.rendering = False
            if self._attempts.get(attempt.task_id) is attempt:
                del self._attempts[attempt.task_id]
            self._wake.set()
            self._ended()

    async def _error_of(self, attempt: _Attempt) -> FilmgateError | None:
        """None where the film was made and stored."""
        try:
            await self._make(attempt)
        except (TaskError, LeaseLost) as error:
            return error
        except asyncio.CancelledError:
            if not attempt.lost:
                raise
            return LeaseLost()
        except Exception as error:
            log.exception("task=%s event=runner_fault attempt=%s", attempt.task_id, attempt.lease.attempt)
            fault = InternalFault()
            fault.__cause__ = error
            return fault
        return None

    async def _make(self, attempt: _Attempt) -> None:
        lease, task = attempt.lease, attempt.lease.task
        await asyncio.to_thread(attempt.workdir.mkdir, mode=0o700, parents=True)
        options = self._routes[task.spec.model].options.get(attempt.engine, {})
        asked = Order(task.id, lease.attempt, task.spec, attempt.workdir.resolve(), options=options)
        with self._timed(attempt, "inputs"):
            order = await self._inputs.gather(lease, asked, _part(attempt, 0.0, 0.0))
        if attempt.engine == UPSCALE:  # the film that is enlarged has its watermark already
            order = replace(order, spec=replace(order.spec, watermark=None))
        with self._timed(attempt, "render"):
            clip = await self._clip(attempt.engine, order, _part(attempt, 0.0, _RENDER_SHARE))
        attempt.rendering = False
        self._wake.set()  # the slot is free: the next render need not wait until this film is stored
        with self._timed(attempt, "finish"):
            artifacts = await self._postprocess(lease, order, clip, _part(attempt, _RENDER_SHARE, 1.0))
        with self._timed(attempt, "publish"):
            await self._store.succeed(lease, artifacts, engine=attempt.engine, state=clip.state)
        log.info("task=%s event=succeeded attempt=%s", task.id, lease.attempt)

    def _timed(self, attempt: _Attempt, stage: str) -> contextlib.AbstractContextManager[None]:
        return timed(self._watch, attempt.lease.task, attempt.engine, stage)

    async def _clip(self, engine: str, order: Order, report: Callable[[float, str], None]) -> Clip:
        if engine != UPSCALE:
            return await self._slots.render(engine, order, report)
        (larger,) = await self._slots.media(replace(order, work=Work.UPSCALE), report)
        return Clip(larger.path)

    async def _tidy_up(self, attempt: _Attempt) -> None:
        """Remove the work folder, and of the stored files those that nobody will ask for: of every attempt once the
        task has ended, else of this one.

        The row decides, not what we believe: a commit may have been made although its answer was an error.
        """
        try:
            await asyncio.to_thread(shutil.rmtree, attempt.workdir, ignore_errors=True)
            task = await self._store.get(attempt.task_id)
            prefix = f"{task.id}/" if task.status.ended else f"{task.id}/{attempt.lease.attempt}/"
            await self._postprocess.discard(prefix, but=task.artifacts)
        except Exception:
            log.exception("task=%s event=not_tidied attempt=%s", attempt.task_id, attempt.lease.attempt)

    async def _settle(self, attempt: _Attempt, error: FilmgateError) -> None:
        """Again later, or the end, as the error and the number of faults so far say."""
        lease = attempt.lease
        log.warning("task=%s event=%s attempt=%s %s", lease.task.id, error.slug, lease.attempt, error)
        if not isinstance(error, TaskError) or attempt.lost:
            return
        faults = lease.task.faults + 1
        with contextlib.suppress(LeaseLost):
            if error.retryable and faults < MAX_FAULTS:
                wait = doubling(self._limits.first_retry, faults, self._limits.longest_retry)
                await self._store.retry(lease, error, self._clock.now_ms() + round(wait * 1000))
            else:
                await self._store.end(lease, _last_word(error) if error.retryable else error)

    # ------------------------------------------------------------ leases

    async def _keep_leases(self) -> None:
        """Renew our leases, note progress, and requeue what dead runners left. Stops our work when we are too late."""
        renewed = swept = self._clock.now_ms()
        while True:
            await self._clock.sleep(min(self._limits.progress, self._limits.heartbeat))
            now = self._clock.now_ms()
            went_back = now < renewed
            due = went_back or now - swept >= self._limits.heartbeat * 1000
            try:
                await self._renew(even_if_still=due)
                renewed_before, renewed = renewed, now
                if went_back:
                    log.warning("event=clock_went_back by_s=%.0f", (renewed_before - now) / 1000)
                    await self._bring_forward()
                if due:
                    await self._store.sweep_leases()
                    await self._announce()
                    swept = now
            except Exception:
                if now - renewed < self._lease_ms:
                    log.exception("event=heartbeat_failed")
                    continue
                for attempt in list(self._attempts.values()):
                    self._let_go(attempt)
                raise

    async def _bring_forward(self) -> None:
        """What waits for a time that a clock of before has named: no wait of ours is longer than this."""
        await self._store.bring_forward(round(self._limits.longest_retry * 1000))

    async def _announce(self) -> None:
        """Tell which engines this runner has loaded; one whose slots are all dead is not among them."""
        if not self._draining:
            living = sorted({slot.kind for slot in self._slots.health() if slot.state in ("idle", "busy")})
            engines = [name for name in living if name in self._capacity]
            await self._workers.announce(self._owner, engines, self._clock.now_ms() + self._lease_ms)

    async def _renew(self, *, even_if_still: bool) -> None:
        """One statement for all our tasks; between heartbeats only for those that have moved."""
        moved = {
            attempt: attempt.progress
            for attempt in self._attempts.values()
            if even_if_still or attempt.progress is not attempt.noted
        }
        if not moved:
            return
        told = {attempt.task_id: progress for attempt, progress in moved.items()}
        held = await self._store.heartbeat(self._owner, self._lease_ms, told)
        for attempt, progress in moved.items():
            attempt.noted = progress
            if attempt.task_id not in held and attempt.making:
                self._let_go(attempt)

    def _let_go(self, attempt: _Attempt) -> None:
        """The task is somebody else's now, or was cancelled: stop working on it, at once."""
        attempt.lost = True
        if attempt.work is not None:
            attempt.work.cancel()


def _works(attempts: Iterable[_Attempt]) -> Iterable[asyncio.Task[None]]:
    return (attempt.work for attempt in attempts if attempt.work is not None)


def _part(attempt: _Attempt, low: float, high: float) -> Callable[[float, str], None]:
    """A reporter for a part of the progress bar."""

    def report(fraction: float, stage: str) -> None:
        attempt.progress = Progress(low + (high - low) * fraction, stage)

    return report


def _last_word(error: TaskError) -> TaskError:
    """What the owner is told when a passing fault has come back too often. What kind of fault it was stays."""
    said = "the engine's process died each time" if isinstance(error, EngineCrashed) else "the last one said"
    kind = AttemptsUsedUp if isinstance(error, EngineCrashed | OutputUnusable) else type(error)
    final = kind(f"{MAX_FAULTS} attempts ended without a film; {said}: {error}")
    final.__cause__ = error
    return final


def _empty(folder: Path) -> None:
    """An existing, empty, private folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
