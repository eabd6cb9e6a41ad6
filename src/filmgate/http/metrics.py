"""``/metrics`` in Prometheus's text format: for whoever has the token, or, where there is none, for this machine."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..domain.errors import Unauthenticated

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
    """From a loopback address, and not through a proxy that happens to run on this machine."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


_HOW_WITH = "Send the metrics token as 'Authorization: Bearer TOKEN'."
_HOW_WITHOUT = "Metrics are for this machine only: set a metrics token to read them from elsewhere."
