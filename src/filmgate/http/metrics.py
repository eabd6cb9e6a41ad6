"""``/metrics`` in Prometheus's text format: for whoever has the token, or, where there is none, for this machine."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..domain.errors import Unauthenticated
from .front import Count
from .public import host_of

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


Text = Callable[[], Awaitable[bytes]]  #: what is known right now, in Prometheus's text format


def routes(text: Text, token: str | None) -> list[Route]:
    """What ``text`` says. 401 for whoever may not read it."""

    async def metrics(request: Request) -> Response:
        if not (_knows(request, token) if token else _is_local(request)):
            raise Unauthenticated(_HOW_WITH if token else _HOW_WITHOUT)
        return Response(await text(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]


def counting(registry: CollectorRegistry) -> Count:
    """For ``front.py``: counts and times requests, by the route's template, the method, and the code.

    The code is that of the envelope, where the answer wears one: HTTP says 200 to nearly everything.
    """
    words = "Seconds until the last byte of an answer was sent, by route, method and code."
    by = ("route", "method", "code")
    requests = Histogram("filmgate_http_request_seconds", words, by, buckets=_SECONDS, registry=registry)
    known: dict[tuple[str, str, str], Histogram] = {}  #: looking one up by its labels costs as much as counting in it

    def count(route: str, method: str, code: str, seconds: float) -> None:
        kind = route, method if method in _METHODS else "other", code
        if kind not in known:
            known[kind] = requests.labels(*kind)
        known[kind].observe(seconds)

    return count


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
