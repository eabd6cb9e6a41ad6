"""Stored files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class StoredFile:
    """An open stored file: its size, and its bytes from ``start`` (inclusive) to ``end`` (exclusive)."""

    size: int
    modified_ms: int
    read: Callable[[int, int], AsyncIterator[bytes]]


class Storage(Protocol):
    """Keys are relative paths of [a-z0-9._-] segments. A key is visible whole or not at all."""

    async def begin(self, known: Sequence[str] = ()) -> None:
        """Before the first use. Raises StorageUnavailable where none of the ``known`` keys is there: it is another."""

    async def check(self) -> None:
        """Raises StorageUnavailable where nothing can be put."""

    async def put(self, key: str, source: Path) -> None:
        """Take over a local file: durable on return. Raises StorageUnavailable."""

    async def open(self, key: str) -> StoredFile | None:
        """None where there is no such file."""

    async def delete(self, key: str) -> None:
        """Silent where there is none."""

    async def keys(self, prefix: str) -> Sequence[str]: ...

    async def sweep(self, older_than_ms: int = 0, prefix: str = "") -> None:
        """Remove what interrupted puts have left below a folder, "" or "a/b/"; call it when nobody puts there whose
        file is wanted, or with an age that no put reaches."""
