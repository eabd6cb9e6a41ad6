"""Whatever goes wrong becomes an answer here, in the words of the dialect that was spoken to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from ..domain.errors import FilmgateError, MalformedRequest, TooManyRequests, UnknownAddress, WrongMethod
from .front import Count, Front

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
    count: Count = lambda route, method, code, seconds: None,
    around: Sequence[Middleware] = (),
) -> Starlette:
    """The ASGI application. ``renders`` maps a path prefix ("/api") to the dialect that speaks there; elsewhere errors
    are plain sentences with their HTTP status. A crash is logged under ``new_id()``, which is all that its answer says.
    ``count`` is told of each answer; ``around`` stands around everything.
    """

    async def answer(request: Request, error: Exception) -> Response:
        known = error if isinstance(error, FilmgateError) else _from_starlette(error)
        response = await _render_for(request.url.path, renders)(request, known)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        if isinstance(error, TooManyRequests):
            response.headers["Retry-After"] = str(max(1, ceil(error.retry_after_s or 0)))
        return response

    app = _Application(
        routes=routes,
        middleware=[*around, Middleware(Front, answer=answer, new_id=new_id, count=count)],
        exception_handlers={FilmgateError: answer, HTTPException: answer},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would be an answer outside every dialect
    return app


class _Application(Starlette):
    def build_middleware_stack(self) -> ASGIApp:
        """Without Starlette's own layer for crashes, its outermost: the front answers them."""
        outermost = super().build_middleware_stack()
        assert isinstance(outermost, ServerErrorMiddleware)
        return outermost.app


async def plain(request: Request, error: FilmgateError) -> Response:
    """For addresses outside the dialects: HTTP's own status, and one sentence."""
    return PlainTextResponse(f"{error}\n", status_code=_STATUS.get(error.slug, 500))


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
