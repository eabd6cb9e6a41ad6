"""Only one server with a worker at a time: a second one would take the first one's tasks for left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ..settings import Settings
from ..store.database import is_postgres
from ..store.sqlite import location
from .private import private_folder
from .refusal import CannotStart

_LOCK = "serve.lock"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@contextlib.contextmanager
def sole_user(settings: Settings) -> Iterator[tuple[int, ...]]:
    """Hold the data folder and a database file, which may lie elsewhere. Raises CannotStart where somebody else does.

    Yields the descriptors: a child that keeps them open keeps the locks when its parent is gone.
    """
    if is_postgres(settings.database):
        with _held(settings.data / _LOCK, f"uses {settings.data}") as data:
            yield (data,)
            _note_end(data)
        return
    database = location(settings.database).resolve()  # of two links to one file, both would have a lock of their own
    with (
        _held(settings.data / _LOCK, f"uses {settings.data}") as data,
        _held(database.with_name(f"{database.name}.lock"), f"uses the database {database}") as tables,
    ):
        yield data, tables
        _note_end(data)


def begin(settings: Settings) -> None:
    """Note that a server is at work, for ``went_down``. The caller holds the locks."""
    (settings.data / _LOCK).write_text(_boot())


def went_down(settings: Settings) -> bool:
    """Whether the machine went down while a server was at work: files may be other than they were written."""
    lock = settings.data / _LOCK
    return (lock.read_text() if lock.exists() else "") not in ("", _boot())


def _note_end(lock: int) -> None:
    if os.pread(lock, 100, 0).decode() == _boot():
        os.ftruncate(lock, 0)


def _boot() -> str:
    """Another one each time that the machine starts."""
    return _BOOT.read_text() if _BOOT.exists() else "unknown"


@contextlib.contextmanager
def _held(path: Path, use: str) -> Iterator[int]:
    descriptor = _opened(path)
    try:
        _lock(descriptor, use)
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, use: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"Another `filmgate serve` {use}: stop it, give this one a folder of its own with --data, "
            "or start it with --no-worker."
        ) from None


def _opened(path: Path) -> int:
    try:
        private_folder(path.parent)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise CannotStart(
            f"Nothing can be written in {path.parent} ({error.strerror}): choose another folder with --data "
            "(or FILMGATE_DATABASE_URL), or change its owner."
        ) from error
    return descriptor
