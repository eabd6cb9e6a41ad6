"""``/metrics`` in Prometheus's text format: for whoever has the token, or, where there is none, for this machine."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..domain.errors import Unauthenticated
from .public import host_of

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


def routes(registry: CollectorRegistry, token: str | None) -> list[Route]:
    """What ``registry`` has collected. 401 for everybody else."""

    async def metrics(request: Request) -> Response:
        if not (_knows(request, token) if token else _is_local(request)):
            raise Unauthenticated(_HOW_WITH if token else _HOW_WITHOUT)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]


def _knows(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _is_local(request: Request) -> bool:
    """From a loopback address to a loopback name, and not through a proxy that happens to run on this machine.

    The name, because a page from elsewhere can make a browser here call this server under a name of the page's own.
    """
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    host = host_of(request.headers.get("host", "")) or ""
    return _is_loopback(request.client.host) and (host.lower() == "localhost" or _is_loopback(host))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


_HOW_WITH = "Send the metrics token as 'Authorization: Bearer TOKEN'."
_HOW_WITHOUT = (
    "Metrics are for this machine only, asked for at localhost: set a metrics token to read them in any other way."
)
