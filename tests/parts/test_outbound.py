"""Calling users' addresses: real sockets, hostile receivers, and name servers that lie."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.errors import AddressRefused, Unreachable
from filmgate.net.outbound import Answer, Outbound, Policy, Resolve, SystemResolver
from support.hostile import Behaviour, Receiver, answer, endless, raw, receiving, silent, until
from support.tools import program

pytestmark = pytest.mark.anyio

OPEN = Policy(allow_private=True)
GUARDED = Policy()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def names(*answers: Sequence[str]) -> Resolve:
    """A name server: the first question gets the first answer, and so on; the last one stays."""
    asked = 0

    async def resolve(host: str, port: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        return answers[min(asked, len(answers)) - 1]

    return resolve


async def post(url: str, outbound: Outbound | None = None, *, timeout_s: float = 5.0, answer_cap: int = 1000) -> Answer:
    outbound = outbound or Outbound(OPEN)
    headers = {"content-type": "application/json"}
    return await outbound.post(url, b'{"a":1}', headers, timeout_s=timeout_s, answer_cap=answer_cap)


async def post_to(behave: Behaviour, *, timeout_s: float = 5.0) -> Answer:
    async with receiving(behave) as receiver:
        return await post(receiver.url, timeout_s=timeout_s)


# ------------------------------------------------------------ what arrives, what comes back ---------------------------


async def test_a_post_arrives_whole_and_its_answer_comes_back() -> None:
    async with receiving(answer(201, b"thanks")) as receiver:
        got = await post(receiver.url + "?x=%20y")
    assert (got.status, got.body_start) == (201, b"thanks")
    assert got.latency_ms >= 0
    [request] = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook?x=%20y", b'{"a":1}')
    assert request.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-type": "application/json",
        "content-length": "7",
        "connection": "close",
        "accept-encoding": "identity",
    }


@pytest.mark.parametrize("status", [204, 301, 302, 307, 308, 404, 500, 599])
async def test_every_status_is_an_answer_and_redirects_are_not_followed(status: int) -> None:
    async with receiving(answer(200)) as elsewhere:
        got = await post_to(answer(status, b"", f"Location: {elsewhere.url}"))
    assert got.status == status
    assert elsewhere.connections == 0


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(answer(502)) as proxy, receiving(answer(200)) as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        got = await post(receiver.url)
    assert got.status == 200
    assert proxy.connections == 0


async def test_a_name_keeps_its_host_header_and_goes_to_the_resolved_address() -> None:
    async with receiving(answer(200)) as receiver:
        outbound = Outbound(OPEN, resolve=names(["127.0.0.1"]))
        await post(f"http://Hooks.Example.org.:{receiver.port}/hook", outbound)
    assert receiver.requests[0].headers["host"] == f"hooks.example.org:{receiver.port}"


async def test_an_old_spelling_of_an_address_is_called_as_it_was_judged() -> None:
    async with receiving(answer(200)) as receiver:
        got = await post(f"http://0x7f.1:{receiver.port}/")
    assert got.status == 200


async def test_a_dead_address_is_skipped_for_the_next_one_of_the_name() -> None:
    async with receiving(answer(200)) as receiver:
        # Nothing listens on ::1 here, or the machine has no IPv6 at all.
        got = await post(f"http://a.example:{receiver.port}/", Outbound(OPEN, resolve=names(["::1", "127.0.0.1"])))
    assert got.status == 200


# ------------------------------------------------------------ guarded addresses ---------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "localhost", "[::ffff:127.0.0.1]"]
)
async def test_a_literal_guarded_address_gets_no_connection(host: str) -> None:
    async with receiving(answer(200)) as receiver:
        with pytest.raises(AddressRefused):
            await post(f"http://{host}:{receiver.port}/", Outbound(GUARDED))
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "resolved",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%1"],
        ["64:ff9b::7f00:1"],
        ["127.0.0.1", "93.184.215.14"],
        ["93.184.215.14", "127.0.0.1"],
        ["0.0.0.0"],
    ],
)
async def test_a_name_with_any_guarded_address_gets_no_connection(resolved: list[str]) -> None:
    async with receiving(answer(200)) as receiver:
        with pytest.raises(AddressRefused, match=r"a\.example leads to"):
            await post(f"http://a.example:{receiver.port}/", Outbound(GUARDED, resolve=names(resolved)))
    assert receiver.connections == 0


async def test_a_name_is_resolved_once_so_that_it_cannot_change_after_the_check() -> None:
    """The first answer passes (an allowed network), the second would lead to the guarded receiver."""
    async with receiving(answer(200)) as guarded:
        policy = Policy(("127.0.0.2/32",))
        outbound = Outbound(policy, resolve=names(["127.0.0.2"], ["127.0.0.1"]))
        with pytest.raises(Unreachable):
            await post(f"http://rebind.example:{guarded.port}/", outbound)
        with pytest.raises(AddressRefused):
            await post(f"http://rebind.example:{guarded.port}/", outbound)
    assert guarded.connections == 0


async def test_the_operator_opens_a_name() -> None:
    async with receiving(answer(200)) as receiver:
        outbound = Outbound(Policy(("hooks.internal",)), resolve=names(["127.0.0.1"]))
        assert (await post(f"http://hooks.internal:{receiver.port}/", outbound)).status == 200
        with pytest.raises(AddressRefused):
            await post(f"http://other.internal:{receiver.port}/", outbound)


# ------------------------------------------------------------ receivers that behave badly -----------------------------


async def test_no_listener() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=f"takes no connection on port {port}"):
            await post(f"http://127.0.0.1:{port}/")


async def test_an_unknown_name() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(Unreachable, match="is not known"):
        await post("http://nowhere.example/", Outbound(OPEN, resolve=nobody))


async def test_a_name_without_addresses() -> None:
    with pytest.raises(Unreachable):
        await post("http://nowhere.example/", Outbound(OPEN, resolve=names([])))


async def test_a_name_server_that_never_answers() -> None:
    async def asleep(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(Unreachable, match="in time"):
        await post("http://slow.example/", Outbound(OPEN, resolve=asleep), timeout_s=0.1)


HEAD_WITHOUT_END = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(silent, id="silent"),
        pytest.param(endless(b"", b"H", pause_s=0.02), id="one byte at a time"),
        pytest.param(endless(HEAD_WITHOUT_END, b"X-A: b\r\n", pause_s=0.02), id="header lines without end, slowly"),
        pytest.param(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=0.02), id="interim answers for ever"),
    ],
)
async def test_a_head_that_does_not_end_meets_the_deadline(behave: Behaviour) -> None:
    with pytest.raises(Unreachable, match="in time"):
        await post_to(behave, timeout_s=0.2)


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(raw(), id="closes without a word"),
        pytest.param(raw(b"HTTP/1.1 200"), id="closes in mid-head"),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), id="another protocol"),
        pytest.param(raw(b"\x00\xff" * 500 + b"\r\n\r\n"), id="noise"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), id="negative length"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), id="two lengths"),
        pytest.param(raw(b"HTTP/1.1 99999 OK\r\n\r\n"), id="no such status"),
        pytest.param(endless(HEAD_WITHOUT_END, b"X-A: " + b"b" * 9000 + b"\r\n"), id="a head of any size"),
    ],
)
async def test_what_is_not_http_is_no_answer(behave: Behaviour) -> None:
    with pytest.raises(Unreachable, match="did not speak HTTP"):
        await post_to(behave)


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("behave", "start"),
    [
        pytest.param(raw(OK + b"Content-Length: 500\r\n\r\nshort"), b"short", id="a length that lies"),
        pytest.param(raw(OK + b"Content-Length: 2\r\n\r\nlonger than said"), b"lo", id="more than announced"),
        pytest.param(raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), b"", id="broken chunks"),
        pytest.param(raw(OK + b"\r\nuntil the end"), b"until the end", id="no length"),
    ],
)
async def test_once_the_head_is_here_a_broken_body_is_an_answer(behave: Behaviour, start: bytes) -> None:
    got = await post_to(behave)
    assert (got.status, got.body_start) == (200, start)


async def test_a_body_that_drips_beyond_the_deadline_is_cut_there() -> None:
    got = await post_to(endless(OK + b"\r\n", b".", pause_s=0.02), timeout_s=0.2)
    assert got.status == 200
    assert set(got.body_start) == {ord(".")}


async def test_an_endless_body_is_cut_at_the_cap_and_the_connection_closed() -> None:
    gone = asyncio.Event()
    pour = endless(OK + b"\r\n", b"x" * 65536)

    async def pour_until_closed(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        try:
            await pour(receiver, writer)
        except ConnectionError:
            gone.set()

    async with receiving(pour_until_closed) as receiver:
        got = await post(receiver.url, answer_cap=100)
        await gone.wait()
    assert got.body_start == b"x" * 100


async def test_a_compressed_bomb_is_kept_as_it_was_sent() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    got = await post_to(answer(200, bomb, "Content-Encoding: gzip"))
    assert got.body_start == bomb[:1000]


async def test_a_cancelled_call_leaves_no_connection() -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def behave(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        try:
            await endless(b"", b"H", pause_s=0.01)(receiver, writer)
        except ConnectionError:
            gone.set()

    async with receiving(behave) as receiver:
        call = asyncio.create_task(post(receiver.url))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await gone.wait()


async def test_the_system_resolver_knows_this_machine() -> None:
    assert "127.0.0.1" in await SystemResolver()("127.0.0.1", 80)


@pytest.fixture
def black_hole(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Look-ups of names in black-hole.example hang until the end of the test; gives the names that were looked up."""
    end = threading.Event()
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **options: Any) -> Any:
        asked.append(host)
        if host.endswith("black-hole.example"):
            end.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    end.set()
    for thread in threading.enumerate():
        if thread.name == "resolve":
            thread.join()


