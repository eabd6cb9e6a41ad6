"""The HTTP protocol of uvicorn, with an envelope for requests that its parser refuses before any route sees them."""

from __future__ import annotations

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .envelope import JSON, enveloped

_NO_REQUEST = (
    "This is not a request that HTTP/1.1 allows: check the method, the address (spaces as %20), the Content-Length "
    "and the characters of the headers."
)


_LINGER_S = 1.0  #: for a client that sends its whole body before it reads: closing at once would reset the connection


class EnvelopedProtocol(HttpToolsProtocol):
    """Give it to ``uvicorn.Config(http=...)``; subclasses may ``refuse`` for reasons of their own."""

    _refused = False

    def refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Answer outside every route, and end the connection: where a next request would begin is not known."""
        if self._refused:
            return
        self._refused = True
        if self._owes_another():
            self.transport.close()
            return
        if self.cycle is not None:
            self.cycle.disconnected = True  # whoever works on this request may stop, and has nothing to send any more
            self.cycle.message_event.set()
        self.transport.write(_answer(status, sentence))
        self.loop.call_later(_LINGER_S, self.transport.close)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls for a request that cannot be read; its ``msg`` is always the same."""
        self.refuse(HTTPStatus.BAD_REQUEST, _NO_REQUEST)

    def _owes_another(self) -> bool:
        """An earlier request waits for its answer, or for the rest of it: ours would be taken for that."""
        if self.cycle is None or self.cycle.response_complete:
            return False
        return self.cycle.response_started or not self.cycle.more_body or bool(self.pipeline)

    def _unsupported_upgrade_warning(self) -> None:
        """Quiet: asking for another protocol is no fault, and the request is answered in this one."""


def _answer(status: HTTPStatus, sentence: str) -> bytes:
    body = enveloped(status.value, sentence)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"content-type: {JSON}",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body
