"""Before the first process of a server: folders, the newest tables, and on an empty database an account and its key."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from ..services.accounts import first_start, new_secret
from ..settings import Settings
from ..store.database import is_postgres
from ..store.soundness import advice, refuse_damaged
from ..store.sqlite import location
from .locks import begin, went_down
from .parts import Parts, operator
from .place import check_place
from .policy import policy_of
from .private import private_folder, write_private
from .refusal import CannotStart
from .traces import check_libraries

_KNOWN = 20  #: stored files that are looked for in a storage that bears no mark
FIRST_KEY = "first-api-key"  #: the file, in the data folder
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def prepare(settings: Settings, *, owner: str | None, answers: bool = True) -> None:
    """``owner``: the name of the runner, if there is one; the caller holds the locks of its one user. ``answers``:
    there is an API, and somebody may want a key for it.

    Raises CannotStart and FilmgateErrors for whatever the operator can mend.
    """
    engines = settings.registry()
    for engine in {engine for route in settings.routes().values() for engine in route.engines}:
        engines.capabilities(engine)  # raises EngineUnavailable now, not at the first order
    check_libraries(settings)
    if owner is not None:
        policy_of(settings)
    try:
        with _alone(settings):
            _check_database(settings, worker=owner is not None and answers)
            asyncio.run(_prepare(settings, owner, answers))
    except (sqlite3.Error, DBAPIError) as error:
        raise _unusable(settings.database, error) from error


def _check_database(settings: Settings, *, worker: bool) -> None:
    """Look through a file, and thoroughly where the machine went down on it."""
    if is_postgres(settings.database):
        return
    check_place(settings)
    refuse_damaged(location(settings.database), thoroughly=worker and went_down(settings))
    if worker:
        begin(settings)


async def _prepare(settings: Settings, owner: str | None, answers: bool) -> None:
    rooms = settings.data / "tmp"
    private_folder(rooms)
    rooms.chmod(0o700)
    async with operator(settings) as parts:
        if owner is not None:
            await parts.workers.withdraw(owner)  # a runner that was killed could not say good-bye
        await parts.webhooks.seal()  # a key that is set later seals what was there before
        await parts.storage.begin(await parts.media.newest(_KNOWN))
        if answers:
            await _first_key(parts)


async def _first_key(parts: Parts) -> None:
    """The key is in its file before the database knows it, and stays there until it has been shown: none gets lost."""
    chosen = parts.settings.initial_api_key
    if await parts.accounts.keys():
        return
    if chosen is not None:
        await first_start(parts.accounts, parts.clock, chosen)
        return
    path, secret = parts.settings.data / FIRST_KEY, new_secret()
    write_private(path, secret + "\n")
    await first_start(parts.accounts, parts.clock, secret)
    if sys.stdout.isatty():
        print(f"Your API key (shown only now): {secret}", flush=True)
        path.unlink()
    else:
        print(f"The first API key is in {path}", flush=True)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the folder itself, for the moment: two first starts at once would make two keys and show the wrong one.
    Where other folders share the database, hold that too."""
    folder = os.open(settings.data, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if is_postgres(settings.database):
            from ..store.tables import alone  # needs a driver that not everybody has

            with alone(settings.database):
                yield
        else:
            yield
    finally:
        os.close(folder)


def _unusable(database: str, error: sqlite3.Error | DBAPIError) -> CannotStart:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if is_postgres(database):
        return CannotStart(f"The database cannot be used ({' '.join(str(cause).split())}).", machine=True)
    path = location(database)
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _FULL:
        return CannotStart(f"The database {path} cannot be written ({cause}): make room on its disk.", machine=True)
    if code in _DAMAGED:
        return CannotStart(f"The database {path} is damaged ({cause}): {advice(path)}")
    return CannotStart(
        f"The database {path} cannot be used ({cause}): put back a backup, or choose another data folder with --data."
    )
