"""The HTTP protocol of uvicorn, stricter, and with an envelope for requests that are refused before a route sees them.

What two servers in a row could read differently is refused, so that no request can hide in another one's body: a length
beside chunks, other transfer codings, no Host or two. Fields behind the last chunk are passed over; they could pass for
those of a proxy in front. A head is bounded, and so is the line of requests that wait for the answer to an earlier one.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .envelope import JSON, enveloped
from .shield import with_shield

MAX_URL = 16 * 1024  #: bytes
MAX_HEAD = 64 * 1024  #: bytes of all header fields together
MAX_FIELDS = 100
MAX_WAITING = 64  #: requests that one connection may send before the first of them is answered

_NO_REQUEST = (
    "This is not a request that HTTP/1.1 allows: check the method, the address (spaces as %20), the Content-Length "
    "and the characters of the headers."
)
_LINGER_S = 1.0  #: for a client that sends its whole body before it reads: closing at once would reset the connection


class _Refused(Exception):
    """The request is not taken: ``status`` and the words for it."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Together:
    """What is written in one turn of the loop goes out in one call of the system: uvicorn writes the head of an answer
    and its body apart, and the second call costs as much as reading the request does."""

    __slots__ = ("_loop", "_parts", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        if self._parts and not self._transport.is_closing():
            self._transport.write(b"".join(self._parts))
        self._parts.clear()

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()


class EnvelopedProtocol(HttpToolsProtocol):
    """Give it to ``uvicorn.Config(http=...)``; subclasses may ``refuse`` for reasons of their own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refused = False
        self._why: _Refused | None = None  #: what a callback of the parser found; it can only raise
        self._in_body = False
        self._fields = 0
        self._head_bytes = 0
        self._steps = 0  #: heads that were completed, and pieces of bodies that came
        self._together: _Together | None = None
        self._loose = 0  #: bytes since the last step: the parser keeps them, or throws them away, without telling

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._together = _Together(transport, self.loop)

    def shutdown(self) -> None:
        self._flush()
        super().shutdown()

    def _flush(self) -> None:
        if self._together is not None:
            self._together.flush()

    def refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Answer outside every route, and end the connection: where a next request would begin is not known."""
        if self._refused:
            return
        self._refused = True
        self._flush()
        if self._owes_another():
            self.transport.close()
            return
        if self.cycle is not None:
            self.cycle.disconnected = True  # whoever works on this request may stop, and has nothing to send any more
            self.cycle.message_event.set()
        self.transport.write(_answer(status, sentence))
        self.loop.call_later(_LINGER_S, self.transport.close)

    # ------------------------------------------------------------ what comes in

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        steps = self._steps
        super().data_received(data)
        self._loose = self._loose + len(data) if steps == self._steps else 0
        if self._loose > MAX_HEAD:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _too_much())

    def on_message_begin(self) -> None:
        self._fields = self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_URL:
            self._stop(HTTPStatus.REQUEST_URI_TOO_LONG, f"The address is longer than {MAX_URL // 1024} KiB.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._head_bytes += len(name) + len(value)
        if self._fields > MAX_FIELDS or self._head_bytes > MAX_HEAD:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _too_much())
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._steps += 1
        if len(self.pipeline) >= MAX_WAITING:
            self._stop(HTTPStatus.TOO_MANY_REQUESTS, "Wait for answers before you send more requests.")
        if wrong := _wrong_about(self.headers, self.parser.get_http_version(), self.url):
            self._stop(HTTPStatus.BAD_REQUEST, wrong)
        self._in_body = True
        super().on_headers_complete()
        self.cycle.transport = self._together  # type: ignore[assignment]  # all that a cycle asks of a transport

    def on_body(self, body: bytes) -> None:
        self._steps += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls for a request that cannot be read; its ``msg`` is always the same."""
        why = self._why or _Refused(HTTPStatus.BAD_REQUEST, _NO_REQUEST)
        self.refuse(why.status, str(why))

    def _stop(self, status: HTTPStatus, sentence: str) -> None:
        """Out of a callback: the parser stops, and uvicorn calls ``send_400_response``."""
        self._why = _Refused(status, sentence)
        raise self._why

    def _owes_another(self) -> bool:
        """An earlier request waits for its answer, or for the rest of it: ours would be taken for that."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        return self.cycle.response_started or not self.cycle.more_body or bool(self.pipeline)

    def _unsupported_upgrade_warning(self) -> None:
        """Quiet: asking for another protocol is no fault, and the request is answered in this one."""


def _wrong_about(headers: list[tuple[bytes, bytes]], version: str, url: bytes) -> str | None:
    """What two readers of this head could understand differently, in words; None where there is nothing."""
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings and (version == "1.0" or [coding.strip().lower() for coding in codings] != [b"chunked"]):
        return "Transfer-Encoding may be chunked, once, in HTTP/1.1; the body is not taken in any other coding."
    hosts = sum(name == b"host" for name, _ in headers)
    if hosts > 1 or (hosts == 0 and version != "1.0"):
        return "A request of HTTP/1.1 has one Host header."
    if not url.startswith((b"/", b"http://", b"https://", b"*")):
        return "The address of the request must begin with a slash."
    return None


def _too_much() -> str:
    return f"The head of a request may have {MAX_FIELDS} fields and {MAX_HEAD // 1024} KiB."


def _answer(status: HTTPStatus, sentence: str) -> bytes:
    body = enveloped(status.value, sentence)
    headers = with_shield(
        [
            (b"content-type", JSON.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
    )
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(b"%s: %s" % each for each in headers)]
    return b"\r\n".join((*lines, b"", body))
