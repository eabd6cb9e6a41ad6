"""Reading the rest of a request that is answered before its body has been read.

A connection that is closed with bytes still unread is reset, and the reset destroys the answer on its way: a client
that sends its whole body before it reads would see a broken connection in place of the 401 or the 413.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_DRAINED = 16 * 1024 * 1024  #: bytes
MAX_SECONDS = 2.0


class Drain:
    """Outermost: the answer goes out at once, but only ends when the rest of the body has been thrown away.

    Beyond either limit it ends all the same.
    """

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_DRAINED, max_seconds: float = MAX_SECONDS) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._may_drain(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        body = _Body(receive)

        async def holding_the_end(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False) and not body.ended:
                await send({**message, "more_body": True})
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._max_seconds):
                        await body.discard(self._max_bytes)
                message = {"type": "http.response.body"}
            await send(message)

        await self._app(scope, body.receive, holding_the_end)

    def _may_drain(self, headers: Headers) -> bool:
        """Not a body beyond the limit, and none that the client sends only if it is asked to."""
        if headers.get("expect", "").lower() == "100-continue":
            return False
        announced = headers.get("content-length", "0")
        size = int(announced[:20]) if announced.isascii() and announced.isdigit() else 0
        return "transfer-encoding" in headers or 0 < size <= self._max_bytes


class _Body:
    """A request's body on its way in."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self.ended = self.ended or not message.get("more_body", False)
        return message

    async def discard(self, most: int) -> None:
        """Until the end of the body or, roughly, ``most`` bytes of it."""
        while not self.ended and most > 0:
            most -= len((await self.receive()).get("body", b""))
