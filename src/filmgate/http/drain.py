"""Reading the rest of a request that is answered before its body has been read.

A connection that is closed with bytes still unread is reset, and the reset destroys the answer on its way: a client
that sends its whole body before it reads would see a broken connection in place of the 401 or the 413.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive


@dataclass(frozen=True, slots=True)
class Drain:
    """How much of a body is read after its answer. Beyond either limit the answer ends all the same."""

    most: int = 16 * 1024 * 1024  #: bytes
    seconds: float = 2.0

    def is_due(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request has a body that can be read to its end: none beyond the limit, and none that the client
        sends only if it is asked to."""
        size, chunked = b"0", False
        for name, value in headers:
            if name == b"content-length":
                size = value
            elif name == b"transfer-encoding":
                chunked = True
            elif name == b"expect" and value.lower() == b"100-continue":
                return False
        return chunked or (size.isdigit() and 0 < int(size[:20]) <= self.most)


DRAIN: Final = Drain()


class Body:
    """A request's body on its way in."""

    __slots__ = ("_receive", "ended")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self.ended = self.ended or not message.get("more_body", False)
        return message

    async def discard(self, drain: Drain) -> None:
        """Until the end of the body or, roughly, ``drain.most`` bytes of it."""
        most = drain.most
        with suppress(TimeoutError):
            async with asyncio.timeout(drain.seconds):
                while not self.ended and most > 0:
                    most -= len((await self.receive()).get("body", b""))
