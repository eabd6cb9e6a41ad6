"""From a bearer token to the caller behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from starlette.requests import Request

from ..domain.errors import Unauthenticated
from ..ports import AccountStore, Caller
from ..services.accounts import digest
from .peers import Network, allowed, client_address

Authenticate = Callable[[Request], Awaitable[Caller]]

_REFUSAL = "You do not have access permissions: send a valid API key as 'Authorization: Bearer KEY'."


def bearer(
    accounts: AccountStore, proxies: Sequence[Network] = (), saw: Callable[[str], None] = lambda key_id: None
) -> Authenticate:
    """Raises Unauthenticated for a missing header, another scheme, an unknown or revoked key, and one that may not be
    used from where the request comes from, all alike. ``saw`` is told the id of each key that is used.

    The caller is left in ``request.state.caller``, so that even an error is told in the edition of the key.
    """

    async def authenticate(request: Request) -> Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip()
        caller = await accounts.authenticate(digest(key)) if scheme.lower() == "bearer" and key else None
        if caller is None or not _is_admitted(caller, request, proxies):
            raise Unauthenticated(_REFUSAL)
        saw(caller.key_id)
        request.state.caller = caller
        return caller

    return authenticate


def _is_admitted(caller: Caller, request: Request, proxies: Sequence[Network]) -> bool:
    """Whether the key may be used from where the request comes from; without an allow-list, from everywhere."""
    return not caller.addresses or allowed(client_address(request, proxies), caller.addresses)


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
