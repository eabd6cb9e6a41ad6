"""The address under which the outside world reaches this server: the base of the links it hands out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from starlette.requests import Request

from ..domain.errors import MalformedRequest
from .peers import Network, from_proxy

_HOST = re.compile(r"(?:\[(?P<address>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_LONGEST_NAME = 253


@lru_cache(maxsize=1024)  # a server has few names, and is asked under one of them at each order
def host_of(header: str) -> str | None:
    """The host in a Host header, without port and brackets; None for what is no host that could be called."""
    found = _HOST.fullmatch(header)
    if found is None or not 0 < int(found["port"] or "80") <= 65535:
        return None
    address, name = found["address"], found["name"]
    if address is not None:
        return address if _is_address(address, 6) else None
    return name if _is_name(name) else None


def _is_name(text: str) -> bool:
    labels = text.split(".")
    if len(text) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return not labels[-1].isdigit() or _is_address(text, 4)  # what ends in a number is read as an address


def _is_address(text: str, version: int) -> bool:
    try:
        return "%" not in text and ip_address(text).version == version
    except ValueError:
        return False


def public_base(request: Request, configured: str | None, trusted_proxies: Sequence[Network]) -> str:
    """ "https://films.example.org": as configured, else as the client addressed us, a trusted proxy's word included.

    Raises MalformedRequest for a Host header that is no host: it would end up in links.
    """
    if configured:
        return configured.rstrip("/")
    scheme, host = request.scope["scheme"], request.headers.get("host", "")
    if trusted_proxies and from_proxy(request, trusted_proxies):
        scheme = _last(request, "x-forwarded-proto") or scheme
        host = _last(request, "x-forwarded-host") or host
    if scheme.lower() not in ("http", "https") or host_of(host) is None:
        raise MalformedRequest("The Host header of the request is not a host name: links could not be made from it.")
    return f"{scheme.lower()}://{host}"


def _last(request: Request, name: str) -> str:
    """The value that the nearest proxy has added: whatever stands before it may come from the client."""
    return request.headers.get(name, "").rpartition(",")[2].strip()
