"""The commands that speak to a server, against a real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from filmgate.media.probe import probe
from support.server import KEY, Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


def filmgate(
    server: Server, folder: Path, *words: str, code: int = 0, **changes: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FILMGATE_")}
    environment = kept | {"FILMGATE_URL": server.url, "FILMGATE_API_KEY": KEY, "HOME": str(folder)} | changes
    command = [sys.executable, "-m", "filmgate", *words]
    ended = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


def printed(server: Server, folder: Path, *words: str, code: int = 0, **changes: str) -> Any:
    return json.loads(filmgate(server, folder, *words, "--json", code=code, **changes).stdout)


def test_a_server_makes_the_film_and_tells_about_it(server: Server, tmp_path: Path) -> None:
    made = printed(server, tmp_path, "generate", "A grey wall", "-o", "wall.mp4", "--duration", "4", "--seed", "12345")
    film = tmp_path / "wall.mp4"
    assert made["bytes"] == film.stat().st_size
    assert made["seed"] == 12345
    assert made["url"].startswith(server.url)
    assert printed(server, tmp_path, "status", made["taskId"])["successFlag"] == 1
    words = filmgate(server, tmp_path, "status", made["taskId"]).stdout
    assert f"task      {made['taskId']}\nstate     success\nprogress  100%" in words
    said = filmgate(server, tmp_path, "download", made["taskId"], "-o", "films/again.mp4", "-q").stdout
    assert said.startswith("films/again.mp4 is ready: ")
    assert (tmp_path / "films" / "again.mp4").read_bytes() == film.read_bytes()


def test_download_waits_for_a_film_that_is_not_ready_yet(server: Server, tmp_path: Path) -> None:
    task = server.create("slow 1", duration=4)
    ended = filmgate(server, tmp_path, "download", task)
    assert (tmp_path / f"{task}.mp4").stat().st_size > 0
    assert "fetching the film" in ended.stderr


def test_a_film_that_the_server_cannot_make_is_code_1(server: Server, tmp_path: Path) -> None:
    ended = filmgate(server, tmp_path, "generate", "please fail", "-o", "films/no.mp4", "-q", code=1)
    assert ended.stderr.startswith("Error: ")
    assert list(tmp_path.iterdir()) == []
    task = server.create("please reject")
    assert "flagged as a trial" in filmgate(server, tmp_path, "download", task, "-q", code=1).stderr
    assert "error     " in filmgate(server, tmp_path, "status", task, code=1).stdout
    assert list(tmp_path.iterdir()) == []


def test_a_task_is_cancelled(server: Server, tmp_path: Path) -> None:
    task = server.create("slow 60")
    for _ in range(2):
        said = filmgate(server, tmp_path, "cancel", task).stdout
        assert said == f"Task {task} is cancelled; its credits are back.\n"
    assert "cancelled by its owner" in filmgate(server, tmp_path, "status", task, code=1).stdout
    done = server.create("a dog", duration=4)
    server.ended(done)
    assert "succeeded already" in filmgate(server, tmp_path, "cancel", done, code=2).stderr


def test_the_operator_tries_again_and_deletes(server: Server, tmp_path: Path) -> None:
    old = server.create("fail")
    server.ended(old)
    again = json.loads(server.cli("tasks", "retry", old, "--json"))
    assert (again["retryOf"], again["credits"]) == (old, 60)
    assert f"retry of  {old}\n" in server.cli("tasks", "show", again["taskId"])
    done = server.create("a dog", duration=4)
    link = server.ended(done)["resultUrl"]
    assert server.cli("tasks", "delete-media", done) == f"The files of task {done} are gone.\n"
    assert server.http.get(link).status_code == 404


def test_what_the_server_does_not_know_is_code_2(server: Server, tmp_path: Path) -> None:
    for command in ("status", "download", "cancel"):
        said = filmgate(server, tmp_path, command, "zz", code=2).stderr
        assert said.startswith("Error: The server knows no task zz (record is null): check the id")
        assert "filmgate tasks list" in said
    assert "not supported" in filmgate(server, tmp_path, "generate", "x", "--model", "veo9", "-q", code=2).stderr


def test_a_server_that_cannot_be_reached_or_refuses_the_key_is_code_3(server: Server, tmp_path: Path) -> None:
    refused = filmgate(server, tmp_path, "status", "0" * 32, code=3, FILMGATE_API_KEY="fg_wrong")
    assert len(refused.stderr.splitlines()) == 1
    away = filmgate(server, tmp_path, "generate", "x", "-q", code=3, FILMGATE_URL="http://127.0.0.1:9")
    assert away.stderr == "Error: No connection to http://127.0.0.1:9: is the server up, the URL right?\n"


def test_without_a_key_it_says_how_to_give_one(server: Server, tmp_path: Path) -> None:
    ended = filmgate(server, tmp_path, "generate", "x", "-q", code=2, FILMGATE_API_KEY="")
    assert ended.stderr == "Error: A key for the server is needed: give --api-key, or set FILMGATE_API_KEY.\n"


def test_the_doctor_knows_a_running_filmgate(server: Server, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    found = printed(server, tmp_path, "doctor", "--data", str(server.data), FILMGATE_SERVER__PORT=port)
    assert {each["what"]: each["seen"] for each in found}["port"].endswith("is used by a running Filmgate")


# ---------------------------------------------------------------- films from films and images ----------------------


@pytest.fixture(scope="module")
def task(server: Server) -> str:
    """A task whose film others are made from."""
    made = server.create("a dog", duration=4)
    server.ended(made)
    return made


def picture(folder: Path, name: str = "dog.png", size: tuple[int, int] = (400, 700)) -> str:
    Image.new("RGB", size, (200, 120, 40)).save(folder / name)
    return name


def test_local_images_go_to_the_server_first(server: Server, tmp_path: Path) -> None:
    words = ["--image", picture(tmp_path), "--image", picture(tmp_path, "cat.png"), "--mode", "reference"]
    made = printed(server, tmp_path, "generate", "they meet", *words, "--aspect-ratio", "auto", "-o", "a.mp4")
    params = json.loads(server.record(made["taskId"])["paramJson"])
    assert params["generationType"] == "REFERENCE_2_VIDEO"
    assert params["aspectRatio"] == "9:16"
    assert len(set(params["imageUrls"])) == 2
    assert all(url.startswith(f"{server.url}/f/") for url in params["imageUrls"])


def test_an_extension_is_fetched_whole_or_the_new_part_alone(server: Server, tmp_path: Path, task: str) -> None:
    made = printed(server, tmp_path, "extend", task, "It runs away", "--model", "lite", "--seed", "12345")
    assert made["path"] == "it-runs-away.mp4"
    assert (made["seed"], made["bytes"]) == (12345, (tmp_path / "it-runs-away.mp4").stat().st_size)
    assert "\nwhole     http" in filmgate(server, tmp_path, "status", made["taskId"]).stdout
    said = filmgate(server, tmp_path, "extend", task, "It stops", "--new-part", "-o", "part.mp4", "-q").stdout
    assert said.startswith("part.mp4 is ready: ")
    assert probe(tmp_path / "it-runs-away.mp4").seconds > probe(tmp_path / "part.mp4").seconds


@pytest.mark.parametrize(("to", "lines"), [("1080p", 1080), ("4k", 2160)])
def test_a_larger_version_is_fetched_and_made_once(
    server: Server, tmp_path: Path, task: str, to: str, lines: int
) -> None:
    made = printed(server, tmp_path, "upgrade", task, "--to", to)
    assert made["path"] == f"{task}-{to}.mp4"
    assert made["resolution"] == to
    assert probe(tmp_path / made["path"]).height == lines
    assert printed(server, tmp_path, "upgrade", task, "--to", to, "-o", "again.mp4")["taskId"] == made["taskId"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["extend", "zz", "on"], 2, "Error: The server knows no task zz"),
        (["extend", "zz", " "], 2, "Please enter a prompt"),
        (["upgrade", "zz", "--to", "1080p"], 2, "Error: The server knows no task zz"),
        (["upgrade", "zz", "--to", "4k"], 2, "Error: The server knows no task zz"),
        (["upgrade", "zz", "--to", "8k"], 2, "'8k' is not one of"),
        (["upgrade", "zz"], 2, "--to"),
    ],
)
def test_what_cannot_be_made_from_a_film(
    server: Server, tmp_path: Path, words: list[str], code: int, sentence: str
) -> None:
    assert sentence in filmgate(server, tmp_path, *words, "-q", code=code).stderr
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_the_task_has_not(server: Server, tmp_path: Path, task: str) -> None:
    for to in ("1080p", "4k"):
        said = filmgate(server, tmp_path, "upgrade", task, "--to", to, "--index", "3", "-q", code=2).stderr
        assert "record result data not exist" in said
