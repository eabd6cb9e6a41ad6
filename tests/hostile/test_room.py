"""Nobody fills the disk: a share for each account's uploads, and a floor below which nothing new is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.errors import QueueFull, UploadRefused
from filmgate.services.room import Room
from filmgate.settings import Settings
from support.server import Server, serving
from support.storing import HandClock

MIB = 1024 * 1024


def upload(server: Server, size: int, name: str) -> tuple[int, dict[str, Any]]:
    files = {"file": (name, b"\x89PNG\r\n\x1a\n" + b"\0" * (size - 8))}
    answer = server.http.post("/api/file-stream-upload", files=files, data={"fileName": name})
    return answer.status_code, answer.json()


def test_an_account_has_its_share(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False, FILMGATE_UPLOADS__ACCOUNT_MIB="3") as server:
        assert [upload(server, MIB, f"{n}.png")[0] for n in range(3)] == [200, 200, 200]
        status, refused = upload(server, 10, "more.png")
        assert (status, refused["code"]) == (400, 400)
        assert "may take up 3 MiB" in refused["msg"]
        assert not list((tmp_path / "data" / "tmp" / "uploads").iterdir())
        assert len(list((tmp_path / "data" / "media" / "uploads").rglob("*.png"))) == 3


def test_a_full_disk_takes_nothing_new_and_tells_the_rest_as_ever(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        task_id = server.create("a dog", duration=4)
        server.ended(task_id)
    with serving(data, FILMGATE_LIMITS__FREE_DISK_MIB="1000000", FILMGATE_EDITION__HTTP_STATUS="mirror") as server:
        status, refused = upload(server, 100, "a.png")
        assert (status, refused["code"]) == (400, 400)
        assert "nearly full" in refused["msg"]
        asked: list[tuple[str, dict[str, Any]]] = [
            ("/api/v1/veo/generate", {"prompt": "a cat"}),
            ("/api/v1/veo/extend", {"taskId": task_id, "prompt": "a cat"}),
            ("/api/v1/veo/get-4k-video", {"taskId": task_id}),
            ("/api/v1/jobs/createTask", {"model": "veo-3-1", "input": {"prompt": "a cat"}}),
        ]
        before = server.http.get("/api/v1/chat/credit").json()["data"]
        for path, body in asked:
            answer = server.http.post(path, json=body)
            assert answer.json()["code"] == 429, (path, answer.text)
            assert "nearly full" in answer.json()["msg"]
        assert server.http.get("/api/v1/chat/credit").json()["data"] == before
        assert server.record(task_id)["successFlag"] == 1


def test_the_floor(tmp_path: Path) -> None:
    for floor in (0, 1):
        Room(tmp_path, floor, HandClock()).check_for_task()
        Room(tmp_path, floor, HandClock()).check_for_file()
    short = Room(tmp_path, 1 << 60, HandClock())
    with pytest.raises(QueueFull) as refused:
        short.check_for_task()
    assert refused.value.retry_after_s == 60
    with pytest.raises(UploadRefused):
        short.check_for_file()


def test_the_disk_is_looked_at_again_after_a_second(tmp_path: Path) -> None:
    clock, folder = HandClock(), tmp_path / "data"
    folder.mkdir()
    room = Room(folder, 1, clock)
    room.check_for_task()
    folder.rmdir()  # a look would fail now
    clock.ms += 999
    room.check_for_task()
    clock.ms += 1
    with pytest.raises(FileNotFoundError):
        room.check_for_task()


def test_what_ships() -> None:
    assert (Settings().uploads.account_mib, Settings().limits.free_disk_mib) == (5120, 1024)
