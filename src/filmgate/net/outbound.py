"""The one way to call an address that a user gave.

The name is resolved once, every address it has is checked, and the connection goes to one of those very addresses:
between check and use there is nothing that a name server could change. Server name, certificate check and Host header
keep the name. Proxies of the environment are not used, nothing is decompressed, one deadline covers the whole
exchange, and the connection is closed after it. To a POST a redirect is an answer; a GET follows a few, and each new
address is judged as the first one was.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import httpcore2
import httpx2

from ..domain.errors import Unreachable
from .addresses import Address, Policy, Target, check_address, check_literal
from .landing import Fetched, Oversized, header, land

__all__ = ["Answer", "Fetched", "Outbound", "Oversized", "Policy", "Resolve", "SystemResolver", "check_literal"]

#: (host, port) -> addresses as text, best first. Raises OSError where the name is not known.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_CONNECT_S = 5.0  #: for one of several addresses: a dead one must not use up the whole deadline
_ADDRESSES = 8  #: so many of a name's addresses are tried at most
_REDIRECTS = 5  #: so many of them are followed to a file
_REDIRECT_STATUS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: any HTTP status, 3xx too, and the start of the body as it was sent."""

    status: int
    body_start: bytes
    latency_ms: int


class SystemResolver:
    """The machine's own resolver, with a thread for each look-up.

    A look-up cannot be stopped: where nobody waits for it any more it goes on until the machine gives up, which may
    take minutes. So threads are not shared: names that no server answers for would hold them all, and every other name
    would wait. ``most`` look-ups may be under way, forgotten ones among them; the next one waits for one to end. The
    threads are daemons, since the end of the process must not wait for them.
    """

    def __init__(self, most: int = 256) -> None:
        self._free = asyncio.Semaphore(most)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        await self._free.acquire()
        look_up: Future[Sequence[str]] = Future()
        ended = asyncio.wrap_future(look_up)
        ended.add_done_callback(self._end)
        look_up.set_running_or_notify_cancel()
        try:
            Thread(target=_settle, args=(look_up, host, port), name="resolve", daemon=True).start()
        except RuntimeError as error:  # the machine has no thread left
            look_up.set_exception(error)
        await asyncio.wait([ended])  # unlike ``await ended``, does not cancel it where its caller is cancelled
        return ended.result()

    def _end(self, ended: asyncio.Future[Sequence[str]]) -> None:
        self._free.release()
        ended.exception()  # its caller may be gone, and an error that nobody looks at is a warning


def _settle(look_up: Future[Sequence[str]], host: str, port: int) -> None:
    try:
        found = _look_up(host, port)
    except BaseException as error:
        look_up.set_exception(error)  # for whoever waits: nothing is lost in this thread
    else:
        look_up.set_result(found)


