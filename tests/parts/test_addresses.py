"""Which addresses may be called: hostile spellings, and what the operator's settings open."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import AddressRefused
from filmgate.net.addresses import Policy, check_address, check_literal, parse

GUARDED = Policy()
PRIVATE = Policy(allow_private=True)

HOSTILE = [
    # loopback, in all spellings that some resolver takes
    "http://127.0.0.1/",
    "http://127.0.0.1:8000/hook",
    "https://127.255.255.254/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7F.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.1/",
    "http://0177.0.0.01/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]:9000/",
    "http://localhost/",
    "http://LOCALHOST:8000/",
    "http://localhost./",
    "http://localhost。/",
    "http://db.localhost/",
    "http://localhost.localdomain/",
    # an IPv4 address inside an IPv6 one
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::8.8.8.8]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::1]/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
    "http://[2001:0:7f00:1::1]/",
    "http://[2607:f8b0::5efe:10.0.0.1]/",
    # private, link-local, special
    "http://10.0.0.1/",
    "http://10.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://0xc0a80101/",
    "http://100.64.0.1/",
    "http://[fc00::1]/",
    "http://[fdff::1]/",
    "http://[fec0::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://0.0.0.0/",
    "http://0/",
    "http://0x0/",
    "http://0.1.2.3/",
    "http://[::]/",
    "http://224.0.0.1/",
    "http://[ff02::1]/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://[2001:db8::1]/",
    "http://[4000::1]/",
    # cloud metadata
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0251.0376.0251.0376/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://metadata/",
    # not a plain URL
    "ftp://example.org/",
    "file:///etc/passwd",
    "gopher://example.org/",
    "//example.org/",
    "example.org",
    "",
    "http://",
    "http:///path",
    "http://user:secret@example.org/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1\\@example.org/",
    "http://example.org:0/",
    "http://example.org:65536/",
    "http://example.org:http/",
    "http://example..org/",
    "http://exa mple.org/",
    "http://example.org/\r\nX-Injected: yes",
    "http://example.org\t/",
    "http://127.0.0.1%00.example.org/",
    "http://h%6fst/",
    "http://-example.org/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://0x/",
    "http://example.08/",
    "http://[::1/",
    "http://[1.2.3.4]/",
    "http://" + "a" * 64 + ".example.org/",
    "http://" + "a." * 130 + "org/",
]

ALWAYS_REFUSED = [
    "http://169.254.169.254/",
    "http://169.254.1.1/",
    "http://[fe80::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://metadata.google.internal/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_addresses_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_literal(url, GUARDED)


@pytest.mark.parametrize("url", ALWAYS_REFUSED)
def test_no_setting_opens_metadata_or_link_local(url: str) -> None:
    everything = Policy(("0.0.0.0/0", "::/0", "metadata.google.internal"), allow_private=True)
    with pytest.raises(AddressRefused):
        check_literal(url, everything)


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://example.org", "example.org", 443, b"/"),
        ("http://Example.ORG:8080/a?b=c#d", "example.org", 8080, b"/a?b=c"),
        ("https://bücher.example/ä", "xn--bcher-kva.example", 443, b"/%C3%A4"),
        ("http://example.org./x", "example.org", 80, b"/x"),
        ("http://hook_1.example.org/", "hook_1.example.org", 80, b"/"),
        ("http://8.8.8.8/", "8.8.8.8", 80, b"/"),
        ("http://[2606:4700::1111]:81/", "2606:4700::1111", 81, b"/"),
        ("http://[64:ff9b::8.8.8.8]/", "64:ff9b::808:808", 80, b"/"),
        ("http://3com.example/", "3com.example", 80, b"/"),
    ],
)
def test_public_addresses_are_taken_apart(url: str, host: str, port: int, path: bytes) -> None:
    target = check_literal(url, GUARDED)
    assert (target.host, target.port, target.path) == (host, port, path)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://example.org/", "example.org"),
        ("http://example.org:80/", "example.org"),
        ("https://example.org:80/", "example.org:80"),
        ("http://[2606:4700::1111]/", "[2606:4700::1111]"),
        ("http://[2606:4700::1111]:8080/", "[2606:4700::1111]:8080"),
    ],
)
def test_the_host_header_names_the_port_where_it_is_not_the_usual_one(url: str, authority: str) -> None:
    assert parse(url).authority == authority


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://localhost/", "http://[::1]/", "http://10.0.0.1/", "http://100.64.1.1/"]
)
def test_allow_private_opens_loopback_and_private_ranges(url: str) -> None:
    check_literal(url, PRIVATE)


@pytest.mark.parametrize("url", ["http://240.0.0.1/", "http://192.0.2.1/", "http://[2001:db8::1]/"])
def test_allow_private_does_not_open_reserved_ranges(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_literal(url, PRIVATE)


def test_an_allowed_network_opens_its_addresses_and_no_others() -> None:
    policy = Policy(("10.1.0.0/16", "fd12::/16", "192.0.2.7"))
    for url in ("http://10.1.2.3/", "http://[::ffff:10.1.2.3]/", "http://[fd12::1]/", "http://192.0.2.7/"):
        check_literal(url, policy)
    for url in ("http://10.2.0.1/", "http://192.0.2.8/", "http://127.0.0.1/"):
        with pytest.raises(AddressRefused):
            check_literal(url, policy)


def test_an_allowed_name_opens_itself_wherever_it_leads_but_not_to_metadata() -> None:
    policy = Policy(("Hooks.Internal.",))
    check_address(IPv4Address("10.9.9.9"), policy, "hooks.internal")
    with pytest.raises(AddressRefused):
        check_address(IPv4Address("10.9.9.9"), policy, "other.internal")
    with pytest.raises(AddressRefused):
        check_address(IPv4Address("169.254.169.254"), policy, "hooks.internal")


@pytest.mark.parametrize("entry", ["", "10.0.0.0/33", "http://example.org", "a b", "1.2.3", "*"])
def test_an_entry_that_is_neither_network_nor_name_is_an_error(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a network"):
        Policy((entry,))


def test_a_refusal_does_not_tell_what_a_name_resolves_to() -> None:
    with pytest.raises(AddressRefused) as refused:
        check_address(IPv4Address("10.20.30.40"), GUARDED, "hooks.example.org")
    assert "10.20.30.40" not in str(refused.value)
    assert str(refused.value).startswith("hooks.example.org leads to a private address")


@given(st.ip_addresses(v=4))
def test_every_ipv4_address_is_judged_alike_inside_ipv6_and_in_old_spellings(address: IPv4Address) -> None:
    def open_to(host: str) -> bool:
        try:
            check_literal(f"http://{host}/", GUARDED)
        except AddressRefused:
            return False
        return True

    a, b, c, d = address.packed
    plain = open_to(str(address))
    others = [
        f"[::ffff:{address}]",
        f"[64:ff9b::{address}]",
        f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1]",
        str(int(address)),
        hex(int(address)),
        f"{a:#x}.0{b:o}.{c << 8 | d}",
    ]
    assert [open_to(host) for host in others] == [plain] * len(others)


@given(st.ip_addresses())
def test_what_is_open_is_global(address: IPv4Address | IPv6Address) -> None:
    try:
        check_address(address, GUARDED, "example.org")
    except AddressRefused:
        return
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    nat64 = int(address) >> 32 == int(ip_address("64:ff9b::")) >> 32
    assert nat64 or (inner or address).is_global


hosts = st.text(st.sampled_from("aZ0189x.-_:[]%@/\\?#é。１\0 "), max_size=12)


@given(st.one_of(st.text(max_size=30), hosts.map("http://{}".format), hosts.map("https://u:p@{}:1/".format)))
def test_any_text_is_either_a_target_or_refused(text: str) -> None:
    try:
        target = check_literal(text, GUARDED)
    except AddressRefused:
        return
    assert target.host.isascii()
    assert not set(target.host) & set("/\\@%[] \0")
    assert target.path.startswith(b"/")
    assert 0 < target.port < 65536
