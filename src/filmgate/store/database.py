"""What every database can do, whatever it is made by: the door that all stores go through."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from ..domain.errors import FilmgateError

T = TypeVar("T")

Observe = Callable[[int, float], None]  #: hears of each transaction: how many pieces it had, how long it took
Heard = Callable[[], None]

POSTGRES = ("postgresql://", "postgres://")  #: how addresses of a PostgreSQL begin


class DatabaseRefused(FilmgateError):
    """The database cannot be used by this program, and the sentence says what to do. Nothing was changed."""

    sentence = "This database cannot be used."


class DatabaseBusy(FilmgateError):
    """Another process is in the middle of a transaction, and stays there."""

    sentence = "The database is busy."
    retryable = True


class DatabaseUnavailable(FilmgateError):
    """The database cannot be written or read just now: its disk is full, or it has gone."""

    sentence = "The database cannot be used at the moment: try again later."
    retryable = True


class Turn(Enum):
    """What goes one at a time, among all processes: it counts what the one before it has left."""

    ORDERS = 1
    CLAIMS = 2


class Notice(Enum):
    """What other processes are told as soon as it is committed, where the database can tell them."""

    QUEUE = "queue"  #: there may be something to do, or to stop doing
    FEATURES = "features"
    KEYS = "keys"


class Remembered(Enum):
    """What stores remember of what they have read (``memory.py``), by what a database has to know about it."""

    ROWS = "rows"  #: always exact: tasks that have not ended
    KEYS = "keys"  #: there is a notice of their changes, and none is known for longer than a second without a look
    ENDED = "ended"  #: of ended tasks only their media change: what others have changed may be told a second later
    FEATURES = "features"  #: there is a notice of their changes


class Database(Protocol):
    """An open, migrated database."""

    async def write(
        self, work: Callable[[Connection], T], *, turn: Turn | None = None, notice: Notice | None = None
    ) -> T:
        """What ``work`` returned, once it is on the disk; what it raised, once it is undone.

        ``work`` runs in a thread, between statements of others, and maybe more than once: it must neither wait nor
        begin transactions. Raises DatabaseUnavailable and DatabaseBusy.
        """

    async def read(self, work: Callable[[Connection], T]) -> T:
        """For a look-up by an index or two: as quick as the database allows."""

    async def read_aside(self, work: Callable[[Connection], T]) -> T:
        """For lists and sums. All statements of ``work`` see the same moment."""

    def mark(self, of: Remembered) -> object | None:
        """While this is what it was before something was read, that is still so, as exactly as ``Remembered`` says;
        None where the database cannot tell at the moment: then nothing is taken from memory."""

    def listen(self, heard: Heard) -> None:
        """From now on, call ``heard`` in the running loop when another process has told of the queue."""

    async def close(self) -> None:
        """Finish what was asked for, then let go of it. A second call does nothing."""


def is_postgres(database: str) -> bool:
    return database.startswith(POSTGRES)
