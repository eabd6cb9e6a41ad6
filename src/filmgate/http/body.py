"""Reading a request's body without trusting what it says about its size."""

from __future__ import annotations

from starlette.requests import Request

from ..domain.errors import MalformedRequest, TooLarge

MAX_BODY = 1024 * 1024  #: bytes


_AS_ADDRESSES = "send images as addresses, not as data"


async def read_body(request: Request, limit: int = MAX_BODY, *, instead: str = _AS_ADDRESSES) -> bytes:
    """The whole body.

    Raises MalformedRequest where it is compressed, and TooLarge as soon as more than ``limit`` bytes are announced or
    have come; ``instead`` is what its sentence says to do.
    """
    check_plain(request)
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
        raise _too_large(limit, instead)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit, instead)
    return bytes(body)


def check_plain(request: Request) -> None:
    """Raises MalformedRequest for a compressed body: how large it is would be known only once it is unpacked."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise MalformedRequest("The body is compressed: send it as it is, without a Content-Encoding.")


def _too_large(limit: int, instead: str) -> TooLarge:
    return TooLarge(f"The body is larger than {limit // 1024} KiB: {instead}.")
