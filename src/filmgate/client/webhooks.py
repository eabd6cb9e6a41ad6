"""For programs that receive callbacks: check a signature, read the event.

Servers sign in up to two ways. The vendor style (headers x-webhook-timestamp and x-webhook-signature) covers the task
id and the time, but not the rest of the body: treat such an event as a hint, and ``retrieve`` the task. Standard
Webhooks (webhook-id, webhook-timestamp, webhook-signature) covers the whole body. The same event may arrive more than
once; ``Event.id`` is then the same.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from ._errors import SignatureInvalid
from ._models import texts

__all__ = ["Event", "read_event", "verify_standard", "verify_vendor"]


@dataclass(frozen=True, slots=True)
class Event:
    """A task has ended."""

    id: str  #: of the callback, the same in every repeat; "" where the server sends none
    task_id: str
    code: int  #: 200 for success
    message: str
    result_urls: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)  #: the whole body

    @property
    def succeeded(self) -> bool:
        return self.code == 200


def verify_vendor(body: bytes, headers: Mapping[str, str], key: str, *, tolerance_s: float | None = 300.0) -> Event:
    """Check the vendor-style signature. Raises SignatureInvalid, also for a time more than ``tolerance_s`` away."""
    event = read_event(body, headers)
    stamp = _header(headers, "x-webhook-timestamp")
    signed = b64encode(hmac.digest(key.encode(), f"{event.task_id}.{stamp}".encode(), sha256))
    if not stamp or not hmac.compare_digest(signed, _header(headers, "x-webhook-signature").encode()):
        raise SignatureInvalid("The callback's signature does not verify.")
    if not stamp.isdigit() or (tolerance_s is not None and abs(time.time() - int(stamp)) > tolerance_s):
        raise SignatureInvalid("The callback's time is too far from now.")
    return event


def verify_standard(body: bytes, headers: Mapping[str, str], secret: str) -> Event:
    """Check the Standard Webhooks signature; ``secret`` is "whsec_" + base64.

    Raises SignatureInvalid, also for a time more than five minutes away.
    """
    try:
        Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()}, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:  # ValueError: a header of the wrong shape
        raise SignatureInvalid("The callback's signature does not verify.") from error
    return read_event(body, headers)


def read_event(body: bytes, headers: Mapping[str, str]) -> Event:
    """Read a callback without checking its signature. Raises SignatureInvalid where it is not a callback at all."""
    try:
        whole = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SignatureInvalid("The body is not a callback.") from error
    data = _mapping(whole.get("data"))
    film = _mapping(data.get("info"))
    return Event(
        id=_header(headers, "webhook-id"),
        task_id=str(data.get("taskId") or data.get("task_id") or whole.get("taskId") or ""),
        code=whole["code"] if isinstance(whole.get("code"), int) else 0,
        message=str(whole.get("msg") or ""),
        result_urls=texts(film.get("resultUrls") or data.get("resultUrls")),
        raw=whole,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
