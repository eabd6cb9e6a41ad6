"""A PostgreSQL database that any number of processes, on any number of machines, read and write at once.

Every connection belongs to a thread (``lanes.py``). What has to go one at a time, orders and claims, has a lane each,
and takes its turn among all processes by a lock of the database's that ends with the transaction; orders share one
transaction, and with it one flush of the disk, as on SQLite. All else is held apart by the rows themselves: whoever
changes a row first lets the others wait, and every change says which state it starts from.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from .database import DatabaseBusy, DatabaseRefused, DatabaseUnavailable, Heard, Notice, Observe, Remembered, Turn
from .lanes import Lane, Lanes
from .notices import Listener
from .pieces import Piece, asked

if TYPE_CHECKING:
    from psycopg import Connection as Session
    from psycopg.abc import Dumper

log = logging.getLogger("filmgate.store")

T = TypeVar("T")

CHANNEL = "filmgate"
WRITERS, READERS = 2, 2  #: threads, each with a connection, for what needs no turn
MOST_PIECES = 128  #: in one transaction of orders
_CAREFUL_S = 1.0  #: after an order that failed
MOST_READS = 16  #: that share one way to the thread and back

INSTALL = "pip install 'filmgate[postgres]'"

#: A server that is gone is noticed in seconds, and so is one that says nothing any more.
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "filmgate",
}
#: A process that is frozen within a transaction lets go of what others wait for, and finds out when it wakes. To plan
#: with a compiler costs more than any of these statements takes.
_SESSION = (
    "SET idle_in_transaction_session_timeout = 2000; SET lock_timeout = 60000; SET jit = off; "
    "SET default_transaction_isolation = 'read committed'"
)

_AGAIN = frozenset({"40001", "40P01"})  #: undone by the database, for the sake of another transaction
_PASSING_CLASSES = ("08", "53", "57P", "58")  #: connection, resources, shutdown, the machine's own faults
_PASSING = frozenset({"25006", "25P03", "25P04"})  #: a standby; a transaction that took too long
_BUSY = frozenset({"55P03"})


# ---------------------------------------------------------------- connections -------------------------------------


def driver() -> Any:
    """The module. Raises DatabaseRefused where it is not installed."""
    try:
        import psycopg
    except ImportError as error:
        raise DatabaseRefused(f"A PostgreSQL database needs the driver psycopg: {INSTALL}.") from error
    return psycopg


def shown(url: str) -> str:
    """The address without what is secret in it, be it a right one or not."""
    return f"postgresql://{url.partition('://')[2].rpartition('@')[2].partition('?')[0]}"


def connect(url: str) -> Session[Any]:
    """A connection on which transactions begin and end only when told to. Raises DatabaseRefused, or the driver's
    OperationalError."""
    psycopg = driver()
    try:
        said = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise DatabaseRefused(f"The address {shown(url)} cannot be read: write postgresql://USER@HOST/NAME.") from error
    made: Session[Any] = psycopg.connect(**(_PATIENCE | said), autocommit=True)
    made.adapters.register_dumper(str, _text())
    made.execute(_SESSION, prepare=False)
    return made


@cache
def _text() -> type[Dumper]:
    """How text is sent. PostgreSQL keeps no NUL: the mark of what cannot be shown takes its place, so that nothing
    that somebody may ask for is found under such a name."""
    from psycopg.types.string import StrDumperUnknown

    class Text(StrDumperUnknown):
        def dump(self, obj: str) -> bytes:
            return obj.replace("\0", "\ufffd").encode()

    return Text


def engine_for(url: str) -> Engine:
    """AUTOCOMMIT: SQLAlchemy sends no BEGIN or COMMIT of its own."""
    driver()
    return create_engine(
        "postgresql+psycopg://", creator=lambda: connect(url), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )


def driver_of(connection: Connection) -> Session[Any]:
    found: Session[Any] = cast("Any", connection.connection.driver_connection)
    return found


# ---------------------------------------------------------------- errors ------------------------------------------


class _Unknown(Exception):
    """The connection broke while a transaction was being committed: nobody knows whether it was."""


def _cause(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _state(error: BaseException) -> str | None:
    state: str | None = getattr(_cause(error), "sqlstate", None)
    return state


def is_passing(error: BaseException) -> bool:
    """Whether the server, the network or the machine is at fault, and not what was asked."""
    if isinstance(error, _Unknown):
        return True
    cause, state = _cause(error), _state(error)
    if state is None:
        return isinstance(cause, driver().OperationalError)
    return state in _PASSING or state.startswith(_PASSING_CLASSES)


def _undone(error: BaseException) -> bool:
    """Nothing of the transaction was kept, and it may well succeed at another try."""
    return not isinstance(error, _Unknown) and (_state(error) in _AGAIN or is_passing(error))


def as_passing(error: Exception) -> Exception:
    """A fault of the server or of the way to it under its own name; anything else as it is."""
    passing: Exception
    if _state(error) in _BUSY:
        passing = DatabaseBusy("Another process has held what is asked for for a minute: stop the one that hangs.")
    elif is_passing(error) or _state(error) in _AGAIN:
        log.error("event=database_unavailable %s", " ".join(str(_cause(error)).split()))
        passing = DatabaseUnavailable()
    else:
        return error
    passing.__cause__ = error
    return passing


# ---------------------------------------------------------------- transactions ------------------------------------


#: A claim looks at a few rows of each table by an index, however many there are. By its guesses how many accounts are
#: waiting, and keys of them, PostgreSQL would rather read all tasks.
PLANS = {
    Turn.CLAIMS: "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; "
    "SET LOCAL enable_mergejoin = off; SET LOCAL enable_bitmapscan = off; "
}
_LOCKS = 0x66696C6D << 8  #: "film", so that nobody else's lock of this database is taken for one of ours
TABLES_LOCK, ALONE_LOCK = _LOCKS + 100, _LOCKS + 101


class InTurn:
    """Does pieces in one transaction, once the turn is this process's.

    A savepoint for each would take half as long again. So there are none, until a piece fails: then all are done again,
    each in a savepoint, and so are the next ones for a while, since a client who is refused asks again.
    """

    def __init__(self, turn: Turn) -> None:
        self._begin = f"BEGIN; {PLANS.get(turn, '')}SELECT pg_advisory_xact_lock({_LOCKS + turn.value})"
        self._careful_until = 0.0

    def __call__(self, connection: Connection, batch: list[Piece[Any]]) -> None:
        if time.monotonic() >= self._careful_until:
            if _at_once(connection, batch, self._begin):
                return
            self._careful_until = time.monotonic() + _CAREFUL_S
        transact(connection, batch, self._begin)


def _at_once(connection: Connection, batch: list[Piece[Any]], begin: str) -> bool:
    """False where a piece failed: then nothing was kept."""
    session = driver_of(connection)
    session.execute(begin, prepare=False)
    try:
        for piece in batch:
            piece.value, piece.error = piece.work(connection), None
    except Exception as error:
        if not session.closed:
            session.execute("ROLLBACK", prepare=False)
        if _undone(error):
            raise
        return False
    _commit(session, batch)
    return True


def transact(connection: Connection, batch: list[Piece[Any]], begin: str = "BEGIN") -> None:
    """Raises what has undone all of it; what has undone a piece alone is that one's error."""
    session = driver_of(connection)
    session.execute(begin, prepare=False)
    try:
        if len(batch) == 1:
            _alone(connection, batch[0])
        else:
            for piece in batch:
                _in_savepoint(connection, session, piece)
    except BaseException:
        if not session.closed:
            session.execute("ROLLBACK", prepare=False)
        raise
    if all(piece.error is not None for piece in batch):
        session.execute("ROLLBACK", prepare=False)
    else:
        _commit(session, batch)


