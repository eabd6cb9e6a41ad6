"""The whole HTTP side over a real database, a real folder of films and a real socket; only the engines are missing."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as Address

from filmgate.dialects.files import routes as uploading
from filmgate.dialects.market import routes as market
from filmgate.dialects.veo3 import routes as veo3
from filmgate.domain.credits import DEFAULT_PRICES, Entry, EntryKind
from filmgate.domain.errors import AddressRefused, Cancelled, TaskError
from filmgate.domain.offer import offer
from filmgate.domain.routing import Capabilities, Route
from filmgate.domain.spec import Kind, Mode
from filmgate.domain.task import Artifact, Lease, Role, Task
from filmgate.http import files, health
from filmgate.http.auth import bearer
from filmgate.http.desk import Desk
from filmgate.http.edition import Edition
from filmgate.http.errors import application
from filmgate.http.events import Watchers
from filmgate.http.protocol import EnvelopedProtocol
from filmgate.http.public import public_base
from filmgate.net.outbound import Outbound, Policy
from filmgate.ports import Caller
from filmgate.services.accounts import create_key
from filmgate.services.cancel import Cancel
from filmgate.services.derive import Derive
from filmgate.services.janitor import Janitor
from filmgate.services.outlooks import Outlooks
from filmgate.services.remove import RemoveMedia
from filmgate.services.submit import Submit
from filmgate.services.uploads import Uploads
from filmgate.storage.links import Links
from filmgate.storage.local import LocalStorage
from filmgate.store.accounts import SqlAccountStore
from filmgate.store.events import SqlEventStore
from filmgate.store.features import SqlFeatureStore
from filmgate.store.media import SqlMediaStore
from filmgate.store.migrate import migrate
from filmgate.store.queue import SqlQueueView
from filmgate.store.sqlite import Database
from filmgate.store.tasks import SqlTaskStore
from filmgate.store.uploads import SqlUploadStore

T = TypeVar("T")

MODELS = ("veo3", "veo3_fast", "veo3_lite")
CRASH_LOG_ID = "log-0001"
DAY_MS = 24 * 3600 * 1000
ABLE = Capabilities(
    kinds=frozenset(Kind), modes=frozenset({Mode.TEXT, Mode.REFERENCE}), max_references=3
)  #: no frames, so that something can be refused


class StandingClock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = 1_780_000_000_000

    def now_ms(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class World:
    """What the tests reach for. Coroutines run in the server's own loop: ``world.run(world.tasks.get(id))``."""

    folder: Path
    clock: StandingClock = field(default_factory=StandingClock)
    links: Links = field(default_factory=lambda: Links([b"a signing key"]))
    not_ready: str | None = None
    url: str = ""
    key: str = ""
    numbers: Iterator[int] = field(default_factory=partial(count, 1))

    def __post_init__(self) -> None:
        self.closing = asyncio.Event()
        self.storage = LocalStorage(self.folder / "media")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)

    @asynccontextmanager
    async def opened(self, app: Starlette) -> AsyncIterator[None]:
        async with Database(self.folder / "filmgate.db") as database:
            self.loop = asyncio.get_running_loop()
            self.database = database
            self.tasks = SqlTaskStore(database, self.clock)
            self.accounts = SqlAccountStore(database, self.clock)
            self.media = SqlMediaStore(database, self.clock)
            self.uploads = SqlUploadStore(database, self.clock)
            self.features = SqlFeatureStore(database, self.clock)
            app.router.routes[:0] = self.routes()
            yield

    def routes(self) -> list[Address]:
        desk = self.desk()
        uploads = Uploads(
            self.uploads,
            self.storage,
            self.clock,
            self.new_id,
            keep_ms=3 * DAY_MS,
            folder=self.folder / "incoming",
        )
        return [
            *veo3.routes(desk),
            *market.routes(desk),
            *uploading.routes(
                desk,
                uploads=uploads,
                outbound=Outbound(Policy(allow=("127.0.0.1",))),
                storage=self.storage,
                accounts=self.accounts,
                download_s=1200.0,
            ),
        ]

    def desk(self) -> Desk:
        models = {name: Route(name, ("trial",)) for name in MODELS}
        making = (self.tasks, self.clock, self.new_id, lambda: 54321, models, lambda name: ABLE, DEFAULT_PRICES)
        return Desk(
            submit=Submit(*making, lambda: None),
            derive=Derive(*making, lambda: None),
            cancel=Cancel(self.tasks, lambda: None),
            remove_media=RemoveMedia(self.tasks, self.media, self.storage),
            tasks=self.tasks,
            clock=self.clock,
            links=self.links,
            features=self.features,
            edition=Edition(),
            authenticate=self.authenticate,
            check_address=no_loopback,
            public_base=partial(public_base, configured=None, trusted_proxies=()),
            offers=lambda: [offer(route, lambda name: ABLE, DEFAULT_PRICES) for route in models.values()],
            outlook=Outlooks(SqlQueueView(self.database, self.clock), self.clock).of,
            watchers=Watchers(SqlEventStore(self.database), self.closing),
        )

    def janitor(self) -> Janitor:
        return Janitor(self.uploads, self.media, self.storage, self.clock, records_kept_ms=61 * DAY_MS)

    def new_id(self) -> str:
        return f"{next(self.numbers):032x}"

    async def authenticate(self, request: Request) -> Caller:
        return await bearer(self.accounts)(request)

    async def ready(self) -> str | None:
        return self.not_ready

    # ------------------------------------------------------------ people and their keys

    def new_account(self, name: str, credits: int = 1_000_000) -> None:
        self.run(self.accounts.create_account(name, name))
        if credits:
            self.run(self.accounts.post(Entry(name, EntryKind.GRANT, credits, self.clock.now_ms())))

    def new_key(self, account: str = "default", edition: Mapping[str, str] | None = None) -> str:
        made = create_key(self.accounts, self.clock, "a test", account_id=account, edition=edition or {})
        return self.run(made).secret

    def client(self, key: str | None = None) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {key or self.key}"}, timeout=30)

    # ------------------------------------------------------------ what a runner would do

    def take(self, task_id: str) -> Lease:
        """Claim this very task; others that are in front of it are cancelled."""
        while True:
            lease = self.run(self.tasks.claim("a worker", 30_000, MODELS))
            assert lease is not None
            if lease.task.id == task_id:
                return lease
            self.run(self.tasks.end(lease, Cancelled()))

    def succeed(self, task_id: str, film: bytes = b"a film", *, size: tuple[int, int] = (1280, 720)) -> Task:
        lease = self.take(task_id)
        made = [
            Artifact(Role.RESULT, f"{task_id}/1/result.mp4", "video/mp4", len(film), *size, 8.0, True),
            Artifact(Role.POSTER, f"{task_id}/1/poster.jpg", "image/jpeg", len(film), *size),
        ]
        if lease.task.spec.kind is Kind.EXTEND:
            made.append(Artifact(Role.FULL, f"{task_id}/1/full.mp4", "video/mp4", len(film), *size, 16.0, True))
        stored = [self.stored(each, film) for each in made]
        return self.run(self.tasks.succeed(lease, stored, engine="trial", state=b""))

    def fail(self, task_id: str, error: TaskError) -> Task:
        return self.run(self.tasks.end(self.take(task_id), error))

    def stored(self, artifact: Artifact, content: bytes) -> Artifact:
        source = self.folder / "made"
        source.write_bytes(content)
        self.run(self.storage.put(artifact.key, source))
        expires = self.clock.now_ms() + 1_000_000
        return Artifact(**{**{name: getattr(artifact, name) for name in artifact.__slots__}, "expires_ms": expires})


