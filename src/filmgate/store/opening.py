"""Open the database that an address names."""

from __future__ import annotations

from . import sqlite
from .database import Database, Observe, is_postgres


def open_database(url: str, observe: Observe = lambda pieces, seconds: None) -> Database:
    """It has been migrated. Close it at the end. Raises DatabaseRefused."""
    if not is_postgres(url):
        return sqlite.Database(sqlite.location(url), observe)
    from . import postgres  # needs a driver that not everybody has

    return postgres.Database(url, observe)
