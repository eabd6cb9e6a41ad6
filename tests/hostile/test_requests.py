"""Clients that mean harm, byte by byte, against a running server: hidden requests, floods, and endless patience."""

from __future__ import annotations

import json
import re
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from filmgate.http.protocol import MAX_FIELDS, MAX_HEAD, MAX_URL, MAX_WAITING
from support.server import KEY, Server, serving, until

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = f"POST /api/v1/veo/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n".encode()
LENGTH = b"Content-Length: %d\r\n" % len(HIDDEN)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    short: dict[str, Any] = {f"FILMGATE_SERVER__{what}_TIMEOUT_S": "1" for what in ("HEAD", "BODY", "ANSWER")}
    data = tmp_path_factory.mktemp("requests") / "data"
    with serving(data, **short) as made:
        yield made


def connect(server: Server, receive_buffer: int | None = None) -> socket.socket:
    place = urlsplit(server.url)
    connection = socket.socket()
    connection.settimeout(20)
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect((str(place.hostname), place.port or 0))
    return connection


def rest(connection: socket.socket) -> bytes:
    """Everything until the server closes, gently or not."""
    got = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            got += part
    return got


def said(server: Server, *pieces: bytes) -> bytes:
    with connect(server) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return rest(connection)


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


# ------------------------------------------------------------ hidden requests -----------------------------------------

SMUGGLED = {
    "a length and chunks": POST + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\n" + LENGTH + b"\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": POST + b"Content-Length: 0\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "two lengths in one": POST + b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a length with a sign": POST + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "a length in hex": POST + b"Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "a length with a blank in it": POST + b"Content-Length: 0 0\r\n\r\n" + HIDDEN,
    "an empty length": POST + b"Content-Length: \r\n\r\n" + HIDDEN,
    "a length of 2**64": POST + b"Content-Length: 18446744073709551616\r\n\r\n" + HIDDEN,
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a coding before chunks": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks, but not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "identity before chunks": POST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a quoted coding": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n' + HIDDEN,
    "a coding after a control sign": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a tab before the colon": POST + b"Content-Length\t: 0\r\n\r\n" + HIDDEN,
    "a folded field": POST + b"Content-Length:\r\n 0\r\n\r\n" + HIDDEN,
    "a folded coding": POST + b"Transfer-Encoding: gzip,\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a field that begins with a space": POST + b" Content-Length: 0\r\n\r\n" + HIDDEN,
    "a lone LF after a field": POST + b"X: y\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a lone CR in a field": POST + b"X: y\rContent-Length: 0\r\n\r\n" + HIDDEN,
    "lone LFs around the body": POST[:-2] + b"\nContent-Length: 0\n\n" + HIDDEN,
    "a NUL in a field": POST + b"X: \0\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "chunks in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a chunk size with a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n" + HIDDEN,
    "a chunk size in 0x": POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + HIDDEN,
    "a chunk size beyond 64 bits": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + HIDDEN,
    "a chunk longer than it says": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + HIDDEN,
    "a chunk line that ends in LF": POST + b"Transfer-Encoding: chunked\r\n\r\n0\n\r\n" + HIDDEN,
    "a chunk that ends in LF": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n" + HIDDEN,
    "an extension with a lone LF": POST + b"Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n" + HIDDEN,
    "no Host": b"GET /healthz HTTP/1.1\r\n\r\n" + HIDDEN,
    "two Hosts": b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + HIDDEN,
    "an address without a slash": b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "a tunnel": b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "HTTP/2 in the open": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "HTTP/0.9": b"GET /healthz\r\n\r\n" + HIDDEN,
    "another version": b"GET /healthz HTTP/1.9\r\nHost: x\r\n\r\n" + HIDDEN,
}


@pytest.fixture(scope="module")
def told(server: Server) -> dict[str, bytes]:
    """What the server says to each, all at the same time: a refused connection stays open for a second."""
    with ThreadPoolExecutor(len(SMUGGLED)) as pool:
        answers = pool.map(lambda attack: said(server, attack), SMUGGLED.values())
        return dict(zip(SMUGGLED, answers, strict=True))


@pytest.mark.parametrize("attack", SMUGGLED)
def test_no_request_hides_in_another(told: dict[str, bytes], attack: str) -> None:
    """One refusal, and the connection is closed: what stands behind is never read as a request."""
    answers = told[attack]
    assert statuses(answers) == [400]
    assert b"\r\nconnection: close\r\n" in answers


