"""The server's database as the driver reads it: plain SQL that both databases understand, and never a write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, Engine, NullPool, RowMapping, create_engine, text

from filmgate.storage.local import MARK

from .plan import Plan

_TASK = "id, status, attempt, owner, lease_until_ms, started_ms, ended_ms, price, artifacts, failure, spec"


class Books:
    """Reads at the speed of an index, so that they can be called in the driver's loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, sql: str, **values: Any) -> Sequence[RowMapping]:
        with self._engine.connect() as connection:
            return connection.execute(text(sql), values).mappings().all()

    def writing(self) -> AbstractContextManager[Connection]:
        """For planted faults alone."""
        return self._engine.begin()

    def running(self) -> Sequence[RowMapping]:
        return self._rows(f"SELECT {_TASK} FROM tasks WHERE status = 'running'")

    def task(self, task_id: str) -> RowMapping | None:
        return next(iter(self._rows(f"SELECT {_TASK} FROM tasks WHERE id = :id", id=task_id)), None)

    def ended_since(self, ms: int) -> Sequence[RowMapping]:
        return self._rows(f"SELECT {_TASK} FROM tasks WHERE ended_ms >= :ms", ms=ms)

    def tasks(self) -> Sequence[RowMapping]:
        return self._rows(f"SELECT {_TASK} FROM tasks ORDER BY id")

    def unfinished(self) -> int:
        """Tasks that have not ended, and callbacks that are still to be told."""
        live = self._rows("SELECT count(*) AS n FROM tasks WHERE ended_ms IS NULL")[0]["n"]
        pending = self._rows("SELECT count(*) AS n FROM callbacks WHERE state = 'pending'")[0]["n"]
        return int(live) + int(pending)

    def ledger(self) -> Sequence[RowMapping]:
        return self._rows("SELECT account_id, kind, credits, task_id FROM ledger ORDER BY id")

    def balances(self) -> dict[str, int]:
        return {row["id"]: row["balance"] for row in self._rows("SELECT id, balance FROM accounts")}

    def callbacks(self) -> Sequence[RowMapping]:
        return self._rows("SELECT id, task_id, state, tries FROM callbacks")

    def deliveries(self) -> Sequence[RowMapping]:
        return self._rows("SELECT callback_id, number, status, error FROM deliveries ORDER BY id")

    def workers(self) -> dict[str, int]:
        """Owner -> until when it may be believed to be there."""
        return {row["id"]: row["until_ms"] for row in self._rows("SELECT id, until_ms FROM workers")}

    def ready(self) -> bool:
        """Whether the tables are there."""
        try:
            self.balances()
        except Exception:
            return False
        return True

    def close(self) -> None:
        self._engine.dispose()


def books(plan: Plan) -> Books:
    if plan.database is not None:
        return Books(create_engine(driven(plan.database), isolation_level="AUTOCOMMIT", pool_size=1))
    path = plan.folder / "server0" / "filmgate.db"
    return Books(create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": 30}))


def new_database(url: str, name: str) -> str:
    """An empty PostgreSQL database beside the one that the address names; its own address."""
    _administer(url, f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def drop_database(url: str, name: str) -> None:
    _administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _administer(url: str, sql: str) -> None:
    engine = create_engine(driven(url), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(sql))
    engine.dispose()


def driven(url: str) -> str:
    """The address in SQLAlchemy's spelling."""
    return f"postgresql+psycopg://{url.partition('://')[2]}"


def media_of(plan: Plan) -> list[Path]:
    """Every file in the storage but its own mark."""
    return sorted(path for path in plan.storage.rglob("*") if path.is_file() and path.name != MARK)
