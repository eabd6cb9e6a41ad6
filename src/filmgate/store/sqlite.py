"""A SQLite file that many coroutines, and more than one process, read and write at once.

Writing goes through one thread. It takes whatever has been asked for since the last commit, does all of it in one
transaction, and only after COMMIT has returned does anybody hear that their piece is done: one flush of the disk is
shared by all who waited for it. A caller has one piece in the queue and waits for it, so the queue is never longer
than the number of callers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from .database import DatabaseBusy, DatabaseRefused, DatabaseUnavailable, Heard, Notice, Observe, Remembered, Turn
from .pieces import Piece, Waiting, asked, next_batch, tell_all

log = logging.getLogger("filmgate.store")

T = TypeVar("T")

MOST_PIECES = 128  #: in one transaction, so that nobody waits long for the others of a batch
PATIENCE_S = 60.0  #: how long to wait for another process that is writing
READ_PATIENCE_MS = 5000  #: readers wait only while a file is being recovered after a crash


_PASSING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def as_passing(error: Exception) -> Exception:
    """A fault of the disk under its own name; anything else as it is."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error) or getattr(cause, "sqlite_errorcode", 0) & 0xFF not in _PASSING:
        return error
    log.error("event=database_unavailable %s", cause)
    passing = DatabaseUnavailable()
    passing.__cause__ = error
    return passing


def location(database: str | Path) -> Path:
    """The file behind ``sqlite:///PATH`` or a plain path. Raises DatabaseRefused for any other kind."""
    if isinstance(database, Path):
        return database
    if "://" in database and not database.startswith("sqlite:///"):
        kind = database.partition("://")[0]
        raise DatabaseRefused(f"Databases of kind {kind!r} are not supported: use sqlite:///PATH.")
    return Path(database.removeprefix("sqlite:///"))


def connect(path: Path, patience_ms: int = READ_PATIENCE_MS) -> sqlite3.Connection:
    """A connection that begins transactions only when told to (BEGIN IMMEDIATE). The file must exist."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA busy_timeout = {patience_ms}")
    connection.execute("PRAGMA foreign_keys = ON")
    # A commit is on the disk when it returns, also if the power fails in the next moment.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def engine_for(path: Path, patience_ms: int = READ_PATIENCE_MS) -> Engine:
    """AUTOCOMMIT: SQLAlchemy sends no BEGIN or COMMIT of its own; ``transaction`` does."""
    opened = partial(connect, path, patience_ms)
    return create_engine("sqlite://", creator=opened, poolclass=NullPool, isolation_level="AUTOCOMMIT")


def create_file(path: Path) -> None:
    """Make an empty database that only its owner can read, unless there is a file already."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def driver_of(connection: Connection) -> sqlite3.Connection:
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def patiently(step: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Repeat a step until no other process is in its way. Raises DatabaseBusy.

    SQLite's own waiting sleeps up to 100 ms between looks and so loses every race against a process that writes without
    pause; short, uneven naps find the gap between two of its transactions.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            step()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                raise DatabaseBusy(
                    f"Another process has been writing to the database for {patience_s:g} s: "
                    "stop the one that hangs, then try again."
                ) from error
        time.sleep(random.uniform(0.0003, 0.002))


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[sqlite3.Connection]:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK when the block raises."""
    driver = driver_of(connection)
    patiently(partial(driver.execute, "BEGIN IMMEDIATE"))
    try:
        yield driver
        driver.execute("COMMIT")
    except BaseException:
        if driver.in_transaction:
            driver.execute("ROLLBACK")
        raise


def _run(piece: Piece[Any], connection: Connection, driver: sqlite3.Connection) -> None:
    """In a savepoint: a piece that fails takes back its own changes and nobody else's."""
    driver.execute("SAVEPOINT piece")
    try:
        piece.value = piece.work(connection)
    except Exception as error:
        piece.error = as_passing(error)
        driver.execute("ROLLBACK TO piece")
    driver.execute("RELEASE piece")


class _Writer:
    """The thread that writes."""

    def __init__(self, engine: Engine, observe: Observe) -> None:
        self._observe = observe
        self._pieces: Waiting = Waiting()
        self._connection = engine.connect()
        self._thread = threading.Thread(target=self._run, name="filmgate-store", daemon=True)
        self._thread.start()

    def put(self, piece: Piece[Any]) -> None:
        self._pieces.put(piece)

    def close(self) -> None:
        """Does what was asked for before, then ends."""
        self._pieces.put(None)
        self._thread.join()

    def _run(self) -> None:
        with self._connection:
            closing = False
            while not closing:
                batch, closing = next_batch(self._pieces, MOST_PIECES)
                if batch:
                    began = time.perf_counter()
                    _commit(self._connection, batch)
                    tell_all(batch)
                    self._observe(len(batch), time.perf_counter() - began)


def _commit(connection: Connection, batch: list[Piece[Any]]) -> None:
    try:
        with transaction(connection) as driver:
            for piece in batch:
                _run(piece, connection, driver)
    except Exception as error:  # the disk is full, or worse: nothing of this batch was kept
        spoilt = as_passing(error)
        for piece in batch:
            piece.error = piece.error or spoilt


class Database:
    """An open, migrated database file. Close it, or use it as ``async with Database(path) as database``."""

    def __init__(self, path: Path, observe: Observe = lambda pieces, seconds: None) -> None:
        """``observe`` hears, in the writing thread, of each transaction: how many pieces it had, how long it took."""
        self.path = path
        self._engine = engine_for(path)
        self._reader = self._engine.connect()
        self._writing_engine = engine_for(path, patience_ms=0)  # waits in ``patiently`` instead
        self._writer = _Writer(self._writing_engine, observe)
        self._closed = False
        self._turn: int | None = None
        self._asked: list[Piece[Any]] = []

    async def write(
        self, work: Callable[[Connection], T], *, turn: Turn | None = None, notice: Notice | None = None
    ) -> T:
        """In the writing thread. One writer at a time is let in here, so that everything has its turn anyway."""
        if self._closed:
            raise RuntimeError("The database is closed.")
        piece = asked(work)
        if not self._asked:
            piece.loop.call_soon(self._hand_over)
        self._asked.append(piece)
        return await piece.future

    def _hand_over(self) -> None:
        """At the end of a turn of the loop, so that all that was asked for in it shares one transaction."""
        pieces, self._asked = self._asked, []
        for piece in pieces:
            self._writer.put(piece)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """At once, in the event loop, without ever waiting: for one look-up by an index."""
        return work(self._reader)

    def mark(self, of: Remembered) -> object | None:
        """Of all rows alike: whether anything was committed, by whatever process.

        Asked of SQLite (3 µs) once in each turn of the loop: whoever could know of a later commit is heard in a later
        turn.
        """
        if self._turn is None:
            self._turn = driver_of(self._reader).execute("PRAGMA data_version").fetchone()[0]
            asyncio.get_running_loop().call_soon(self._end_turn)
        return self._turn

    def _end_turn(self) -> None:
        self._turn = None

    async def read_aside(self, work: Callable[[Connection], T]) -> T:
        """In a thread: for lists and sums. All statements of ``work`` see the same moment."""
        return await asyncio.to_thread(self._read_snapshot, work)

    def _read_snapshot(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            driver_of(connection).execute("BEGIN")
            try:
                return work(connection)
            finally:
                driver_of(connection).execute("COMMIT")

    def listen(self, heard: Heard) -> None:
        """Nobody tells anything here: processes of one machine nudge each other, or look again."""

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._hand_over()
        await asyncio.to_thread(self._writer.close)
        self._reader.close()
        self._engine.dispose()
        self._writing_engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