def no_loopback(url: str) -> None:
    if "//127." in url:
        raise AddressRefused("127.0.0.1 is a loopback address and may not be called.")


async def crash(request: Request) -> Response:
    raise ZeroDivisionError("the secret of the crash")


async def crash_midway(request: Request) -> Response:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise ZeroDivisionError("the secret of the crash")

    return StreamingResponse(half(), headers={"Content-Length": "8"})


def app_of(world: World) -> Starlette:
    crashing = [Address("/api/v1/crash", crash), Address("/crash", crash), Address("/crash-midway", crash_midway)]
    return application(
        [*crashing, *files.routes(world.storage, world.links, world.clock), *health.routes(world.ready)],
        renders={
            "/api": veo3.errors(Edition(), world.authenticate),
            "/api/v1/jobs": market.errors(Edition(), world.authenticate),
            **dict.fromkeys(uploading.UPLOADS, uploading.errors),
        },
        new_id=lambda: CRASH_LOG_ID,
        lifespan=world.opened,
    )


def serve(app: Starlette) -> tuple[str, Callable[[], None]]:
    """The address of a running server, and how to stop it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=EnvelopedProtocol, ws="none", log_config=None, proxy_headers=False, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    started = threading.Event()
    while thread.is_alive() and not server.started:
        started.wait(0.005)
    assert server.started

    def stop() -> None:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()

    return f"http://127.0.0.1:{listener.getsockname()[1]}", stop


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("wire"))
    migrate(made.folder / "filmgate.db")
    made.url, stop = serve(app_of(made))
    made.new_account("default")
    made.key = made.new_key()
    yield made
    stop()


@pytest.fixture(scope="session")
def client(world: World) -> Iterator[httpx2.Client]:
    with world.client() as made:
        yield made
