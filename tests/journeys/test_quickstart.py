"""Programs written for the hosted API run unchanged: Node with axios, Python with requests, curl, Express, Flask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from filmgate.media.probe import probe
from support.server import KEY, Server, serving
from support.tools import node_modules, program

HERE = Path(__file__).parent / "quickstart"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("quickstart") / "data", FILMGATE_EDITION__PRESET="quickstart") as running:
        yield running


def _node(script: str) -> tuple[list[str], dict[str, str]]:
    modules = node_modules("axios", "express")
    return [program("node"), str(HERE / script)], {"NODE_PATH": str(modules)}


def _run(command: list[str], environment: dict[str, str] | None = None) -> dict[str, Any]:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | (environment or {}), check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@contextmanager
def _receiver(command: list[str], environment: dict[str, str] | None = None) -> Iterator[tuple[str, Any]]:
    """(address, read): a receiver in a process of its own; ``read`` waits for what it was told next."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | (environment or {})
    ) as process:
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            yield f"http://127.0.0.1:{port}/veo3-callback", lambda: json.loads(process.stdout.readline())
        finally:
            process.terminate()


def test_node_orders_polls_and_saves(server: Server, tmp_path: Path) -> None:
    command, environment = _node("client.js")
    film = tmp_path / "cute_cat.mp4"
    told = _run([*command, server.url, KEY, "200", str(film)], environment)
    assert server.record(told["taskId"])["response"]["resultUrls"] == told["urls"]
    assert probe(film).seconds == pytest.approx(8, abs=0.1)


def test_express_is_called_back(server: Server, tmp_path: Path) -> None:
    command, environment = _node("receiver.js")
    client, _ = _node("client.js")
    with _receiver(command, environment) as (address, read):
        made = _run([*client, server.url, KEY, "200", str(tmp_path / "film.mp4"), address], environment)
        told = read()
    assert (told["code"], told["taskId"], told["films"]) == (200, made["taskId"], made["urls"])


def test_python_orders_and_polls(server: Server) -> None:
    told = _run([sys.executable, str(HERE / "client.py"), server.url, KEY, "0.2"])
    assert server.record(told["taskId"])["response"]["resultUrls"] == told["urls"]


def test_flask_is_called_back(server: Server) -> None:
    with _receiver([sys.executable, str(HERE / "receiver.py")]) as (address, read):
        task_id = server.create("a cat in a garden", model="veo3", aspectRatio="16:9", callBackUrl=address)
        told = read()
    assert (told["code"], told["taskId"]) == (200, task_id)
    assert told["films"] == server.record(task_id)["response"]["resultUrls"]


def test_curl_orders_and_saves(server: Server, tmp_path: Path) -> None:
    curl = [program("curl"), "--silent", "--show-error", "--fail"]
    bearer = ["-H", f"Authorization: Bearer {KEY}"]
    body = json.dumps({"prompt": "A cute cat playing in a garden", "model": "veo3", "aspectRatio": "16:9"})
    sending = ["-X", "POST", "-H", "Content-Type: application/json", "-d", body]
    ordered = _run([*curl, *bearer, *sending, f"{server.url}/api/v1/veo/generate"])
    assert (ordered["code"], ordered["msg"]) == (200, "success")
    record = server.ended(ordered["data"]["taskId"])
    film = tmp_path / "film.mp4"
    subprocess.run([*curl, "-o", str(film), record["resultUrl"]], check=True, timeout=60)
    assert probe(film).seconds == pytest.approx(8, abs=0.1)
