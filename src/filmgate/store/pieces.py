"""What callers ask of a database, on its way to a thread and back."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from .database import Notice

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Piece(Generic[T]):
    """One caller's work, and where to tell what came of it."""

    work: Callable[[Connection], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    notice: Notice | None = None  #: to be given with the commit
    value: T | None = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.future.done():  # its caller was cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)  # type: ignore[arg-type]


Waiting = queue.SimpleQueue["Piece[Any] | None"]  #: pieces in a line; None is its end


def asked(work: Callable[[Connection], T], notice: Notice | None = None) -> Piece[T]:
    """A piece of the coroutine that is running."""
    loop = asyncio.get_running_loop()
    return Piece(work, loop, loop.create_future(), notice)


def next_batch(waiting: Waiting, most: int) -> tuple[list[Piece[Any]], bool]:
    """Everything that waits, up to the bound; and whether it was the last."""
    batch: list[Piece[Any]] = []
    with contextlib.suppress(queue.Empty):
        while len(batch) < most:
            piece = waiting.get(block=not batch)
            if piece is None:
                return batch, True
            batch.append(piece)
    return batch, False


def tell_all(batch: Sequence[Piece[Any]]) -> None:
    for loop, pieces in groupby(batch, key=lambda piece: piece.loop):
        # A closed loop refuses the call: then nobody is waiting any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell_each, list(pieces))


def _tell_each(pieces: Sequence[Piece[Any]]) -> None:
    for piece in pieces:
        piece.tell()
