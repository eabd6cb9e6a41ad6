"""Whatever goes wrong becomes an answer here, in the words of the dialect that was spoken to."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..domain.errors import FilmgateError, MalformedRequest, TooManyRequests, UnknownAddress, WrongMethod
from .drain import Drain
from .envelope import envelope
from .shield import Shield

log = logging.getLogger(__name__)

Render = Callable[[Request, FilmgateError], Awaitable[Response]]  #: a dialect's way to say what went wrong

_STATUS = {
    "malformed_request": 400,
    "invalid_request": 422,
    "unauthenticated": 401,
    "unknown_address": 404,
    "wrong_method": 405,
    "task_not_found": 404,
    "link_forged": 404,
    "link_expired": 410,
    "too_large": 413,
    "too_many_requests": 429,
    "queue_full": 429,
    "storage_unavailable": 503,
}


def application(
    routes: Sequence[BaseRoute],
    *,
    renders: Mapping[str, Render],
    new_id: Callable[[], str],
    lifespan: Callable[[Starlette], Any] | None = None,
    around: Sequence[Middleware] = (),
) -> Starlette:
    """The ASGI application. ``renders`` maps a path prefix ("/api") to the dialect that speaks there; elsewhere errors
    are plain sentences with their HTTP status. A crash is logged under ``new_id()``, which is all that its answer says.
    ``around`` stands around everything.
    """

    async def answer(request: Request, error: Exception) -> Response:
        known = error if isinstance(error, FilmgateError) else _from_starlette(error)
        response = await _render_for(request.url.path, renders)(request, known)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        if isinstance(error, TooManyRequests):
            response.headers["Retry-After"] = str(max(1, ceil(error.retry_after_s or 0)))
        return response

    app = Starlette(
        routes=routes,
        middleware=[*around, Middleware(Drain), Middleware(Shield), Middleware(CrashGuard, new_id=new_id)],
        exception_handlers={FilmgateError: answer, HTTPException: answer},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would be an answer outside every dialect
    return app


async def plain(request: Request, error: FilmgateError) -> Response:
    """For addresses outside the dialects: HTTP's own status, and one sentence."""
    return PlainTextResponse(f"{error}\n", status_code=_STATUS.get(error.slug, 500))


def route_of(scope: Scope) -> str:
    """The address as it was declared: of what stood in its place nothing is known but who may see it."""
    return getattr(scope.get("route"), "path", "none")


class CrashGuard:
    """Around all routes: an exception that nobody foresaw is logged, and answered with its log id alone."""

    def __init__(self, app: ASGIApp, new_id: Callable[[], str]) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            log.debug("event=client_left method=%s route=%s", scope["method"], route_of(scope))
        except Exception as error:
            log_id = self._new_id()
            log.exception("event=crash log=%s method=%s route=%s", log_id, scope["method"], route_of(scope))
            if started:
                # Half an answer is out: only a cut connection can say that the rest is missing.
                raise ConnectionAbortedError(f"The answer was cut short; see log entry {log_id}.") from error
            await _crashed(log_id)(scope, receive, send)


def _crashed(log_id: str) -> Response:
    return envelope(500, f"Something broke on our side. The server's log has it under {log_id}.", status=500)


def _from_starlette(error: Exception) -> FilmgateError:
    status = error.status_code if isinstance(error, HTTPException) else 400
    if status == 404:
        return UnknownAddress("There is nothing at this address: check the path, and its spelling.")
    if status == 405:
        return WrongMethod()
    return MalformedRequest("The request could not be understood.")


def _render_for(path: str, renders: Mapping[str, Render]) -> Render:
    """The dialect with the longest prefix that fits."""
    fitting = [prefix for prefix in renders if path == prefix or path.startswith(prefix + "/")]
    return renders[max(fitting, key=len)] if fitting else plain
