"""Threads that do what is asked of a database, each with a connection of its own, and all they need to survive it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import Connection

from .database import Observe
from .pieces import Piece, Waiting, next_batch, tell_all

PATIENCE_S = 3.0  #: for a server that is being restarted; what is asked for meanwhile waits
_PAUSE_S = 0.1
_TRIES = 5  #: of what the database has undone for the sake of another transaction

Work = Callable[[Connection, list[Piece[Any]]], None]  #: raises only what has undone all of the batch


def _unobserved(pieces: int, seconds: float) -> None:
    """Nobody wants to know."""


@dataclass
class Lanes:
    """All lanes over one database. ``again``: whether what has undone a batch may be gone at the next try;
    ``named``: the error under the name that callers know."""

    connect: Callable[[], Connection]
    again: Callable[[Exception], bool]
    named: Callable[[Exception], Exception]
    _lanes: list[Lane] = field(default_factory=list)

    def lane(self, work: Work, most: int, *, threads: int = 1, observe: Observe = _unobserved) -> Lane:
        """``most`` pieces are done together."""
        made = Lane(self, work, most, threads, observe)
        self._lanes.append(made)
        return made

    def close(self) -> None:
        """What was asked for before is done first."""
        for lane in self._lanes:
            lane.close()


class Lane:
    """A line of pieces, and the threads that take them from it; they begin when there is something to do."""

    def __init__(self, lanes: Lanes, work: Work, most: int, threads: int, observe: Observe) -> None:
        self._lanes = lanes
        self._work = work
        self._most = most
        self._observe = observe
        self._waiting: Waiting = Waiting()
        self._most_threads = threads
        self._threads: list[threading.Thread] = []

    def put(self, piece: Piece[Any]) -> None:
        self._waiting.put(piece)
        if len(self._threads) < self._most_threads and (not self._threads or not self._waiting.empty()):
            self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name="filmgate-store", daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        seat, closing = _Seat(self._lanes), False
        while not closing:
            batch, closing = next_batch(self._waiting, self._most)
            if batch:
                began = time.perf_counter()
                seat.do(self._work, batch)
                tell_all(batch)
                self._observe(len(batch), time.perf_counter() - began)
        seat.leave()


class _Seat:
    """One thread's connection: made when it is needed, and anew when it was lost."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._connection: Connection | None = None
        self._away_since: float | None = None

    def do(self, work: Work, batch: list[Piece[Any]]) -> None:
        """Until it is done or there is no hope. Of a server that has been away for long nobody waits to hear again."""
        for tries in count(1):
            try:
                work(self._connected(), batch)
            except Exception as error:
                patient = self._is_patient() if self._let_go() else tries < _TRIES
                if not (patient and self._lanes.again(error)):
                    _spoil(batch, self._lanes.named(error))
                    return
                if tries > 1:
                    time.sleep(_PAUSE_S)
            else:
                self._away_since = None
                return

    def _is_patient(self) -> bool:
        now = time.monotonic()
        self._away_since = now if self._away_since is None else self._away_since
        return now - self._away_since < PATIENCE_S

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._lanes.connect()
        return self._connection

    def _let_go(self) -> bool:
        """Of a connection that is of no use any more; whether it is so."""
        connection = self._connection
        if connection is not None and not connection.invalidated and not _is_closed(connection):
            return False
        self.leave()
        return True

    def leave(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):  # it may be broken already, and is not wanted any more
                self._connection.invalidate()
            with contextlib.suppress(Exception):
                self._connection.close()
        self._connection = None


def _is_closed(connection: Connection) -> bool:
    session: Any = connection.connection.driver_connection
    return session is None or bool(session.closed)


def _spoil(batch: list[Piece[Any]], error: Exception) -> None:
    for piece in batch:
        piece.error = error
