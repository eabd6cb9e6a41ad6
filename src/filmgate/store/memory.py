"""What was read from the database, kept for as long as it is still so.

``Database.mark`` is the seam: SQLite tells, in 3 µs and whoever has written, whether anything was committed since. What
a database cannot tell about is read anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Kept(Generic[V]):
    value: V
    mark: object | None  #: the database's, before the value was read

    def holds(self, mark: object | None) -> bool:
        """Whether it is still so, with the mark that the database has now."""
        return mark is not None and self.mark == mark


class Memory(Generic[V]):
    """The last ``most`` things that were read."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[str, Kept[V]] = {}

    def last(self, key: str) -> Kept[V] | None:
        """As it was the last time."""
        return self._kept.get(key)

    def keep(self, key: str, value: V, mark: object | None) -> None:
        self._kept.pop(key, None)
        self._kept[key] = Kept(value, mark)
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def forget(self, key: str) -> None:
        self._kept.pop(key, None)
