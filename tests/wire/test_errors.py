"""Whatever is asked, and whatever breaks: every answer is one that its dialect knows."""

from __future__ import annotations

import asyncio
import logging

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message

from filmgate.http import health
from filmgate.http.body import read_body
from filmgate.http.errors import application

from .answers import enveloped
from .conftest import CRASH_LOG_ID, World


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1/veo/nothing", "/api/v1/veo/generate/", "/api/v9/veo/generate", "/api/%00/%2e%2e"]
)
def test_an_unknown_path_below_api_is_enveloped(client: httpx2.Client, method: str, path: str) -> None:
    assert enveloped(client.request(method, path), 404, "nothing at this address") is None


@pytest.mark.parametrize("path", ["/", "/apis", "/favicon.ico", "/f/1/2", "/F/1/2/3/4"])
def test_an_unknown_path_elsewhere_is_a_plain_404(client: httpx2.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/veo/generate", {"POST"}),
        ("PUT", "/api/v1/veo/generate", {"POST"}),
        ("POST", "/api/v1/veo/record-info", {"GET", "HEAD"}),
        ("DELETE", "/api/v1/veo/record-info", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_enveloped(client: httpx2.Client, method: str, path: str, allowed: set[str]) -> None:
    answer = client.request(method, path)
    enveloped(answer, 405, "method")
    assert set(answer.headers["allow"].split(", ")) == allowed


def test_a_crash_is_told_by_its_log_id_alone(
    client: httpx2.Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/v1/crash")
    enveloped(answer, 500, CRASH_LOG_ID, status=500)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    [entry] = [record for record in caplog.records if CRASH_LOG_ID in record.getMessage()]
    assert entry.exc_info is not None
    assert "the secret of the crash" in str(entry.exc_info[1])


def test_a_crash_outside_the_dialects_tells_no_more(client: httpx2.Client) -> None:
    answer = client.get("/crash")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_an_answer_that_breaks_off_is_seen_to_be_broken_off(client: httpx2.Client) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get("/crash-midway")
    assert client.get("/healthz").status_code == 200


MIRRORED = [
    ("POST", "/api/v1/veo/generate", b"{}", 422),
    ("POST", "/api/v1/veo/generate", b"{", 400),
    ("POST", "/api/v1/veo/generate", b"x" * 1_100_000, 413),
    ("GET", "/api/v1/veo/record-info?taskId=1", b"", 422),
    ("GET", "/api/v1/veo/nothing", b"", 404),
    ("POST", "/api", b"{}", 404),
    ("GET", "/api/v1/veo/generate", b"", 405),
]


@pytest.mark.parametrize(("method", "path", "body", "code"), MIRRORED)
def test_a_mirror_says_in_http_what_the_envelope_says(
    world: World, method: str, path: str, body: bytes, code: int
) -> None:
    with world.client(world.new_key(edition={"http_status": "mirror"})) as client:
        enveloped(client.request(method, path, content=body), code, status=code)


def test_where_no_key_is_known_the_server_s_edition_speaks(world: World) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "nonsense"}):
        enveloped(httpx2.get(f"{world.url}/api/v1/veo/nothing", headers=headers), 404)


def test_a_mirror_says_402_where_credits_are_missing(world: World) -> None:
    world.new_account("broke", credits=0)
    with world.client(world.new_key("broke", {"http_status": "mirror"})) as client:
        enveloped(client.post("/api/v1/veo/generate", json={"prompt": "a"}), 402, status=402)


def test_health(world: World, client: httpx2.Client) -> None:
    enveloped(client.get("/healthz"), 200, "ok")
    enveloped(client.get("/readyz"), 200, "ready")
    world.not_ready = "The storyboard engine is still loading."
    enveloped(client.get("/readyz"), 503, "still loading", status=503)
    enveloped(client.get("/healthz"), 200, "ok")
    world.not_ready = None


def test_a_part_that_does_not_answer_makes_the_server_unready(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> str | None:
        raise OSError("the database is on fire")

    app = application(health.routes(broken), renders={}, new_id=lambda: CRASH_LOG_ID)
    answer = TestClient(app).get("/readyz")
    enveloped(answer, 503, "does not answer", status=503)
    assert "on fire" in caplog.text


def test_a_client_that_leaves_in_mid_body_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    async def reading(request: Request) -> Response:
        return Response(await read_body(request))

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    app = application([Route("/", reading, methods=["POST"])], renders={}, new_id=lambda: CRASH_LOG_ID)
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(app(scope, gone, send))
    assert sent == []
    assert CRASH_LOG_ID not in caplog.text
