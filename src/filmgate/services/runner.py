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
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from ..domain.backoff import doubling
from ..domain.errors import (
    FULL_DISK,
    EngineUnavailable,
    FilmgateError,
    InputUnusable,
    InternalFault,
    LeaseLost,
    StorageUnavailable,
    TaskError,
    TaskNotFound,
    Unsupported,
    is_full_disk,
)
from ..domain.lifecycle import MAX_FAULTS
from ..domain.routing import UPSCALE, Capabilities, Route, choose
from ..domain.task import Artifact, Lease, Task
from ..ports import Clock, Progress, Slots, TaskStore, WaitingStore, Watch, WorkerStore
from .attempts import Attempt, HandedOver, Resumed, last_word, word_for
from .looks import Looks
from .making import Make
from .marks import mark_of
from .postprocess import Postprocess
from .remotes import Remotes
from .watching import Watches, timed

log = logging.getLogger("filmgate.runner")

_SOURCE_GONE = "The task that this one is made from no longer exists."
_UNWATCHED = Watches()


@dataclass(frozen=True)
class RunnerLimits:
    """Periods in seconds; each is a setting."""

    lease: float = 30.0
    heartbeat: float = 10.0
    progress: float = 1.0  #: how often progress is written while it changes
    poll: float = 1.0  #: a look at the queue although nobody nudged
    first_retry: float = 1.0  #: doubled for each further one
    longest_retry: float = 60.0


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
        make: Make,
        waiting: WaitingStore,
        remotes: Remotes,
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
        self._make = make
        self._waiting = waiting
        self._remotes = remotes
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
        self._attempts: dict[str, Attempt] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looks = Looks(
            owner=owner,
            waiting=waiting,
            remotes=remotes,
            clock=clock,
            lease_ms=self._lease_ms,
            idle_s=limits.poll,
            begin=self._take_up,
            end=store.end,
            room=room,
        )
        slots.on_free(self.nudge)

    def nudge(self) -> None:
        """Something may have been queued or cancelled, or a slot has become free."""
        self._wake.set()
        self._looks.nudge()

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
                self._looking = group.create_task(self._looks.run())
                group.create_task(self._claim_until_drained(pulse, self._looking))
        finally:
            await self._hand_back()

    async def drain(self, seconds: float) -> None:
        """No new claims; let renders end for so long, then give the rest back to the queue."""
        self._draining = True
        self._wake.set()
        if self._looking is not None:
            self._looking.cancel()
        await self._workers.withdraw(self._owner)
        if running := list(_works(self._attempts.values())):
            await asyncio.wait(running, timeout=seconds)
        await self._hand_back()

    async def cancel_elsewhere(self) -> None:
        """What engines elsewhere do for tasks that have ended: now, since nobody comes after us."""
        await self._looks.cancel_abandoned()

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
        await self._sweep_leases(self._owner)

    async def _sweep_leases(self, owner: str | None = None) -> None:
        """Tasks of silent runners go back to the queue. One that is given up has nobody else to tidy up behind it."""
        for task in await self._store.sweep_leases(owner):
            log.info("task=%s event=taken_back status=%s", task.id, task.status)
            if task.status.ended:
                await self._discard(task, f"{task.id}/")

    # ------------------------------------------------------------ claiming

    async def _claim_until_drained(self, *others: asyncio.Task[None]) -> None:
        failures = 0
        while not self._draining:
            self._wake.clear()
            try:
                await self._let_lost_go()
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
        for other in others:
            other.cancel()

    async def _claim_one(self) -> bool:
        if self._remotes.names:
            self._remotes.counted(await self._waiting.counts())
        models = self._servable()
        lease = await self._store.claim(self._owner, self._lease_ms, models) if models else None
        if lease is not None:
            await self._begin(lease)
        return lease is not None

    def _servable(self) -> Sequence[str]:
        """The models whose first engine (of those that do not rest) has a free slot here right now, or takes an order
        elsewhere: the others are for when that one cannot, or refuses. Where already as many films wait for one of
        those as it makes at a time, the model waits too: what is claimed now might have to wait behind them for longer
        than an order may take.

        None where there is no room for another film: it waits in the queue, which is better than to fail for that.
        """
        if not self._room():
            return []
        busy = Counter(attempt.engine for attempt in self._attempts.values() if attempt.rendering)
        ready = {name for name, count in self._capacity.items() if busy[name] < count and self._slots.free(name)}
        jammed = {name for name, count in self._capacity.items() if busy[name] >= 2 * count}
        going = Counter(attempt.engine for attempt in self._attempts.values() if attempt.resumed is None)
        ready |= {name for name in self._remotes.names if self._remotes.has_room(name, going[name])}
        routes = [(model, of, of.healthy(self._remotes.rests)) for model, of in self._routes.items()]
        return [model for model, of, well in routes if well.engines[0] in ready and jammed.isdisjoint(of.engines)]

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
        self._attend_to(lease, engine)
        self._watch.claimed(task, engine, max(0.0, (self._clock.now_ms() - task.created_ms) / 1000))
        log.info("task=%s event=claimed attempt=%s engine=%s", task.id, lease.attempt, engine)

    async def _take_up(self, lease: Lease, resumed: Resumed) -> None:
        """An engine elsewhere has done with it."""
        self._attend_to(lease, resumed.mark.engine, resumed)
        log.info("task=%s event=taken_up attempt=%s engine=%s", lease.task.id, lease.attempt, resumed.mark.engine)

    def _attend_to(self, lease: Lease, engine: str, resumed: Resumed | None = None) -> None:
        task = lease.task
        attempt = Attempt(lease, engine, self._workroot / f"{task.id}-{lease.attempt}", self._wake.set, resumed)
        if resumed is not None:
            attempt.progress = Progress(task.progress, task.stage)
        self._attempts[task.id] = attempt
        attempt.work = asyncio.create_task(self._attend(attempt), name=f"attempt {task.id}")

    async def _engine_for(self, task: Task) -> str:
        """The route's choice; for what is made from another film, the engine that made that one, if it can.

        A film that no engine here can enlarge is scaled up (UPSCALE, which is not an engine).
        """
        spec, route = task.spec, self._routes[task.spec.model]
        if (mark := mark_of(task.checkpoint)) is not None:
            if mark.engine not in self._remotes:
                raise EngineUnavailable(f"The engine {mark.engine}, which had the order, is not there any more.")
            return mark.engine
        if spec.source_id is not None:
            maker = (await self._store.get(spec.source_id)).engine
            offered = maker in self._capacity or maker in self._remotes
            if maker is not None and offered and self._capabilities(maker).lacks(spec) is None:
                return maker
            if spec.kind.is_upgrade:
                return UPSCALE
        try:
            return choose(route.healthy(self._remotes.rests), spec, self._capabilities)
        except Unsupported:  # by those that do not rest
            return choose(route, spec, self._capabilities)

    # ------------------------------------------------------------ one attempt

    async def _attend(self, attempt: Attempt) -> None:
        """An attempt from its claim to whatever ends it. Its files go before its end is told: nobody begins the next
        attempt while the last one is still being tidied away."""
        began = monotonic()
        try:
            outcome = await self._outcome_of(attempt)
            self._watch.ended(attempt.lease.task, attempt.engine, word_for(outcome), monotonic() - began)
            attempt.making = False
            await self._tidy_up(attempt)
            if isinstance(outcome, HandedOver):
                await self._hand_over(attempt, outcome)
            elif outcome is not None:
                await self._settle(attempt, outcome)
        except asyncio.CancelledError:
            await asyncio.to_thread(shutil.rmtree, attempt.workdir, ignore_errors=True)
            raise
        except Exception:
            log.exception("task=%s event=not_settled it is taken up when its lease runs out", attempt.task_id)
        finally:
            attempt.rendering = False
            for engine in attempt.pledged:
                self._remotes.release(engine, handed_over=engine == attempt.handed_over_to)
            if self._attempts.get(attempt.task_id) is attempt:
                del self._attempts[attempt.task_id]
            self._wake.set()
            self._ended()

    async def _outcome_of(self, attempt: Attempt) -> FilmgateError | HandedOver | None:
        """None where the film was made and stored."""
        try:
            made = await self._make(attempt)
            if isinstance(made, HandedOver):
                return made
            attempt.making = False  # from here on the store decides: the film comes first, or a cancellation
            await self._discard_earlier(attempt)
            with timed(self._watch, attempt.lease.task, made.engine, "publish"):
                await self._store.succeed(
                    attempt.lease,
                    made.artifacts,
                    engine=made.engine,
                    state=made.state,
                    fallback_used=made.fallback_used,
                    runs=attempt.runs,
                )
            log.info("task=%s event=succeeded attempt=%s", attempt.task_id, attempt.lease.attempt)
        except (TaskError, LeaseLost) as error:
            return error
        except asyncio.CancelledError:
            if not attempt.lost:
                raise
            return LeaseLost()
        except Exception as error:
            fault = StorageUnavailable(FULL_DISK) if is_full_disk(error) else InternalFault()
            fault.__cause__ = error
            if isinstance(fault, InternalFault):
                log.exception("task=%s event=runner_fault attempt=%s", attempt.task_id, attempt.lease.attempt)
            return fault
        return None

    async def _tidy_up(self, attempt: Attempt) -> None:
        """Remove the work folder, and of the stored files those that nobody will ask for: of every attempt once the
        task has ended, else of this one.

        The row decides, not what we believe: a commit may have been made although its answer was an error.
        """
        try:
            await asyncio.to_thread(shutil.rmtree, attempt.workdir, ignore_errors=True)
            task = await self._store.get(attempt.task_id)
            prefix = f"{task.id}/" if task.status.ended else f"{task.id}/{attempt.lease.attempt}/"
        except Exception:
            log.exception("task=%s event=not_tidied attempt=%s", attempt.task_id, attempt.lease.attempt)
        else:
            await self._discard(task, prefix, task.artifacts)

    async def _discard_earlier(self, attempt: Attempt) -> None:
        """What attempts before this one have left, before the end is told: we may die right after that.

        Never of a later one, which would be of somebody who has the task now; nor what the row names still, which the
        next attempt needs if this end is not told.
        """
        task = attempt.lease.task
        for number in range(1, attempt.lease.attempt):
            await self._discard(task, f"{task.id}/{number}/", task.artifacts)

    async def _discard(self, task: Task, prefix: str, but: Sequence[Artifact] = ()) -> None:
        """Remove the stored files that nobody will ask for."""
        try:
            await self._postprocess.discard(prefix, but=but)
        except Exception:
            log.exception("task=%s event=not_discarded", task.id)

    async def _hand_over(self, attempt: Attempt, handed: HandedOver) -> None:
        with contextlib.suppress(LeaseLost):
            await self._waiting.hand_over(attempt.lease, handed.run_at_ms)
            attempt.handed_over_to = attempt.engine
            log.info("task=%s event=handed_over engine=%s", attempt.task_id, attempt.engine)
        self._looks.nudge()

    async def _settle(self, attempt: Attempt, error: FilmgateError) -> None:
        """Again later, or the end, as the error and the number of faults so far say."""
        lease = attempt.lease
        log.warning("task=%s event=%s attempt=%s %s", lease.task.id, error.slug, lease.attempt, error)
        if not isinstance(error, TaskError) or attempt.lost:
            return
        faults = lease.task.faults + 1
        with contextlib.suppress(LeaseLost):
            if error.retryable and faults < MAX_FAULTS and not attempt.paid:
                wait = doubling(self._limits.first_retry, faults, self._limits.longest_retry)
                await self._store.retry(lease, error, self._clock.now_ms() + round(wait * 1000), attempt.runs)
            else:
                said = last_word(error) if error.retryable and not attempt.paid else error
                await self._store.end(lease, said, attempt.runs)

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
                    await self._sweep_leases()
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
            engines = [*(name for name in living if name in self._capacity), *self._remotes.names]
            until_ms = self._clock.now_ms() + self._lease_ms
            await self._workers.announce(self._owner, engines, until_ms, self._remotes.resting())

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

    async def _let_lost_go(self) -> None:
        """Somebody may have cancelled what we are working on: that is what a nudge can mean, too."""
        making = [attempt for attempt in self._attempts.values() if attempt.making and not attempt.lost]
        held = await self._store.held(self._owner) if making else {}
        for attempt in making:
            if held.get(attempt.task_id) != attempt.lease.attempt:
                self._let_go(attempt)

    def _let_go(self, attempt: Attempt) -> None:
        """The task is somebody else's now, or was cancelled: stop working on it, at once."""
        if attempt.lost:
            return  # it is told once: what it has to finish, it finishes
        attempt.lost = True
        if attempt.work is not None:
            attempt.work.cancel()


def _works(attempts: Iterable[Attempt]) -> Iterable[asyncio.Task[None]]:
    return (attempt.work for attempt in attempts if attempt.work is not None)


def _empty(folder: Path) -> None:
    """An existing, empty, private folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
