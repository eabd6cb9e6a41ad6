"""Making and upgrading the database: every row is kept, an older file is copied first, and what is not ours is left."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from filmgate.domain.spec import Kind
from filmgate.store import migrate as migrating
from filmgate.store import schema
from filmgate.store.database import DatabaseRefused
from filmgate.store.media import SqlMediaStore
from filmgate.store.migrate import REVISIONS, migrate, upgrade
from filmgate.store.sqlite import Database, create_file, engine_for, location, transaction
from filmgate.store.tasks import SqlTaskStore
from support.storing import HandClock, order

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "filmgate.db"
    migrate(path)
    return path


def test_a_new_database_is_for_its_owner_only_and_survives_power_cuts(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    engine = engine_for(path)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    engine.dispose()


def test_the_revisions_lead_to_exactly_the_tables_of_the_schema(tmp_path: Path, path: Path) -> None:
    upgraded = tmp_path / "upgraded.db"
    create_file(upgraded)
    engine = engine_for(upgraded)
    with engine.connect() as connection:
        with transaction(connection):
            upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()
    assert statements_of(upgraded) == statements_of(path)


def test_the_known_revisions_are_those_that_there_are() -> None:
    script = ScriptDirectory(str(Path(migrating.__file__).with_name("migrations")))
    assert tuple(reversed([revision.revision for revision in script.walk_revisions()])) == REVISIONS


def test_an_older_database_is_copied_and_then_upgraded(tmp_path: Path) -> None:
    old = tmp_path / "filmgate.db"
    create_file(old)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("CREATE TABLE keepsake (word TEXT)")
        connection.execute("INSERT INTO keepsake VALUES ('mine')")
        connection.commit()
    migrate(f"sqlite:///{old}")
    copy = tmp_path / f"filmgate.db.before-{REVISIONS[-1]}"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert set(statements_of(copy)) == {"alembic_version", "keepsake"}
    assert {"tasks", "ledger", "keepsake"} <= set(statements_of(old))
    for file in (old, copy):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT word FROM keepsake").fetchall() == [("mine",)]
    assert {file.name for file in tmp_path.iterdir()} == {old.name, copy.name}


#: Rows as the first revision's program wrote them.
_FIRST_ROWS = """
INSERT INTO accounts (id, label, balance, created_ms) VALUES ('default', 'Default', 630, 1);
INSERT INTO keys VALUES ('key_1', 'default', 'first', 'fg_abc', 'digest', '{}', 1, NULL);
INSERT INTO ledger (account_id, kind, credits, at_ms, task_id) VALUES
  ('default', 'grant', 1000, 1, NULL), ('default', 'hold', -60, 2, 'made'), ('default', 'settle', 0, 9, 'made'),
  ('default', 'hold', -60, 3, 'failed'), ('default', 'refund', 60, 9, 'failed'), ('default', 'hold', -60, 4, 'queued'),
  ('default', 'hold', -250, 5, 'running');
INSERT INTO tasks (id, account_id, key_id, dialect, public_base, edition, model, spec, created_ms, status, run_at_ms,
  priority, price, attempt, faults, lost_leases, owner, lease_until_ms, ended_ms, progress, stage, engine,
  fallback_used, failure, artifacts)
SELECT column1, 'default', 'key_1', 'veo3', 'https://films.example', '{}', 'veo3_fast',
  '{"prompt":"A dog","model":"veo3_fast","kind":"generate","mode":"text","aspect_ratio":"9:16","resolution":"720p",'
  || '"seconds":8,"seed":12345,"images":[],"watermark":null,"translate":true,"fallback":null,"callback_url":null}',
  2, column2, 2, 0, 60, 1, 0, 0, column3, column3, column4, 0.0, 'x', 'storyboard', 0, NULL, column5
FROM (VALUES
  ('made', 'succeeded', NULL, 9, '[{"role":"result","key":"made/1/result.mp4","mime":"video/mp4","bytes":5,'
    || '"width":720,"height":1280,"seconds":8.0,"has_audio":true,"expires_ms":700},{"role":"poster",'
    || '"key":"made/1/poster.jpg","mime":"image/jpeg","bytes":5,"width":720,"height":1280,"seconds":0.0,'
    || '"has_audio":false,"expires_ms":701}]'),
  ('failed', 'failed', NULL, 9, '[]'), ('queued', 'queued', NULL, NULL, '[]'), ('running', 'running', 7, NULL, '[]'));
INSERT INTO task_state VALUES ('made', x'0102');
INSERT INTO callbacks VALUES ('msg_1', 'made', 'default', 'https://r.example/', 9, 9, 1, 'delivered');
INSERT INTO deliveries (callback_id, number, at_ms, latency_ms, status, answer, error)
  VALUES ('msg_1', 1, 9, 3, 200, 'ok', '');
