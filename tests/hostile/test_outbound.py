"""Addresses and servers that mean harm, for callbacks (POST) and for images and uploads by address (GET).

The crown jewels are a listener on every guarded address of this machine. Whatever is called, it must not hear of it:
that is checked after each case, and for all of them at the end.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from filmgate.domain.errors import AddressRefused, Unreachable
from filmgate.net.outbound import Answer, Outbound, Policy, Resolve, SystemResolver
from support.hostile import Behaviour, Receiver, answer, endless, in_turn, raw, receiving, silent

pytestmark = pytest.mark.anyio

OUTSIDE = "127.0.0.2"  #: stands for the public internet: opened for the cases in which a server has to answer
CAP = 100_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Jewels:
    """Listens on all addresses of this machine, and counts who comes."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        self._door = socket.create_server(("", 0), family=family, dualstack_ipv6=family is socket.AF_INET6, backlog=200)
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, who = self._door.accept()
            except OSError:
                return
            self.heard.append(who)
            visitor.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\njewels")
            visitor.close()

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()


@pytest.fixture(scope="module")
def vault() -> Iterator[Jewels]:
    made = Jewels()
    yield made
    made.close()


@pytest.fixture
def jewels(vault: Jewels) -> Iterator[Jewels]:
    yield vault
    assert vault.heard == []


def leading_to(*answers: Sequence[str]) -> Resolve:
    """A name server: the first question gets the first answer, and so on; the last one stays."""
    asked = iter([*answers[:-1]])

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(asked, answers[-1])

    return resolve


async def post(url: str, outbound: Outbound, timeout_s: float = 3.0) -> Answer:
    return await outbound.post(url, b"{}", {"content-type": "application/json"}, timeout_s=timeout_s, answer_cap=1000)


async def fetch(url: str, outbound: Outbound, folder: Path, timeout_s: float = 3.0) -> None:
    """Raises, and leaves nothing behind; that is checked."""
    try:
        await outbound.fetch(url, folder / "image", timeout_s=timeout_s, cap=CAP)
    finally:
        assert os.listdir(folder) == []


# ------------------------------------------------------------ addresses -----------------------------------------------

ADDRESSES = [
    # this machine, in all spellings that some resolver takes
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "http://127.0.0.53:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0x0.0x0.0x1:{port}/",
    "http://0x7f.1:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://00000177.0.0.01:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://127｡0｡0｡1:{port}/",
    "http://127．0．0．1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "http://ｌｏｃａｌｈｏｓｔ:{port}/",
    "http://anything.localhost:{port}/",
    "http://localhost.localdomain:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0x0:{port}/",
    "http://[::1]:{port}/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:{port}/",
    "http://[::]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[fe80::1%25eth0]:{port}/",
    "http://[fe80::1]:{port}/",
    # an IPv4 address inside an IPv6 one
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{port}/",
    "http://[2607:f8b0::5efe:7f00:1]:{port}/",
    # private networks
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://192.168.0.1:{port}/",
    "http://100.64.0.1:{port}/",
    "http://[fc00::1]:{port}/",
    "http://[fd12:3456::1]:{port}/",
    # metadata of clouds
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata.google.internal./",
    "http://METADATA.GOOGLE.INTERNAL/",
    "http://metadata/",
    # two readers, two hosts
    "http://good.example@127.0.0.1:{port}/",
    "http://good.example:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@good.example/",
    "http://127.0.0.1:{port}?@good.example/",
    "http://127.0.0.1:{port}\\@good.example/",
    "http://good.example\\@127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http://127.0.0.1:{port}%2f@good.example/",
    "http://127.0.0.1%00.good.example:{port}/",
    "http://good.example%0d%0a127.0.0.1:{port}/",
    # ports
    "http://127.0.0.1:0/",
    "http://good.example:65536/",
    "http://good.example:-1/",
    "http://127.0.0.1:{port}:80/",
    # other schemes
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/",
    "unix:///run/docker.sock",
    "http+unix://%2frun%2fdocker.sock/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "//127.0.0.1:{port}/",
    # a header in the address, blanks, and no end
    "http://127.0.0.1:{port}/\r\nX-Injected: yes\r\n\r\n",
    "http://good.example/\r\nHost: 127.0.0.1",
    "http://good.example/ HTTP/1.1\r\nHost: 127.0.0.1:{port}",
    "http://good.example\t:{port}/",
    "http://good.example\u2028/",
    "http://\ud800.example/",
    "http://" + "a" * 300 + ".example/",
    "http://" + "a." * 5000 + "example/",
    "http://xn--/",
    "http://xn--a-ecp.ru:{port}\u0000/",
]


@pytest.mark.parametrize("url", ADDRESSES)
async def test_a_guarded_address_is_not_called(url: str, jewels: Jewels, tmp_path: Path) -> None:
    url = url.replace("{port}", str(jewels.port))
    outbound = Outbound(Policy(), resolve=leading_to(["127.0.0.1"]))
    with pytest.raises(AddressRefused):
        await post(url, outbound)
    with pytest.raises(AddressRefused):
        await fetch(url, outbound, tmp_path)


