"""Signatures of callbacks. Pure: times are handed in.

Two kinds. The vendor style covers the task id and the time but not the body; receivers written for the hosted API know
it. Standard Webhooks covers the body too.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from standardwebhooks import Webhook


def vendor_signature(key: str, task_id: str, timestamp_s: int) -> str:
    """base64(HMAC-SHA256(key, "<task id>.<unix seconds>"))."""
    return b64encode(hmac.digest(key.encode(), f"{task_id}.{timestamp_s}".encode(), sha256)).decode()


def vendor_headers(key: str, task_id: str, timestamp_s: int) -> Mapping[str, str]:
    """The two headers of the vendor style."""
    return {
        "x-webhook-timestamp": str(timestamp_s),
        "x-webhook-signature": vendor_signature(key, task_id, timestamp_s),
    }


def standard_headers(secret: str, callback_id: str, timestamp_s: int, body: bytes) -> Mapping[str, str]:
    """The three headers of Standard Webhooks; ``secret`` is "whsec_" + base64."""
    at = datetime.fromtimestamp(timestamp_s, UTC)
    return {
        "webhook-id": callback_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": Webhook(secret).sign(callback_id, at, body.decode()),
    }