def _look_up(host: str, port: int) -> Sequence[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Outbound:
    """Calls addresses under a policy. Keeps no connection between calls.

    ``resolve`` and ``ssl_context`` are the machine's own unless others are handed in.
    """

    def __init__(
        self, policy: Policy, *, resolve: Resolve | None = None, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._policy = policy
        self._resolve = resolve or SystemResolver()
        self._ssl_context = ssl_context or httpx2.create_ssl_context()
        self._network = httpcore2.AnyIOBackend()

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float, answer_cap: int
    ) -> Answer:
        """POST a body once.

        An answer is there when its status and headers have come. Of its body at most ``answer_cap`` bytes are kept, and
        fewer where the deadline or a broken connection cuts it short. Raises AddressRefused, also for a name that has
        any guarded address, and Unreachable.
        """
        clock = asyncio.get_running_loop()
        started = clock.time()
        target = check_literal(url, self._policy)
        request = _request(b"POST", target, {**headers, "content-length": str(len(body))}, body)
        async with self._exchange(target, request, started + timeout_s) as response:
            body_start = await _start_of(response, answer_cap, started + timeout_s)
        return Answer(response.status, body_start, round((clock.time() - started) * 1000))

    async def fetch(self, url: str, into: Path, *, timeout_s: float, cap: int, accept: str = "*/*") -> Fetched:
        """GET a file, of at most ``cap`` bytes, to ``into``; redirects, headers and body in ``timeout_s`` together.

        Raises AddressRefused, for any address on the way, Oversized (an Unreachable), and Unreachable for everything
        else that keeps the whole file from being here. Then ``into`` is as it was before.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        for _ in range(_REDIRECTS + 1):
            target = check_literal(url, self._policy)
            request = _request(b"GET", target, {"accept": accept, "user-agent": "filmgate"}, b"")
            async with self._exchange(target, request, deadline) as response:
                if response.status not in _REDIRECT_STATUS:
                    return await _land_in_time(response, target.host, into, cap, deadline)
                url = _onward(url, response, target.host)
        raise Unreachable(f"The address leads on and on: after {_REDIRECTS} redirects there was still no file.")

    @asynccontextmanager
    async def _exchange(
        self, target: Target, request: httpcore2.Request, deadline: float
    ) -> AsyncIterator[httpcore2.Response]:
        """Connect, send, and give the response once its headers are here; its body is then still on the way."""
        stream: httpcore2.AsyncNetworkStream | None = None
        try:
            try:
                async with asyncio.timeout_at(deadline):
                    stream = await self._connect(target)
                    response = await self._send(stream, target, request)
            except TimeoutError as error:
                raise Unreachable(f"{target.host} did not answer in time.") from error
            yield response
        finally:
            if stream is not None:
                await stream.aclose()

    async def _connect(self, target: Target) -> httpcore2.AsyncNetworkStream:
        failure: Exception | None = None
        for address in await self._addresses(target):
            try:
                return await self._network.connect_tcp(str(address), target.port, timeout=_CONNECT_S)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise Unreachable(f"{target.host} takes no connection on port {target.port}.") from failure

    async def _addresses(self, target: Target) -> Sequence[Address]:
        """Every address of the target, all of them checked."""
        if target.address is not None:
            return [target.address]
        try:
            found = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"The name {target.host} is not known.") from error
        addresses = [ip_address(text) for text in dict.fromkeys(found)]
        for address in addresses:
            check_address(address, self._policy, target.host)
        return addresses[:_ADDRESSES]

    async def _send(
        self, stream: httpcore2.AsyncNetworkStream, target: Target, request: httpcore2.Request
    ) -> httpcore2.Response:
        if target.scheme == "https":
            stream = await self._secure(stream, target.host)
        connection = httpcore2.AsyncHTTP11Connection(request.url.origin, stream)
        try:
            return await connection.handle_async_request(request)
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise Unreachable(f"{target.host} closed the connection or did not speak HTTP.") from error

    async def _secure(self, stream: httpcore2.AsyncNetworkStream, host: str) -> httpcore2.AsyncNetworkStream:
        try:
            return await stream.start_tls(self._ssl_context, server_hostname=host)
        except (httpcore2.ConnectError, OSError, ValueError) as error:
            # ValueError: a host that TLS cannot name; OSError covers what ssl raises itself.
            why = getattr(error.__cause__, "verify_message", "") or "no secure connection could be made"
            raise Unreachable(f"{host} cannot be trusted: {why}.") from error


def _request(method: bytes, target: Target, headers: Mapping[str, str], body: bytes) -> httpcore2.Request:
    ours = {"host": target.authority, "connection": "close", "accept-encoding": "identity"}
    url = httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    return httpcore2.Request(method, url, headers=list({**ours, **headers}.items()), content=body)


async def _start_of(response: httpcore2.Response, cap: int, deadline: float) -> bytes:
    start = bytearray()
    # Whatever ends the body early is no failure: the status has come, and it decides.
    with suppress(TimeoutError, httpcore2.NetworkError, httpcore2.ProtocolError):
        async with asyncio.timeout_at(deadline), aclosing(response.aiter_stream()) as chunks:
            async for chunk in chunks:
                start += chunk[: cap - len(start)]
                if len(start) >= cap:
                    break
    return bytes(start)


async def _land_in_time(response: httpcore2.Response, host: str, into: Path, cap: int, deadline: float) -> Fetched:
    try:
        async with asyncio.timeout_at(deadline):
            return await land(response, host, into, cap)
    except TimeoutError as error:
        raise Unreachable(f"{host} did not send the whole file in time.") from error


def _onward(url: str, response: httpcore2.Response, host: str) -> str:
    """Where a redirect leads. Not yet checked: that is done where every address is."""
    location = header(response, "location")
    if not location:
        raise Unreachable(f"{host} leads elsewhere without saying where to.")
    try:
        return str(httpx2.URL(url).join(location))
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise Unreachable(f"{host} leads to something that is not an address.") from error
