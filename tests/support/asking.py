"""Short ways to ask a server what the contract's statements are about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2

from filmgate.media.probe import Probed, probe

from .server import Server, until

UUID7 = r"^[0-9a-f]{32}$"
PROCESSING_1080P = "1080P is processing. It should be ready in 1-2 minutes. Please check back shortly."
UNFETCHED = "Failed to fetch the image"


def generate(server: Server, **fields: Any) -> dict[str, Any]:
    """The whole answer to an order; a prompt is filled in where none is given."""
    answer: dict[str, Any] = server.http.post("/api/v1/veo/generate", json={"prompt": "a dog", **fields}).json()
    return answer


def get(server: Server, path: str, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = server.http.get(path, params=query).json()
    return answer


def post(server: Server, path: str, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = server.http.post(path, json=body).json()
    return answer


def made(server: Server, **fields: Any) -> dict[str, Any]:
    """The record of a film of four seconds that has been made."""
    answer = generate(server, **{"duration": 4, **fields})
    assert answer["code"] == 200, answer
    record = server.ended(answer["data"]["taskId"], 120)
    assert record["successFlag"] == 1, record
    return record


def params(record: dict[str, Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(record["paramJson"])
    return parsed


def fetched(url: str) -> bytes:
    answer = httpx2.get(url)
    assert answer.status_code == 200
    return answer.content


def measured(url: str, folder: Path) -> Probed:
    film = folder / "measured.mp4"
    film.write_bytes(fetched(url))
    return probe(film)


def eventually(server: Server, path: str, code: int, **query: Any) -> dict[str, Any]:
    """Ask again until the answer has this code."""
    answer: dict[str, Any] = until(
        lambda: found if (found := get(server, path, **query))["code"] == code else None, f"{path} answers {code}", 120
    )
    return answer
