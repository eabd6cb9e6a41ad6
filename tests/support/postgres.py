"""Databases of a test's own on a PostgreSQL that is there: each empty, with all tables, and used again afterwards."""

from __future__ import annotations

import atexit
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from filmgate.store.migrate import migrate

from .tools import missing

URL = os.environ.get("FILMGATE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename != 'alembic_version' ORDER BY 1"
_free: list[str] = []


@cache
def _complaint() -> str | None:
    try:
        psycopg.connect(URL, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL answers at FILMGATE_TEST_POSTGRES_URL ({' '.join(str(error).split())})"
    return None


def server() -> str:
    """Its address. Where none answers, the test is skipped; in CI it fails."""
    return missing(why) if (why := _complaint()) else URL


def new_database() -> str:
    """The address of an empty one, without tables; dropped when the tests are over."""
    name = f"filmgate_test_{os.getpid()}_{secrets.token_hex(3)}"
    _administer(f'CREATE DATABASE "{name}"')
    atexit.register(_drop, name)
    return urlunsplit(urlsplit(URL)._replace(path=f"/{name}"))


@contextmanager
def database() -> Iterator[str]:
    """One with all tables and nothing in them. What costs is to make it; so it is emptied, and lent again."""
    server()
    url = _free.pop() if _free else _with_tables()
    try:
        yield url
    finally:
        _empty(url)
        _free.append(url)


def _with_tables() -> str:
    url = new_database()
    migrate(url)
    return url


def _empty(url: str) -> None:
    """Past all triggers: some rows may not be removed."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = [name for (name,) in connection.execute(_TABLES)]
        sequences = [name for (name,) in connection.execute("SELECT sequencename FROM pg_sequences")]
        connection.execute(
            "SET session_replication_role = replica; "
            + "".join(f"DELETE FROM {name}; " for name in tables)
            + "".join(f"ALTER SEQUENCE {name} RESTART; " for name in sequences)
        )


def dump(connection: psycopg.Connection[Any]) -> str:
    """Every row of every table."""
    tables = [name for (name,) in connection.execute(_TABLES)]
    rows = [
        (table, row) for table in tables for (row,) in connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
    ]
    return "\n".join(f"{table}: {row}" for table, row in rows)


def _administer(statement: str) -> None:
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute(statement)


def _drop(name: str) -> None:
    with suppress(psycopg.OperationalError):  # the server may have gone before us
        _administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
