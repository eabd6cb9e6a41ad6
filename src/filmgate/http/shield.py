"""What every answer carries to keep browsers from doing more with it than its reader meant.

``front.py`` gives it to all answers, so that errors, crashes and addresses that there are not have it too; the answers
that are given before any route is reached, in ``protocol.py``, take it from the same table. A route that has its own
word for a header (the pages at /docs, files) keeps it. No answer to a key allows another site's pages to read it
(CORS): a key does not belong in a page. What a ticket opens, the events of one task, may be read by any.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

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


_WHOLE: Final = tuple(SHIELD.items())


def with_shield(headers: list[tuple[bytes, bytes]] | tuple[()]) -> list[tuple[bytes, bytes]]:
    """The headers (names in small letters, as ASGI has them), and what is missing."""
    said = {name for name, _ in headers}
    if said.isdisjoint(SHIELD):
        return [*headers, *_WHOLE]
    return [*headers, *(each for each in _WHOLE if each[0] not in said)]
