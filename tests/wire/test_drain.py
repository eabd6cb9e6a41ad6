"""Answers to requests whose body nobody has read."""

from __future__ import annotations

import json
import socket
import urllib.request
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from filmgate.http.drain import Drain
from filmgate.http.front import Front

from .answers import raw
from .conftest import World, serve

PATH = "/api/v1/veo/generate"
LARGE = b"x" * (6 * 1024 * 1024)


@pytest.mark.parametrize(("key", "path", "code"), [("", PATH, 401), (None, PATH, 413), (None, "/api/nothing", 404)])
def test_a_client_that_sends_everything_first_gets_its_answer(
    world: World, key: str | None, path: str, code: int
) -> None:
    authorization = f"Bearer {world.key if key is None else key}"
    request = urllib.request.Request(world.url + path, LARGE, {"Authorization": authorization})
    with urllib.request.urlopen(request, timeout=20) as answer:  # it asks for the connection to be closed
        assert json.load(answer)["code"] == code


def test_so_does_one_that_sends_in_chunks(world: World) -> None:
    place = urlsplit(world.url)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=20)
    pieces = (LARGE[:65536] for _ in range(96))
    connection.request("POST", PATH, pieces, {"Connection": "close"}, encode_chunked=False)
    assert json.load(connection.getresponse())["code"] == 401
    connection.close()


def test_the_connection_can_be_used_again(world: World) -> None:
    place = urlsplit(world.url)
    connection = HTTPConnection(str(place.hostname), place.port, timeout=20)
    for _ in range(2):
        connection.request("POST", PATH, LARGE)
        assert json.load(connection.getresponse())["code"] == 401
    connection.close()


def test_a_client_that_waits_to_be_asked_for_its_body_is_refused_at_once(world: World) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n"
    status, _, body = raw(world.url, head.encode())
    assert (status, json.loads(body)["code"]) == (200, 401)


def test_a_body_beyond_the_limit_is_not_waited_for(world: World) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**12}\r\n\r\n"
    status, _, body = raw(world.url, head.encode())
    assert (status, json.loads(body)["code"]) == (200, 401)


@pytest.mark.parametrize(("most", "seconds", "sent"), [(10**6, 0.05, b"a"), (10, 30, b"14\r\n" + b"a" * 20 + b"\r\n")])
def test_no_client_is_waited_for_beyond_the_limits(most: int, seconds: float, sent: bytes) -> None:
    async def refuse(request: Request) -> Response:
        return PlainTextResponse("no")

    async def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse(str(error))

    routes = [Route("/", refuse, methods=["POST"])]
    limited = Middleware(Front, answer=answer, new_id=lambda: "1", drain=Drain(most, seconds))
    url, stop = serve(Starlette(routes=routes, middleware=[limited]))
    framing = "Content-Length: 100" if sent == b"a" else "Transfer-Encoding: chunked"
    status, _, body = raw(url, f"POST / HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode() + sent)
    stop()
    assert (status, body) == (200, b"no")


def test_a_client_that_leaves_in_mid_body_disturbs_nobody(world: World) -> None:
    place = urlsplit(world.url)
    with socket.create_connection((str(place.hostname), place.port or 0)) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc".encode())
    status, _, _ = raw(world.url, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status == 200
