"""Where the database and the films lie, and whether a database may lie there."""

from __future__ import annotations

from pathlib import Path

from ..settings import Settings
from ..store.database import is_postgres
from ..store.mounts import place_of, refuse_remote
from ..store.soundness import refuse_emptied
from ..store.sqlite import location


def films_folder(settings: Settings) -> Path:
    return Path(settings.storage.removeprefix("file://"))


def check_place(settings: Settings) -> None:
    """Cheap enough for every command. Raises DatabaseRefused, before anything is made."""
    if is_postgres(settings.database):
        return
    database = location(settings.database)
    refuse_remote(database, place_of(database))
    refuse_emptied(database, films_folder(settings))
