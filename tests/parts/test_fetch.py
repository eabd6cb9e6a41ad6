"""Fetching files from users' addresses: each hop is judged, the cap and the deadline hold, halves never remain."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from filmgate.domain.errors import AddressRefused, Unreachable
from filmgate.net.outbound import Fetched, Outbound, Oversized, Policy, Resolve
from support.hostile import Behaviour, Receiver, answer, endless, in_turn, raw, receiving, silent

pytestmark = pytest.mark.anyio

OPEN = Policy(allow_private=True)
OK = b"HTTP/1.1 200 OK\r\n"
MIB = 1024 * 1024


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def fetch(
    url: str, into: Path, *, policy: Policy = OPEN, resolve: Resolve | None = None, timeout_s: float = 5.0,
    cap: int = 10 * MIB,
) -> Fetched:  # fmt: skip
    return await Outbound(policy, resolve=resolve).fetch(url, into, timeout_s=timeout_s, cap=cap, accept="image/*")


async def fetch_from(behave: Behaviour, into: Path, *, timeout_s: float = 5.0, cap: int = 10 * MIB) -> Fetched:
    async with receiving(behave) as receiver:
        return await fetch(receiver.url, into, timeout_s=timeout_s, cap=cap)


def onward(to: str, status: int = 302) -> Behaviour:
    return answer(status, b"moved", f"Location: {to}")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ------------------------------------------------------------ what arrives --------------------------------------------


async def test_a_file_arrives_whole(tmp_path: Path) -> None:
    body = bytes(range(256)) * 20_000
    async with receiving(answer(200, body, "Content-Type: image/png")) as receiver:
        got = await fetch(receiver.url + "?size=%20x", tmp_path / "image")
    assert got == Fetched("image/png", len(body))
    assert (tmp_path / "image").read_bytes() == body
    [request] = receiver.requests
    assert (request.method, request.path, request.body) == ("GET", "/hook?size=%20x", b"")
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "connection": "close",
        "accept-encoding": "identity",
        "accept": "image/*",
        "user-agent": "filmgate",
    }


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(raw(OK + b"\r\nwhole"), id="until the end"),
        pytest.param(
            raw(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nwh\r\n", b"3\r\nole\r\n0\r\n\r\n"), id="chunks"
        ),
        pytest.param(raw(OK + b"Content-Length: 5\r\n\r\n", b"w", b"h", b"ole", pause_s=0.01), id="in drops"),
        pytest.param(raw(OK + b"Content-Encoding: identity\r\nContent-Length: 5\r\n\r\nwhole"), id="identity"),
    ],
)
async def test_however_it_is_sent(behave: Behaviour, tmp_path: Path) -> None:
    assert await fetch_from(behave, tmp_path / "image") == Fetched("", 5)
    assert (tmp_path / "image").read_bytes() == b"whole"
    assert left(tmp_path) == ["image"]


async def test_a_file_of_exactly_the_cap_is_taken(tmp_path: Path) -> None:
    assert (await fetch_from(answer(200, b"x" * 1000), tmp_path / "image", cap=1000)).bytes == 1000


# ------------------------------------------------------------ redirects -----------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(status: int, tmp_path: Path) -> None:
    async with receiving(answer(200, b"there")) as there:
        got = await fetch_from(onward(there.url, status), tmp_path / "image")
    assert got.bytes == 5
    assert (tmp_path / "image").read_bytes() == b"there"


@pytest.mark.parametrize(
    ("location", "path"), [("/b?c=d", "/b?c=d"), ("b.png", "/b.png"), ("?v=2", "/hook?v=2"), ("/a b", "/a%20b")]
)
async def test_relative_redirects(location: str, path: str, tmp_path: Path) -> None:
    async with receiving(in_turn(onward(location), answer(200, b"x"))) as receiver:
        await fetch(receiver.url, tmp_path / "image")
    assert [request.path for request in receiver.requests] == ["/hook", path]


async def test_five_redirects_are_followed_and_no_sixth(tmp_path: Path) -> None:
    async with receiving(in_turn(*[onward("/on")] * 5, answer(200, b"x"))) as receiver:
        await fetch(receiver.url, tmp_path / "image")
    async with receiving(onward("/round")) as receiver:
        with pytest.raises(Unreachable, match="after 5 redirects"):
            await fetch(receiver.url, tmp_path / "other")
    assert receiver.connections == 6
    assert left(tmp_path) == ["image"]


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "//169.254.169.254/",
        "file:///etc/passwd",
        "ftp://example.org/a.png",
        "http://user:secret@example.org/",
        "http://127.0.0.1:0/",
        "http://[bad/",
    ],
)
async def test_a_redirect_to_a_guarded_address_is_refused(to: str, tmp_path: Path) -> None:
    with pytest.raises(AddressRefused):
        await fetch_from(onward(to), tmp_path / "image")
    assert left(tmp_path) == []


async def test_a_redirect_from_a_public_name_to_an_inner_one_is_refused(tmp_path: Path) -> None:
    """The operator opened one machine; what it answers opens no other."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2"] if host == "open.example" else ["127.0.0.1"]

    async with receiving(answer(200, b"secret")) as inner:
        to = onward(f"http://inner.example:{inner.port}/")
        async with receiving(to, host="127.0.0.2") as outer:
            url = f"http://open.example:{outer.port}/"
            with pytest.raises(AddressRefused, match=r"inner\.example leads to"):
                await fetch(url, tmp_path / "image", policy=Policy(("127.0.0.2/32",)), resolve=resolve)
    assert (outer.connections, inner.connections) == (1, 0)


