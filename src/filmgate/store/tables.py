"""Bring a PostgreSQL database to the schema of this program, by the same revisions as a SQLite file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .database import DatabaseRefused, DatabaseUnavailable
from .migrate import BASE, REVISIONS, create, upgrade
from .postgres import ALONE_LOCK, TABLES_LOCK, connect, driver, driver_of, engine_for, is_passing, shown

if TYPE_CHECKING:
    import psycopg

OLDEST = 13  #: of PostgreSQL

_TABLES = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"


def migrate(url: str) -> None:
    """Create or upgrade, in one transaction. Raises DatabaseRefused and DatabaseUnavailable."""
    with _told(url):
        engine = engine_for(url)
        with engine.connect() as connection:
            session = driver_of(connection)
            _check_server(session, url)
            if stored_revision(session, url) != REVISIONS[-1]:
                session.execute("SET idle_in_transaction_session_timeout = 0")  # Alembic takes its time
                with session.transaction():
                    session.execute(f"SELECT pg_advisory_xact_lock({TABLES_LOCK})")
                    _bring_up(connection, stored_revision(session, url))
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Facts:
    """What an operator wants to know of a server."""

    version: str
    revision: str | None  #: of the tables; None where there are none yet
    keeps: bool  #: what was committed is on its disk
    ahead_ms: int  #: how far its clock is ahead of this machine's


def facts(url: str) -> Facts:
    """Nothing is changed. Raises DatabaseRefused and DatabaseUnavailable."""
    with _told(url), connect(url) as session:
        _check_server(session, url)
        (version, fsync, commit, now_ms) = session.execute(
            "SELECT current_setting('server_version'), current_setting('fsync'), "
            "current_setting('synchronous_commit'), (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
        ).fetchone() or ("", "", "", 0)
        ahead_ms = now_ms - time.time_ns() // 1_000_000
        return Facts(version, stored_revision(session, url), "off" not in (fsync, commit), ahead_ms)


def stored_secrets(url: str) -> Sequence[tuple[str, str, str]]:
    """(account, kind, secret as stored) of callbacks; none where there are no tables yet."""
    with _told(url), connect(url) as session:
        if stored_revision(session, url) != REVISIONS[-1]:
            return []
        return session.execute("SELECT account_id, kind, secret FROM webhook_secrets").fetchall()


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Errors of the driver in a sentence."""
    psycopg = driver()
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        kind = DatabaseUnavailable if is_passing(error) else DatabaseRefused
        raise kind(
            f"The database {shown(url)} cannot be used ({' '.join(str(cause).split())}): start its server, or name "
            "another in FILMGATE_DATABASE_URL."
        ) from error


def _check_server(session: psycopg.Connection[Any], url: str) -> None:
    if session.info.server_version < OLDEST * 10_000:
        raise DatabaseRefused(
            f"{shown(url)} is of PostgreSQL {session.info.server_version // 10_000}: use {OLDEST} or newer."
        )
    (encoding,) = session.execute("SHOW server_encoding").fetchone() or ("",)
    if encoding != "UTF8":
        raise DatabaseRefused(
            f"{shown(url)} keeps its text in {encoding}: make a database for Filmgate with ENCODING 'UTF8'."
        )


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
    with _told(url), connect(url) as session:
        session.execute("SET lock_timeout = 0")
        session.execute(f"SELECT pg_advisory_lock({ALONE_LOCK})")
        yield
