"""Finished files in a folder of this machine."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..domain.errors import StorageUnavailable
from ..ports import StoredFile

_SEGMENT = re.compile(r"[a-z0-9_-][a-z0-9._-]{0,127}")  #: no leading dot: those names are ours, for unfinished files
_MAX_KEY = 512
_CHUNK = 256 * 1024
_UNFINISHED = ".incoming-"


class LocalStorage:
    """A folder tree, 0700 with files of 0600. All disk work happens in threads; the loop never waits for the disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, source: Path) -> None:
        """Take over a local file: durable on return, ``source`` is gone. Raises StorageUnavailable."""
        target = self._path(key)
        try:
            await asyncio.to_thread(self._put, source, target)
        except OSError as error:
            raise StorageUnavailable(f"The film could not be stored: {error.strerror or error}.") from error

    async def open(self, key: str) -> StoredFile | None:
        """None where there is no such file."""
        path = self._path_or_none(key)
        return await asyncio.to_thread(_open, path) if path else None

    async def delete(self, key: str) -> None:
        """Silent where there is none."""
        path = self._path_or_none(key)
        if path:
            await asyncio.to_thread(self._delete, path)

    async def keys(self, prefix: str) -> Sequence[str]:
        """The keys that begin with ``prefix``, sorted; "" is all of them. Unfinished files are not among them."""
        return await asyncio.to_thread(self._keys, prefix)

    def bring_to(self, folder: Path, key: str) -> int | None:
        """Have a file in another folder too, durable on return: a second name for it where that lies on the same file
        system, since stored files never change. Its size, or None where there is no such file."""
        path, other = self._path(key), LocalStorage(folder)
        target = other._path(key)
        other._make_folder(target.parent)
        try:
            _bring(path, target)
        except FileNotFoundError:
            return None
        _sync(target)
        _sync(target.parent)
        return target.stat().st_size

    async def sweep(self, older_than_ms: int = 0) -> None:
        """Remove what interrupted puts have left; call it when nobody puts, or with an age that no put reaches."""
        await asyncio.to_thread(self._sweep, time.time_ns() // 1_000_000 - older_than_ms)

    def _path(self, key: str) -> Path:
        path = self._path_or_none(key)
        if path is None:
            raise StorageUnavailable(f"{key!r} is not a storage key: use segments of a-z, 0-9, '.', '_' and '-'.")
        return path

    def _path_or_none(self, key: str) -> Path | None:
        """None for what is no key, traversal included: such a file does not exist."""
        segments = key.split("/")
        if len(key) > _MAX_KEY or not all(_SEGMENT.fullmatch(segment) for segment in segments):
            return None
        return self._root.joinpath(*segments)

    def _put(self, source: Path, target: Path) -> None:
        self._make_folder(target.parent)
        unfinished = target.parent / f"{_UNFINISHED}{secrets.token_hex(8)}"
        try:
            _bring(source, unfinished)
            os.chmod(unfinished, 0o600)
            _sync(unfinished)
            os.replace(unfinished, target)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        _sync(target.parent)
        source.unlink(missing_ok=True)

    def _make_folder(self, folder: Path) -> None:
        """Each new folder is itself synced into its parent: a file is only as durable as the way to it."""
        if folder.is_dir():
            return
        if folder != self._root:
            self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, parents=folder == self._root, exist_ok=True)
        _sync(folder.parent)

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._root or not _remove_if_empty(folder):
                return

    def _sweep(self, before_ms: int) -> None:
        for path in [*self._root.rglob(f"{_UNFINISHED}*")]:
            with suppress(FileNotFoundError):  # a put has just come to its end
                if path.lstat().st_ctime_ns // 1_000_000 <= before_ms:  # not mtime: a link keeps that of its source
                    self._delete(path)

    def _keys(self, prefix: str) -> list[str]:
        folder = prefix.rpartition("/")[0]
        start = self._path_or_none(folder) if folder else self._root
        if start is None or not start.is_dir():
            return []
        found = (path.relative_to(self._root).as_posix() for path in start.rglob("[!.]*") if path.is_file())
        return sorted(key for key in found if key.startswith(prefix))


def _bring(source: Path, target: Path) -> None:
    """A second name for the file where the file system allows it, else a copy: the source stays until we are done."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _open(path: Path) -> StoredFile | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None

    def read(start: int, end: int) -> AsyncIterator[bytes]:
        return _read(path, start, end)

    return StoredFile(size=found.st_size, modified_ms=found.st_mtime_ns // 1_000_000, read=read)


async def _read(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    handle = await asyncio.to_thread(os.open, path, os.O_RDONLY)
    try:
        while start < end:
            chunk = await asyncio.to_thread(os.pread, handle, min(_CHUNK, end - start), start)
            if not chunk:
                raise OSError(f"{path.name} is shorter than it was when it was opened.")
            start += len(chunk)
            yield chunk
    finally:
        os.close(handle)
