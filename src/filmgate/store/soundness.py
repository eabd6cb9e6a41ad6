"""Whether a database file is what it was: looked at before it is used, and without changing it.

A process that dies leaves a whole database behind; a disk, a machine that goes down, or somebody who copies one file
over another, may not. SQLite notices damage only where it happens to read, so all pages are looked at: always where
that takes no time worth mentioning, else where there is a reason to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from .database import DatabaseRefused

QUICK_BYTES = 256 * 2**20  #: looked through in about 0.2 s
_MOST_FAULTS = 5


def refuse_damaged(path: Path, *, thoroughly: bool) -> None:
    """Raises DatabaseRefused for a file that is damaged, or whose log belongs to another file. Nothing is changed.

    ``thoroughly``: whatever its size, and each index against its table.
    """
    if not path.exists() or not path.is_file():
        return
    doubtful = thoroughly or _is_younger_than_its_log(path)
    if not doubtful and path.stat().st_size > QUICK_BYTES:
        return
    if found := faults(path, thoroughly=doubtful):
        raise DatabaseRefused(f"{path} is damaged ({found[0]}). Nothing was changed: {advice(path)}")


def refuse_emptied(path: Path, films: Path) -> None:
    """Raises DatabaseRefused where a new database would begin beside what an old one has left: that one is lost."""
    if path.exists() and (not path.is_file() or path.stat().st_size):
        return
    log = _log_of(path)
    left = log if log.exists() and log.stat().st_size else next(films.glob("[!.]*"), None) if films.is_dir() else None
    if left is not None:
        seen = "is empty" if path.exists() else "is gone"
        raise DatabaseRefused(
            f"The database {path} {seen}, but there is {left} of its earlier life: {advice(path)} "
            "To begin anew, move that away first."
        )


def faults(path: Path, *, thoroughly: bool) -> Sequence[str]:
    """What is wrong with a database, a few of the faults at most."""
    pragma = "integrity_check" if thoroughly else "quick_check"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            found = [str(line) for (line,) in connection.execute(f"PRAGMA {pragma}({_MOST_FAULTS})")]
            if thoroughly and found == ["ok"]:
                broken = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_FAULTS)
                found = [
                    f"a row of {table} refers to a row of {parent} that is not there" for table, _, parent, _ in broken
                ]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        return [str(error)]
    return [" ".join(line.split()) for line in found if line != "ok"]


def advice(path: Path) -> str:
    """What to do about a database that cannot be used."""
    copies = sorted(path.parent.glob(f"{path.name}.before-*"), key=lambda copy: copy.stat().st_mtime)
    older = f", or the copy {copies[-1].name} that an upgrade has made beside it" if copies else ""
    return f"put back the newest backup{older}, with no {path.name}-wal and {path.name}-shm beside it."


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _is_younger_than_its_log(path: Path) -> bool:
    """Somebody has put a file in the place of the one that the log was written for."""
    log = _log_of(path)
    return log.exists() and log.stat().st_size > 0 and path.stat().st_mtime_ns > log.stat().st_mtime_ns
