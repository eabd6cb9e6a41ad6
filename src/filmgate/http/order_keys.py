"""``Idempotency-Key``: what a client calls an order, so that it is taken once however often it comes.

The order is known again by what it says and where it was sent, not by its bytes: a program that builds the same request
anew may write it down otherwise. A field that is not said counts as little as one that is said to be what it is anyway.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from starlette.requests import Request

from ..domain.errors import InvalidRequest
from ..domain.task import OrderKey
from .openapi import Parameter

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255


def order_key_of(request: Request, order: object) -> OrderKey | None:
    """None where the client has not sent one. Raises InvalidRequest."""
    sent = request.headers.getlist(HEADER)
    if not sent:
        return None
    key = sent[0]
    if len(sent) > 1 or not (1 <= len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise InvalidRequest(f"{HEADER} must be one text of 1 to {LONGEST} printable ASCII characters.")
    said = msgspec.json.encode([request.url.path, type(order).__name__, _said(order)], order="sorted")
    return OrderKey(key, sha256(said).hexdigest())


def _said(order: Any) -> Any:
    """Without what is as it is anyway: then an order stays the same when there is one more thing that can be said."""
    if not is_dataclass(order):
        return order
    values = ((each.name, getattr(order, each.name), each.default) for each in fields(order))
    return {name: _said(value) for name, value, default in values if value != default}


#: For the descriptions of the addresses that take orders.
PARAMETER: Final = Parameter(
    HEADER, "Your name for this order: sent again under it, the same order is taken once.", required=False
)
