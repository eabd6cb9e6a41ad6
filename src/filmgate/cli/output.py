"""Where a film goes: a file that appears whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .failures import Exit, Failure

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Place:
    """``temporary`` lies beside ``final`` and becomes it at the end."""

    final: Path
    temporary: Path


def slug(prompt: str) -> str:
    """A file name from a prompt: "A dog, playing!" -> "a-dog-playing"; "film" where no letter is left."""
    plain = unicodedata.normalize("NFKD", prompt).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    name = ""
    for word in words:
        if len(name) + 1 + len(word) > LONGEST_NAME:
            break
        name = f"{name}-{word}" if name else word
    return name or "film"


@contextmanager
def place(output: Path | None, name: str) -> Iterator[Place]:
    """A place to write to. Left without an error, it takes the final name; otherwise nothing stays, no folder either.

    Raises Failure where the folder cannot be made or written to: before any work is done.
    """
    final = _final(output, name)
    made = _make_folder(final.parent)
    temporary = final.parent / f".{final.stem[:40]}.{secrets.token_hex(4)}.mp4"
    try:
        _check_writable(temporary)
        yield Place(final, temporary)
        os.replace(temporary, final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        for folder in made:
            with suppress(OSError):  # somebody else has put something there meanwhile
                folder.rmdir()
        raise


def _final(output: Path | None, name: str) -> Path:
    if output is None:
        return Path(f"{name}.mp4")
    return output / f"{name}.mp4" if output.is_dir() else output


def _make_folder(folder: Path) -> list[Path]:
    """The folders that had to be made, the deepest first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"The folder {folder} cannot be made: {error.strerror}.", Exit.USAGE) from error
    return missing


def _check_writable(path: Path) -> None:
    try:
        path.touch(mode=0o644)
    except OSError as error:
        raise Failure(f"Nothing can be written to {path.parent}: {error.strerror}.", Exit.USAGE) from error
