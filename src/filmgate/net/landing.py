"""The body of an answer -> a file: capped while it streams, and there whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpcore2

from ..domain.errors import Unreachable

_BLOCK = 1024 * 1024  #: bytes that are gathered before the disk is asked to take them
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What has been fetched: its content type as the server named it ("" where it did not), and its size."""

    content_type: str
    bytes: int


class Oversized(Unreachable):
    """The file is larger than the caller takes."""

    retryable = False


def header(response: httpcore2.Response, name: str) -> str:
    """The first header of this name (lower case), stripped; "" where there is none."""
    found = (value for key, value in response.headers if key.lower() == name.encode())
    return next(found, b"").decode("utf-8", "replace").strip()


async def land(response: httpcore2.Response, host: str, into: Path, cap: int) -> Fetched:
    """Write the body to ``into``. Raises Oversized and Unreachable; then nothing of it remains on the disk."""
    _check(response, host, cap)
    part = into.with_name(f"{into.name}.part")
    try:
        size = await _write(_body(response, host), part, host, cap)
        part.replace(into)
    finally:
        part.unlink(missing_ok=True)
    return Fetched(header(response, "content-type"), size)


def _check(response: httpcore2.Response, host: str, cap: int) -> None:
    """Refuse what can be refused before the first byte of the body."""
    if response.status != 200:
        raise Unreachable(f"{host} answered {response.status} instead of giving the file.")
    coding = header(response, "content-encoding").lower()
    if coding not in ("", "identity"):
        # What unpacks to more than the cap is found only by unpacking: so nothing is.
        raise Unreachable(f"{host} sent the file compressed ({coding[:40]}) although it was asked not to.")
    length = header(response, "content-length")
    if length.isdecimal() and int(length[:20]) > cap:
        raise _oversized(host, cap)


async def _write(body: AsyncGenerator[bytes, None], part: Path, host: str, cap: int) -> int:
    size, block = 0, bytearray()
    async with new_file(part) as file, aclosing(body) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if size > cap:
                raise _oversized(host, cap)
            block += chunk
            if len(block) >= _BLOCK:
                await write(file, block)
                block = bytearray()
        await write(file, block)
    return size


@asynccontextmanager
async def new_file(path: Path) -> AsyncIterator[BinaryIO]:
    """A file to write, opened in a thread. Who is cancelled while it is being opened leaves no file open."""
    opening = asyncio.get_running_loop().run_in_executor(None, path.open, "wb")
    try:
        file = await asyncio.shield(opening)
    except asyncio.CancelledError:
        with suppress(OSError):
            (await opening).close()
        raise
    with file:
        yield file


async def write(file: BinaryIO, block: bytes | bytearray) -> None:
    """Write in a thread. A call that is cancelled meanwhile waits for it: a file must not be closed under a writer."""
    writing = asyncio.get_running_loop().run_in_executor(None, file.write, block)
    try:
        await asyncio.shield(writing)
    finally:
        if not writing.done():
            await asyncio.wait([writing])


async def _body(response: httpcore2.Response, host: str) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(response.aiter_stream()) as chunks:
            async for chunk in chunks:
                yield chunk
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise Unreachable(f"{host} broke off before the whole file was here.") from error


def _oversized(host: str, cap: int) -> Oversized:
    limit = f"{cap / _MIB:g} MiB" if cap >= _MIB else f"{cap} bytes"
    return Oversized(f"The file at {host} is larger than {limit}: use a smaller one.")