def test_a_request_in_a_body_stays_in_the_body(server: Server) -> None:
    """And the next answer on the connection is that of the next request of the same client."""
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    chunk = b"%x;name=value\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
    for attack in (POST + LENGTH + b"\r\n" + HIDDEN, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk):
        answers = said(server, attack + last)
        assert statuses(answers) == [200, 404]
        assert b'"code":400' in answers  # the body is no JSON: it was read as a body


def test_a_body_that_nobody_reads_is_not_the_next_request(server: Server) -> None:
    refused = POST.replace(KEY.encode(), b"wrong") + LENGTH + b"\r\n" + HIDDEN
    answers = said(server, refused + b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert statuses(answers) == [200, 404]
    assert b'"code":401' in answers


def test_fields_behind_the_last_chunk_are_passed_over(server: Server) -> None:
    """They come behind what a proxy has checked, so they must not pass for its fields, or for a key."""
    without_key = b"POST /api/v1/veo/generate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailer = f"0\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()
    last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = said(server, without_key + b'e\r\n{"prompt":"x"}\r\n' + trailer + last)
    assert statuses(answers) == [200, 404]
    assert b'"code":401' in answers


# ------------------------------------------------------------ too much ------------------------------------------------

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"

TOO_MUCH = {
    "an address": (b"GET /" + b"a" * MAX_URL + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "an address without end": (b"GET /" + b"a" * 10_000_000, 414),
    "fields": (GET + b"X: y\r\n" * MAX_FIELDS + b"\r\n", 431),
    "a field": (GET + b"X: " + b"y" * MAX_HEAD + b"\r\n\r\n", 431),
    "a field without end": (GET + b"X: " + b"y" * 10_000_000, 431),
    "a name without end": (GET + b"X" * 10_000_000, 431),
    "fields behind the chunks": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * (MAX_FIELDS + 1) + b"\r\n",
        431,
    ),
    "an extension of a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 10_000_000, 431),
    "line ends before a request": (b"\r\n" * 5_000_000, 431),
}


@pytest.mark.parametrize(("attack", "status"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_head_is_bounded(server: Server, attack: bytes, status: int) -> None:
    with connect(server) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it is refused before it is through
            connection.sendall(attack)
        answer = rest(connection)
    assert statuses(answer) in ([status], [])  # none where the end of the connection overtook it
    assert b"HTTP/1.1 200" not in answer
    assert server.http.get("/healthz").status_code == 200


def test_just_as_much_as_is_allowed(server: Server) -> None:
    fields = b"X: y\r\n" * (MAX_FIELDS - 3) + b"Y: " + b"z" * 60_000 + b"\r\n"
    assert statuses(said(server, GET + fields + b"\r\n")) == [200]


def test_requests_that_nobody_waits_for_end_the_connection(server: Server) -> None:
    answers = said(server, HIDDEN * 20_000)
    assert len(statuses(answers)) <= MAX_WAITING + 1


def test_as_many_requests_in_a_row_as_clients_send(server: Server) -> None:
    answers = said(server, HIDDEN * (MAX_WAITING // 2) + GET + b"\r\n")
    assert statuses(answers) == [200] * (MAX_WAITING // 2 + 1)


def test_a_body_is_capped_while_it_comes_whatever_it_announces(server: Server) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answers = said(
        server, POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 20 + b"0\r\n\r\n"
    )
    assert b'"code":413' in answers
    announced = said(server, POST + b"Connection: close\r\nContent-Length: 99999999999\r\n\r\n{")
    assert b'"code":413' in announced


@pytest.mark.parametrize("path", ["/api/v1/veo/generate", "/api/file-base64-upload", "/api/file-stream-upload"])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate, gzip"])
def test_compressed_bodies_are_not_taken(server: Server, path: str, coding: str) -> None:
    """Nothing is unpacked, so nothing can unpack to more than it was."""
    headers = {"Content-Encoding": coding, "Content-Type": "multipart/form-data; boundary=x"}
    answer = server.http.post(path, content=b"\x1f\x8b" + b"\0" * 100, headers=headers)
    assert answer.json()["code"] == 400
    assert "Content-Encoding" in answer.json()["msg"]


# ------------------------------------------------------------ too slow ------------------------------------------------


def test_a_head_that_drips_is_not_waited_for(server: Server) -> None:
    with connect(server) as connection:
        try:
            for byte in GET:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        except (BrokenPipeError, ConnectionResetError):
            return
        assert statuses(rest(connection)) == [408]


def test_a_body_that_drips_is_not_waited_for(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(POST + b"Content-Length: 500\r\n\r\n")
        try:
            for _ in range(500):
                connection.sendall(b" ")
                time.sleep(0.05)
        except (BrokenPipeError, ConnectionResetError):
            return
        assert statuses(rest(connection)) == [408]


def test_a_body_is_asked_for_where_the_client_waits_for_that(server: Server) -> None:
    head = b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 14\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(POST + head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"prompt":"x"}')
        assert b'"code":200' in rest(connection)
    refused = said(server, POST.replace(KEY.encode(), b"wrong") + head)
    assert b"100 Continue" not in refused
    assert b'"code":401' in refused


def test_a_client_that_waits_for_ever_to_send_its_body_is_let_go(server: Server) -> None:
    answers = said(server, POST + b"Expect: 100-continue\r\nContent-Length: 14\r\n\r\n")
    assert answers.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 ")


def _large_link(server: Server) -> str:
    """An upload of 30 MB: more than the buffers of two sockets hold."""
    files = {"file": ("large.bin", b"\x89PNG\r\n\x1a\n" + b"\0" * 30_000_000)}
    answer = server.http.post("/api/file-stream-upload", files=files).json()
    return str(urlsplit(answer["data"]["downloadUrl"]).path)


def _connections(server: Server) -> int:
    """Sockets that the server's processes have open to clients."""
    port = urlsplit(server.url).port
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening, remembered = "0A", "06"
    return sum(line[1].endswith(f":{port:04X}") and line[3] not in (listening, remembered) for line in lines)


def test_who_never_reads_the_answer_is_let_go(server: Server) -> None:
    """Also where the connection is to be closed after it, and nothing but the rest of the answer keeps it."""
    link = _large_link(server)
    server.http.close()
    server.__post_init__()
    until(lambda: _connections(server) == 0, "no connection is left")
    ask = f"GET {link} HTTP/1.1\r\nHost: x\r\n"
    with connect(server, 4096) as still, connect(server, 4096) as ending:
        still.sendall(f"{ask}\r\n".encode())
        ending.sendall(f"{ask}Connection: close\r\n\r\n".encode())
        until(lambda: _connections(server) == 2, "both are being served", 10)
        until(lambda: _connections(server) == 0, "both are let go", 30)


def test_who_reads_by_the_byte_is_let_go(server: Server) -> None:
    link = _large_link(server)
    server.http.close()
    server.__post_init__()
    with connect(server, 4096) as connection:
        connection.sendall(f"GET {link} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: connection.recv(10) and _connections(server) == 0, "it is let go", 30)


def test_who_reads_slowly_but_steadily_gets_it_all(server: Server) -> None:
    files = {"file": ("some.bin", b"\x89PNG\r\n\x1a\n" + b"\0" * 1_000_000)}
    answer = server.http.post("/api/file-stream-upload", files=files).json()
    link = urlsplit(answer["data"]["downloadUrl"]).path
    got = 0
    with connect(server, 4096) as connection:
        connection.sendall(f"GET {link} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        while part := connection.recv(30_000):
            got += len(part)
            time.sleep(0.01)
    assert got > 1_000_000


def test_idle_connections_are_closed_and_hold_up_nobody(server: Server) -> None:
    idle = [connect(server) for _ in range(200)]
    try:
        for connection in idle[:100]:
            connection.sendall(HIDDEN)
        assert server.http.get("/healthz").status_code == 200
        assert all(statuses(rest(connection)) == [200] for connection in idle[:100])
        assert all(rest(connection) == b"" for connection in idle[100:])
    finally:
        for connection in idle:
            connection.close()


def test_clients_that_vanish_in_mid_request_disturb_nobody(server: Server) -> None:
    reset = struct.pack("ii", 1, 0)  # close with a reset
    for sent in (b"", GET[:10], POST + b"Content-Length: 9\r\n\r\n{", GET + b"\r\n"):
        for _ in range(20):
            connection = connect(server)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            connection.sendall(sent)
            connection.close()
    assert json.loads(server.http.post("/api/v1/veo/generate", json={}).content)["code"] == 422
    assert not any("Traceback" in line or " ERROR " in line for line in server.log)