# ------------------------------------------------------------ names ---------------------------------------------------

NAMES: dict[str, list[list[str]]] = {
    "this machine": [["127.0.0.1"]],
    "this machine by IPv6": [["::1"]],
    "this machine, mapped": [["::ffff:127.0.0.1"]],
    "this machine, translated": [["64:ff9b::7f00:1"]],
    "this machine by 6to4": [["2002:7f00:1::"]],
    "any address": [["0.0.0.0"], ["::"]],
    "a private network": [["10.0.0.7"]],
    "the link, with a zone": [["fe80::1%2"]],
    "metadata": [["169.254.169.254"]],
    "metadata by IPv6": [["fd00:ec2::254"]],
    "public first, then guarded": [[OUTSIDE, "127.0.0.1"]],
    "guarded first, then public": [["127.0.0.1", OUTSIDE]],
    "guarded as the ninth of many": [[OUTSIDE] + [f"127.0.0.{n}" for n in range(3, 12)]],
    "several answers, all guarded": [["10.0.0.1", "::1", "192.168.0.1"]],
}


@pytest.mark.parametrize("answers", NAMES.values(), ids=NAMES)
async def test_a_name_that_leads_inside_is_not_called(answers: list[list[str]], jewels: Jewels, tmp_path: Path) -> None:
    url, policy = f"http://good.example:{jewels.port}/", Policy((f"{OUTSIDE}/32",))
    with pytest.raises(AddressRefused, match=r"good\.example leads to"):
        await post(url, Outbound(policy, resolve=leading_to(*answers)))
    with pytest.raises(AddressRefused, match=r"good\.example leads to"):
        await fetch(url, Outbound(policy, resolve=leading_to(*answers)), tmp_path)


async def test_a_name_that_changes_its_mind_is_asked_once(jewels: Jewels, tmp_path: Path) -> None:
    """The first answer is public, and nobody listens there; the second would be the jewels."""
    url, policy = f"http://rebind.example:{_closed_port()}/", Policy((f"{OUTSIDE}/32",))
    for call in (post(url, _rebinding(policy)), fetch(url, _rebinding(policy), tmp_path)):
        with pytest.raises(Unreachable):
            await call


def _rebinding(policy: Policy) -> Outbound:
    return Outbound(policy, resolve=leading_to([OUTSIDE], ["127.0.0.1"]))


def _closed_port() -> int:
    with socket.create_server((OUTSIDE, 0)) as door:
        return int(door.getsockname()[1])


async def test_names_of_this_machine_by_its_own_resolver(jewels: Jewels, tmp_path: Path) -> None:
    for name in ("localhost", "ip6-localhost", socket.gethostname()):
        outbound = Outbound(Policy(), resolve=SystemResolver())
        with pytest.raises((AddressRefused, Unreachable)):
            await post(f"http://{name}:{jewels.port}/", outbound)
        with pytest.raises((AddressRefused, Unreachable)):
            await fetch(f"http://{name}:{jewels.port}/", outbound, tmp_path)


# ------------------------------------------------------------ redirects -----------------------------------------------

REDIRECTS = [
    "http://127.0.0.1:{port}/",
    "http://[::1]:{port}/",
    "http://localhost:{port}/",
    "http://2130706433:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "//127.0.0.1:{port}/",
    "http://good.example@127.0.0.1:{port}/",
    "http://inner.example:{port}/",
    "https://inner.example:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_x",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "http://127.0.0.1:{port}\\@good.example/",
    "\\\\127.0.0.1:{port}\\",
    "/\\127.0.0.1:{port}/",
]