@pytest.mark.parametrize("head", [b"", b"Location:\r\n", b"Location: http://example.org:port/\r\n"])
async def test_a_redirect_to_nowhere(head: bytes, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="leads"):
        await fetch_from(raw(b"HTTP/1.1 302 Found\r\n" + head + b"Content-Length: 0\r\n\r\n"), tmp_path / "image")


# ------------------------------------------------------------ what is not taken ---------------------------------------


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.png", "file:///etc/passwd", "nonsense", "http://localhost/"])
async def test_a_guarded_address_is_refused_at_once(url: str, tmp_path: Path) -> None:
    with pytest.raises(AddressRefused):
        await fetch(url, tmp_path / "image", policy=Policy())


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 401, 403, 404, 410, 429, 500, 503])
async def test_only_200_is_a_file(status: int, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=f"answered {status}"):
        await fetch_from(answer(status), tmp_path / "image")
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(answer(200, b"x" * 1001), id="announced"),
        pytest.param(raw(OK + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n"), id="announced beyond all sense"),
        pytest.param(raw(OK + b"\r\n" + b"x" * 1001), id="not announced"),
        pytest.param(endless(OK + b"\r\n", b"x" * 65536), id="without end"),
        pytest.param(endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n"), id="chunks without end"),
    ],
)
async def test_more_than_the_cap_is_refused(behave: Behaviour, tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as refused:
        await fetch_from(behave, tmp_path / "image", cap=1000)
    assert isinstance(refused.value, Oversized) or "did not speak HTTP" in str(refused.value)
    assert left(tmp_path) == []


async def test_the_sentence_names_the_cap(tmp_path: Path) -> None:
    with pytest.raises(Oversized, match="larger than 2 MiB"):
        await fetch_from(raw(OK + b"Content-Length: 99999999\r\n\r\n"), tmp_path / "image", cap=2 * MIB)


async def test_what_is_announced_too_large_is_not_read(tmp_path: Path) -> None:
    gone = asyncio.Event()
    pour = endless(OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65536)

    async def until_closed(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        try:
            await pour(receiver, writer)
        except ConnectionError:
            gone.set()

    async with receiving(until_closed) as receiver:
        with pytest.raises(Oversized):
            await fetch(receiver.url, tmp_path / "image")
        await gone.wait()


async def test_a_compressed_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    with pytest.raises(Unreachable, match="compressed"):
        await fetch_from(answer(200, bomb, "Content-Encoding: gzip"), tmp_path / "image")
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(raw(OK + b"Content-Length: 500\r\n\r\nshort"), id="a length that lies"),
        pytest.param(raw(OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n"), id="chunks that end early"),
        pytest.param(raw(OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\nzz\r\n"), id="broken chunks"),
    ],
)
async def test_half_a_file_is_none(behave: Behaviour, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="broke off"):
        await fetch_from(behave, tmp_path / "image")
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(silent, id="silent"),
        pytest.param(endless(OK + b"Content-Length: 9999\r\n\r\n", b".", pause_s=0.02), id="drop by drop"),
        pytest.param(endless(OK, b"X-A: b\r\n", pause_s=0.02), id="header lines without end, slowly"),
    ],
)
async def test_the_deadline_is_for_all_of_it(behave: Behaviour, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="in time"):
        await fetch_from(behave, tmp_path / "image", timeout_s=0.2)
    assert left(tmp_path) == []


async def test_redirects_share_one_deadline(tmp_path: Path) -> None:
    async def slow(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await onward("/on")(receiver, writer)

    async with receiving(slow) as receiver:
        with pytest.raises(Unreachable, match="in time"):
            await fetch(receiver.url, tmp_path / "image", timeout_s=0.25)
    assert receiver.connections < 4


async def test_no_listener_and_no_http(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="takes no connection"):
            await fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/", tmp_path / "image")
    with pytest.raises(Unreachable, match="did not speak HTTP"):
        await fetch_from(raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), tmp_path / "image")


async def test_a_cancelled_fetch_leaves_neither_file_nor_connection(tmp_path: Path) -> None:
    pouring, gone = asyncio.Event(), asyncio.Event()

    async def behave(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        pouring.set()
        try:
            await endless(OK + b"\r\n", b"x" * 65536, pause_s=0.001)(receiver, writer)
        except ConnectionError:
            gone.set()

    async with receiving(behave) as receiver:
        call = asyncio.create_task(fetch(receiver.url, tmp_path / "image", cap=1 << 40))
        await pouring.wait()
        while not left(tmp_path):
            await asyncio.sleep(0.001)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await gone.wait()
    assert left(tmp_path) == []


async def test_what_was_there_before_stays_when_a_fetch_fails(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"before")
    with pytest.raises(Unreachable):
        await fetch_from(raw(OK + b"Content-Length: 500\r\n\r\nshort"), tmp_path / "image")
    assert (tmp_path / "image").read_bytes() == b"before"
