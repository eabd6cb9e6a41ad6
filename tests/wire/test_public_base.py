"""The base of links: as configured, as addressed, as a trusted proxy says."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network

import pytest
from starlette.requests import Request

from filmgate.domain.errors import MalformedRequest
from filmgate.http.public import public_base

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
FORWARDED = {"host": "inner:8000", "x-forwarded-proto": "https", "x-forwarded-host": "films.example.org"}


def request(headers: Mapping[str, str], peer: str | None = "203.0.113.9") -> Request:
    return Request(
        {
            "type": "http",
            "method": "POST",
            "scheme": "http",
            "path": "/api/v1/veo/generate",
            "query_string": b"",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
            "server": ("127.0.0.1", 8000),
            "client": (peer, 5000) if peer else None,
        }
    )


def base(headers: Mapping[str, str], peer: str | None = "203.0.113.9", configured: str | None = None) -> str:
    return public_base(request(headers, peer), configured, PROXIES)


def test_what_is_configured_is_used_whatever_the_request_says() -> None:
    assert base({"host": "a b"}, configured="https://films.example.org/") == "https://films.example.org"


@pytest.mark.parametrize(
    "host",
    [
        "films.example.org",
        "localhost:8000",
        "127.0.0.1:1",
        "[::1]:8000",
        "my_box",
        "X.example",
        "a:65535",
        "[2001:db8::7]",
    ],
)
def test_the_host_that_was_addressed(host: str) -> None:
    assert base({"host": host}) == f"http://{host}"


@pytest.mark.parametrize("peer", ["10.1.2.3", "fd00::7"])
def test_a_trusted_proxy_is_believed(peer: str) -> None:
    assert base(FORWARDED, peer) == "https://films.example.org"


@pytest.mark.parametrize("peer", ["203.0.113.9", "::1", "a unix socket", None])
def test_nobody_else_is_believed(peer: str | None) -> None:
    assert base(FORWARDED, peer) == "http://inner:8000"


def test_of_several_values_the_nearest_proxy_s_counts() -> None:
    chained = {"host": "inner", "x-forwarded-proto": "http, HTTPS", "x-forwarded-host": "evil.example, films.example"}
    assert base(chained, "10.0.0.1") == "https://films.example"


def test_a_proxy_that_says_nothing_leaves_the_request_as_it_is() -> None:
    assert base({"host": "inner"}, "10.0.0.1") == "http://inner"


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "a b",
        "a/b",
        "a?b",
        "a#b",
        "u@a",
        "a:",
        "a:b",
        "a:123456",
        "a:0",
        "a:65536",
        "a:99999",
        "a..b",
        ".a",
        "a.",
        "a.:80",
        "a-.b",
        "a.-b",
        "256.1.1.1",
        "1.2.3",
        "[1.2.3.4]",
        "[::g]",
        "[fe80::1%25eth0]",
        "[]",
        "[::1]8000",
        "a" * 64 + ".example",
        "a\\b",
        '"a"',
        "[::1",
        "::1",
        "-a",
        "a\n",
        "ä.example",
        "x" * 300,
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(MalformedRequest, match="Host"):
        base({"host": host})


def test_not_even_a_trusted_proxy_may_name_what_is_no_host() -> None:
    with pytest.raises(MalformedRequest):
        base({**FORWARDED, "x-forwarded-host": "evil.example/path"}, "10.0.0.1")


@pytest.mark.parametrize("scheme", ["javascript", "ftp", "https:"])
def test_what_is_no_scheme_is_refused(scheme: str) -> None:
    with pytest.raises(MalformedRequest):
        base({**FORWARDED, "x-forwarded-proto": scheme}, "10.0.0.1")
