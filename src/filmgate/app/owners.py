"""Under which name a runner works: a runner that starts under the name of a dead one has its tasks back at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from ..settings import Settings
from ..store.database import is_postgres
from .private import private_folder, write_private

SERVE = "serve"
_PLACE = "place"  #: the file that keeps the name of a data folder


def serve_owner(settings: Settings) -> str:
    """Of the runner of ``filmgate serve``: a data folder has one. Where others share the database, with its place."""
    return f"{SERVE}@{_place(settings.data)}" if is_postgres(settings.database) else SERVE


@contextlib.contextmanager
def worker_owner(settings: Settings) -> Iterator[tuple[str, int]]:
    """Of a ``filmgate worker``: the first name that no living worker of this data folder has; and the descriptor of
    the lock that keeps it."""
    private_folder(settings.data)
    for number in count(1):
        name = f"worker{number}"
        lock = os.open(settings.data / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        try:
            yield f"{name}@{_place(settings.data)}", lock
        finally:
            os.close(lock)
        return


def _place(data: Path) -> str:
    """This machine and this data folder, the same at every start. A copy of the folder is another place elsewhere."""
    file = data / _PLACE
    if not file.exists():
        write_private(file, secrets.token_hex(4))
    return f"{socket.gethostname()[:60]}-{file.read_text().strip()}"
