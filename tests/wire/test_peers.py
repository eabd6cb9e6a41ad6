"""Where a request comes from: the peer, or what trusted proxies say; and keys that may be used from there only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from filmgate.http.peers import address_of, allowed, client_address, from_proxy
from filmgate.services.accounts import create_key

from .conftest import World

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))

addresses = st.ip_addresses().filter(lambda each: isinstance(each, IPv4Address) or each.ipv4_mapped is None)
strangers = addresses.filter(lambda each: not any(each in network for network in PROXIES))
proxies = st.one_of(st.ip_addresses(network="10.0.0.0/8"), st.ip_addresses(network="fd00::/8"))
#: Whatever a client may put into a header.
anything = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    addresses.map(str),
    proxies.map(str),
    st.sampled_from(["", "unknown", "_hidden", "127.0.0.1", "10.0.0.1", "[::1]:80", "::ffff:10.0.0.1", "fe80::1%eth0"]),
)


@st.composite
def spelled(draw: st.DrawFn, of: st.SearchStrategy[IPv4Address | IPv6Address]) -> tuple[str, IPv4Address | IPv6Address]:
    """An address in one of the ways in which proxies write it."""
    address = draw(of)
    port = draw(st.sampled_from(["", ":1", ":443", ":65535"]))
    if isinstance(address, IPv6Address):
        bare = draw(st.sampled_from([str(address), address.exploded]))
        text = f"[{bare}]{port}" if port or draw(st.booleans()) else bare
    else:
        mapped = draw(st.booleans())
        text = (
            f"::ffff:{address}"
            if mapped and not port
            else f"[::ffff:{address}]{port}"
            if mapped
            else f"{address}{port}"
        )
    return draw(st.sampled_from(["", " "])) + text + draw(st.sampled_from(["", " "])), address


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 5000) if peer else None})


def lines(hops: Sequence[str], cut: int) -> list[str]:
    """The hops in one header, or in two: a list may be split over several."""
    parts = [hops[:cut], hops[cut:]] if 0 < cut < len(hops) else [hops]
    return [",".join(part) for part in parts if part]


@given(strangers, st.lists(anything, max_size=4))
def test_of_a_peer_that_nobody_trusts_no_header_counts(peer: IPv4Address | IPv6Address, made_up: list[str]) -> None:
    assert client_address(request(str(peer), *made_up), PROXIES) == peer


@given(
    spelled(proxies),
    st.lists(anything, max_size=4),
    spelled(strangers),
    st.lists(spelled(proxies), max_size=3),
    st.integers(0, 8),
)
def test_left_of_the_first_stranger_anything_may_stand(
    peer: tuple[str, IPv4Address | IPv6Address],
    made_up: list[str],
    client: tuple[str, IPv4Address | IPv6Address],
    chain: list[tuple[str, IPv4Address | IPv6Address]],
    cut: int,
) -> None:
    hops = [*(each.replace(",", ".") for each in made_up), client[0], *(text for text, _ in chain)]
    assert client_address(request(str(peer[1]), *lines(hops, cut)), PROXIES) == client[1]


@given(proxies, st.lists(spelled(proxies), max_size=4))
def test_where_only_proxies_took_part_it_came_from_the_first(
    peer: IPv4Address | IPv6Address, chain: list[tuple[str, IPv4Address | IPv6Address]]
) -> None:
    expected = chain[0][1] if chain else peer
    headers = [",".join(text for text, _ in chain)] if chain else []
    assert client_address(request(str(peer), *headers), PROXIES) == expected


@given(anything, st.lists(spelled(proxies), max_size=2))
@example("", [])
@example("unknown", [])
@example("fe80::1%eth0", [])
@example("1.2.3.4:x", [])
@example("[1.2.3.4]", [])
@example("::1:443]", [])
def test_a_hop_that_is_no_address_is_nobody(garbage: str, chain: list[tuple[str, IPv4Address | IPv6Address]]) -> None:
    """It could have been anybody: what stands left of it is not looked at."""
    garbage = garbage.replace(",", ".")
    if address_of(garbage) is not None:
        return
    header = ",".join(["203.0.113.1", garbage, *(text for text, _ in chain)])
    assert client_address(request("10.0.0.1", header), PROXIES) is None


@given(anything)
def test_whatever_is_read_as_an_address_is_one(text: str) -> None:
    found = address_of(text)
    assert found is None or found == ip_address(str(found))


def test_a_mapped_peer_is_its_ipv4_address() -> None:
    """As a server that listens on :: is told of it."""
    assert client_address(request("::ffff:203.0.113.9"), ()) == ip_address("203.0.113.9")
    assert from_proxy(request("::ffff:10.1.2.3"), PROXIES)
    assert client_address(request("::ffff:10.1.2.3", "198.51.100.1"), PROXIES) == ip_address("198.51.100.1")


def test_a_peer_without_an_address_is_nobody() -> None:
    for peer in (None, "a unix socket"):
        assert client_address(request(peer, "203.0.113.1"), PROXIES) is None
        assert not from_proxy(request(peer), PROXIES)
    assert not allowed(None, ["0.0.0.0/0", "::/0"])


# ------------------------------------------------------------ keys ----------------------------------------------------


@pytest.fixture
def asked(world: World) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=world.url, timeout=30) as client:
        yield client


def _bounded(world: World, *networks: str) -> str:
    return world.run(create_key(world.accounts, world.clock, "bounded", addresses=networks)).secret


def test_a_key_opens_from_its_networks_and_elsewhere_is_unknown(world: World, asked: httpx2.Client) -> None:
    def answer(secret: str, **headers: str) -> tuple[int, bytes]:
        told = asked.get("/api/v1/chat/credit", headers={"Authorization": f"Bearer {secret}", **headers})
        assert "date" not in told.text.lower()
        return told.status_code, told.content

    here, elsewhere = _bounded(world, "192.0.2.0/24", "127.0.0.0/8"), _bounded(world, "192.0.2.0/24")
    unknown = answer("fg_unknown")
    assert b"You do not have access permissions" in unknown[1]
    assert answer(here)[1].startswith(b'{"code":200')
    assert answer(elsewhere) == unknown
    assert answer(elsewhere, **{"X-Forwarded-For": "192.0.2.1"}) == unknown  # nobody has made a proxy of this peer
