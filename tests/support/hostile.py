"""Receivers on loopback addresses for tests: real sockets that behave as badly as they are told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]  #: names in lower case
    body: bytes


@dataclass
class Receiver:
    host: str
    port: int = 0
    connections: int = 0
    requests: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook"


#: What a receiver does with a connection once it has read the request.
Behaviour = Callable[[Receiver, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes = b"", *headers: str) -> Behaviour:
    """A well-behaved receiver with one answer."""

    async def behave(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first connection gets the first behaviour, and so on; the last one stays."""

    async def behave(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        await behaviours[min(receiver.connections, len(behaviours)) - 1](receiver, writer)

    return behave


def raw(*parts: bytes, pause_s: float = 0.0) -> Behaviour:
    """Send these bytes, with a pause after each, and close."""

    async def behave(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return behave


def endless(head: bytes, block: bytes, pause_s: float = 0.0) -> Behaviour:
    """Send the head, then the block again and again until the other side goes away."""

    async def behave(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return behave


async def silent(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


@asynccontextmanager
async def receiving(
    behave: Behaviour, tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Receiver]:
    """A running receiver; every connection it had is closed at the end. Port 0: any that is free."""
    receiver = Receiver(host)
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        receiver.connections += 1
        try:
            receiver.requests.append(await _read_request(reader))
            await behave(receiver, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            handlers.discard(task)

    server = await asyncio.start_server(handle, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for handler in tuple(handlers):
            handler.cancel()
        await asyncio.gather(*handlers)


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body)


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition, a function or a coroutine function, holds. Gives up after 10 s: the test has failed."""
    async with asyncio.timeout(10):
        value: object = None
        while not value:
            await asyncio.sleep(0.002)
            value = condition()
            if isinstance(value, Awaitable):
                value = await value