@pytest.mark.parametrize("to", REDIRECTS)
@pytest.mark.parametrize("steps", [1, 3])
async def test_a_redirect_leads_nowhere_inside(to: str, steps: int, jewels: Jewels, tmp_path: Path) -> None:
    """To a callback it is an answer. For a file it is followed, and judged as the first address was."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"] if host == "inner.example" else [OUTSIDE]

    outbound = Outbound(Policy((f"{OUTSIDE}/32",)), resolve=resolve)
    last = answer(302, b"", f"Location: {to.replace('{port}', str(jewels.port))}")
    chain = in_turn(*[answer(307, b"", "Location: /on")] * (steps - 1), last)
    async with receiving(last, host=OUTSIDE) as server:
        assert (await post(f"http://good.example:{server.port}/", outbound)).status == 302
        assert server.connections == 1
    async with receiving(chain, host=OUTSIDE) as server:
        with pytest.raises((AddressRefused, Unreachable)):
            await fetch(f"http://good.example:{server.port}/", outbound, tmp_path)


async def test_redirects_without_end_come_to_one(jewels: Jewels, tmp_path: Path) -> None:
    async with receiving(answer(301, b"", "Location: /again"), host=OUTSIDE) as server:
        with pytest.raises(Unreachable, match="redirects"):
            await fetch(server.url, Outbound(Policy((f"{OUTSIDE}/32",))), tmp_path)
        assert server.connections == 6


# ------------------------------------------------------------ servers -------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"


async def reset(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
    """End the connection without a word, with a reset."""
    writer.transport.abort()


#: What no file comes of, and what a callback makes of it: its status, or None for "no answer".
SERVERS: dict[str, tuple[Behaviour, int | None]] = {
    "says nothing": (silent, None),
    "closes at once": (raw(), None),
    "resets": (reset, None),
    "closes in mid-head": (raw(b"HTTP/1.1 200 OK\r\nContent-"), None),
    "drips its head": (endless(b"", b"H", 0.02), None),
    "drips header lines": (endless(OK, b"X-A: b\r\n", 0.02), None),
    "pours header lines": (endless(OK, b"X-A: b\r\n" * 1000), None),
    "pours one header": (endless(OK + b"X-A: ", b"b" * 65536), None),
    "pours interim answers": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), None),
    "pours early hints": (endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100), None),
    "switches protocols": (raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\njunk"), None),
    "speaks HTTP/0.9": (raw(b"<html>hello</html>"), None),
    "speaks HTTP/2": (raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\0" * 18), None),
    "speaks another protocol": (raw(b"220 mail.example ESMTP\r\n"), None),
    "folds lines": (raw(OK + b"Content-Length: 5\r\n folded\r\n\r\nwhole"), None),
    "NUL in a header": (raw(OK + b"X: \0\r\nContent-Length: 5\r\n\r\nwhole"), None),
    "two lengths": (raw(OK + b"Content-Length: 1\r\nContent-Length: 5\r\n\r\nwhole"), None),
    "a negative length": (raw(OK + b"Content-Length: -1\r\n\r\nwhole"), None),
    "no number as length": (raw(OK + b"Content-Length: 5x\r\n\r\nwhole"), None),
    "a status of four digits": (raw(b"HTTP/1.1 2000 OK\r\n\r\n"), None),
    "a length that is too long": (raw(OK + b"Content-Length: 500\r\n\r\nshort"), 200),
    "chunks that break off": (raw(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n"), 200),
    "chunks that are none": (raw(OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), 200),
    "drips its body": (endless(OK + b"Content-Length: 99999\r\n\r\n", b".", 0.02), 200),
    "pours its body": (endless(OK + b"\r\n", b"x" * 65536), 200),
    "pours chunks": (endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n" * 1000), 200),
    "announces too much": (raw(OK + b"Content-Length: 9999999999\r\n\r\nx"), 200),
    "a gzip bomb": (answer(200, gzip.compress(b"0" * 10_000_000), "Content-Encoding: gzip"), 200),
    "an unknown coding": (answer(200, b"x", "Content-Encoding: zstd"), 200),
    "half a file": (answer(206, b"half", "Content-Range: bytes 0-3/8"), 206),
    "no file": (answer(404, b"no"), 404),
    "a challenge": (answer(401, b"", "WWW-Authenticate: Basic"), 401),
}


@pytest.mark.parametrize(("behave", "status"), SERVERS.values(), ids=SERVERS)
async def test_a_hostile_server_costs_no_more_than_the_time_it_is_given(
    behave: Behaviour, status: int | None, jewels: Jewels, tmp_path: Path
) -> None:
    outbound = Outbound(Policy((f"{OUTSIDE}/32",)))
    async with receiving(behave, host=OUTSIDE) as server, asyncio.timeout(20):
        if status is None:
            with pytest.raises(Unreachable):
                await post(server.url, outbound, 0.5)
        else:
            told = await post(server.url, outbound, 0.5)
            assert told.status == status
            assert len(told.body_start) <= 1000
        with pytest.raises(Unreachable):
            await fetch(server.url, outbound, tmp_path, 0.5)


async def test_a_server_that_is_owed_tls_and_has_none(jewels: Jewels, tmp_path: Path) -> None:
    outbound = Outbound(Policy((f"{OUTSIDE}/32",)))
    with socket.create_server((OUTSIDE, 0)) as door:
        url = f"https://{OUTSIDE}:{door.getsockname()[1]}/"

        def hang_up() -> None:
            for _ in range(2):
                visitor = door.accept()[0]
                visitor.recv(10)
                visitor.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                visitor.close()

        listening = threading.Thread(target=hang_up, daemon=True)
        listening.start()
        with pytest.raises(Unreachable, match="cannot be trusted"):
            await post(url, outbound)
        with pytest.raises(Unreachable, match="cannot be trusted"):
            await fetch(url, outbound, tmp_path)
        await asyncio.to_thread(listening.join)


# ------------------------------------------------------------ all of it -----------------------------------------------


def test_there_are_enough_cases_and_the_jewels_never_heard_of_any(vault: Jewels) -> None:
    """Last in this file. The listener itself is awake: somebody who is let in is heard."""
    assert len(ADDRESSES) + len(NAMES) + len(REDIRECTS) + len(SERVERS) >= 160
    assert len(set(ADDRESSES)) == len(ADDRESSES)
    assert vault.heard == []
    for place in ("127.0.0.1", OUTSIDE):
        with socket.create_connection((place, vault.port), timeout=5) as visitor:
            assert visitor.recv(100).endswith(b"jewels")
    assert len(vault.heard) == 2
    vault.heard.clear()
