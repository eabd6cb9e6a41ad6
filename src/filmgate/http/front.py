"""The one layer around all routes.

Every answer passes it, those to errors, crashes and addresses that there are not too. It carries the headers of
``shield.py``, ends only when the body of its request has been read (``drain.py``), and is counted; a crash is logged,
and its log id is all that the answer says. One layer and not one for each: what a layer costs is paid at each request.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..domain.errors import FilmgateError
from .drain import DRAIN, Body, Drain
from .envelope import envelope
from .shield import with_shield

log = logging.getLogger(__name__)

#: Is told of each answer: the route's template, the method, the code of its envelope or of HTTP, how many seconds.
Count = Callable[[str, str, str, float], None]
Answer = Callable[[Request, Exception], Awaitable[Response]]  #: says what went wrong

_CODE = re.compile(rb'\{"code":([0-9]{3}),')


class Direct(Route):
    """A route whose endpoint the front asks itself: found by its whole address, in one step, and without the layers
    that Starlette puts around each endpoint. They cost more than the rest of a look at a task does."""

    def __init__(
        self, path: str, endpoint: Callable[[Request], Awaitable[Response]], methods: tuple[str, ...] = ("GET",)
    ) -> None:
        super().__init__(path, endpoint, methods=methods)
        if self.param_convertors:
            raise ValueError(f"Nothing can be filled in in the address of a direct route: {path}")


class Front:
    """``answer`` says what went wrong on a direct route; a crash is logged under ``new_id()``."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        answer: Answer,
        new_id: Callable[[], str],
        count: Count = lambda route, method, code, seconds: None,
        drain: Drain = DRAIN,
    ) -> None:
        self._app = app
        self._answer = answer
        self._new_id = new_id
        self._count = count
        self._drain = drain
        self._direct: Mapping[tuple[str, str], Direct] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = Body(receive) if self._drain.is_due(scope["headers"]) else None
        answered = _Answered(send, body, self._drain)
        began = perf_counter()
        try:
            await self._ask(scope, receive if body is None else body.receive, answered)
        except ClientDisconnect:
            log.debug("event=client_left method=%s route=%s", scope["method"], route_of(scope))
        except Exception as error:
            await self._crashed(scope, receive, answered, error)
        finally:
            self._count(route_of(scope), scope["method"], answered.code, perf_counter() - began)

    async def _ask(self, scope: Scope, receive: Receive, answered: _Answered) -> None:
        if self._direct is None:  # now, and not before: an application may learn its routes as it starts
            self._direct = _direct_of(scope)
        route = self._direct.get((scope["method"], scope["path"]))
        if route is None:
            await self._app(scope, receive, answered.send)
            return
        scope["route"] = route
        request = Request(scope, receive)
        try:
            response = await route.endpoint(request)
        except (FilmgateError, HTTPException) as error:
            response = await self._answer(request, error)
        await response(scope, receive, answered.send)

    async def _crashed(self, scope: Scope, receive: Receive, answered: _Answered, error: Exception) -> None:
        """What nobody foresaw, while it is handled."""
        log_id = self._new_id()
        log.exception("event=crash log=%s method=%s route=%s", log_id, scope["method"], route_of(scope))
        if answered.begun:
            # Half an answer is out: only a cut connection can say that the rest is missing.
            raise ConnectionAbortedError(f"The answer was cut short; see log entry {log_id}.") from error
        words = f"Something broke on our side. The server's log has it under {log_id}."
        await envelope(500, words, status=500)(scope, receive, answered.send)


def route_of(scope: Scope) -> str:
    """The address as it was declared: of what stood in its place nothing is known but who may see it."""
    return getattr(scope.get("route"), "path", "none")


def _direct_of(scope: Scope) -> Mapping[tuple[str, str], Direct]:
    routes = scope["app"].routes if "app" in scope else ()
    direct = [route for route in routes if isinstance(route, Direct)]
    return {(method, route.path): route for route in reversed(direct) for method in route.methods or ()}


class _Answered:
    """What is sent on one request."""

    __slots__ = ("_body", "_drain", "_send", "begun", "code")

    def __init__(self, send: Send, body: Body | None, drain: Drain) -> None:
        self._send = send
        self._body = body  #: of the request, where the rest of it is to be read
        self._drain = drain
        self.begun = False
        self.code = "none"

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self.code = str(message["status"])
            message["headers"] = with_shield(message.get("headers", ()))
            await self._send(message)
            return
        if found := _CODE.match(message.get("body", b"")):
            self.code = found[1].decode()
        if self._body is not None and not self._body.ended and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._body.discard(self._drain)
            message = {"type": "http.response.body"}
        await self._send(message)
