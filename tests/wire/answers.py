"""Reading answers, and sending requests that no client library would send."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx2


def enveloped(answer: httpx2.Response, code: int, says: str = "", *, status: int = 200) -> Any:
    """``data`` of an answer that must wear the envelope, with this code."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    body = answer.json()
    assert set(body) == {"code", "msg", "data"}
    assert body["code"] == code, body
    assert isinstance(body["msg"], str)
    assert says.lower() in body["msg"].lower()
    return body["data"]


def raw(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of what the server says to these very bytes."""
    place = urlsplit(url)
    assert place.hostname
    assert place.port
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(request)
        return _answer(connection)


def _answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers = {}
        while line := stream.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, stream.read(int(headers["content-length"]))


def raw_code(url: str, request: bytes) -> int:
    """The code in the envelope that comes back; HTTP says 200."""
    status, _, body = raw(url, request)
    assert status == 200, body
    return int(json.loads(body)["code"])
