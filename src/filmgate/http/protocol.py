"""The HTTP protocol of uvicorn, with an envelope for requests that its parser refuses before any route sees them."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .envelope import JSON, enveloped

_REFUSAL = (
    "This is not a request that HTTP/1.1 allows: check the method, the address (spaces as %20), the Content-Length "
    "and the characters of the headers."
)


class EnvelopedProtocol(HttpToolsProtocol):
    """Give it to ``uvicorn.Config(http=...)``; subclasses may add time-outs of their own."""

    def send_400_response(self, msg: str) -> None:
        """Whatever uvicorn's own ``msg`` is. The connection ends: where the next request would begin is not known."""
        if not self._answering():
            body = enveloped(400, _REFUSAL)
            head = (
                "HTTP/1.1 400 Bad Request",
                f"content-type: {JSON}",
                f"content-length: {len(body)}",
                "connection: close",
            )
            self.transport.write("\r\n".join((*head, "", "")).encode() + body)
        self.transport.close()

    def _answering(self) -> bool:
        """Half an answer to the request before is out: anything more would be taken for its rest."""
        return self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete

    def _unsupported_upgrade_warning(self) -> None:
        """Quiet: asking for another protocol is no fault, and the request is answered in this one."""
