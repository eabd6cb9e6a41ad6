"""What brings about a cell of the contract's table, and what it needs for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from support.server import Server


@dataclass(frozen=True)
class Ground:
    """``film_id`` has succeeded and ``failed_id`` has not, on every server; ``film_url`` is good on the first."""

    fine: Server
    dear: Server  #: what has a price is beyond the account, a film in 720p excepted
    broken: Server  #: its database has lost the tables of tasks and of uploads
    strict: Server  #: one order in ten seconds, and one question about a task in a second
    full: Server  #: its queue takes one task
    capped: Server  #: the key may spend one credit an hour
    film_id: str
    film_url: str
    failed_id: str


Cause = Callable[[Ground, Path], Iterator[int]]


@dataclass(frozen=True)
class Cell:
    """The codes that ``cause`` brings about, in a folder of its own, are all ``code``."""

    endpoint: str
    code: int
    words: str
    by: str  #: what the cause is called
    cause: Cause

    def __str__(self) -> str:
        return f"{self.endpoint} {self.code}: {self.by}"


def cells(*endpoints: str, code: int, words: str, cause: Callable[[str, Ground, Path], Iterator[int]]) -> list[Cell]:
    """One cause at several addresses; it is told which one."""
    by = cause.__name__.strip("_").replace("_", " ")
    return [Cell(endpoint, code, words, by, partial(cause, endpoint)) for endpoint in endpoints]
