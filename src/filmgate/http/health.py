"""``/healthz``: the process answers. ``/readyz``: it can also do its work."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .envelope import envelope

log = logging.getLogger(__name__)

Ready = Callable[[], Awaitable[str | None]]  #: None, or why not yet

_UNKNOWN = "A part that is needed does not answer: the server's log says which."


def routes(ready: Ready) -> list[Route]:
    async def healthz(request: Request) -> Response:
        return envelope(200, "ok")

    async def readyz(request: Request) -> Response:
        reason = await _reason(ready)
        return envelope(200, "ready") if reason is None else envelope(503, reason, status=503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def _reason(ready: Ready) -> str | None:
    try:
        return await ready()
    except Exception:  # whatever it is, the one who asks wants to know no more than that we are not ready
        log.exception("event=readiness_unknown")
        return _UNKNOWN
