"""The runner's process: slots, runner and callback sender in one event loop."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import cast

from ..domain.errors import EngineUnavailable
from ..domain.routing import Route
from ..engines.registry import Registry
from ..engines.slot import MEDIA
from ..engines.slots import LocalSlots, SlotLimits
from ..net.outbound import Outbound, Policy
from ..ports import RemoteEngine, Watch
from ..services.deliver import Deliver
from ..services.elsewhere import Elsewhere
from ..services.inputs import Inputs
from ..services.janitor import Janitor
from ..services.making import Make
from ..services.postprocess import Postprocess
from ..services.remotes import RemoteLimits, Remotes
from ..services.runner import Runner, RunnerLimits
from ..services.signatures import Signatures
from ..services.watching import Watches
from ..settings import EngineSettings, Settings
from .callbacks import compose
from .logs import start_logging
from .loop import run
from .meters import RunnerMeters, runner_file
from .parts import Parts, opened
from .policy import policy_of
from .provenance import provenance_of
from .readiness import short_of_room
from .sweeps import Sweeping, deadline_sweeps, key_sweep
from .traces import tracing

_UNWATCHED = Watches()


@dataclass(frozen=True)
class Workshop:
    """A runner with its slots, ready to run."""

    runner: Runner
    slots: LocalSlots


@asynccontextmanager
async def workshop(
    parts: Parts,
    owner: str,
    ended: Callable[[], None],
    *,
    watch: Watch = _UNWATCHED,
    log_to: int | None = None,
    only: Collection[str] = (),
) -> AsyncIterator[Workshop]:
    """Slots for every engine that a model names, loaded, and a runner over them. Closed, nothing of it is left.

    ``only`` these engines are loaded, where any are named: films of models that begin with others are made elsewhere.
    ``log_to``: a file descriptor for what the slots print; None is standard error.
    """
    settings = parts.settings
    policy, graphics = policy_of(settings), _needs_graphics(settings)
    routes = routes_here(parts.routes, only)
    named = sorted({engine for route in routes.values() for engine in route.engines})
    engines = [name for name in named if not parts.engines.is_remote(name)]
    remotes = remotes_of(settings, parts.engines, named, watch)
    times = settings.worker
    limits = SlotLimits(times.start_timeout_s, times.render_timeout_s, times.silence_timeout_s)
    workroot = settings.data / "tmp" / owner
    workroot.mkdir(mode=0o700, parents=True, exist_ok=True)
    slots = LocalSlots(limits, engines=parts.engines, log_to=log_to, workroot=workroot, graphics=graphics)
    try:
        capacity = {name: settings.engine(name).slots or settings.worker.slots for name in engines}
        opening = [slots.open(name, count) for name, count in capacity.items()] + [slots.open(MEDIA, 1)]
        await asyncio.gather(*opening, remotes.open())
        postprocess = Postprocess(slots, parts.storage, parts.clock, round(settings.retention.media_s * 1000))
        runner = Runner(
            owner=owner,
            store=parts.tasks,
            workers=parts.workers,
            slots=slots,
            make=Make(
                slots=slots,
                elsewhere=Elsewhere(remotes, parts.tasks, parts.waiting, postprocess, parts.clock),
                inputs=Inputs(parts.tasks, parts.storage, slots, _outbound(settings), parts.links.key_of, parts.clock),
                postprocess=postprocess,
                policy=policy,
                features=parts.features,
                clock=parts.clock,
                version=parts.engines.version,
                routes=routes,
                capabilities=parts.engines.capabilities,
                watch=watch,
                provenance=provenance_of(settings, parts.engines),
            ),
            waiting=parts.waiting,
            remotes=remotes,
            postprocess=postprocess,
            clock=parts.clock,
            routes=routes,
            capabilities=parts.engines.capabilities,
            capacity=capacity,
            workroot=workroot,
            limits=RunnerLimits(lease=settings.worker.lease_s, heartbeat=settings.worker.heartbeat_s),
            ended=ended,
            watch=watch,
            room=lambda: short_of_room(settings) is None,
        )
        yield Workshop(runner, slots)
    finally:
        await slots.close()
        await remotes.close()


def remotes_of(settings: Settings, engines: Registry, named: Sequence[str], watch: Watch = _UNWATCHED) -> Remotes:
    """Those of these engines whose films are made elsewhere, not yet opened."""
    made = {name: cast("RemoteEngine", engines.make(name)) for name in named if engines.is_remote(name)}
    return Remotes(made, {name: _limits_of(settings.engine(name)) for name in made}, watch.breaker)


def _limits_of(engine: EngineSettings) -> RemoteLimits:
    return RemoteLimits(
        concurrency=engine.concurrency,
        starts_per_minute=engine.starts_per_minute,
        within_s=engine.within_s,
        poll_s=engine.poll_s,
        faults_to_rest=engine.faults_to_rest,
        rest_s=engine.rest_s,
    )


def _needs_graphics(settings: Settings) -> bool:
    """Whether films are enlarged by a network. Raises EngineUnavailable where they are to be, and cannot."""
    if settings.media.upscale != "best":
        return False
    from ..media import span

    span.check(settings.media.upscale_weights)
    return True


def routes_here(routes: Mapping[str, Route], only: Collection[str]) -> Mapping[str, Route]:
    """What a worker with these engines alone can make: models by their first engine, with the fallbacks it has.

    Raises EngineUnavailable for an engine that no model names.
    """
    if not only:
        return routes
    known = {engine for route in routes.values() for engine in route.engines}
    if unknown := sorted(set(only) - known):
        raise EngineUnavailable(
            f"No model names the engine {unknown[0]!r}; named are {', '.join(sorted(known))}. "
            "Correct --engines, or let a model name it in filmgate.toml."
        )
    return {
        model: replace(route, engines=tuple(engine for engine in route.engines if engine in only))
        for model, route in routes.items()
        if route.engines[0] in only
    }


def _outbound(settings: Settings) -> Outbound:
    return Outbound(Policy(settings.net.allow, settings.net.allow_private))


def deliverer(parts: Parts, watch: Watch = _UNWATCHED) -> Deliver:
    """The callback sender."""
    settings = parts.settings
    return Deliver(
        outbox=parts.outbox,
        tasks=parts.tasks,
        compose=lambda task: compose(task, parts.links, settings.edition.switches()),
        outbound=_outbound(settings),
        clock=parts.clock,
        sign=Signatures(parts.webhooks, parts.clock),
        schedule_s=settings.callbacks.schedule_s,
        timeout_s=settings.callbacks.timeout_s,
        watch=watch,
    )


def _janitor(parts: Parts) -> Janitor:
    retention = parts.settings.retention
    return Janitor(
        parts.uploads,
        parts.media,
        parts.storage,
        parts.clock,
        records_kept_ms=round(retention.metadata_s * 1000),
        every_s=retention.sweep_s,
    )


def main(settings: Settings, owner: str, nudges: int, ready: Callable[[], None], *, only: Collection[str] = ()) -> None:
    """Work until SIGTERM, then drain. ``nudges``: a pipe on which the API says that something was queued."""
    start_logging("runner", settings.log)
    run(_work(settings, owner, nudges, ready, only))


async def _work(settings: Settings, owner: str, nudges: int, ready: Callable[[], None], only: Collection[str]) -> None:
    loop, loading = asyncio.get_running_loop(), asyncio.current_task()
    assert loading is not None
    loop.add_signal_handler(signal.SIGTERM, loading.cancel)  # until the engines are loaded there is nothing to drain
    with suppress(asyncio.CancelledError), tracing(settings, "runner") as tracers:
        meters = RunnerMeters("runner")
        watch = Watches([meters, *tracers])
        async with opened(settings, meters) as parts:
            deliver = deliverer(parts, watch)
            async with workshop(parts, owner, deliver.nudge, watch=watch, only=only) as shop:
                stop = asyncio.Event()
                loop.add_signal_handler(signal.SIGTERM, stop.set)
                _listen(loop, nudges, shop.runner.nudge)
                parts.listen(_both(shop.runner.nudge, deliver.nudge))
                ready()
                janitor = _janitor(parts)
                sweeps = (*deadline_sweeps(parts, shop.runner.nudge), key_sweep(parts))
                publishing = asyncio.create_task(meters.publish(runner_file(settings), shop.slots))
                await _until(stop, shop.runner, deliver, janitor, sweeps, settings.worker.drain_timeout_s)
                publishing.cancel()


async def _until(
    stop: asyncio.Event,
    runner: Runner,
    deliver: Deliver,
    janitor: Janitor,
    sweeps: Sequence[Sweeping],
    drain_s: float,
) -> None:
    async with asyncio.TaskGroup() as group:
        tidying = [group.create_task(sweep) for sweep in sweeps]
        running = group.create_task(runner.run())
        delivering = group.create_task(deliver.run())
        sweeping = group.create_task(janitor.run())
        await stop.wait()
        await runner.drain(drain_s)
        delivering.cancel()
        await deliver.drain()
        running.cancel()
        for sweep in (sweeping, *tidying):
            sweep.cancel()


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def heard() -> None:
        one()
        other()

    return heard


def _listen(loop: asyncio.AbstractEventLoop, nudges: int, nudge: Callable[[], None]) -> None:
    os.set_blocking(nudges, False)

    def heard() -> None:
        os.read(nudges, 4096)
        nudge()

    loop.add_reader(nudges, heard)
