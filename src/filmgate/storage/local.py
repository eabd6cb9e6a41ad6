"""Finished files in a folder of this machine."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..domain.errors import StorageUnavailable
from ..ports import StoredFile

_SEGMENT = re.compile(r"[a-z0-9_-][a-z0-9._-]{0,127}")  #: no leading dot: those names are ours, for unfinished files
_MAX_KEY = 512
_CHUNK = 256 * 1024
_UNFINISHED = ".incoming-"
MARK = ".filmgate"  #: an empty file that is there as long as the folder is the one that films were put in


class LocalStorage:
    """A folder tree, 0700 with files of 0600. All disk work happens in threads; the loop never waits for the disk.

    ``marked``: whether the folder bears the mark that ``begin`` puts there. Where a file system that was mounted is
    gone, an empty folder is in its place: without the mark nothing is put there, and nothing is said to be missing.
    """

    def __init__(self, root: Path, *, marked: bool = False) -> None:
        self._root = root
        self._marked = marked

    async def begin(self, known: Sequence[str] = ()) -> None:
        """Make the folder, and mark it. Raises StorageUnavailable where none of the ``known`` keys is in it."""
        await asyncio.to_thread(self._begin, known)

    async def check(self) -> None:
        """Write something, and remove it. Raises StorageUnavailable."""
        try:
            await asyncio.to_thread(self._try_writing)
        except OSError as error:
            raise StorageUnavailable(f"Nothing can be stored in {self._root}: {error.strerror or error}.") from error

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
        return await asyncio.to_thread(self._open, path) if path else None

    async def delete(self, key: str) -> None:
        """Silent where there is none."""
        path = self._path_or_none(key)
        if path:
            await asyncio.to_thread(self._delete_file, path)

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

    async def sweep(self, older_than_ms: int = 0, prefix: str = "") -> None:
        """Remove what interrupted puts have left below a folder, "" or "a/b/"; call it when nobody puts there whose
        file is wanted, or with an age that no put reaches."""
        start = self._folder(prefix)
        if start is not None:
            await asyncio.to_thread(self._sweep, start, time.time_ns() // 1_000_000 - older_than_ms)

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

    def _begin(self, known: Sequence[str]) -> None:
        mark = self._root / MARK
        if mark.exists():
            return
        if known and not any(self._path(key).exists() for key in known):
            raise StorageUnavailable(
                f"{self._root} is not where the films are: mount what belongs there, or name the place in "
                f"FILMGATE_STORAGE_URL. Where they are lost for good, make an empty file {mark}."
            )
        self._make_folder(self._root)
        mark.touch(mode=0o600)
        _sync(self._root)

    def _check_mark(self) -> None:
        if self._marked and not (self._root / MARK).exists():
            raise StorageUnavailable(
                f"The storage has gone: {self._root} is not the folder that films were put in. Mount it again."
            )

    def _try_writing(self) -> None:
        self._check_mark()
        trial = self._root / f"{_UNFINISHED}{secrets.token_hex(8)}"
        try:
            with open(trial, "xb") as file:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())
        finally:
            trial.unlink(missing_ok=True)

    def _open(self, path: Path) -> StoredFile | None:
        found = _open(path)
        if found is None:
            self._check_mark()
        return found

    def _delete_file(self, path: Path) -> None:
        self._check_mark()
        self._delete(path)

    def _put(self, source: Path, target: Path) -> None:
        self._check_mark()
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

    def _folder(self, prefix: str) -> Path | None:
        """Where the keys that begin so lie; None for what no key begins with."""
        folder = prefix.rpartition("/")[0]
        return self._path_or_none(folder) if folder else self._root

    def _sweep(self, start: Path, before_ms: int) -> None:
        for path in [path for path in _files_below(start) if path.name.startswith(_UNFINISHED)]:
            with suppress(FileNotFoundError):  # a put has just come to its end
                if path.lstat().st_ctime_ns // 1_000_000 <= before_ms:  # not mtime: a link keeps that of its source
                    self._delete(path)

    def _keys(self, prefix: str) -> list[str]:
        self._check_mark()
        start = self._folder(prefix)
        if start is None or not start.is_dir():
            return []
        finished = (path for path in _files_below(start) if not path.name.startswith("."))
        found = (path.relative_to(self._root).as_posix() for path in finished)
        return sorted(key for key in found if key.startswith(prefix))


def _files_below(start: Path) -> Iterator[Path]:
    """Of all folders below: one that is removed meanwhile had nothing in it any more."""
    for folder, _, names in os.walk(start, onerror=_unless_gone):
        yield from (Path(folder, name) for name in names)


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


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
