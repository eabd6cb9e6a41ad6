"""A disk that is full: whatever was promised is kept, whatever cannot be done is refused, and nobody has to restart
anything once there is room again."""

from __future__ import annotations

import base64
import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from support.privately import privately
from support.server import TRIAL, Server, serving, until
from support.veo3_peer import Fault, engine_table, models, peer
from support.web import Quiet, web_server

SHORT: dict[str, Any] = {
    "FILMGATE_WORKER__LEASE_S": "6",
    "FILMGATE_WORKER__HEARTBEAT_S": "1",
    "FILMGATE_LIMITS__CREATES_PER_10S": "0",
    "FILMGATE_WORKER__FREE_DISK_MIB": "4",
    "FILMGATE_LIMITS__FREE_DISK_MIB": "0",
}


@contextmanager
def small_disk(tmp_path: Path, *flags: str, megabytes: int = 32, toml: str = TRIAL) -> Iterator[Server]:
    """A server whose data folder is a disk of its own."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    mount = f"mount -t tmpfs -o mode=700,size={megabytes}m none {data}"
    within = partial(privately, mount)
    with serving(data, *flags, toml=toml, within=within, ready=not flags, **SHORT) as server:
        yield server


def _seen(server: Server) -> Path:
    """The data folder as the server sees it."""
    return Path(f"/proc/{server.process.pid}/root{server.data}")


@contextmanager
def full(server: Server) -> Iterator[None]:
    """Not a byte is free."""
    ballast = _seen(server) / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


@dataclass
class Halved:
    """An image whose second half is not sent before it is told to."""

    url: str = ""
    half: threading.Event = field(default_factory=threading.Event)  #: the first one was sent
    go_on: threading.Event = field(default_factory=threading.Event)


@contextmanager
def halved() -> Iterator[Halved]:
    noise = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    Image.fromarray(noise).save(content := io.BytesIO(), "PNG")
    body, image = content.getvalue(), Halved()

    class Door(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            image.half.set()
            image.go_on.wait(60)
            self.wfile.write(body[len(body) // 2 :])

    with web_server(Door, image.go_on.set) as url:
        image.url = f"{url}/dog.png"
        yield image


def _order(server: Server, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = server.http.post(
        "/api/v1/veo/generate", json={"prompt": "a dog " + "in a park " * 150, "duration": 4, **fields}
    ).json()
    return answer


def test_orders_on_a_full_disk_are_refused_or_kept_and_taken_again_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path, "--no-worker", megabytes=8) as server:
        with full(server):
            answers = [_order(server) for _ in range(40)]
            refused = [answer for answer in answers if answer["code"] != 200]
            assert refused
            assert {answer["code"] for answer in refused} <= {429, 500, 503}
            assert all(answer["msg"] and "Traceback" not in answer["msg"] for answer in refused)
            taken = [answer["data"]["taskId"] for answer in answers if answer["code"] == 200]
            assert all(server.record(task_id)["state"] == "waiting" for task_id in taken)
        until(lambda: _order(server)["code"] == 200, "orders are taken again", 20)
        balance = server.http.get("/api/v1/chat/credit").json()
        assert balance["code"] in (200, 404)
        assert len(taken) + len(refused) == 40


def test_a_film_that_could_not_be_written_is_made_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path) as server:
        task_id = server.create("slow 2", duration=4)
        until(lambda: server.record(task_id)["progress"] > 0.1, "it is being made")
        with full(server):
            until(lambda: _troubled(server, task_id), "it could not be written", 40)
        assert server.ended(task_id, 90)["successFlag"] == 1


def test_an_image_that_could_not_be_written_is_fetched_when_there_is_room(tmp_path: Path) -> None:
    """The disk becomes full in the middle of the download."""
    with halved() as image, small_disk(tmp_path) as server:
        task_id = server.create("a dog", duration=4, imageUrls=[image.url])
        until(image.half.is_set, "the first half of the image is there", 30)
        with full(server):
            image.go_on.set()
            until(lambda: _unwritten(server, task_id), "it could not be written", 40)
        assert server.ended(task_id, 90)["successFlag"] == 1


def test_a_film_made_elsewhere_that_could_not_be_written_is_fetched_again_and_ordered_once(tmp_path: Path) -> None:
    """The disk becomes full after the film was asked for, and before it comes."""
    with peer() as there, small_disk(tmp_path, toml=engine_table(there) + models("house")) as server:
        there.fails("/film", Fault(body=there.film, hang_s=2.0))
        task_id = server.create("a dog", duration=4)
        until(lambda: not there.faults["/film"], "the film is asked for", 30)
        with full(server):
            until(lambda: _unwritten(server, task_id), "it could not be written", 40)
        assert server.ended(task_id, 90)["successFlag"] == 1
    assert len(there.orders) == 1


def test_no_film_is_begun_and_none_is_lost_while_there_is_too_little_room(tmp_path: Path) -> None:
    with small_disk(tmp_path) as server:
        with full(server):
            ballast = _seen(server) / "ballast"
            os.truncate(ballast, ballast.stat().st_size - 2 * 2**20)
            until(lambda: server.http.get("/readyz").status_code == 503, "it says that it is not ready", 10)
            assert "are free" in server.http.get("/readyz").json()["msg"]
            task_id = server.create("a dog", duration=4)
            time.sleep(3)  # more than the runner's look at the queue
            assert server.record(task_id)["state"] == "waiting"
        assert server.ended(task_id)["successFlag"] == 1
        assert server.http.get("/readyz").status_code == 200


def _unwritten(server: Server, task_id: str) -> bool:
    return any(f"task={task_id} event=storage_unavailable" in line for line in list(server.log))


def _troubled(server: Server, task_id: str) -> bool:
    words = ("storage_unavailable", "runner_fault", "not_settled", "heartbeat_failed", "database_unavailable")
    return any(word in line for line in list(server.log) for word in words)


def test_a_film_can_be_fetched_from_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path) as server:
        record = server.ended(server.create("a dog", duration=4))
        with full(server):
            answer = server.http.get(urlsplit(record["response"]["resultUrls"][0]).path)
            assert answer.status_code == 200
            assert len(answer.content) == int(answer.headers["content-length"])


def test_an_upload_to_a_full_disk_leaves_nothing_and_works_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path, "--no-worker") as server:
        picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(400_000)).decode()
        body = {"base64Data": picture, "uploadPath": "images", "fileName": "dog.png"}
        with full(server):
            refused = server.http.post("/api/file-base64-upload", json=body).json()
            assert refused["code"] != 200
            assert "Traceback" not in refused["msg"]
            left = [path for path in (_seen(server) / "tmp").rglob("*") if path.is_file()]
            assert not [path for path in left if path.stat().st_size]
        until(
            lambda: server.http.post("/api/file-base64-upload", json=body).json()["code"] == 200,
            "it is taken again",
            20,
        )