def _commit(session: Session[Any], batch: list[Piece[Any]]) -> None:
    told = {piece.notice for piece in batch if piece.error is None and piece.notice is not None}
    telling = "".join(f"NOTIFY {CHANNEL}, '{notice.value}'; " for notice in sorted(told, key=lambda each: each.value))
    try:
        session.execute(f"{telling}COMMIT", prepare=False)
    except driver().Error as error:
        raise _Unknown from error


def _alone(connection: Connection, piece: Piece[Any]) -> None:
    piece.value, piece.error = None, None
    try:
        piece.value = piece.work(connection)
    except Exception as error:
        if _undone(error):
            raise
        piece.error = as_passing(error)


def _in_savepoint(connection: Connection, session: Session[Any], piece: Piece[Any]) -> None:
    """A piece that fails takes back its own changes and nobody else's."""
    session.execute("SAVEPOINT piece", prepare=False)
    _alone(connection, piece)
    session.execute("ROLLBACK TO piece" if piece.error is not None else "RELEASE piece", prepare=False)


def look(connection: Connection, batch: list[Piece[Any]]) -> None:
    """Each statement sees what was committed before it."""
    for piece in batch:
        _alone(connection, piece)


# ---------------------------------------------------------------- together ----------------------------------------


class Database:
    """An open, migrated database. Close it, or use it as ``async with Database(url) as database``."""

    def __init__(self, url: str, observe: Observe = lambda pieces, seconds: None) -> None:
        """``observe`` hears, in the thread that wrote, of each transaction."""
        self.url = url
        self._engine = engine_for(url)
        lanes = Lanes(self._engine.connect, _undone, as_passing)
        self._turns = {
            Turn.ORDERS: lanes.lane(InTurn(Turn.ORDERS), MOST_PIECES, observe=observe),
            Turn.CLAIMS: lanes.lane(InTurn(Turn.CLAIMS), 1, observe=observe),
        }
        self._writers = lanes.lane(transact, 1, threads=WRITERS, observe=observe)
        self._readers = lanes.lane(look, MOST_READS, threads=READERS)
        self._lanes = lanes
        self._listener: Listener | None = None
        self._written = 0  #: how often
        self._told: Counter[Notice] = Counter()  #: what this process itself has told of
        self._closed = False

    async def write(
        self, work: Callable[[Connection], T], *, turn: Turn | None = None, notice: Notice | None = None
    ) -> T:
        try:
            return await self._ask(self._writers if turn is None else self._turns[turn], work, notice)
        finally:
            self._written += 1
            if notice is not None:
                self._told[notice] += 1

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._ask(self._readers, work)

    async def _ask(self, lane: Lane, work: Callable[[Connection], T], notice: Notice | None = None) -> T:
        if self._closed:
            raise RuntimeError("The database is closed.")
        piece = asked(work, notice)
        lane.put(piece)
        return await piece.future

    async def read_aside(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._read_snapshot, work)

    def _read_snapshot(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection:
                session = driver_of(connection)
                session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", prepare=False)
                found = work(connection)
                session.execute("COMMIT", prepare=False)
                return found
        except Exception as error:
            raise as_passing(error) from error

    def mark(self, of: Remembered) -> object | None:
        """Whether rows have changed is known only to who reads them. What is told of ended tasks is a second old at
        most, and never older than what this process itself has written."""
        if of is Remembered.ENDED:
            return int(time.monotonic()), self._written
        if of is Remembered.FEATURES:
            return self._heard_of(Notice.FEATURES)
        if of is Remembered.KEYS and (heard := self._heard_of(Notice.KEYS)) is not None:
            return heard, int(time.monotonic()), self._told[Notice.KEYS]
        return None

    def _heard_of(self, notice: Notice) -> int | None:
        return None if self._listener is None else self._listener.version(notice)

    def listen(self, heard: Heard) -> None:
        if self._listener is None:
            self._listener = Listener(lambda: connect(self.url), CHANNEL)
        self._listener.tell(asyncio.get_running_loop(), heard)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._lanes.close)
        if self._listener is not None:
            await asyncio.to_thread(self._listener.close)
        self._engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
