"""Reading a request's body without trusting what it says about its size."""

from __future__ import annotations

from starlette.requests import Request

from ..domain.errors import TooLarge

MAX_BODY = 1024 * 1024  #: bytes


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The whole body. Raises TooLarge as soon as more than ``limit`` bytes are announced or have come."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
        raise _too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit // 1024} KiB: send images as addresses, not as data.")
