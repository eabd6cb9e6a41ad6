"""A runner over a real store, real slots and a real folder."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from filmgate.app.parts import SystemClock
from filmgate.domain.routing import Route
from filmgate.domain.spec import Spec
from filmgate.domain.task import Origin, Task
from filmgate.engines.registry import Declared, Registry
from filmgate.engines.slot import MEDIA
from filmgate.engines.slots import LocalSlots, SlotLimits
from filmgate.net.outbound import Outbound
from filmgate.net.outbound import Policy as NetPolicy
from filmgate.ports import RemoteEngine
from filmgate.services.elsewhere import Elsewhere
from filmgate.services.inputs import Inputs
from filmgate.services.making import Make
from filmgate.services.policy.judging import Policy
from filmgate.services.postprocess import Postprocess
from filmgate.services.remotes import RemoteLimits, Remotes
from filmgate.services.runner import Runner, RunnerLimits
from filmgate.storage.links import Links
from filmgate.storage.local import LocalStorage
from filmgate.store.features import SqlFeatureStore
from filmgate.store.tasks import SqlTaskStore
from filmgate.store.waiting import SqlWaitingStore
from filmgate.store.workers import SqlWorkerStore

from .storing import Shelf, shelf

LIMITS = RunnerLimits(lease=2.0, heartbeat=0.3, progress=0.1, poll=0.1, first_retry=0.1)


FREE = Policy()
SOON = RemoteLimits(poll_s=0.05, rest_s=1.0)


@dataclass
class Workshop:
    shelf: Shelf
    store: SqlTaskStore
    runner: Runner
    folder: Path

    async def submit(self, prompt: str, *, price: int = 0, task_id: str | None = None, **fields: Any) -> str:
        spec = Spec(prompt=prompt, **{"model": "veo3", "seconds": 4, "seed": 12345, **fields})
        origin = Origin("default", "key", "veo3", "http://localhost")
        now = SystemClock().now_ms()
        task = Task(task_id or secrets.token_hex(16), origin, spec, now, run_at_ms=now, price=price)
        await self.store.submit(task)
        self.runner.nudge()
        return task.id

    async def seen(self, task_id: str, right: Callable[[Task], bool]) -> Task:
        async with asyncio.timeout(30):
            while not right(task := await self.store.get(task_id)):
                await asyncio.sleep(0.02)
            return task

    async def ended(self, task_id: str) -> Task:
        return await self.seen(task_id, lambda task: task.status.ended)


@asynccontextmanager
async def workshop(
    folder: Path,
    *engines: str,
    owner: str = "runner",
    limits: RunnerLimits = LIMITS,
    policy: Policy = FREE,
    failover: bool = True,
    declared: Mapping[str, Declared] = MappingProxyType({}),
    elsewhere: RemoteLimits = SOON,
) -> AsyncIterator[Workshop]:
    """``engines`` are those of the one route; ``declared`` those of them that are told something."""
    engines = engines or ("trial",)
    registry = Registry(declared)
    here = [name for name in engines if not registry.is_remote(name)]
    there = {name: cast("RemoteEngine", registry.make(name)) for name in engines if registry.is_remote(name)}
    async with shelf(folder) as rows:
        await rows.account()
        clock = SystemClock()
        store = SqlTaskStore(rows.database, clock)
        slots = LocalSlots(SlotLimits(), engines=registry)
        storage, outbound = LocalStorage(folder / "media"), Outbound(NetPolicy(allow_private=True))
        try:
            await asyncio.gather(*(slots.open(name, 1) for name in here), slots.open(MEDIA, 1))
            remotes = Remotes(there, dict.fromkeys(there, elsewhere))
            await remotes.open()
            waiting = SqlWaitingStore(rows.database, clock)
            postprocess = Postprocess(slots, storage, clock, 3_600_000)
            routes = {"veo3": Route("veo3", tuple(engines), failover=failover)}
            runner = Runner(
                owner=owner,
                store=store,
                workers=SqlWorkerStore(rows.database, clock),
                slots=slots,
                make=Make(
                    slots=slots,
                    elsewhere=Elsewhere(remotes, store, waiting, postprocess, clock),
                    inputs=Inputs(store, storage, slots, outbound, Links([b"key"]).key_of, clock),
                    postprocess=postprocess,
                    policy=policy,
                    features=SqlFeatureStore(rows.database, clock),
                    clock=clock,
                    routes=routes,
                    capabilities=registry.capabilities,
                    version=registry.version,
                ),
                waiting=waiting,
                remotes=remotes,
                postprocess=postprocess,
                clock=clock,
                routes=routes,
                capabilities=registry.capabilities,
                capacity=dict.fromkeys(here, 1),
                workroot=folder / "tmp",
                limits=limits,
                ended=lambda: None,
            )
            running = asyncio.create_task(runner.run())
            yield Workshop(rows, store, runner, folder)
            await runner.drain(0)
            await running
        finally:
            await slots.close()
            await remotes.close()
