"""Signed links: ``<base>/f/<expiry>/<signature>/<key>/<name>`` to files, and tickets for what a task tells meanwhile.

The signature covers expiry and key; the name is decoration for whoever saves the file. The same arguments give the
same link, so a film's link never changes while the film exists.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit

from ..domain.errors import LinkExpired, LinkForged

_FILE, _EVENTS = "file", "events"  #: what a signature is good for; part of what it covers


class Links:
    """Makes links with the first of its keys, and accepts those made with any: so a key can be rotated."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or not all(keys):
            raise ValueError("Links need at least one key, and none of them empty.")
        self._keys = tuple(keys)

    def link(self, base: str, key: str, expires_ms: int, name: str) -> str:
        """The address of the file ``key`` below ``base`` ("https://films.example.org"), good until ``expires_ms``."""
        expiry = str(expires_ms)
        signature = _sign(self._keys[0], expiry, key)
        return f"{base.rstrip('/')}/f/{expiry}/{signature}/{quote(key)}/{quote(name, safe='')}"

    def key_of(self, url: str, now_ms: int) -> str | None:
        """The key of the file behind an address, if it is a link of ours that is still good; None for any other."""
        parts = urlsplit(url).path.split("/")
        for at, part in enumerate(parts[:-4]):  # the base may have a path of its own, and an "f" in it
            if part == "f":
                key = unquote("/".join(parts[at + 3 : -1]))
                with suppress(LinkForged, LinkExpired):
                    self.verify(parts[at + 1], parts[at + 2], key, now_ms)
                    return key
        return None

    def ticket(self, task_id: str, expires_ms: int) -> dict[str, str]:
        """What lets its bearer watch the events of one task, as the fields of a query."""
        return {
            "taskId": task_id,
            "expires": str(expires_ms),
            "signature": _sign(self._keys[0], str(expires_ms), task_id, _EVENTS),
        }

    def check_ticket(self, task_id: str, expiry: str, signature: str, now_ms: int) -> None:
        """Raises LinkForged or LinkExpired."""
        self._check(expiry, signature, task_id, _EVENTS, now_ms)

    def verify(self, expiry: str, signature: str, key: str, now_ms: int) -> None:
        """Raises LinkForged for a link that is not ours, LinkExpired for one that was ours once."""
        self._check(expiry, signature, key, _FILE, now_ms)

    def _check(self, expiry: str, signature: str, subject: str, purpose: str, now_ms: int) -> None:
        given = signature.encode("utf-8", "surrogatepass")
        fitting = (_sign(secret, expiry, subject, purpose).encode() for secret in self._keys)
        if not any(hmac.compare_digest(given, each) for each in fitting):
            raise LinkForged
        if now_ms >= int(expiry):
            raise LinkExpired("This link has expired: ask for the task again, or make the film again.")


def _sign(secret: bytes, expiry: str, subject: str, purpose: str = _FILE) -> str:
    digest = hmac.digest(secret, f"{purpose}\n{expiry}\n{subject}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
