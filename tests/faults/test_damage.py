"""A database that is not what it was: refused with a sentence that says what to do, and left as it is."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.command import filmgate
from support.server import KEY, NotStarted, serving

PAGE = 4096


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has taken 300 orders and was stopped."""
    data = tmp_path_factory.mktemp("lived") / "data"
    with serving(data, "--no-worker", ready=False, FILMGATE_LIMITS__CREATES_PER_10S="0") as server:
        for number in range(60):
            server.create(f"a dog {number} " + "in a park " * 90)
        assert server.stop() == 0
    return data


def _page_of(path: Path, name: str) -> int:
    """The root page of a table or an index, counted from 0."""
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return int(root) - 1


def _overwrite(path: Path, page: int, how_much: int = PAGE) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xa5" * how_much)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _header(path: Path) -> None:
    _overwrite(path, 0, 100)


def _table(path: Path) -> None:
    _overwrite(path, _page_of(path, "tasks"))


def _index(path: Path) -> None:
    _overwrite(path, _page_of(path, "ix_tasks_newest"))


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('Hey');")


def _letter(path: Path) -> None:
    path.write_text("Dear operator, this is a letter. " * 400)


def _state(folder: Path) -> dict[str, str]:
    """What every file of a database is, but for the shared memory that readers make anew."""
    files = [each for each in folder.glob("filmgate.db*") if not each.name.endswith(("-shm", ".lock"))]
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in files if each.stat().st_size}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_cut, "is damaged (database disk image is malformed)"),
        (_header, "file is not a database"),
        (_table, "is damaged"),
        (_index, "is damaged"),
        (_foreign, "belongs to another program"),
        (_letter, "file is not a database"),
    ],
    ids=["cut", "header", "table", "index", "foreign", "letter"],
)
def test_a_damaged_database_is_refused_and_left_as_it_is(
    lived: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    data = tmp_path / "data"
    shutil.copytree(lived, data)
    spoil(data / "filmgate.db")
    before = _state(data)
    with pytest.raises(NotStarted) as refused, serving(data, "--no-worker", ready=False):
        pass
    assert said in str(refused.value)
    assert "backup" in str(refused.value) or "another data directory" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert _state(data) == before


@pytest.mark.parametrize("spoil", [_cut, _header, _table, _index, _letter])
def test_doctor_says_what_is_damaged_and_what_to_do(lived: Path, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    data = tmp_path / "data"
    shutil.copytree(lived, data)
    (data / "filmgate.db.before-0002").write_bytes(b"an older copy")
    spoil(data / "filmgate.db")
    said = filmgate({"FILMGATE_DATA": str(data)}, "doctor", code=4).stdout
    assert "put back the newest backup, or the copy filmgate.db.before-0002" in " ".join(said.split())


def test_an_index_that_disagrees_with_its_table_is_found_by_doctor(lived: Path, tmp_path: Path) -> None:
    """Every page is well-formed: what is there is not what should be. Only a thorough look finds that."""
    data = tmp_path / "data"
    shutil.copytree(lived, data)
    with closing(sqlite3.connect(data / "filmgate.db")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        sql = "CREATE INDEX ix_tasks_newest ON tasks (priority, id)"
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'ix_tasks_newest'", (sql,))
        connection.commit()
    said = filmgate({"FILMGATE_DATA": str(data)}, "doctor", code=4).stdout
    assert "ix_tasks_newest" in said


@pytest.mark.parametrize("how", ["emptied", "gone"])
def test_no_new_life_begins_beside_the_films_of_an_old_one(lived: Path, tmp_path: Path, how: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(lived, data)
    (data / "media" / "0198").mkdir(parents=True)
    database = data / "filmgate.db"
    if how == "gone":
        database.unlink()
    else:
        os.truncate(database, 0)
    with pytest.raises(NotStarted, match=r"of its earlier life: put back the newest backup"):
        serving(data, "--no-worker", ready=False).__enter__()
    assert not database.exists() or not database.stat().st_size
    said = filmgate({"FILMGATE_DATA": str(data)}, "keys", "list", code=1).stderr
    assert "of its earlier life" in said


def test_the_log_of_another_database_is_found(lived: Path, tmp_path: Path) -> None:
    """Somebody has put a backup back and left the log of the old file beside it: the two make no whole."""
    data = tmp_path / "data"
    with serving(data, "--no-worker", ready=False, FILMGATE_LIMITS__CREATES_PER_10S="0") as server:
        for number in range(40):
            server.create(f"another dog {number} " + "by the sea " * 90)
        server.kill()
    assert (data / "filmgate.db-wal").stat().st_size
    (data / "filmgate.db").unlink()
    (data / "filmgate.db-shm").unlink()
    shutil.copyfile(lived / "filmgate.db", data / "filmgate.db")
    before = _state(data)
    with pytest.raises(NotStarted, match=r"is damaged .*with no filmgate.db-wal"):
        serving(data, "--no-worker", ready=False).__enter__()
    assert _state(data) == before


def test_without_its_log_a_database_is_whole_but_lacks_what_was_in_it(tmp_path: Path) -> None:
    """What cannot be noticed: the log was removed by hand after a crash. What was written into the file is served."""
    data = tmp_path / "data"
    with serving(data, "--no-worker", ready=False) as server:
        early = server.create("a dog")
        assert server.stop() == 0
    with serving(data, "--no-worker", ready=False) as server:
        late = server.create("a cat")
        server.kill()
    (data / "filmgate.db-wal").unlink()
    with serving(data, "--no-worker", ready=False) as server:
        assert server.record(early)["state"] == "waiting"
        answer = server.http.get("/api/v1/veo/record-info", params={"taskId": late}).json()
        assert answer["code"] == 422


def test_after_the_machine_went_down_the_database_is_looked_at_thoroughly(lived: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(lived, data)
    with closing(sqlite3.connect(data / "filmgate.db")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        sql = "CREATE INDEX ix_tasks_newest ON tasks (priority, id)"
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'ix_tasks_newest'", (sql,))
        connection.commit()
    (data / "serve.lock").write_text("the start of a machine before this one")
    with pytest.raises(NotStarted, match="ix_tasks_newest"):
        serving(data, ready=False).__enter__()
    (data / "serve.lock").write_text("")
    with serving(data, ready=False) as server:
        assert (data / "serve.lock").read_text() == Path("/proc/sys/kernel/random/boot_id").read_text()
        assert server.stop() == 0
    assert (data / "serve.lock").read_text() == ""
    assert KEY not in "".join(server.log)
