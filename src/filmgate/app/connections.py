"""What a client may owe us, and for how long: a request's head, its body, room for the answer; and how many there are.

uvicorn waits for ever for the rest of a request, and for ever until an answer is taken. Here a client that is late is
told so, where that is still possible, and let go.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from ..http.protocol import EnvelopedProtocol
from .logs import Seldom

log = logging.getLogger("filmgate.connections")

_BODY_RATE = 16 * 1024  #: bytes a second: who sends so fast may take as long as it needs
_TAKING_RATE = 1024  #: bytes a second: who takes an answer so fast may take as long as it needs


@dataclass(frozen=True, slots=True)
class Patience:
    head_s: float  #: from the connection, or the first byte of a further request, to the end of the head
    body_s: float  #: from the end of the head to the end of the body, and a second more for each 16 KiB of it
    taking_s: float  #: for each part of an answer; who takes a KiB for each second of it gets as long again
    most: int  #: connections open at once


def guarded(patience: Patience) -> type[Guarded]:
    """The protocol class to give to uvicorn."""

    class Bound(Guarded):
        pass

    Bound.patience = patience
    Bound.full = Seldom(log)
    return Bound


class Guarded(EnvelopedProtocol):
    """One connection, which closes itself when the client stays away in the middle of a request."""

    patience: ClassVar[Patience]
    full: ClassVar[Seldom]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._owed: str | None = None  #: "head", "body", or nothing while we are at work
        self._since = 0.0
        self._spoken = False
        self._untaken: asyncio.TimerHandle | None = None  #: runs while the client does not take what we send
        self._received = 0  #: bytes of the body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        _let_go_of_the_dead(transport, self.patience.taking_s)
        if len(self.connections) > self.patience.most:
            self.full.warning("event=full connections=%s: another one was sent away", self.patience.most)
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open: try again in a moment.")
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._spoken = True
        super().data_received(data)
        self._watch()

    def on_headers_complete(self) -> None:
        self._forget()
        self._received = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        super().on_body(body)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def _await_taking(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._untaken = self.loop.call_later(self.patience.taking_s, self._not_taken, left)

    def _not_taken(self, before: int) -> None:
        """So long after there were so many bytes left to take. Nothing can be said: the connection is full."""
        if before - self.transport.get_write_buffer_size() < _TAKING_RATE * self.patience.taking_s:
            self.transport.abort()
        else:
            self._await_taking()

    def _taken(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _watch(self) -> None:
        """Look anew at what the client owes us; the time for what it owed already goes on."""
        owed = self._owing()
        if owed == self._owed:
            return
        self._forget()
        if owed is not None and not self.transport.is_closing():
            self._owed, self._since = owed, self.loop.time()
            patience_s = self.patience.body_s if owed == "body" else self.patience.head_s
            self._timer = self.loop.call_later(patience_s, self._late)

    def _owing(self) -> str | None:
        if self._in_body:
            return "body"
        between = self.cycle is None or self.cycle.response_complete
        return "head" if between else None

    def _forget(self) -> None:
        self._owed = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self._owed == "body":
            more_s = self._since + self.patience.body_s + self._received / _BODY_RATE - self.loop.time()
            if more_s > 0.001:  # timers are not more exact
                self._timer = self.loop.call_later(more_s, self._late)
                return
        owed = self._owed
        self._forget()
        if not self._spoken or (self._in_body and self.cycle.response_started):
            self.transport.close()
        else:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, f"The {owed} of the request did not come in time: send it again.")


def _let_go_of_the_dead(transport: asyncio.Transport, after_s: float) -> None:
    """Have the system end a connection whose client takes nothing at all: also one that we have closed already, which
    would otherwise wait for ever for its last bytes to be taken."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(after_s * 1000))
