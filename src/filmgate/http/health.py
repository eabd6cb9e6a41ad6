"""``/healthz``: the process answers. ``/readyz``: it can also do its work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .envelope import envelope

Ready = Callable[[], Awaitable[str | None]]  #: None, or why not yet


def routes(ready: Ready) -> list[Route]:
    async def healthz(request: Request) -> Response:
        return envelope(200, "ok")

    async def readyz(request: Request) -> Response:
        reason = await ready()
        return envelope(200, "ready") if reason is None else envelope(503, reason, status=503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
