"""Databases of a test's own on a PostgreSQL that is there: each empty, with all tables, and used again afterwards.

A test that stops and starts a PostgreSQL has one of its own (``cluster``).
"""

from __future__ import annotations

import atexit
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from filmgate.store.migrate import migrate

from .tools import missing
from .web import free_port

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


# ---------------------------------------------------------------- a PostgreSQL of a test's own --------------------


@dataclass(frozen=True)
class Cluster:
    """On loopback, and running unless it was stopped."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """It goes at once, without a word to those who are connected, and recovers when it is started again."""
        self.run("pg_ctl", "-m", "immediate", "stop")

    def run(self, program: str, *words: str) -> None:
        """It refuses to run as root: then it belongs to the user that its package has made."""
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        command = [*user, str(self.programs / program), "-D", str(self.folder / "data"), *words]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=60)


@contextmanager
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="filmgate-postgres-"))
    try:
        made = Cluster(_programs(), folder, free_port())
        if os.getuid() == 0:
            os.chown(folder, *_postgres())
        made.run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        made.start()
        try:
            yield made
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                made.crash()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    found = shutil.which("initdb") or (str(known[-1]) if known else None)
    return Path(found or missing("there is no initdb of a PostgreSQL")).parent


def _postgres() -> tuple[int, int]:
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        missing("there is no user postgres, as which a PostgreSQL could run")
        raise
    return user.pw_uid, user.pw_gid
