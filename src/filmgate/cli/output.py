"""Where a film goes: a file that appears whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import stat
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

    A link to a file stays a link, and the file behind it is replaced. Raises Failure, before any work is done, where
    the folder cannot be made or written to, or where something lies there that is no file.
    """
    final = _final(output, name)
    target = _replaceable(final)
    made = _make_folder(target.parent)
    temporary = target.parent / f".{target.stem[:40]}.{secrets.token_hex(4)}.mp4"
    try:
        _check_writable(temporary)
        yield Place(final, temporary)
        os.replace(temporary, _replaceable(final))
    except BaseException:
        temporary.unlink(missing_ok=True)
        for folder in made:
            with suppress(OSError):  # somebody else has put something there meanwhile
                folder.rmdir()
        raise


def _final(output: Path | None, name: str) -> Path:
    if output is None:
        return Path(f"{name}.mp4")
    if str(output) == "-":
        raise Failure("A film is not written to standard output: name a file, such as -o film.mp4.", Exit.USAGE)
    return output / f"{name}.mp4" if os.path.isdir(output) else output


def _replaceable(path: Path) -> Path:
    """The file that is to be replaced, or made: ``path``, or what it is a link to.

    Raises Failure for devices, pipes, folders and links that lead nowhere: renaming a film over one would destroy it.
    """
    try:
        there = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise Failure(
                f"{path} is a link that leads nowhere: remove it, or name another file.", Exit.USAGE
            ) from None
        return path
    except OSError as error:
        raise Failure(f"Nothing can be written to {path}: {error.strerror}.", Exit.USAGE) from error
    if not stat.S_ISREG(there.st_mode):
        kind = "a folder" if stat.S_ISDIR(there.st_mode) else "a device, a pipe or a socket"
        raise Failure(f"{path} is {kind}, and not a file that a film could replace: name another.", Exit.USAGE)
    return Path(os.path.realpath(path))


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
