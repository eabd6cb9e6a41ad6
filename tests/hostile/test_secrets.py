"""Secrets that can be recognised, in every place that takes one; then all that the server says and leaves is searched.

The addresses of callbacks lie in the database: docs/security.md says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from support.receiver import receiving
from support.server import KEY, Server, serving, until

SETTINGS = {
    "FILMGATE_SECRET_KEY": "secret-that-signs-links-0123456789abcdef",
    "FILMGATE_METRICS__TOKEN": "secret-that-opens-the-metrics",
}
WEBHOOKS = {"--vendor": "secret-of-the-vendor-style", "--standard": "whsec_c2VjcmV0LW9mLXN0YW5kYXJkLXdlYmhvb2tz"}
WRONG_KEY = "fg_secret-of-somebody-who-mistyped-it"
IN_A_CALLBACK = "secret-in-the-address-of-a-callback"
IN_AN_IMAGE = "secret-in-the-address-of-an-image"
OPERATORS = {"OPENAI_API_KEY": "secret-of-the-operator", "AWS_SECRET_ACCESS_KEY": "secret-of-the-cloud"}


@dataclass
class Searched:
    """What a server has said and left, by where it was found."""

    answers: list[str] = field(default_factory=list)
    log: str = ""
    command_lines: bytes = b""
    environments: bytes = b""
    database: bytes = b""
    media: bytes = b""
    made_key: str = ""
    signatures: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    data = tmp_path_factory.mktemp("secrets") / "data"
    found = Searched()
    environment: dict[str, Any] = {**SETTINGS, **OPERATORS, "FILMGATE_CALLBACKS__SCHEDULE_S": "0.1"}
    with (
        pytest.MonkeyPatch.context() as operator,
        serving(data, **environment) as server,
        receiving(lambda number: 500) as receiver,
    ):
        for name, value in SETTINGS.items():
            operator.setenv(name, value)  # for the commands
        for kind, secret in WEBHOOKS.items():
            server.cli("keys", "webhook", kind, secret)
        found.made_key = server.cli("keys", "create", "--label", "x").split()[-1]
        callback = f"{receiver.url}?token={IN_A_CALLBACK}"
        found.answers = [answer.text for answer in _drive(server, callback)]
        until(lambda: len(receiver.bodies) >= 2, "callbacks are sent, and tried again")
        found.answers += [body.decode() for body in receiver.raw]
        found.answers += [server.cli(*words) for words in (("tasks", "list"), ("keys", "list"), ("config", "show"))]
        for pid in server.pids():
            found.command_lines += Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"filmgate.engines" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.environments += Path(f"/proc/{pid}/environ").read_bytes()
        _look_behind(server, found)
    found.log = "\n".join(server.log)
    found.database = b"".join(file.read_bytes() for file in data.glob("filmgate.db*"))
    found.media = b"".join(file.read_bytes() for file in (data / "media").rglob("*") if file.is_file())
    return found


def _drive(server: Server, callback: str) -> Iterator[httpx2.Response]:
    """Every address, well and badly, with keys that are known and unknown; films that come, fail and crash."""
    http, image = server.http, f"http://127.0.0.1:9/{IN_AN_IMAGE}.png"
    orders: list[dict[str, Any]] = [
        {"prompt": prompt, "duration": 4, "callBackUrl": callback} for prompt in ("a dog", "fail", "bug", "crash")
    ]
    orders += [
        {"prompt": "x", "imageUrls": [image]},
        {"prompt": ""},
        {"prompt": "x", "callBackUrl": "http://[" + callback},
    ]
    for headers in ({}, {"Authorization": f"Bearer {WRONG_KEY}"}, {"Authorization": f"Basic {WRONG_KEY}"}):
        for order in orders:
            answer = http.post("/api/v1/veo/generate", json=order, headers=headers)
            yield answer
            task = (answer.json().get("data") or {}).get("taskId", WRONG_KEY)
            if not headers and answer.json()["code"] == 200:
                server.ended(task, 90)
            yield http.get("/api/v1/veo/record-info", params={"taskId": task}, headers=headers)
            yield http.get("/api/v1/jobs/recordInfo", params={"taskId": task}, headers=headers)
            yield http.get("/api/v1/veo/get-1080p-video", params={"taskId": task}, headers=headers)
            yield http.post("/api/v1/veo/get-4k-video", json={"taskId": task}, headers=headers)
            yield http.post("/api/v1/veo/extend", json={"taskId": task, "prompt": "x"}, headers=headers)
        for path in ("/api/v1/jobs/createTask", "/api/v1/common/download-url", "/api/file-base64-upload"):
            yield http.post(path, content=b"{", headers=headers)
        yield http.post("/api/file-url-upload", json={"fileUrl": image}, headers=headers)
        for path in ("/api/v1/chat/credit", "/metrics", "/docs", "/f/1/x/y/z", "/openapi.json", "/readyz", "/nowhere"):
            yield http.get(path, headers=headers)


def _look_behind(server: Server, found: Searched) -> None:
    for text in found.answers:
        for word in text.replace("\\", "").split('"'):
            if "/f/" in word and word.startswith("http"):
                found.signatures.add(urlsplit(word).path.split("/")[3])


def test_no_secret_is_said(searched: Searched) -> None:
    said = "\n".join(searched.answers)
    for secret in (*SETTINGS.values(), *WEBHOOKS.values(), *OPERATORS.values(), KEY, WRONG_KEY, searched.made_key):
        assert secret not in said, secret


def test_no_secret_is_logged(searched: Searched) -> None:
    secrets = (*SETTINGS.values(), *WEBHOOKS.values(), *OPERATORS.values(), KEY, WRONG_KEY, searched.made_key)
    assert "event=" in searched.log
    assert "Traceback" in searched.log  # an engine has crashed with one
    for secret in (*secrets, IN_A_CALLBACK, IN_AN_IMAGE, *searched.signatures):
        assert secret not in searched.log, secret
    assert len(searched.signatures) >= 1


def test_no_secret_is_seen_by_who_lists_processes(searched: Searched) -> None:
    assert b"filmgate.engines.slot" in searched.command_lines
    for secret in (*SETTINGS.values(), *WEBHOOKS.values(), *OPERATORS.values(), KEY, searched.made_key):
        assert secret.encode() not in searched.command_lines, secret


def test_slots_know_no_secret(searched: Searched) -> None:
    assert b"PATH=" in searched.environments
    assert b"FILMGATE" not in searched.environments
    for secret in (*SETTINGS.values(), *WEBHOOKS.values(), *OPERATORS.values(), KEY, searched.made_key):
        assert secret.encode() not in searched.environments, secret


def test_the_database_holds_no_key_that_opens_anything(searched: Searched) -> None:
    assert b"a dog" in searched.database
    for secret in (*SETTINGS.values(), *WEBHOOKS.values(), *OPERATORS.values(), KEY, WRONG_KEY, searched.made_key):
        assert secret.encode() not in searched.database, secret


def test_no_secret_is_in_a_film(searched: Searched) -> None:
    assert b"ftyp" in searched.media
    for secret in (*SETTINGS.values(), *WEBHOOKS.values(), KEY, searched.made_key, IN_A_CALLBACK):
        assert secret.encode() not in searched.media, secret
