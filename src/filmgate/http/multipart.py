"""multipart/form-data, read as it comes: one file goes to the disk, the other fields are short."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from ..domain.errors import TooLarge, UploadRefused
from ..net.landing import new_file, write
from .body import check_plain

_MAX_FIELD = 8 * 1024  #: bytes
_MAX_HEADERS = 16 * 1024
_MAX_PARTS = 32
_OVERHEAD = 1024 * 1024  #: what headers and fields may add to the file
_BLOCK = 1024 * 1024  #: bytes that are gathered before the disk is asked to take them
_MIB = 1024 * 1024
_PARAMETER = re.compile(r';\s*+(?P<name>[\w*-]++)\s*+=\s*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"?|(?P<plain>[^;]*+))')
_ESCAPED = re.compile(r'\\(["\\])')
_BOUNDARY = re.compile(r"[ -~]{0,199}[!-~]")


@dataclass
class Form:
    """What has come: the fields, and whether the file did, under what name."""

    fields: dict[str, str] = field(default_factory=dict)
    has_file: bool = False
    filename: str = ""


async def read_form(request: Request, into: Path, *, file: str, cap: int) -> Form:
    """Read the form; its part named ``file`` is written to ``into``.

    Raises MalformedRequest for a compressed body, UploadRefused for what is no such form, and TooLarge for a file of
    more than ``cap`` bytes, as soon as that is announced or has come.
    """
    check_plain(request)
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > cap + _OVERHEAD:
        raise _too_large(cap)
    body = _Body(request.stream())
    mark = b"\r\n--" + _boundary(request.headers.get("content-type", ""))
    await body.collect(mark, _MAX_HEADERS, "preamble")
    form = Form()
    for _ in range(_MAX_PARTS):
        if (await body.collect(b"\r\n", _MAX_FIELD, "boundary", b"--")).startswith(b"--"):
            return form
        name, filename = _names(await body.collect(b"\r\n\r\n", _MAX_HEADERS, "headers"))
        if name == file and not form.has_file:
            await _land(body.until(mark), into, cap)
            form.has_file, form.filename = True, filename or ""
        else:
            form.fields[name] = _text(name, await body.collect(mark, _MAX_FIELD, name))
    raise UploadRefused(f"The form has more than {_MAX_PARTS} parts: send one file and the fields about it.")


class _Body:
    """A body that can be read up to a mark."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray(b"\r\n")  # so that the first boundary looks like all others

    async def until(self, mark: bytes) -> AsyncGenerator[bytes, None]:
        """What stands before the mark, which is passed over. Raises UploadRefused where it never comes."""
        while (at := self._buffer.find(mark)) < 0:
            sure = len(self._buffer) - len(mark) + 1  # the mark may have begun in the rest
            if sure > 0:
                yield bytes(self._buffer[:sure])
                del self._buffer[:sure]
            await self._more()
        yield bytes(self._buffer[:at])
        del self._buffer[: at + len(mark)]

    async def collect(self, mark: bytes, most: int, what: str, enough: bytes | None = None) -> bytes:
        """The same in one piece of at most ``most`` bytes; ends before the mark where it starts with ``enough``."""
        while enough is not None and len(self._buffer) < len(enough):
            await self._more()
        if enough is not None and self._buffer.startswith(enough):
            return enough
        found = bytearray()
        async with aclosing(self.until(mark)) as pieces:
            async for piece in pieces:
                found += piece
                if len(found) > most:
                    raise UploadRefused(f"A part of the form is too long: {what} may have {most} bytes.")
        return bytes(found)

    async def _more(self) -> None:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise UploadRefused("The form ends before its closing boundary: the request was cut short.")
        self._buffer += chunk


async def _land(pieces: AsyncGenerator[bytes, None], into: Path, cap: int) -> None:
    size, block = 0, bytearray()
    async with new_file(into) as file:
        async with aclosing(pieces):
            async for piece in pieces:
                size += len(piece)
                if size > cap:
                    raise _too_large(cap)
                block += piece
                if len(block) >= _BLOCK:
                    await write(file, block)
                    block.clear()
        await write(file, block)


def _boundary(content_type: str) -> bytes:
    kind, boundary = content_type.partition(";")[0], _parameters(content_type).get("boundary", "")
    if kind.strip().lower() != "multipart/form-data":
        raise UploadRefused("Send the file as multipart/form-data, in a part named file.")
    if not _BOUNDARY.fullmatch(boundary):
        raise UploadRefused("The Content-Type of the form has no boundary that can be used.")
    return boundary.encode()


def _names(headers: bytes) -> tuple[str, str | None]:
    """(name, filename) of a part."""
    for line in headers.decode("utf-8", "replace").split("\r\n"):
        title, _, value = line.partition(":")
        if title.strip().lower() == "content-disposition":
            said = _parameters(value)
            return said.get("name", ""), said.get("filename")
    raise UploadRefused("A part of the form has no Content-Disposition header.")


def _parameters(header: str) -> dict[str, str]:
    """The parameters of a header's value, by lower-case name; the first of a name counts.

    Not by the standard library: its time grows with the square of the length, and clients choose the length. A quote
    that is never closed reaches to the end. RFC 7578 knows no ``filename*``.
    """
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(header):
        quoted, plain = match["quoted"], match["plain"]
        value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else (plain or "").strip()
        found.setdefault(match["name"].lower(), value)
    return found


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise UploadRefused(f"{name} is not UTF-8 text.") from error


def _too_large(cap: int) -> TooLarge:
    return TooLarge(f"The file is larger than {cap // _MIB} MiB: send a smaller one.")
