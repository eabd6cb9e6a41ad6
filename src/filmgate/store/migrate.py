"""Bring a database to the schema of this program: made new in one go, or upgraded revision by revision.

A new file is created straight from ``schema.py`` (a test holds that the revisions lead to exactly the same tables), and
an up-to-date one is recognised by its stored revision; only an upgrade needs Alembic, which takes a while to import.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, text

from . import schema
from .database import DatabaseRefused, is_postgres
from .sqlite import connect, create_file, driver_of, engine_for, location, patiently, transaction

#: Oldest first; the last is the schema of this program.
REVISIONS = ("0001", "0002", "0003", "0004", "0005")
BASE = "base"  #: Alembic's word for "before the first revision"

_VERSION_TABLE = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def migrate(database: str | Path) -> None:
    """Create or upgrade the database at an address, or in a file. Safe to call from several processes.

    An existing file is copied beside itself first, as ``NAME.before-REVISION``. Raises DatabaseRefused for a database
    that a newer program has written, or another program.
    """
    if isinstance(database, str) and is_postgres(database):
        from . import tables  # needs a driver that not everybody has

        tables.migrate(database)
        return
    path = location(database)
    create_file(path)
    try:
        _prepare(path)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
            raise
        raise DatabaseRefused(f"{path} is not a database: move it away, or choose another data directory.") from error


def _prepare(path: Path) -> None:
    with closing(connect(path)) as driver:
        revision = stored_revision(driver, path)  # before anything is changed: the file may be another program's
        patiently(partial(driver.execute, "PRAGMA journal_mode = WAL"))
        if revision == REVISIONS[-1]:
            return
    engine = engine_for(path, patience_ms=0)
    with engine.connect() as connection:
        # Revisions may rebuild tables that others refer to; the references are checked at the end.
        driver_of(connection).execute("PRAGMA foreign_keys = OFF")
        with transaction(connection) as driver:
            _bring_up(connection, path, stored_revision(driver, path))
    engine.dispose()


def stored_revision(driver: sqlite3.Connection, path: Path) -> str | None:
    """None for an empty file. Raises DatabaseRefused for a revision or tables that this program does not know."""
    names = {name for (name,) in driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not names:
        return None
    if "alembic_version" not in names:
        raise DatabaseRefused(f"{path} belongs to another program: choose another data directory.")
    (revision,) = driver.execute("SELECT version_num FROM alembic_version").fetchone() or (BASE,)
    if revision not in (BASE, *REVISIONS):
        raise DatabaseRefused(
            f"{path} was written by a newer Filmgate (schema {revision}, this one knows {REVISIONS[-1]}): "
            "install the newer version again, or go back to the copy that it made beside the file."
        )
    return str(revision)


def _bring_up(connection: Connection, path: Path, revision: str | None) -> None:
    if revision == REVISIONS[-1]:  # another process was faster
        return
    if revision is None:
        create(connection)
        return
    hot_copy(path, path.with_name(f"{path.name}.before-{REVISIONS[-1]}"))
    upgrade(connection)


def create(connection: Connection) -> None:
    """All tables as they are now, in the transaction of the caller."""
    schema.metadata.create_all(connection)
    connection.execute(text(_VERSION_TABLE))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": REVISIONS[-1]})


def hot_copy(path: Path, copy: Path) -> None:
    """Copy a database that may be in use; the copy is whole or not there."""
    unfinished = copy.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    create_file(unfinished)
    with closing(connect(path)) as source, closing(connect(unfinished)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without companions
    unfinished.replace(copy)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the revisions that are missing, on a connection with a transaction open."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    connection.begin()  # tells Alembic that a transaction is open, and that it is not Alembic's to commit
    command.upgrade(config, revision)
    if connection.dialect.name == "sqlite":
        _check_references(connection)


def _check_references(connection: Connection) -> None:
    """SQLite does not while tables are rebuilt."""
    broken = driver_of(connection).execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(
            f"The upgrade would leave {len(broken)} rows without what they refer to: nothing was changed."
        )
