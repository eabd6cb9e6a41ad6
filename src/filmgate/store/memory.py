"""What was read from the database, kept for as long as it is surely still so.

``Database.mark`` is the seam: SQLite tells, in 3 µs and whoever wrote, whether anything was committed since. A database
that cannot tell answers None, and nothing is taken from memory.
"""

from __future__ import annotations

from typing import Generic, TypeVar

V = TypeVar("V")


class Memory(Generic[V]):
    """The last ``most`` things that were looked up, each with the mark that the database had before the look."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[str, tuple[object, V]] = {}

    def keep(self, key: str, mark: object | None, value: V) -> None:
        self._kept.pop(key, None)
        self._kept[key] = mark, value
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def sure(self, key: str, mark: object | None) -> V | None:
        """If nothing at all has changed since."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and mark is not None and kept[0] == mark else None

    def last(self, key: str) -> V | None:
        """As it was the last time."""
        kept = self._kept.get(key)
        return None if kept is None else kept[1]

    def forget(self, key: str) -> None:
        self._kept.pop(key, None)
