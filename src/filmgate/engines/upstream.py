"""What engines share whose films are made elsewhere: calls that end in time, what is said when they fail, downloads.

An order may have been taken although no answer says so: the connection broke, the time was up, or a gateway between us
and the other side gave up. Such an order is never placed a second time, since it may have been paid for.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from ..domain.errors import (
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    OrderUnclear,
    Rejection,
    TaskError,
    Unsupported,
)
from ..net.landing import new_file, write
from ..ports import Secret

_BLOCK = 1024 * 1024  #: bytes that are gathered before the disk is asked to take them
_MIB = 1024 * 1024
_SHOWN = 300  #: characters of what the other side says; its pages of errors are longer
_ANSWER_CAP = 64 * 1024  #: bytes of an answer that should have been a film
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
#: An order that got one of these was not taken. After the others somebody on the way may have given up on an order that
#: was: gateways answer 408, 500, 502 or 504 where the server behind them does not answer in time.
_NOT_TAKEN = frozenset({429, 503})
_NO_FILM = ("text/", "application/json", "application/xml", "image/")


class _Endless(Exception):
    """An answer is longer than any that makes sense."""


def said(text: object, *secrets: Secret | str | None) -> str:
    """What the other side says, as it may be shown and logged: one line, not too long, and without our secrets."""
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    for secret in secrets:
        hidden = secret.reveal() if isinstance(secret, Secret) else secret
        if hidden:
            line = line.replace(hidden, "********")
    line = re.sub(r"(?i)\b(bearer|basic)\s+\S{8,}", r"\1 ********", line)
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def sentence(text: object, *secrets: Secret | str | None) -> str:
    """The same, ended as a sentence is; "" for a page of HTML, which says nothing to anybody."""
    line = said(text, *secrets)
    if line.startswith("<"):
        return ""
    return line if not line or line.endswith((".", "!", "?", "…")) else f"{line}."


def lost(who: str) -> OrderUnclear:
    """The answer to an order did not come."""
    return OrderUnclear(
        f"The answer of {who} to the order was lost. It may have been taken there: it is not sent again, so that "
        "nothing is paid for twice. Nothing was charged here: order it again."
    )


@asynccontextmanager
async def reaching(who: str, within_s: float, *, ordering: bool = False) -> AsyncIterator[None]:
    """Around calls to the other side, which together end within so many seconds.

    Raises EngineUnavailable or EngineTimeout, which may pass; but what ``lost`` says where an order may have arrived.
    """
    try:
        async with asyncio.timeout(within_s):
            yield
    except _NOT_SENT as error:
        raise EngineUnavailable(f"{who} cannot be reached.") from error
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise (lost(who) if ordering else EngineTimeout(f"{who} did not answer in time.")) from error
    except _Endless as error:
        raise (lost(who) if ordering else EngineFailed(f"{who} gives an answer without an end.")) from error
    except httpx2.RequestError as error:
        broken = EngineUnavailable(f"The connection to {who} broke before the whole answer was here.")
        raise (lost(who) if ordering else broken) from error
    except httpx2.InvalidURL as error:
        raise EngineUnavailable(f"{who} has been given an address that is none: correct its settings.") from error


def refused(who: str, status: int, message: str, *, ordering: bool = False, about: str = "the film") -> TaskError:
    """What an HTTP status that is no success means. ``message``: what the other side says, as ``sentence`` gives it."""
    because = f": {message}" if message else "."
    if status in (401, 403, 407):
        return EngineUnavailable(f"{who} does not take the key of this server: its operator has to look at that.")
    if status == 402:
        return EngineUnavailable(f"The account of this server at {who} is used up: its operator has to look at that.")
    if status in _NOT_TAKEN:
        return EngineUnavailable(f"{who} takes no more at the moment{because}")
    if ordering and (status == 408 or status >= 500):
        return lost(who)
    if status == 408 or status >= 500:
        return EngineUnavailable(f"{who} answered {status}{because}")
    if status in (404, 410) and not ordering:
        return EngineFailed(f"{who} knows nothing of {about}{because}")
    if status in (404, 405):
        return EngineUnavailable(f"{who} has nothing at the address that it was asked at{because}")
    if status >= 400:
        return Unsupported(f"{who} does not take the order{because}")
    return EngineUnavailable(f"{who} answered {status}, which is no answer to what it was asked.")


def as_object(body: bytes) -> Mapping[str, Any] | None:
    """A JSON object, or None where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


