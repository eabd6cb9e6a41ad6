"""Where a download lands: under a temporary name beside its path, and under its own name only when it is whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ._errors import ConnectionFailed


@contextmanager
def landing(
    path: Path, headers: Mapping[str, str], on_progress: Callable[[int, int | None], None] | None
) -> Iterator[Callable[[bytes], None]]:
    """Gives a function that takes the next piece of the body.

    At the end the file takes its name, replacing what was there. Where anything fails, or the length is not what the
    headers announced (then ConnectionFailed is raised), nothing is left behind.
    """
    total = _announced(headers)
    received = 0
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")

    def take(piece: bytes) -> None:
        nonlocal received
        file.write(piece)
        received += len(piece)
        if on_progress is not None:
            on_progress(received, total)

    try:
        with part.open("xb") as file:
            yield take
            if total is not None and received != total:
                raise ConnectionFailed(f"The download broke off after {received} of {total} bytes.", sent=True)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _announced(headers: Mapping[str, str]) -> int | None:
    """The length of the body; unknown where it is compressed on the way, since pieces come unpacked."""
    length = headers.get("content-length", "")
    compressed = headers.get("content-encoding", "identity") != "identity"
    return None if compressed or not length.isdigit() else int(length)
