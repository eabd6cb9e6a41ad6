"""Every sample on the pages of the documentation, run as a reader would run it, against a real server.

A block that begins with ```bash, ```python or ```javascript is a sample; one that says ``receiver`` behind the language
is a program that waits for callbacks. Samples find the server, the key, a finished film and a few files where the pages
say that they are; addresses at example.org lead to a web server of the tests.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from filmgate.http.library import library
from filmgate.net.signing import vendor_signature
from support.server import KEY, Server, serving, until
from support.tools import node_modules, program
from support.web import free_port

BLOCK = re.compile(r"^```(bash|python|javascript)( receiver)?\n(.+?)^```$", re.MULTILINE | re.DOTALL)
MINE = ("get-1080p-video", "get-4k-video", "media")  #: pages whose samples need a film that nobody else has touched


@dataclass(frozen=True)
class Sample:
    page: str
    number: int
    language: str
    receives: bool
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}-{self.number}-{self.language}"


def samples() -> list[Sample]:
    nothing: dict[str, Any] = {"paths": {}}
    return [
        Sample(page.name, number, language, bool(receives), text)
        for page in library(nothing).pages
        for number, (language, receives, text) in enumerate(BLOCK.findall(page.text), 1)
    ]


SAMPLES = [pytest.param(each, id=each.name) for each in samples() if not each.receives]


def receivers(page: str) -> list[Any]:
    return [pytest.param(each, id=each.name) for each in samples() if each.receives and each.page == page]


VENDOR = "a webhook key"
STANDARD = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("samples") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def film(server: Server) -> dict[str, Any]:
    """The record of a finished film."""
    return server.ended(server.create("A dog playing in a park", duration=4))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a web server with the picture that the samples speak of."""
    folder = tmp_path_factory.mktemp("web")
    picture(folder / "dog.png")
    door = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=door.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{door.server_address[1]}"
    door.shutdown()
    door.server_close()
    thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """The tests look at what was answered."""


def picture(path: Path) -> None:
    Image.fromarray(np.full((360, 640, 3), (200, 120, 60), dtype=np.uint8)).save(path)


def command(sample: Sample, text: str) -> tuple[list[str], dict[str, str]]:
    """How it is run, and what its environment needs for that."""
    if sample.language == "python":
        return [sys.executable, "-c", text], {}
    if sample.language == "javascript":
        return [program("node"), "-e", text], {"NODE_PATH": str(node_modules("axios", "express"))}
    program("curl")
    return ["bash", "-euo", "pipefail", "-c", text], {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_does_what_its_page_says(
    sample: Sample, server: Server, film: dict[str, Any], web: str, tmp_path: Path
) -> None:
    picture(tmp_path / "dog.png")
    run, more = command(sample, sample.text.replace("https://example.org", web))
    mine = server.ended(server.create("A film to be enlarged", duration=4)) if sample.page in MINE else film
    if sample.page == "cancel":
        mine = {"taskId": server.create("slow 60"), "resultUrl": ""}
    known = {
        "FILMGATE_URL": server.url,
        "FILMGATE_API_KEY": KEY,
        "TASK": mine["taskId"],
        "FILM": mine["resultUrl"],
    }
    done = subprocess.run(run, env=os.environ | known | more, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            assert json.loads(line)["code"] == 200, line
        for link in re.findall(rf"{re.escape(server.url)}/f/\S+", line) if not line.startswith("{") else ():
            assert server.http.get(link).status_code == 200, link
    assert done.stdout.strip() or (tmp_path / "dog.mp4").read_bytes()[4:8] == b"ftyp"


# ---- receivers ------------------------------------------------------------------------------------------------------


def answers(port: int) -> bool:
    try:
        httpx2.get(f"http://127.0.0.1:{port}/", timeout=5)
    except httpx2.TransportError:
        return False
    return True


@contextmanager
def waiting(sample: Sample, **environment: str) -> Iterator[tuple[str, list[str]]]:
    """(address, lines): the receiver, running, and what it has printed so far."""
    port = free_port()
    run, more = command(sample, sample.text)
    known = os.environ | more | environment | {"PORT": str(port), "PYTHONUNBUFFERED": "1"}
    lines: list[str] = []
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=known) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=lambda: lines.extend(map(str.strip, process.stdout or ())), daemon=True)
        reader.start()
        try:
            until(lambda: answers(port), "the receiver listens", 30)
            yield f"http://127.0.0.1:{port}/veo3-callback", lines
        finally:
            process.terminate()
            process.wait(10)
            reader.join(5)


@pytest.mark.parametrize("sample", receivers("callbacks"))
def test_a_receiver_is_told(sample: Sample, server: Server) -> None:
    with waiting(sample) as (address, lines):
        task = server.create("A film that is told", duration=4, callBackUrl=address)
        until(lambda: any(line.startswith("film: http") for line in lines), "the callback comes", 60)
        assert any(task in line for line in lines)
        server.create("A film that will fail", callBackUrl=address)
        until(lambda: any(line.startswith("no film:") for line in lines), "the failure is told", 60)


def sign(data: Path) -> None:
    """From now on the callbacks of a server carry both kinds of signatures, as its operator says it."""
    for kind, secret in (("--vendor", VENDOR), ("--standard", STANDARD)):
        words = [
            "keys",
            "webhook",
            kind,
            secret,
            "--data",
            str(data),
            "--config",
            str(data.parent / f"{data.name}.toml"),
        ]
        subprocess.run([sys.executable, "-m", "filmgate", *words], check=True, capture_output=True, timeout=60)


def forged(task: str) -> dict[str, Any]:
    """A callback of somebody who does not know the secrets, as it is posted."""
    now = str(int(time.time()))
    headers = {
        "X-Webhook-Timestamp": now,
        "X-Webhook-Signature": vendor_signature("another key", task, int(now)),
        "webhook-id": "msg_1",
        "webhook-timestamp": now,
        "webhook-signature": "v1," + base64.b64encode(bytes(32)).decode(),
    }
    body = {"code": 200, "msg": "success", "taskId": task, "data": {"taskId": task, "task_id": task}}
    return {"json": body, "headers": headers}


@pytest.mark.parametrize("sample", receivers("webhook-verification"))
def test_a_verifier_tells_genuine_from_forged(sample: Sample, server: Server) -> None:
    sign(server.data)
    with waiting(sample, WEBHOOK_KEY=VENDOR, WEBHOOK_SECRET=STANDARD) as (address, lines):
        task = server.create("A film whose callback is signed", duration=4, callBackUrl=address)
        until(lambda: f"genuine: {task}" in lines, "the callback comes and is believed", 60)
        refused = httpx2.post(address, **forged(task))
        assert refused.status_code == 401
        until(lambda: "forged" in lines, "the forgery is seen", 10)


def test_the_known_signature_on_the_page_is_right() -> None:
    text = next(page.text for page in library({"paths": {}}).pages if page.name == "webhook-verification")
    found = re.search(r"the id `(\w+)`, the timestamp `(\d+)` and the secret\s+`([^`]+)` give `([^`]+)`", text)
    assert found
    assert vendor_signature(found[3], found[1], int(found[2])) == found[4]
