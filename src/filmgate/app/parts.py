"""Settings -> the parts that every process has: clock, store, storage, links, routes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..domain.credits import Prices
from ..domain.routing import Route
from ..engines.registry import Registry
from ..settings import Settings
from ..storage.links import Links
from ..storage.local import LocalStorage
from ..store.accounts import SqlAccountStore
from ..store.audit import SqlAuditLog
from ..store.counts import SqlCounts
from ..store.database import Database, Heard, is_postgres
from ..store.events import SqlEventStore
from ..store.features import SqlFeatureStore
from ..store.media import SqlMediaStore
from ..store.migrate import migrate
from ..store.opening import open_database
from ..store.outbox import SqlOutbox
from ..store.queue import SqlQueueView
from ..store.runs import SqlRunStore
from ..store.sealing import Seal
from ..store.servertime import server_time
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
    listen: Callable[[Heard], None]  #: from then on it is called when another process has told of the queue


@asynccontextmanager
async def opened(settings: Settings, meters: Meters | None = None) -> AsyncIterator[Parts]:
    """The parts over a database that ``prepare`` has made ready; closed at the end. ``meters`` hear of its commits."""
    async with _database(settings, meters) as database, _clock(settings, database) as clock:
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
            listen=database.listen,
        )


@asynccontextmanager
async def _database(settings: Settings, meters: Meters | None) -> AsyncIterator[Database]:
    database = open_database(settings.database, **({} if meters is None else {"observe": meters.committed}))
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _clock(settings: Settings, database: Database) -> AsyncIterator[Clock]:
    """Where several machines share a database, all go by the clock of its server."""
    if not is_postgres(settings.database):
        yield SystemClock()
        return
    async with server_time(database) as clock:
        yield clock


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[Parts]:
    """The parts for an operator's command, on a database that may never have been used before."""
    private_folder(settings.data)
    check_place(settings)
    await asyncio.to_thread(migrate, settings.database)
    async with opened(settings) as parts:
        yield parts


async def _link_keys(settings: Settings, accounts: AccountStore) -> list[bytes]:
    """The operator's key before ours, which goes on verifying the links that were made before there was another."""
    made = await accounts.secret(LINK_SECRET, secrets.token_hex(32))
    return [key.encode() for key in (settings.secret_key, made) if key]
