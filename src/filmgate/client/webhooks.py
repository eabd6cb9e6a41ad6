"""For programs that receive callbacks: check a signature, read the event.

Servers sign in up to two ways. The vendor style (headers x-webhook-timestamp and x-webhook-signature) covers the task
id and the time, but not the rest of the body: treat such an event as a hint, and ``retrieve`` the task. Standard
Webhooks (webhook-id, webhook-timestamp, webhook-signature) covers the whole body. The same event may arrive more than
once; ``Event.id`` is then the same.

    event = webhooks.verify(body, headers, standard=["whsec_new", "whsec_old"])

Where a secret is being replaced, give the new one and the old one: either will do.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from ._errors import SignatureInvalid
from ._models import texts

__all__ = ["Event", "read_event", "verify", "verify_standard", "verify_vendor"]

Secrets = str | Sequence[str]

TOLERANCE_S = 300.0

_WRONG = "The callback's signature does not verify."


@dataclass(frozen=True, slots=True)
class Event:
    """A task has ended."""

    id: str  #: of the callback, the same in every repeat; "" where the server sends none
    task_id: str
    code: int  #: 200 for success
    message: str
    result_urls: tuple[str, ...] = ()
    full_result_urls: tuple[str, ...] = ()  #: of extensions: what was extended and its continuation in one film
    image_urls: tuple[str, ...] = ()  #: of 4K versions: a still of each film
    media_ids: tuple[str, ...] = ()  #: of 4K versions
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)  #: the whole body

    @property
    def succeeded(self) -> bool:
        return self.code == 200


def verify(
    body: bytes,
    headers: Mapping[str, str],
    *,
    standard: Secrets | None = None,
    vendor: Secrets | None = None,
    tolerance_s: float | None = TOLERANCE_S,
) -> Event:
    """Check every kind of signature that there are secrets for, and read the event.

    A kind whose secrets are given must be there: else whoever leaves the better signature out would get past it.
    Raises SignatureInvalid; ValueError where there is no secret at all.
    """
    if not standard and not vendor:
        raise ValueError("Give the secrets of at least one kind of signature: standard or vendor.")
    if vendor:
        event = verify_vendor(body, headers, vendor, tolerance_s=tolerance_s)
    if standard:
        event = verify_standard(body, headers, standard)
    return event


def verify_vendor(
    body: bytes, headers: Mapping[str, str], key: Secrets, *, tolerance_s: float | None = TOLERANCE_S
) -> Event:
    """Check the vendor-style signature; ``key`` is one key, or several of which one must fit.

    Raises SignatureInvalid, also for a time more than ``tolerance_s`` away (None: any time will do).
    """
    event = read_event(body, headers)
    stamp = _header(headers, "x-webhook-timestamp")
    given = _header(headers, "x-webhook-signature").encode()
    message = f"{event.task_id}.{stamp}".encode()
    fits = [hmac.compare_digest(b64encode(hmac.digest(each.encode(), message, sha256)), given) for each in _each(key)]
    if not stamp or not event.task_id or not any(fits):
        raise SignatureInvalid(_WRONG)
    if not stamp.isdigit() or (tolerance_s is not None and abs(time.time() - int(stamp)) > tolerance_s):
        raise SignatureInvalid("The callback's time is too far from now.")
    return event


def verify_standard(body: bytes, headers: Mapping[str, str], secret: Secrets) -> Event:
    """Check the Standard Webhooks signature; ``secret`` is "whsec_" + base64, or several of which one must fit.

    Raises SignatureInvalid, also for a time more than five minutes away.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    if not any(_fits(body, lower, each) for each in _each(secret)):
        raise SignatureInvalid(_WRONG)
    return read_event(body, headers)


def read_event(body: bytes, headers: Mapping[str, str]) -> Event:
    """Read a callback without checking its signature. Raises SignatureInvalid where it is not a callback at all."""
    try:
        whole = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SignatureInvalid("The body is not a callback.") from error
    data = _mapping(whole.get("data"))
    info = _mapping(data.get("info"))
    return Event(
        id=_header(headers, "webhook-id"),
        task_id=_task_id(whole, data),
        code=whole["code"] if isinstance(whole.get("code"), int) else 0,
        message=str(whole.get("msg") or ""),
        result_urls=texts(info.get("resultUrls") or data.get("resultUrls") or data.get("result_urls")),
        full_result_urls=texts(info.get("fullResultUrls")),
        image_urls=texts(info.get("imageUrls") or data.get("image_urls")),
        media_ids=texts(info.get("mediaIds") or data.get("media_ids")),
        raw=whole,
    )


def _task_id(whole: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The id stands at up to three places. Where they differ, somebody has changed what no signature covers."""
    said = {str(found) for found in (data.get("taskId"), data.get("task_id"), whole.get("taskId")) if found}
    if len(said) > 1:
        raise SignatureInvalid("The callback names several tasks: it is not what a server sends.")
    return said.pop() if said else ""


def _each(secrets: Secrets) -> Sequence[str]:
    return [secrets] if isinstance(secrets, str) else secrets


def _fits(body: bytes, headers: dict[str, str], secret: str) -> bool:
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: a header of the wrong shape
        return False
    return True


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