async def test_look_ups_that_hang_hold_up_no_other(black_hole: list[str]) -> None:
    resolver = SystemResolver()
    for number in range(100):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await resolver(f"{number}.black-hole.example", 80)
    async with asyncio.timeout(5):
        assert "127.0.0.1" in await resolver("127.0.0.1", 80)
    await until(lambda: len(black_hole) == 101)


async def test_look_ups_under_way_are_bounded_forgotten_ones_among_them(black_hole: list[str]) -> None:
    resolver = SystemResolver(most=2)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await resolver("black-hole.example", 80)
    await until(lambda: len(black_hole) == 2)


async def test_a_look_up_that_fails_gives_its_place_back() -> None:
    resolver = SystemResolver(most=1)
    for _ in range(3):
        with pytest.raises(UnicodeError):  # said before any name server is asked
            await resolver("a" * 64 + ".example", 80)
    assert "127.0.0.1" in await resolver("127.0.0.1", 80)


def test_a_look_up_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    program = """if True:
        import asyncio, socket, threading
        from filmgate.net.outbound import SystemResolver
        socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
        async def main():
            await asyncio.wait_for(SystemResolver()("a.example", 80), 0.01)
        try:
            asyncio.run(main())
        except TimeoutError:
            print("left")
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == ("left\n", "")


# ------------------------------------------------------------ TLS -----------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate authority of our own (ca.pem) and a server's certificate (server.pem, server.key)."""
    program("openssl")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "names").write_text("subjectAltName=DNS:hooks.example.org\nbasicConstraints=CA:FALSE\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    ours = ("-subj", "/CN=Filmgate test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl(folder, "req", "-x509", *key, *ours, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
    _openssl(folder, "req", *key, "-subj", "/CN=hooks.example.org", "-keyout", "server.key", "-out", "server.csr")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    _openssl(folder, "x509", "-req", "-in", "server.csr", *signed, "-out", "server.pem")
    return folder


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


async def post_over_tls(authority: Path, host: str, *, trusted: bool) -> tuple[list[str | None], Answer]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority / "server.pem", authority / "server.key")
    said: list[str | None] = []
    server.sni_callback = lambda connection, name, context: said.append(name)
    ours = ssl.create_default_context(cafile=str(authority / "ca.pem") if trusted else None)
    outbound = Outbound(OPEN, resolve=names(["127.0.0.1"]), ssl_context=ours)
    async with receiving(answer(200, b"safe"), server) as receiver:
        return said, await post(f"https://{host}:{receiver.port}/", outbound)


async def test_tls_names_the_host_and_checks_its_certificate(authority: Path) -> None:
    said, got = await post_over_tls(authority, "hooks.example.org", trusted=True)
    assert got.body_start == b"safe"
    assert said == ["hooks.example.org"]


async def test_a_certificate_of_another_name_is_not_trusted(authority: Path) -> None:
    with pytest.raises(Unreachable, match=r"other\.example\.org cannot be trusted: .*mismatch"):
        await post_over_tls(authority, "other.example.org", trusted=True)


async def test_a_certificate_for_the_name_does_not_cover_the_bare_address(authority: Path) -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 cannot be trusted"):
        await post_over_tls(authority, "127.0.0.1", trusted=True)


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(authority: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be trusted"):
        await post_over_tls(authority, "hooks.example.org", trusted=False)


async def test_https_to_a_receiver_that_speaks_no_tls() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="no secure connection"):
            await post(f"https://127.0.0.1:{port}/")
