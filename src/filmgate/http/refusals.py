"""How dialects that speak in envelopes say no: the code in the envelope and, where the edition says so, in HTTP too."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..domain.errors import FilmgateError, Unauthenticated
from .auth import Authenticate, recognised
from .codes import code_of
from .edition import Edition
from .envelope import envelope
from .errors import Render

_NOTHING: Mapping[str, tuple[int, str]] = MappingProxyType({})


def refused(code: int, msg: str, data: Any, edition: Edition) -> Response:
    """A refusal that has something to tell."""
    challenge = {"WWW-Authenticate": "Bearer"} if code == 401 and edition.mirrors else None
    return envelope(code, msg, data, status=code if edition.mirrors else 200, headers=challenge)


def errors(
    edition: Edition,
    authenticate: Authenticate | None = None,
    changed: Mapping[str, tuple[int, str]] = _NOTHING,
) -> Render:
    """What went wrong, in the edition of the key, or the server's where none is recognised.

    ``authenticate`` recognises it where no route has asked for it yet, as at an address that there is not. ``changed``
    holds the rows of the table of codes that a dialect has its own words for.
    """

    async def render(request: Request, error: FilmgateError) -> Response:
        code, msg = code_of(error, changed)
        caller = await recognised(request, None if isinstance(error, Unauthenticated) else authenticate)
        return refused(code, msg, None, edition.merged(caller.edition) if caller else edition)

    return render
