"""Settings -> the parts that every process has: clock, store, storage, links, routes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..domain.credits import Prices
from ..domain.routing import Route
from ..domain.spec import SEEDS
from ..engines.registry import Registry
from ..settings import Settings
from ..storage.links import Links
from ..storage.local import LocalStorage
from ..store.accounts import SqlAccountStore
from ..store.audit import SqlAuditLog
from ..store.counts import SqlCounts
from ..store.events import SqlEventStore
from ..store.features import SqlFeatureStore
from ..store.media import SqlMediaStore
from ..store.migrate import migrate
from ..store.outbox import SqlOutbox
from ..store.queue import SqlQueueView
from ..store.runs import SqlRunStore
from ..store.sealing import Seal
from ..store.sqlite import Database, location
from ..store.tasks import SqlTaskStore
from ..store.uploads import SqlUploadStore
from ..store.waiting import SqlWaitingStore
from ..store.webhooks import SqlWebhookStore
from ..store.workers import SqlWorkerStore
from .place import check_place, films_folder
from .private import private_folder

if TYPE_CHECKING:
    from ..ports import (
        AccountStore,
        AuditLog,
        Clock,
        EventStore,
        FeatureStore,
        Outbox,
        QueueView,
        RunStore,
        Storage,
        TaskStore,
        UploadStore,
        WaitingStore,
        WebhookStore,
        WorkerStore,
    )
    from ..services.janitor import MediaStore
    from .meters import Meters

LINK_SECRET = "links"
SERVE_OWNER = "serve"  #: the runner of `serve`: one data directory has one, so its name can be the same at every start


class SystemClock:
    """The machine's clock (``ports.Clock``)."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Parts:
    """What is open while a process works."""

    settings: Settings
    clock: Clock
    tasks: TaskStore
    events: EventStore
    queue: QueueView
    accounts: AccountStore
    workers: WorkerStore
    waiting: WaitingStore
    runs: RunStore
    outbox: Outbox
    uploads: UploadStore
    media: MediaStore
    counts: SqlCounts
    webhooks: WebhookStore
    audit: AuditLog
    features: FeatureStore
    storage: Storage
    links: Links
    engines: Registry
    routes: Mapping[str, Route]
    prices: Prices


@asynccontextmanager
async def opened(settings: Settings, meters: Meters | None = None) -> AsyncIterator[Parts]:
    """The parts over a database that ``prepare`` has made ready; closed at the end. ``meters`` hear of its commits."""
    clock = SystemClock()
    watched = {} if meters is None else {"observe": meters.committed}
    async with Database(location(settings.database), **watched) as database:
        accounts = SqlAccountStore(database, clock)
        yield Parts(
            settings=settings,
            clock=clock,
            tasks=SqlTaskStore(database, clock, limits=settings.limits.of_tasks()),
            events=SqlEventStore(database),
            queue=SqlQueueView(database, clock),
            accounts=accounts,
            workers=SqlWorkerStore(database, clock),
            waiting=SqlWaitingStore(database, clock),
            runs=SqlRunStore(database),
            outbox=SqlOutbox(database, clock),
            uploads=SqlUploadStore(database, clock),
            media=SqlMediaStore(database, clock),
            counts=SqlCounts(database, clock),
            webhooks=SqlWebhookStore(database, clock, Seal(settings.secret_key)),
            audit=SqlAuditLog(database),
            features=SqlFeatureStore(database, clock),
            storage=LocalStorage(films_folder(settings), marked=True),
            links=Links(await _link_keys(settings, accounts)),
            engines=settings.registry(),
            routes=settings.routes(),
            prices=settings.prices(),
        )


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[Parts]:
    """The parts for an operator's command, on a database that may never have been used before."""
    private_folder(settings.data)
    check_place(settings)
    await asyncio.to_thread(migrate, location(settings.database))
    async with opened(settings) as parts:
        yield parts


async def _link_keys(settings: Settings, accounts: AccountStore) -> list[bytes]:
    """The operator's key before ours, which goes on verifying the links that were made before there was another."""
    made = await accounts.secret(LINK_SECRET, secrets.token_hex(32))
    return [key.encode() for key in (settings.secret_key, made) if key]


# ---------------------------------------------------------------- chance ------------------------------------------


def new_task_id() -> str:
    """A UUIDv7 without dashes: 32 lowercase hex digits that sort by time."""
    ms, chance = time.time_ns() // 1_000_000, secrets.randbits(74)
    value = (ms << 80) | (0x7 << 76) | (chance >> 62 << 64) | (0b10 << 62) | (chance & (1 << 62) - 1)
    return f"{value:032x}"


def new_seed() -> int:
    return secrets.choice(SEEDS)
