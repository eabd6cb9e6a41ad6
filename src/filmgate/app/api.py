"""The API's process: the ASGI application and the server around it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from .. import __version__
from ..dialects.files import described as files_described
from ..dialects.files import routes as uploading
from ..dialects.market import described as market_described
from ..dialects.market import routes as market
from ..dialects.veo3 import described as veo3_described
from ..dialects.veo3 import routes as veo3
from ..domain.offer import offer
from ..http import docs, files, health, metrics, openapi
from ..http.auth import bearer
from ..http.desk import Desk
from ..http.edition import Edition
from ..http.errors import application
from ..http.events import Watchers
from ..http.pace import Pace
from ..http.public import public_base
from ..net.outbound import Outbound, Policy, check_literal
from ..services.cancel import Cancel
from ..services.derive import Derive
from ..services.outlooks import Outlooks
from ..services.remove import RemoveMedia
from ..services.room import Room
from ..services.submit import Submit
from ..services.uploads import Uploads
from ..services.uses import Uses
from ..settings import Settings
from ..store.database import is_postgres
from .chance import Seeds, TaskIds
from .connections import Patience, guarded
from .listening import room
from .logs import start_logging
from .loop import run
from .meters import Meters, Report
from .parts import Parts, opened
from .readiness import Readiness
from .sweeps import deadline_sweeps
from .traces import tracing

if TYPE_CHECKING:
    from .tracing import Tracer

OPERATIONS = (*veo3_described.OPERATIONS, *market_described.OPERATIONS, *files_described.OPERATIONS)

_MIB = 1024 * 1024
CLOSE_S = 5  #: for answers under way when the server stops


@dataclass(frozen=True, slots=True)
class Wires:
    """What the routes tell the rest of the process, and are told by it."""

    nudge: Callable[[], None]  #: something was queued
    saw: Callable[[str], None]  #: the key of this id was used
    closing: asyncio.Event  #: set when the server stops: streams without an end of their own end then
    meters: Meters  #: count what is asked


def build(parts: Parts, wires: Wires, *, worker: bool, around: Sequence[Middleware] = ()) -> Starlette:
    """The whole HTTP surface. ``worker``: a runner belongs to this server, and it is not ready without one.
    ``around`` stands around everything.

    Raises EngineUnavailable for an engine that a model names and nobody has installed.
    """
    settings = parts.settings
    policy = Policy(settings.net.allow, settings.net.allow_private)
    desk = _desk(parts, wires, policy)
    for engine in {engine for route in parts.routes.values() for engine in route.engines}:
        parts.engines.capabilities(engine)  # imports the engine: now, and not in the loop at the first order
    return application(
        [
            *veo3.routes(desk),  # the first that fits is taken, and these are asked for most
            # Where several share a database, the workers are elsewhere; but there must be one.
            *health.routes(Readiness(parts, worker=worker or is_postgres(settings.database))),
            *metrics.routes(Report(wires.meters, parts.counts, settings).text, settings.metrics.token),
            *_documentation(desk, public=settings.server.public_docs),
            *files.routes(parts.storage, parts.links, parts.clock),
            *market.routes(desk),
            *uploading.routes(
                desk,
                uploads=uploads_of(parts),
                outbound=Outbound(policy),
                storage=parts.storage,
                accounts=parts.accounts,
                download_s=settings.links.download_s,
            ),
        ],
        renders={
            "/api": veo3.errors(desk.edition, desk.authenticate),
            "/api/v1/jobs": market.errors(desk.edition, desk.authenticate),
            **dict.fromkeys(uploading.UPLOADS, uploading.errors),
        },
        new_id=lambda: secrets.token_hex(6),
        count=metrics.counting(wires.meters.registry),
        around=around,
    )


def _documentation(desk: Desk, *, public: bool) -> list[Route]:
    """The pages, the list of them, and the description for machines; for holders of a key only where not public."""
    described = openapi.document(OPERATIONS, title="Filmgate", version=__version__)
    if public:
        return [*docs.routes(described, public_base=desk.public_base), *openapi.routes(described)]
    pages = docs.routes(described, public_base=desk.public_base, authenticate=desk.authenticate)
    return [*pages, *docs.guarded(openapi.routes(described), desk.authenticate)]


def _desk(parts: Parts, wires: Wires, policy: Policy) -> Desk:
    settings = parts.settings
    proxies = [ip_network(proxy) for proxy in settings.server.trusted_proxies]

    def check_address(url: str) -> None:
        check_literal(url, policy)

    return Desk(
        submit=submitter(parts, wires.nudge),
        derive=deriver(parts, wires.nudge),
        cancel=Cancel(parts.tasks, wires.nudge),
        remove_media=RemoveMedia(parts.tasks, parts.media, parts.storage),
        tasks=parts.tasks,
        clock=parts.clock,
        links=parts.links,
        features=parts.features,
        edition=Edition().merged(settings.edition.switches()),
        authenticate=bearer(parts.accounts, proxies, wires.saw),
        check_address=check_address,
        public_base=lambda request: public_base(request, settings.public_url, proxies),
        offers=lambda: [offer(route, parts.engines.capabilities, parts.prices) for route in parts.routes.values()],
        outlook=Outlooks(parts.queue, parts.clock).of,
        watchers=Watchers(parts.events, wires.closing),
        pace=Pace(settings.limits.queries_per_s),
    )


def uploads_of(parts: Parts) -> Uploads:
    """The service that takes files in."""
    settings = parts.settings
    return Uploads(
        store=parts.uploads,
        storage=parts.storage,
        clock=parts.clock,
        new_id=TaskIds(),
        keep_ms=round(settings.uploads.keep_s * 1000),
        folder=settings.data / "tmp" / "uploads",
        most_bytes=settings.uploads.account_mib * _MIB,
        check_room=_room(parts).check_for_file,
    )


def _room(parts: Parts) -> Room:
    return Room(parts.settings.data, parts.settings.limits.free_disk_mib * _MIB, parts.clock)


def submitter(parts: Parts, nudge: Callable[[], None]) -> Submit:
    return Submit(
        store=parts.tasks,
        clock=parts.clock,
        new_id=TaskIds(),
        new_seed=Seeds(),
        models=parts.routes,
        capabilities=parts.engines.capabilities,
        prices=parts.prices,
        nudge=nudge,
        check_room=_room(parts).check_for_task,
    )


def deriver(parts: Parts, nudge: Callable[[], None]) -> Derive:
    return Derive(
        store=parts.tasks,
        clock=parts.clock,
        new_id=TaskIds(),
        new_seed=Seeds(),
        routes=parts.routes,
        capabilities=parts.engines.capabilities,
        prices=parts.prices,
        nudge=nudge,
        check_room=_room(parts).check_for_task,
    )


def main(settings: Settings, listener: socket.socket, nudges: int, ready: Callable[[], None], *, worker: bool) -> None:
    """Answer until SIGTERM. ``nudges``: a pipe on which the runner hears that something was queued."""
    start_logging("api", settings.log)
    os.set_blocking(nudges, False)
    run(_answer(settings, listener, partial(_nudge, nudges), ready, worker=worker))


def _nudge(nudges: int) -> None:
    with suppress(BlockingIOError):  # full: the runner has nudges enough
        os.write(nudges, b"!")


async def _answer(
    settings: Settings, listener: socket.socket, nudge: Callable[[], None], ready: Callable[[], None], *, worker: bool
) -> None:
    meters = Meters("api")
    with tracing(settings, "api") as tracers:
        async with opened(settings, meters) as parts, _noting(parts) as uses:
            wires = Wires(nudge, uses.saw, asyncio.Event(), meters)
            app = build(parts, wires, worker=worker, around=[*map(_traced, tracers)])
            server = _Server(_config(settings, app), ready, wires.closing)
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
            parts.listen(_nothing_to_do)
            sweeps = [asyncio.create_task(sweep) for sweep in deadline_sweeps(parts, nudge)]
            await server.serve(sockets=[listener])
            for sweep in sweeps:
                sweep.cancel()
            await asyncio.gather(*sweeps, return_exceptions=True)


def _nothing_to_do() -> None:
    """Of the queue the API reads whatever it is asked; what it listens for is that features or keys were changed."""


def _traced(tracer: Tracer) -> Middleware:
    from .tracing import Traced

    return Middleware(Traced, tracer=tracer)


@asynccontextmanager
async def _noting(parts: Parts) -> AsyncIterator[Uses]:
    """Note when keys are used, now and then, and for the last time at the end."""
    uses = Uses(parts.accounts, parts.clock)
    running = asyncio.create_task(uses.run(), name="uses of keys")
    try:
        yield uses
    finally:
        running.cancel()
        await uses.flush()


def _config(settings: Settings, app: Starlette) -> uvicorn.Config:
    server = settings.server
    return uvicorn.Config(
        app,
        http=guarded(
            Patience(
                server.head_timeout_s, server.body_timeout_s, server.answer_timeout_s, room(server.max_connections)
            )
        ),
        ws="none",
        proxy_headers=False,  # http/public.py decides whom to believe
        server_header=False,
        access_log=False,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=CLOSE_S,
        ssl_certfile=server.tls_cert,
        ssl_keyfile=server.tls_key,
    )


class _Server(uvicorn.Server):
    """uvicorn's, but for signals: its own would be raised again at the end, and cut off what has to be closed."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], closing: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self._closing = closing

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def stop(self) -> None:
        self._closing.set()
        self.should_exit = True
