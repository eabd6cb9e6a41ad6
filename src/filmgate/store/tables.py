"""Bring a PostgreSQL database to the schema of this program, by the same revisions as a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from .database import DatabaseRefused
from .migrate import BASE, REVISIONS, create, upgrade
from .postgres import TABLES_LOCK, connect, driver_of, engine_for, shown

if TYPE_CHECKING:
    import psycopg

_TABLES = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"


def migrate(url: str) -> None:
    """Create or upgrade, in one transaction. Raises DatabaseRefused, and the driver's errors."""
    engine = engine_for(url)
    with engine.connect() as connection:
        session = driver_of(connection)
        if stored_revision(session, url) != REVISIONS[-1]:
            session.execute("SET idle_in_transaction_session_timeout = 0")  # Alembic takes its time
            with session.transaction():
                session.execute(f"SELECT pg_advisory_xact_lock({TABLES_LOCK})")
                _bring_up(connection, stored_revision(session, url))
    engine.dispose()


def stored_revision(session: psycopg.Connection[Any], url: str) -> str | None:
    """None for an empty schema. Raises DatabaseRefused for a revision or tables that this program does not know."""
    names = {name for (name,) in session.execute(_TABLES)}
    if not names:
        return None
    if "alembic_version" not in names:
        raise DatabaseRefused(f"{shown(url)} belongs to another program: give Filmgate a database of its own.")
    (revision,) = session.execute("SELECT version_num FROM alembic_version").fetchone() or (BASE,)
    if revision not in (BASE, *REVISIONS):
        raise DatabaseRefused(
            f"{shown(url)} was written by a newer Filmgate (schema {revision}, this one knows {REVISIONS[-1]}): "
            "install the newer version again, or restore the pg_dump that was made before the upgrade."
        )
    return str(revision)


def _bring_up(connection: Connection, revision: str | None) -> None:
    if revision == REVISIONS[-1]:  # another process was faster
        return
    if revision is None:
        create(connection)
    else:
        upgrade(connection)


@contextmanager
def alone(url: str) -> Iterator[None]:
    """While no other process is in here: two first starts at once would make two keys, and show the wrong one."""
    with connect(url) as session:
        session.execute("SET lock_timeout = 0")
        session.execute(f"SELECT pg_advisory_lock({TABLES_LOCK + len('alone') * 16})")
        yield
