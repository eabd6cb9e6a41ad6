"""A store on a real file, a clock that stands still until told, and orders to put in."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import psycopg

from filmgate.domain.credits import Entry, EntryKind
from filmgate.domain.limits import NO_LIMITS, Limits
from filmgate.domain.spec import Spec
from filmgate.domain.task import Artifact, Origin, Role, Task
from filmgate.ports import Key, Upload
from filmgate.store.accounts import SqlAccountStore
from filmgate.store.database import Database
from filmgate.store.media import SqlMediaStore
from filmgate.store.migrate import migrate
from filmgate.store.opening import open_database
from filmgate.store.outbox import SqlOutbox
from filmgate.store.sqlite import location
from filmgate.store.tasks import SqlTaskStore
from filmgate.store.uploads import SqlUploadStore
from filmgate.store.webhooks import SqlWebhookStore

from . import postgres

NOON = 1_790_000_000_000
MODELS = ("veo3", "veo3_fast")
FILM = Artifact(Role.RESULT, "t/1/result.mp4", "video/mp4", 1234, 1280, 720, 8.0, True, NOON)

_numbers = count(1)


@dataclass
class HandClock:
    """Moved by hand."""

    ms: int = NOON

    def now_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


@dataclass
class Shelf:
    """Everything over one database."""

    address: str
    books: Books
    database: Database
    clock: HandClock
    tasks: SqlTaskStore
    accounts: SqlAccountStore
    outbox: SqlOutbox
    media: SqlMediaStore
    uploads: SqlUploadStore
    webhooks: SqlWebhookStore

    @property
    def path(self) -> Path:
        """Of a shelf over a file."""
        return location(self.address)

    async def account(self, account_id: str = "default", credits: int = 10_000) -> None:
        assert await self.accounts.create_account(account_id, account_id)
        if credits:
            await self.accounts.post(Entry(account_id, EntryKind.GRANT, credits, self.clock.ms))

    async def key(self, account_id: str, key_id: str, max_running: int | None = None) -> None:
        key = Key(key_id, account_id, key_id, "fg_", self.clock.ms, max_running=max_running)
        await self.accounts.create_key(key, key_id)

    async def submitted(self, **changes: Any) -> Task:
        return await self.tasks.submit(order(created_ms=self.clock.ms, **changes))

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read past the program, on a connection of its own."""
        return self.books.rows(query, *values)

    def write(self, statement: str, *values: Any) -> None:
        """Past the program, on a connection of its own."""
        self.books.write(statement, *values)

    def dump(self) -> str:
        """Every row of every table."""
        return self.books.dump()


class Books(Protocol):
    """The tables as somebody else sees them."""

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]: ...
    def write(self, statement: str, *values: Any) -> None: ...
    def dump(self) -> str: ...


@dataclass
class _OfFile:
    path: Path

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(statement, values)
            connection.commit()

    def dump(self) -> str:
        with closing(sqlite3.connect(self.path)) as connection:
            return "\n".join(connection.iterdump())


@dataclass
class _OfServer:
    connection: Any  #: of psycopg

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.connection.execute(query.replace("?", "%s"), values).fetchall()
        return found

    def write(self, statement: str, *values: Any) -> None:
        self.connection.execute(statement.replace("?", "%s"), values)

    def dump(self) -> str:
        return postgres.dump(self.connection)


# ---------------------------------------------------------------- which database ----------------------------------

KINDS = ("sqlite", "postgresql")
_kinds = ["sqlite"]


@contextmanager
def on(kind: str) -> Iterator[None]:
    """Shelves are made of this kind meanwhile."""
    if kind == "postgresql":
        postgres.server()
    _kinds.append(kind)
    try:
        yield
    finally:
        _kinds.pop()


@contextmanager
def _place(folder: Path) -> Iterator[tuple[str, Books]]:
    """The address of a new database with all tables, and its books."""
    if _kinds[-1] == "sqlite":
        path = folder / "filmgate.db"
        path.write_bytes(_new_database())
        yield f"sqlite:///{path}", _OfFile(path)
        return
    with postgres.database() as url, psycopg.connect(url, autocommit=True) as connection:
        yield url, _OfServer(connection)


@cache
def _new_database() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        migrate(path)
        return path.read_bytes()


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Database]:
    """As another process would have it."""
    database = open_database(address)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def shelf(folder: Path, limits: Limits = NO_LIMITS) -> AsyncIterator[Shelf]:
    clock = HandClock()
    with _place(folder) as (address, books):
        async with opened(address) as database:
            yield Shelf(
                address,
                books,
                database,
                clock,
                SqlTaskStore(database, clock, limits=limits),
                SqlAccountStore(database, clock),
                SqlOutbox(database, clock),
                SqlMediaStore(database, clock),
                SqlUploadStore(database, clock),
                SqlWebhookStore(database, clock),
            )


def order(
    *,
    account: str = "default",
    key: str = "key_0123456789abcdef",
    model: str = "veo3_fast",
    price: int = 60,
    callback: str | None = None,
    created_ms: int = NOON,
    spec: Spec | None = None,
    task_id: str | None = None,
    **changes: Any,
) -> Task:
    """A new task with an id of its own; later orders have later ids, unless ``task_id`` says another."""
    return Task(
        id=task_id or f"{next(_numbers):032x}",
        origin=Origin(account, key, "veo3", "https://films.example", {"times": "iso"}),
        spec=spec or Spec("A dog playing in a park", model, seed=12345, callback_url=callback),
        created_ms=created_ms,
        price=price,
        **changes,
    )


def uploaded(*, account: str = "default", path: str = "images", name: str = "dog.png", **changes: Any) -> Upload:
    """A new upload with an id of its own, to be kept for an hour; its key follows from account, path and name."""
    return Upload(
        **{
            "id": f"upload_{next(_numbers)}",
            "account_id": account,
            "key": f"uploads/{account}/{path}/{name}",
            "name": name,
            "original_name": "My dog.PNG",
            "path": path,
            "mime": "image/png",
            "bytes": 3,
            "created_ms": NOON,
            "expires_ms": NOON + 3_600_000,
            **changes,
        }
    )
