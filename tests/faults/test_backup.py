"""A backup is made while the server works, is whole or not there, and can be served."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.command import filmgate, printed
from support.privately import privately
from support.receiver import receiving
from support.server import serving, until


def test_a_server_that_was_destroyed_goes_on_from_its_backup(tmp_path: Path) -> None:
    """Tasks, keys and links of before work, what was queued is made, and what was owed is told."""
    data, backup = tmp_path / "data", tmp_path / "backups" / "monday"
    with receiving() as receiver:
        with serving(data) as server:
            done = server.create("a dog", duration=4)
            link = server.ended(done)["response"]["resultUrls"][0]
            film = server.http.get(urlsplit(link).path).content
            running = server.create("slow 30", duration=4)
            until(lambda: server.record(running)["state"] == "generating", "it is being made")
            queued = server.create("a cat", duration=4, callBackUrl=receiver.url)
            made = printed({"FILMGATE_DATA": str(data)}, "backup", str(backup), "--media")
            assert made["tasks"] == 3
            assert made["files"] == 2  # the film and its poster
            assert made["missing"] == []
            server.kill()
        shutil.rmtree(data)
        _shorten(backup / "filmgate.db", running)
        with serving(backup) as server:
            assert server.http.get(urlsplit(link).path).content == film
            assert server.ended(queued)["successFlag"] == 1
            assert server.ended(running)["successFlag"] == 1
            until(lambda: receiver.bodies, "the callback arrives")
            assert [body["data"]["taskId"] for body in receiver.bodies] == [queued]


def _shorten(database: Path, task_id: str) -> None:
    """So that the test need not wait for a long film."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE tasks SET spec = replace(spec, 'slow 30', 'a fox') WHERE id = ?", (task_id,))
        connection.commit()


def test_a_backup_is_private_and_has_no_companions(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with serving(data) as server:
        server.ended(server.create("a dog", duration=4))
        filmgate({"FILMGATE_DATA": str(data)}, "backup", str(backup), "--media")
    paths = [backup, *backup.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}
    assert sorted(path.name for path in backup.iterdir()) == ["filmgate.db", "media"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".backup")]


def test_every_film_that_a_backup_speaks_of_is_in_it_while_films_are_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, FILMGATE_LIMITS__CREATES_PER_10S="0") as server:
        tasks = [server.create(f"a dog {number}", duration=4) for number in range(6)]
        for number in range(5):
            until(lambda n=number: server.record(tasks[n])["successFlag"], "one more is made")  # type: ignore[misc]
            backup = tmp_path / f"backup-{number}"
            assert printed({"FILMGATE_DATA": str(data)}, "backup", str(backup), "--media")["missing"] == []
            keys = _keys_in(backup / "filmgate.db")
            assert len(keys) >= 2 * (number + 1)
            assert keys == {path.relative_to(backup / "media").as_posix() for path in _files(backup / "media")}


def _keys_in(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        lists = connection.execute("SELECT artifacts FROM tasks").fetchall()
    return {each["key"] for (text,) in lists for each in json.loads(text)}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("[!.]*") if path.is_file()]


def test_a_film_that_is_lost_is_named(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with serving(data) as server:
        server.ended(server.create("a dog", duration=4))
    next((data / "media").rglob("*.mp4")).unlink()
    ended = filmgate({"FILMGATE_DATA": str(data)}, "backup", str(backup), "--media")
    assert "Warning: the storage has lost" in ended.stderr
    assert (backup / "filmgate.db").exists()


def test_a_full_disk_leaves_nothing_of_a_backup(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", tmp_path / "disk"
    disk.mkdir()
    with serving(data) as server:
        server.ended(server.create("a dog", duration=4))
    left = f"{sys.executable} -m filmgate backup {disk}/backup --media --data {data} || echo ended $?; ls -A {disk}"
    command = privately(f"mount -t tmpfs -o size=64k none {disk}", ["sh", "-c", left])
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "nothing was kept of it" in ended.stderr
    assert ended.stdout == "ended 1\n"


def _damage(data: Path) -> None:
    with (data / "filmgate.db").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096)


def test_a_damaged_database_is_no_backup(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    filmgate({"FILMGATE_DATA": str(data)}, "keys", "list")
    _damage(data)
    assert "is damaged" in filmgate({"FILMGATE_DATA": str(data)}, "backup", str(backup), code=1).stderr
    assert not backup.exists()


@pytest.mark.parametrize("there", ["a folder", "a file"])
def test_what_is_there_already_is_not_replaced(tmp_path: Path, there: str) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    filmgate({"FILMGATE_DATA": str(data)}, "keys", "list")
    backup.mkdir() if there == "a folder" else backup.write_text("mine")
    assert "is there already" in filmgate({"FILMGATE_DATA": str(data)}, "backup", str(backup), code=1).stderr
    assert "no database" in filmgate({"FILMGATE_DATA": str(tmp_path)}, "backup", str(tmp_path / "b"), code=1).stderr