async def download(
    client: httpx2.AsyncClient,
    url: str,
    into: Path,
    *,
    who: str,
    cap_mb: int,
    within_s: float,
    headers: Mapping[str, str] | None = None,
    secrets: Sequence[Secret | str | None] = (),
) -> None:
    """GET a film: written while it comes, there whole or not at all. ``headers`` do not follow to another host.

    Raises EngineUnavailable for something that is no film, EngineFailed for one that is too large, and what
    ``reaching`` and ``refused`` say.
    """
    part = into.with_name(f"{into.name}.part")
    plain = {"accept-encoding": "identity", **(headers or {})}
    try:
        async with (
            reaching(who, within_s),
            client.stream("GET", url, headers=plain, follow_redirects=True) as response,
        ):
            await _check(response, who, secrets)
            await _write(response, part, who, cap_mb * _MIB)
        part.replace(into)
    finally:
        part.unlink(missing_ok=True)


async def _check(response: httpx2.Response, who: str, secrets: Sequence[Secret | str | None]) -> None:
    """Refuse what can be refused before the first byte of the film."""
    if response.status_code != 200:
        raise refused(who, response.status_code, sentence(message_of(await _start_of(response)), *secrets))
    kind = response.headers.get("content-type", "").strip().lower()
    if kind.startswith(_NO_FILM):
        raise EngineUnavailable(f"{who} sent {said(kind)} where the film should have been.")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise EngineUnavailable(f"{who} sent the film compressed although it was asked not to.")


def message_of(body: bytes) -> str:
    """The words of an error, of which servers have several forms; "" where none is found."""
    found = as_object(body) or {}
    error = found.get("error", found.get("detail", found.get("message", "")))
    if isinstance(error, dict):
        error = error.get("message", "")
    return error if isinstance(error, str) else json.dumps(error)


async def _start_of(response: httpx2.Response) -> bytes:
    start = bytearray()
    async with aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            start += chunk
            if len(start) >= _ANSWER_CAP:
                break
    return bytes(start[:_ANSWER_CAP])


async def _write(response: httpx2.Response, part: Path, who: str, cap: int) -> None:
    length = response.headers.get("content-length", "")
    size, block = int(length[:20]) if length.isdecimal() else 0, bytearray()
    _check_size(size, cap, who)
    size = 0
    async with new_file(part) as file, aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            _check_size(size, cap, who)
            block += chunk
            if len(block) >= _BLOCK:
                await write(file, block)
                block = bytearray()
        await write(file, block)
    if not size:
        raise EngineUnavailable(f"{who} sent an empty file where the film should have been.")


def _check_size(size: int, cap: int, who: str) -> None:
    if size > cap:
        raise EngineFailed(
            f"The film that {who} made is larger than {cap // _MIB} MiB: order a smaller or shorter one, or raise "
            "largest_mb in the settings of this engine."
        )


async def answer(
    client: httpx2.AsyncClient, request: httpx2.Request, *, who: str, within_s: float, cap: int, ordering: bool = False
) -> tuple[int, httpx2.Headers, bytes]:
    """Send a request; the status, the headers and the whole body of the answer, of at most ``cap`` bytes.

    Raises what ``reaching`` says, which for a longer body is EngineFailed.
    """
    async with reaching(who, within_s, ordering=ordering):
        response = await client.send(request, stream=True)
        try:
            body = bytearray()
            async with aclosing(response.aiter_bytes()) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > cap:
                        raise _Endless
        finally:
            await response.aclose()
    return response.status_code, response.headers, bytes(body)


def capped(most_mb: int) -> Callable[[httpx2.Response], Awaitable[None]]:
    """A hook for a client whose answers are read by somebody else, inside ``reaching``: no body is read beyond this."""

    async def hook(response: httpx2.Response) -> None:
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        response.stream = _Capped(stream, most_mb * _MIB)

    return hook


class _Capped(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream, self._left = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise _Endless
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def is_refusal_of_content(code: object, message: str) -> bool:
    """Whether an error is about what may be shown, in the words that servers have for it."""
    words = f"{code} {message}".lower().replace("_", " ").replace("-", " ")
    return any(sign in words for sign in _CONTENT_SIGNS)


_CONTENT_SIGNS = (
    "moderation",
    "content policy",
    "contentpolicy",
    "content filter",
    "content violat",
    "usage guideline",
    "responsible ai",
    "safety",
    "sensitive",
    "prohibited",
)


def rejection(kind: type[Rejection], who: str, message: str) -> Rejection:
    """A refusal of the other side, in its words."""
    return kind(f"{who} says: {message}" if message else f"{who} refuses the order.")
