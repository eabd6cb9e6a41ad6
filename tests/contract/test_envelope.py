"""C1 to C6: the envelope and authentication."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.server import KEY, TRIAL, Server, serving

ASKS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/v1/veo/generate", {"json": {"prompt": "a dog", "duration": 4}}),
    ("POST", "/api/v1/veo/generate", {"json": {}}),
    ("GET", "/api/v1/veo/record-info?taskId=unknown", {}),
    ("GET", "/api/v1/veo/get-1080p-video?taskId=unknown", {}),
    ("POST", "/api/v1/veo/get-4k-video", {"json": {}}),
    ("POST", "/api/v1/veo/extend", {"json": {}}),
    ("POST", "/api/v1/jobs/createTask", {"json": {}}),
    ("GET", "/api/v1/jobs/recordInfo?taskId=unknown", {}),
    ("GET", "/api/v1/chat/credit", {}),
    ("GET", "/api/v1/common/credit", {}),
    ("POST", "/api/v1/common/download-url", {"json": {"url": "x"}}),
    ("POST", "/api/file-base64-upload", {"json": {}}),
    ("POST", "/api/file-url-upload", {"json": {}}),
    ("POST", "/api/file-stream-upload", {}),
    ("GET", "/api/v1/nothing/here", {}),
]


@pytest.mark.statement(1)
@pytest.mark.parametrize(("method", "path", "body"), ASKS, ids=[f"{m} {p}" for m, p, _ in ASKS])
def test_every_answer_is_an_envelope(server: Server, method: str, path: str, body: dict[str, Any]) -> None:
    answer = server.http.request(method, path, **body)
    assert answer.headers["content-type"].startswith("application/json")
    envelope = answer.json()
    assert isinstance(envelope["code"], int)
    assert isinstance(envelope["msg"], str)
    assert "data" in envelope


@pytest.mark.statement(2)
def test_without_a_key(server: Server) -> None:
    for path in ("/api/v1/veo/record-info?taskId=x", "/api/v1/chat/credit", "/api/v1/jobs/recordInfo?taskId=x"):
        answer = httpx2.get(server.url + path)
        assert answer.status_code == 200
        assert answer.json()["code"] == 401
        assert answer.json()["data"] is None


@pytest.mark.statement(3)
@pytest.mark.parametrize("header", [f"Basic {KEY}", "Bearer wrong", f"Token {KEY}", "Bearer"])
def test_with_a_wrong_key(server: Server, header: str) -> None:
    answer = httpx2.get(f"{server.url}/api/v1/veo/record-info?taskId=x", headers={"Authorization": header}).json()
    assert answer["code"] == 401
    assert "access permissions" in answer["msg"]


@pytest.mark.statement(4)
def test_mirror_mode(tmp_path: Path) -> None:
    """401, 402, 422 and 429 here, and 455 where maintenance is tested."""
    dear = TRIAL.replace('"trial"', '"trial"\nprices = { 4k = 1000000 }')  # all that the first account has
    with serving(
        tmp_path / "data",
        "--no-worker",
        toml=dear,
        ready=False,
        FILMGATE_EDITION__HTTP_STATUS="mirror",
        FILMGATE_LIMITS__CREATES_PER_10S="1",
    ) as mirror:
        refused = httpx2.get(f"{mirror.url}/api/v1/veo/record-info?taskId=x")
        assert refused.status_code == refused.json()["code"] == 401
        invalid = mirror.http.post("/api/v1/veo/generate", json={"prompt": ""})
        assert invalid.status_code == invalid.json()["code"] == 422
        taken = mirror.http.post("/api/v1/veo/generate", json={"prompt": "a dog"})
        assert taken.status_code == taken.json()["code"] == 200
        too_dear = mirror.http.post("/api/v1/veo/generate", json={"prompt": "a dog", "resolution": "4k"})
        assert too_dear.status_code == too_dear.json()["code"] == 402
        too_early = mirror.http.post("/api/v1/veo/generate", json={"prompt": "a dog"})
        assert too_early.status_code == too_early.json()["code"] == 429
        assert 1 <= int(too_early.headers["retry-after"]) <= 10


@pytest.mark.statement(5)
@pytest.mark.parametrize("path", ["/api/v1/veo/nothing", "/api/nothing", "/api/v2/veo/generate", "/api/"])
def test_an_unknown_path(server: Server, path: str) -> None:
    answer = server.http.get(path)
    assert answer.status_code == 200
    assert answer.json()["code"] == 404
    assert answer.json()["data"] is None


@pytest.mark.statement(6)
@pytest.mark.parametrize("body", [b"", b"{", b"[1, 2]", b"\xff\xfe", b'{"prompt": }', b"null", b"[" * 5000])
@pytest.mark.parametrize("path", ["/api/v1/veo/generate", "/api/v1/veo/extend", "/api/v1/jobs/createTask"])
def test_a_malformed_body(server: Server, path: str, body: bytes) -> None:
    answer = server.http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500
    assert answer.json()["code"] in (400, 422)
    assert "Traceback" not in answer.text
