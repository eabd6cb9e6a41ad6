"""Which addresses may be called. Pure: nothing is resolved and nothing is connected here.

Three layers, from the outside in:

* ``parse`` turns a URL into a Target, or refuses it: http and https only, no user and password, a plain host.
* ``check_literal`` refuses a Target whose host is written out as an address (in any spelling that some resolver would
  take for one), or is a name known to lead inside.
* ``check_address`` judges one resolved address; whoever connects calls it for every address of the name.

An address that carries another one inside (IPv4-mapped, NAT64, 6to4, Teredo, ISATAP) is judged by what it carries,
since that is where the packets end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx2

from ..domain.errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Reachable through no setting: whoever can call these owns the machine or its cloud account.
_NEVER: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), words)
    for network, words in (
        ("100.100.100.200/32", "a cloud metadata address"),
        ("168.63.129.16/32", "a cloud metadata address"),
        ("192.0.0.192/32", "a cloud metadata address"),
        ("fd00:ec2::254/128", "a cloud metadata address"),
        ("fd20:ce::254/128", "a cloud metadata address"),
        ("fd00:c1::a9fe:a9fe/128", "a cloud metadata address"),
        ("169.254.0.0/16", "a link-local address"),
        ("fe80::/10", "a link-local address"),
        ("0.0.0.0/8", "an unspecified address"),
        ("::/128", "an unspecified address"),
        ("224.0.0.0/4", "a multicast address"),
        ("ff00::/8", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        # What a translator of the local network makes of these cannot be told from outside.
        ("64:ff9b:1::/48", "an address of a local translator"),
    )
)

#: What ``allow_private`` opens.
_PRIVATE: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), words)
    for network, words in (
        ("127.0.0.0/8", "a loopback address"),
        ("::1/128", "a loopback address"),
        ("10.0.0.0/8", "a private address"),
        ("172.16.0.0/12", "a private address"),
        ("192.168.0.0/16", "a private address"),
        ("100.64.0.0/10", "a carrier-grade NAT address"),
        ("fc00::/7", "a private address"),
        ("fec0::/10", "a private address"),
    )
)

_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_LABELS = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator opens beside the public internet.

    ``allow`` holds networks and host names, as settings have them ("10.1.0.0/16", "192.0.2.7", "hooks.example.org");
    a name opens that host wherever it leads. ``allow_private`` opens loopback and the private ranges. Neither opens
    link-local addresses or cloud metadata. Raises ValueError for an entry that is neither network nor name.
    """

    allow: tuple[Network | str, ...] = ()
    allow_private: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "allow", tuple(_entry(str(entry)) for entry in self.allow))

    def opens_name(self, host: str) -> bool:
        return host in self.allow

    def opens_address(self, address: Address) -> bool:
        return any(not isinstance(entry, str) and address in entry for entry in self.allow)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart once; everything that follows works on these very parts."""

    scheme: str
    host: str  #: lower case, ASCII, no trailing dot, no brackets
    port: int
    path: bytes  #: with the query, percent-encoded

    @property
    def address(self) -> Address | None:
        """The address that the host spells out, or None where it is a name."""
        return _spelled_out(self.host)

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


def parse(url: str) -> Target:
    """Take a URL apart. Raises AddressRefused for one that is not a plain http or https URL."""
    parsed = _lenient(url)
    if parsed.scheme not in _PORTS:
        raise AddressRefused("Only http and https addresses can be called.")
    if parsed.userinfo:
        raise AddressRefused("An address with a user name or password in it is not called: leave them out.")
    port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 0 < port < 65536:
        raise AddressRefused(f"{port} is not a port: use one from 1 to 65535.")
    return Target(parsed.scheme, _host(parsed.raw_host), port, parsed.raw_path)


def check_literal(url: str, policy: Policy) -> Target:
    """Refuse what can be refused without asking a name server. Raises AddressRefused; returns the URL taken apart."""
    target = parse(url)
    address = target.address
    if address is not None:
        check_address(address, policy, target.host)
    elif target.host in _METADATA_NAMES:
        raise AddressRefused(f"{target.host} is a cloud metadata name and is never called.")
    elif _local_name(target.host) and not (policy.allow_private or policy.opens_name(target.host)):
        raise _refused(f"{target.host} is this machine")
    return target


def check_address(address: Address, policy: Policy, host: str) -> None:
    """Refuse one address of ``host``. Raises AddressRefused, which does not tell what a name resolves to."""
    subject = f"{host} is" if _spelled_out(host) else f"{host} leads to"
    for end in tuple(_carried(address)) or (address,):
        never = _within(_NEVER, end)
        if never:
            raise AddressRefused(f"{subject} {never}, which is never called.")
        if not (policy.opens_name(host) or policy.opens_address(end)):
            _check_public(end, policy, subject)


def _check_public(address: Address, policy: Policy, subject: str) -> None:
    private = _within(_PRIVATE, address)
    if private and not policy.allow_private:
        raise _refused(f"{subject} {private}")
    if not private and (address.is_reserved or not address.is_global):
        raise _refused(f"{subject} a reserved address")


def _refused(why: str) -> AddressRefused:
    return AddressRefused(f"{why} and is not called: use a public address, or ask the operator to allow this one.")


def _within(table: tuple[tuple[Network, str], ...], address: Address) -> str | None:
    return next((words for network, words in table if address in network), None)


def _carried(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses inside an IPv6 address: where its packets really go."""
    if isinstance(address, IPv4Address):
        return
    value = int(address)
    if value >> 32 in _TAIL_PREFIXES and value > 1:
        yield IPv4Address(value & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if (value >> 32) & 0xFDFFFFFF == 0x5EFE:  # ISATAP: any prefix, then 0000:5efe or 0200:5efe
        yield IPv4Address(value & 0xFFFFFFFF)


#: Prefixes whose last 32 bits are an IPv4 address: compatible, mapped, translated, NAT64.
_TAIL_PREFIXES = frozenset(
    int(IPv6Address(prefix)) >> 32 for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::")
)


def _local_name(host: str) -> bool:
    return host == "localhost" or host.endswith((".localhost", ".localdomain"))


def _lenient(url: str) -> httpx2.URL:
    if "\\" in url or any(c <= " " for c in url):
        raise AddressRefused("The address contains blanks or backslashes: write them percent-encoded.")
    try:
        return httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise AddressRefused("This is not an address that can be called: give a full http or https URL.") from error


def _host(raw: bytes) -> str:
    host = raw.decode("ascii").lower()
    if ":" in host:
        return _bracketed(host)
    host = host.removesuffix(".")
    if len(host) > 253 or not _LABELS.fullmatch(host):
        raise AddressRefused("The address has no usable host name.")
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and _spelled_out(host) is None:
        raise AddressRefused(f"{host} is neither a name nor an address.")
    return host


def _bracketed(host: str) -> str:
    try:
        address = IPv6Address(host)
    except ValueError as error:
        raise AddressRefused("The address has no usable host name.") from error
    if address.scope_id is not None:
        raise AddressRefused("An address with a zone belongs to one machine and is not called.")
    return str(address)


def _spelled_out(host: str) -> Address | None:
    """The address a host spells out, also as 127.1, 2130706433, 0x7f.0.0.1 or 0177.0.0.1, as C resolvers read them."""
    try:
        return ip_address(host)
    except ValueError:
        return _old_spelling(host.split("."))


def _old_spelling(parts: list[str]) -> IPv4Address | None:
    """One to four numbers; the last one fills all bytes that are left."""
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        *heads, last = (_number(part) for part in parts)
    except ValueError:
        return None
    if any(head > 255 for head in heads) or last >= 256 ** (4 - len(heads)):
        return None
    return IPv4Address(last + sum(head << 8 * (3 - place) for place, head in enumerate(heads)))


def _number(part: str) -> int:
    """Read as C does: 0x is hexadecimal, a leading 0 octal. Raises ValueError for 08 and 09."""
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") and len(part) > 1 else 10)


def _entry(entry: str) -> Network | str:
    text = entry.strip().lower().removesuffix(".")
    try:
        return ip_network(text, strict=False)
    except ValueError:
        if not _LABELS.fullmatch(text) or _NUMBER.fullmatch(text.rpartition(".")[2]):
            raise ValueError(f"'{entry}' is neither a network like 10.1.0.0/16 nor a host name.") from None
        return text