INSERT INTO secrets VALUES ('links', 'abc', 1);
"""


def of_the_first_revision(path: Path) -> None:
    """A database as the first program left it, with rows in every table."""
    create_file(path)
    engine = engine_for(path)
    with engine.connect() as connection, transaction(connection):
        upgrade(connection, "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as file:
        file.executescript(_FIRST_ROWS)


async def test_a_database_of_the_first_revision_keeps_all_its_rows(tmp_path: Path) -> None:
    old = tmp_path / "filmgate.db"
    of_the_first_revision(old)
    before = rows_of(old)
    migrate(old)
    assert rows_of(tmp_path / f"filmgate.db.before-{REVISIONS[-1]}") == before
    assert rows_of(tmp_path / f"filmgate.db.before-{REVISIONS[-1]}").keys() < rows_of(old).keys()
    now = rows_of(old)
    for name in before.keys() - {"alembic_version", "accounts", "keys", "tasks"}:
        assert now[name] == before[name], name
    assert now["accounts"] == [(*before["accounts"][0], 4, 2, None)]
    assert now["keys"] == [("key_1", "default", "first", "fg_abc", "{}", 1, *[None] * 7, "[]", 0)]
    assert now["key_secrets"] == [("digest", "key_1", 1, None)]
    assert now["key_spending"] == [("key_1", 0, 180)]
    numbers = {"failed": 1, "made": 2, "queued": 3, "running": 4}
    until = {"made": 701}
    added = [("generate", None, 0, until.get(str(row[0])), numbers[str(row[0])], None) for row in before["tasks"]]
    assert now["tasks"] == [(*row, *more) for row, more in zip(before["tasks"], added, strict=True)]
    async with Database(old) as database:
        clock = HandClock()
        store = SqlTaskStore(database, clock)
        made = await store.get("made")
        assert (made.spec.source_id, made.spec.index, made.artifacts[0].height) == (None, 0, 1280)
        assert await store.state_of("made") == b"\1\2"
        assert await SqlMediaStore(database, clock).expired(10) == ["made"]
        enlarged = replace(made.spec, kind=Kind.UPGRADE_4K, source_id="made")
        upgrade_task = order(spec=enlarged, price=120)
        assert await store.submit_once(upgrade_task) == upgrade_task
        assert await store.upgrade_of("made", Kind.UPGRADE_4K, 0) == upgrade_task
        lease = await store.claim("w1", 1000, ["veo3_fast"])
        assert lease is not None
        assert lease.task.id == "queued"


def test_an_upgrade_that_fails_changes_nothing_and_leaves_a_copy(tmp_path: Path) -> None:
    old = tmp_path / "filmgate.db"
    of_the_first_revision(old)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("DELETE FROM accounts")
        connection.commit()
    before = rows_of(old)
    with pytest.raises(RuntimeError, match="nothing was changed"):
        migrate(old)
    assert rows_of(old) == rows_of(tmp_path / f"filmgate.db.before-{REVISIONS[-1]}") == before


def test_starting_again_changes_nothing_and_needs_no_alembic(path: Path) -> None:
    before = path.read_bytes()
    code = (
        "import sys; from filmgate.store.migrate import migrate; migrate(sys.argv[1]); print('alembic' in sys.modules)"
    )
    again = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    assert again.stdout == "False\n"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "written by a newer Filmgate .schema 9999"),
        ("DROP TABLE alembic_version", "belongs to another program"),
    ],
)
def test_a_database_that_is_not_ours_to_open_is_refused_untouched(path: Path, statement: str, sentence: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(DatabaseRefused, match=sentence):
        migrate(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    note = tmp_path / "filmgate.db"
    note.write_text("Buy milk. " * 100)
    with pytest.raises(DatabaseRefused, match="is not a database"):
        migrate(note)
    assert note.read_text() == "Buy milk. " * 100


def test_a_database_is_named_by_its_path_or_its_address() -> None:
    assert location("sqlite:////var/films.db") == location("/var/films.db") == Path("/var/films.db")
    with pytest.raises(DatabaseRefused, match="kind 'postgresql' are not supported"):
        location("postgresql://host/films")


def statements_of(path: Path) -> dict[str, str]:
    """How each table, index and trigger was made, white space and quotes around names apart."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    with closing(sqlite3.connect(path)) as connection:
        return {name: "".join(sql.replace('"', "").split()) for name, sql in connection.execute(query)}


def rows_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall() for name in names}
