"""Who is at the other end: the address that a request comes from, a trusted proxy's word included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FORWARDED = "x-forwarded-for"
_WITH_PORT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?")


def client_address(request: Request, proxies: Sequence[Network]) -> Address | None:
    """The peer; where that is a trusted proxy, the right-most hop of X-Forwarded-For that is none.

    Each proxy adds the address that it was called from at the right, so whatever stands left of the first hop that
    nobody vouches for may have been made up by that one. A request in which only trusted proxies took part came from
    the first of them. None where the address cannot be told: a socket without one, or a hop that is no address.
    """
    peer = address_of(request.client.host if request.client else "")
    if peer is None or not within(peer, proxies):
        return peer
    hops = [hop for line in request.headers.getlist(_FORWARDED) for hop in line.split(",")]
    for hop in reversed(hops):
        peer = address_of(hop)
        if peer is None or not within(peer, proxies):
            return peer
    return peer


def from_proxy(request: Request, proxies: Sequence[Network]) -> bool:
    """Whether the peer is a trusted proxy."""
    peer = address_of(request.client.host if request.client else "")
    return peer is not None and within(peer, proxies)


def address_of(text: str) -> Address | None:
    """From "10.0.0.7", "10.0.0.7:443", "::1", "[::1]" or "[::1]:443"; an IPv4-mapped address is the IPv4 address."""
    text = text.strip()
    bracketed = _WITH_PORT.fullmatch(text)
    if bracketed is not None:
        text = bracketed["six"] or bracketed["four"]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address if bracketed is None or bracketed["six"] is None else None
    return None if address.scope_id else address.ipv4_mapped or address


def within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def allowed(address: Address | None, networks: Sequence[str]) -> bool:
    """Whether an address, if it could be told, lies in one of these networks."""
    return address is not None and within(address, map(_network, networks))


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    return ip_network(text)
