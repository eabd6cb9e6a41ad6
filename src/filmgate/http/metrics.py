"""``/metrics`` in Prometheus's text format: for whoever has the token, or, where there is none, for this machine."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..domain.errors import Unauthenticated
from .errors import route_of
from .public import host_of

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_CODE = re.compile(rb'\{"code":([0-9]{3}),')
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


class Counted:
    """Around all routes: counts and times requests, by the route's template, the method, and the code.

    The code is that of the envelope, where the answer wears one: HTTP says 200 to nearly everything.
    """

    def __init__(self, app: ASGIApp, requests: Histogram) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        code, began = "none", time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
            elif found := _CODE.match(message.get("body", b"")):
                code = found[1].decode()
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._requests.labels(route_of(scope), method, code).observe(time.perf_counter() - began)


def requests_of(registry: CollectorRegistry) -> Histogram:
    """Where ``Counted`` counts."""
    words = "Seconds until the last byte of an answer was sent, by route, method and code."
    return Histogram(
        "filmgate_http_request_seconds", words, ("route", "method", "code"), buckets=_SECONDS, registry=registry
    )


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
