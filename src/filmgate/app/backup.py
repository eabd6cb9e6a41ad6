"""A copy of everything, made while servers are at work: a folder that can be served as it is.

The database first, then the files that the copy speaks of. A film is stored before the row that publishes it, and never
changed: so each of these files was there when the database was copied, and is there still, unless its time is over.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..domain.errors import FilmgateError
from ..settings import Settings
from ..storage.local import LocalStorage
from ..store.database import is_postgres
from ..store.migrate import hot_copy, stored_revision
from ..store.rows import artifacts_of
from ..store.soundness import faults
from ..store.sqlite import connect, location
from .place import films_folder
from .private import private_folder, sync_folder

DATABASE, FILMS = "filmgate.db", "media"  #: as in a data folder


class CannotBackUp(FilmgateError):
    """One sentence that says why. Nothing was left behind."""


@dataclass(frozen=True, slots=True)
class Backup:
    folder: Path
    revision: str  #: of the database's schema
    tasks: int
    database_bytes: int
    files: int  #: films, posters, images and uploads
    file_bytes: int
    missing: tuple[str, ...]  #: what the database speaks of, and the storage has lost


@dataclass(frozen=True, slots=True)
class _Named:
    """A stored file that a row speaks of."""

    key: str
    bytes: int
    until_ms: int


def back_up(settings: Settings, folder: Path, *, films: bool) -> Backup:
    """Copy, verify, and only then give the folder its name. Raises CannotBackUp and DatabaseRefused."""
    source = _source(settings, folder)
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        private_folder(unfinished)
        made = _fill(settings, source, unfinished, films)
        os.rename(unfinished, folder)
        sync_folder(folder.parent)
    except (OSError, sqlite3.Error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise CannotBackUp(f"The backup could not be made ({why}): nothing was kept of it.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Backup(folder, *made)


def _source(settings: Settings, folder: Path) -> Path:
    if is_postgres(settings.database):
        raise CannotBackUp(
            "A PostgreSQL database is backed up by its own tools: run pg_dump --format=custom on it, and copy the "
            "storage after that. Nothing was made."
        )
    database = location(settings.database)
    if not database.exists():
        raise CannotBackUp(f"There is no database {database} to back up: say where it is with --data.")
    if folder.exists() or folder.is_symlink():
        raise CannotBackUp(f"{folder} is there already: name a folder that a backup can be made as.")
    return database


def _fill(
    settings: Settings, source: Path, folder: Path, films: bool
) -> tuple[str, int, int, int, int, tuple[str, ...]]:
    copy = folder / DATABASE
    with closing(connect(source)) as driver:
        revision = stored_revision(driver, source)  # raises DatabaseRefused for what is not ours
    hot_copy(source, copy)
    if found := faults(copy, thoroughly=True):
        raise CannotBackUp(
            f"The database {source} is damaged ({found[0]}), and no backup was made: run filmgate doctor."
        )
    asyncio.run(LocalStorage(folder / FILMS).begin())  # so that it can be served where the films are lost, too
    sizes, missing = _bring_files(copy, LocalStorage(films_folder(settings)), folder / FILMS) if films else ([], [])
    sync_folder(folder)
    with closing(connect(copy)) as driver:
        (tasks,) = driver.execute("SELECT count(*) FROM tasks").fetchone()
    return str(revision), tasks, copy.stat().st_size, len(sizes), sum(sizes), tuple(missing)


def _bring_files(copy: Path, storage: LocalStorage, folder: Path) -> tuple[list[int], list[str]]:
    """The sizes of the files that were brought, and the keys of those that should have been there."""
    sizes, missing = [], []
    with closing(connect(copy)) as driver:
        for file in _named(driver):
            size = storage.bring_to(folder, file.key)
            if size == file.bytes:
                sizes.append(size)
            elif file.until_ms > time.time_ns() // 1_000_000:
                missing.append(file.key)
    return sizes, missing


def _named(driver: sqlite3.Connection) -> Iterator[_Named]:
    for (text,) in driver.execute("SELECT artifacts FROM tasks WHERE artifacts != '[]'"):
        for each in artifacts_of(text):
            yield _Named(each.key, each.bytes, each.expires_ms)
    if driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'uploads'").fetchone():
        for key, size, until_ms in driver.execute("SELECT key, bytes, expires_ms FROM uploads"):
            yield _Named(key, size, until_ms)
