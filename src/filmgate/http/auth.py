"""From a bearer token to the caller behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request

from ..domain.errors import Unauthenticated
from ..ports import AccountStore, Caller
from ..services.accounts import digest

Authenticate = Callable[[Request], Awaitable[Caller]]

_REFUSAL = "You do not have access permissions: send a valid API key as 'Authorization: Bearer KEY'."


def bearer(accounts: AccountStore) -> Authenticate:
    """Raises Unauthenticated for a missing header, another scheme, and an unknown or revoked key alike.

    The caller is left in ``request.state.caller``, so that even an error is told in the edition of the key.
    """

    async def authenticate(request: Request) -> Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip()
        caller = await accounts.authenticate(digest(key)) if scheme.lower() == "bearer" and key else None
        if caller is None:
            raise Unauthenticated(_REFUSAL)
        request.state.caller = caller
        return caller

    return authenticate


async def recognised(request: Request, authenticate: Authenticate | None) -> Caller | None:
    """Who is asking, where that can be told; nobody is refused. For answers whose form depends on the key."""
    known = caller_of(request)
    if known is None and authenticate is not None:
        with suppress(Unauthenticated):
            return await authenticate(request)
    return known


def caller_of(request: Request) -> Caller | None:
    """Who was recognised on this request, if anybody yet."""
    found = getattr(request.state, "caller", None)
    return found if isinstance(found, Caller) else None
