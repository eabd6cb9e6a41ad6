"""The HTTP protocol of uvicorn, with an envelope for requests that its parser refuses before any route sees them."""

from __future__ import annotations

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .envelope import JSON, enveloped

_NO_REQUEST = (
    "This is not a request that HTTP/1.1 allows: check the method, the address (spaces as %20), the Content-Length "
    "and the characters of the headers."
)


class EnvelopedProtocol(HttpToolsProtocol):
    """Give it to ``uvicorn.Config(http=...)``; subclasses may ``refuse`` for reasons of their own."""

    def refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Answer outside every route, and close: where the next request would begin is not known any more."""
        if not self._answering():
            body = enveloped(status.value, sentence)
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}",
                f"content-type: {JSON}",
                f"content-length: {len(body)}",
                "connection: close",
            )
            self.transport.write("\r\n".join((*head, "", "")).encode() + body)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls for a request that cannot be read; its ``msg`` is always the same."""
        self.refuse(HTTPStatus.BAD_REQUEST, _NO_REQUEST)

    def _answering(self) -> bool:
        """Half an answer to the request before is out: anything more would be taken for its rest."""
        return self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete

    def _unsupported_upgrade_warning(self) -> None:
        """Quiet: asking for another protocol is no fault, and the request is answered in this one."""
