"""The address under which the outside world reaches this server: the base of the links it hands out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import Request

from ..domain.errors import MalformedRequest

Network = IPv4Network | IPv6Network

_NAME = r"[a-z0-9_](?:[a-z0-9._-]{0,252}[a-z0-9_.])?"
_BRACKETED = r"\[[0-9a-f:.]{2,45}\]"
_HOST = re.compile(rf"(?:{_BRACKETED}|{_NAME})(?::[0-9]{{1,5}})?", re.IGNORECASE)


def public_base(request: Request, configured: str | None, trusted_proxies: Sequence[Network]) -> str:
    """ "https://films.example.org": as configured, else as the client addressed us, a trusted proxy's word included.

    Raises MalformedRequest for a Host header that is no host: it would end up in links.
    """
    if configured:
        return configured.rstrip("/")
    scheme, host = request.url.scheme, request.headers.get("host", "")
    if _trusted(request, trusted_proxies):
        scheme = _last(request, "x-forwarded-proto") or scheme
        host = _last(request, "x-forwarded-host") or host
    if scheme.lower() not in ("http", "https") or not _HOST.fullmatch(host):
        raise MalformedRequest("The Host header of the request is not a host name: links could not be made from it.")
    return f"{scheme.lower()}://{host}"


def _trusted(request: Request, proxies: Sequence[Network]) -> bool:
    try:
        peer = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(peer in network for network in proxies)


def _last(request: Request, name: str) -> str:
    """The value that the nearest proxy has added: whatever stands before it may come from the client."""
    return request.headers.get(name, "").rpartition(",")[2].strip()
