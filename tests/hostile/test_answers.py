"""What a browser is told about every answer, also about those that no route gives; and who may read them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from filmgate.http.shield import SHIELD
from support.browser import browsing
from support.server import Server, serving, until

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("answers") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def film(server: Server) -> str:
    return str(urlsplit(server.ended(server.create("a dog", duration=4))["response"]["resultUrls"][0]).path)


def check(headers: httpx2.Headers) -> str:
    """The policy for content, once everything that is the same everywhere is there, once."""
    assert {name: headers[name] for name in EVERYWHERE} == EVERYWHERE
    for name in SHIELD:
        assert len(headers.get_list(name.decode())) == 1, name
    assert "server" not in headers
    assert not any(name.startswith("access-control-") for name in headers)
    policy: str = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    return policy


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/veo/generate"),
        ("GET", "/api/v1/veo/record-info"),
        ("GET", "/api/v1/chat/credit"),
        ("GET", "/api/v1/nowhere"),
        ("DELETE", "/api/v1/veo/generate"),
        ("OPTIONS", "/api/v1/veo/generate"),
        ("POST", "/api/file-base64-upload"),
        ("GET", "/api/file-url-upload"),
        ("GET", "/nowhere"),
        ("GET", "/"),
        ("GET", "/f/1/x/y/z.mp4"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/%ff%00"),
    ],
)
def test_answers_run_nothing_and_are_kept_by_nobody(server: Server, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Origin": "https://evil.example"}):
        answer = server.http.request(method, path, headers=headers)
        assert "sandbox" in check(answer.headers)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_pages_run_their_own_scripts_and_load_from_nowhere_else(server: Server) -> None:
    for path in ("/docs", "/docs/quickstart", "/docs/openapi", "/docs/static/style.css", "/docs/quickstart.md"):
        policy = check(server.http.get(path).headers)
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "sandbox" not in policy


def test_films_may_be_shown_elsewhere_and_run_nothing(server: Server, film: str) -> None:
    first = server.http.get(film)
    again = server.http.get(film, headers={"If-None-Match": first.headers["etag"]})
    part = server.http.get(film, headers={"Range": "bytes=0-9"})
    beyond = server.http.get(film, headers={"Range": "bytes=999999999-"})
    assert [each.status_code for each in (first, again, part, beyond)] == [200, 304, 206, 416]
    for answer in (first, again, part, beyond):
        assert "script" not in check(answer.headers)
        assert answer.headers["cache-control"] == "private"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert first.headers["content-disposition"] == "inline"


def test_a_browser_plays_a_film_that_is_opened_in_it(server: Server, film: str, tmp_path: Path) -> None:
    with browsing(tmp_path / "profile") as browser:
        browser.call("Page.navigate", url=server.url + film)
        until(lambda: browser.run("document.querySelector('video')?.videoWidth") == 1280, "the film is shown", 20)
        assert browser.said("Log.entryAdded") == []


RUNS = {
    "page.html": b"<!DOCTYPE html><script>alert(document.domain)</script>",
    "picture.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "page.xhtml": b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>",
    "script.js": b"alert(1)",
    "document.pdf": b"%PDF-1.7 <</S/JavaScript/JS(app.alert\\(1\\))>>",
    "film.swf": b"CWS\x0a",
    "animation.gif": b"GIF89a<script>alert(1)</script>",
}


@pytest.mark.parametrize("name", RUNS)
def test_what_would_run_is_only_to_be_saved(server: Server, name: str) -> None:
    """Whatever the name and the type that its sender gives it."""
    files = {"file": (name, RUNS[name], "text/html")}
    sent = server.http.post("/api/file-stream-upload", files=files, data={"fileName": name}).json()["data"]
    link = urlsplit(sent["downloadUrl"]).path
    for path in (link, link.rpartition("/")[0] + "/page.html"):
        answer = server.http.get(path)
        assert answer.content == RUNS[name]
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"] == "attachment"
        assert "sandbox" in check(answer.headers)


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBP"])
def test_a_page_that_begins_like_a_picture_stays_a_picture(server: Server, start: bytes) -> None:
    files = {"file": ("page.html", start + RUNS["page.html"], "text/html")}
    sent = server.http.post("/api/file-stream-upload", files=files).json()["data"]
    answer = server.http.get(urlsplit(sent["downloadUrl"]).path)
    assert answer.headers["content-type"].startswith("image/")
    assert "script" not in check(answer.headers)


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 20_000])
def test_what_no_route_answers_has_them_too(server: Server, sent: bytes) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as connection:
        connection.sendall(sent)
        head = connection.recv(10_000).partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0].split()[1] in ("400", "414")
    check(httpx2.Headers([(line.partition(": ")[0], line.partition(": ")[2]) for line in head[1:]]))


def test_a_browser_lets_no_other_site_ask_with_a_key(server: Server) -> None:
    """The question that a browser asks first is not answered with leave to go on."""
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = server.http.options("/api/v1/veo/generate", headers=asks)
    assert answer.json()["code"] == 405
    check(answer.headers)


def test_a_crash_has_them_too(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False) as server:
        server.cli("config", "show")
        database = tmp_path / "data" / "filmgate.db"
        for file in (database, Path(f"{database}-wal"), Path(f"{database}-shm")):
            if file.exists():
                file.write_bytes(b"no database" * 1000)
        answer = server.http.get("/api/v1/chat/credit")
        assert answer.json()["code"] == 500
        assert "sandbox" in check(answer.headers)
