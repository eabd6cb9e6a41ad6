"""What every answer carries to keep browsers from doing more with it than its reader meant.

One layer around everything, so that errors, crashes and addresses that there are not have it too; the answers that are
given before any layer is reached, in ``protocol.py``, take it from the same table. A route that has its own word for a
header (the pages at /docs, files) keeps it. No answer to a key allows another site's pages to read it (CORS): a key
does not belong in a page. What a ticket opens, the events of one task, may be read by any.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHIELD: Final[Mapping[bytes, bytes]] = MappingProxyType(
    {
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
        b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'; sandbox",
        b"referrer-policy": b"no-referrer",  # links carry their signature in the address
        b"cross-origin-resource-policy": b"same-origin",
        b"cache-control": b"no-store",
    }
)


class Shield:
    """Outermost but for what drains bodies: adds to each answer the headers that it does not have yet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_shield(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, shielded if scope["type"] == "http" else send)


def with_shield(headers: list[tuple[bytes, bytes]] | tuple[()]) -> list[tuple[bytes, bytes]]:
    """The headers (names in small letters, as ASGI has them), and what is missing."""
    said = {name for name, _ in headers}
    return [*headers, *(each for each in SHIELD.items() if each[0] not in said)]
