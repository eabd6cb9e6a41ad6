"""The headers by which receivers know that a callback is ours."""

from __future__ import annotations

from collections.abc import Mapping

from ..domain.callback import Callback
from ..net.signing import standard_headers, vendor_headers
from ..ports import Clock, WebhookStore

_NEW, _LIST = 0, "webhook-signature"


class Signatures:
    """Signs with the secrets of the callback's account, at the time of sending; without secrets there is nothing.

    While a secret is being replaced, Standard Webhooks carries a signature with each; the vendor's header has room for
    one, that of the newest.
    """

    def __init__(self, secrets: WebhookStore, clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock

    async def __call__(self, callback: Callback, body: bytes) -> Mapping[str, str]:
        secrets = await self._secrets.secrets(callback.account_id)
        at_s = self._clock.now_ms() // 1000
        headers: dict[str, str] = {}
        if secrets.vendor:
            headers |= vendor_headers(secrets.vendor[_NEW], callback.task_id, at_s)
        signed = [standard_headers(secret, callback.id, at_s, body) for secret in secrets.standard]
        if signed:
            headers |= {**signed[_NEW], _LIST: " ".join(each[_LIST] for each in signed)}
        return headers
