"""Requests that are refused before any route sees them."""

from __future__ import annotations

import json
import logging
import socket
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from .answers import raw
from .conftest import World

POST = b"POST /api/v1/veo/generate HTTP/1.1\r\nHost: localhost\r\n"
GET = b"GET /api/v1/veo/record-info HTTP/1.1\r\nHost: localhost\r\n"

BROKEN = {
    "a length that is no number": POST + b"Content-Length: many\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length beside chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown method": b"BREW /api/v1/veo/generate HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a space in the address": b"GET /api/v1/veo/a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a NUL in the address": b"GET /api/v1/\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a NUL in a header": GET + b"X-Name: a\0b\r\n\r\n",
    "a header without a colon": GET + b"nonsense\r\n\r\n",
    "a character beyond ASCII in the address": "GET /api/v1/é HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a chunk that is none": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("request_bytes", BROKEN.values(), ids=BROKEN)
def test_what_is_no_request_gets_an_envelope(world: World, request_bytes: bytes) -> None:
    status, headers, body = raw(world.url, request_bytes)
    told = json.loads(body)
    assert status == 400
    assert headers["content-type"] == "application/json;charset=UTF-8"
    assert headers["connection"] == "close"
    assert (told["code"], told["data"]) == (400, None)
    assert "not a request" in told["msg"]


def test_nothing_is_written_into_an_answer_that_is_under_way(world: World) -> None:
    film = world.folder / "media" / "long.mp4"
    film.parent.mkdir(exist_ok=True)
    film.write_bytes(b"f" * 8_000_000)
    link = world.links.link("", "long.mp4", world.clock.now_ms() + 1_000_000, "long.mp4")
    place = urlsplit(world.url)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as connection:
        connection.sendall(f"GET {link} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        got = connection.recv(1000)
        connection.sendall(b"nonsense\r\n\r\n")
        while piece := connection.recv(1_000_000):
            got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert set(body) <= set(b"f")


def test_a_client_that_sends_its_body_first_gets_the_refusal(world: World) -> None:
    place = urlsplit(world.url)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=10)
    connection.putrequest("POST", "/api/v1/veo/generate")
    connection.putheader("Content-Length", "3000000")
    connection.putheader("Content-Length", "3000001")
    connection.endheaders()
    for _ in range(30):
        connection.send(b"x" * 100_000)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (400, 400)
    connection.close()


def test_a_refusal_is_not_taken_for_the_answer_to_the_request_before(world: World) -> None:
    place = urlsplit(world.url)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as connection:
        connection.sendall(GET + b"\r\n" + b"nonsense\r\n\r\n")
        assert b"400" not in connection.recv(1000).partition(b"\r\n")[0]


def test_a_body_that_breaks_off_in_nonsense_is_no_crash(world: World, caplog: pytest.LogCaptureFixture) -> None:
    head = POST + f"Authorization: Bearer {world.key}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    place = urlsplit(world.url)
    with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as connection:
        connection.sendall(head + b"1\r\n{\r\n")
        connection.sendall(b"zz\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")
    assert raw(world.url, GET + b"\r\n")[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_asking_for_a_web_socket_is_answered_and_not_worth_a_warning(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with caplog.at_level(logging.WARNING):
        status, _, body = raw(world.url, GET + upgrade)
    assert (status, json.loads(body)["code"]) == (200, 401)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")] == []
