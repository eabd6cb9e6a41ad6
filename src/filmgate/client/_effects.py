"""What a flow may ask for, and what comes back. See ``_flow.py``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read to its end. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; the outcome is a Reply."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)  #: holds the key
    body: bytes | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    harmless: bool = False  #: nothing happens where it is sent twice that would not where it is sent once


@dataclass(frozen=True, slots=True)
class SendFile:
    """POST a file as a form, part by part from the disk where it lies there; the outcome is a Reply."""

    url: str
    headers: Mapping[str, str] = field(repr=False)  #: holds the key
    file: Path | bytes = field(repr=False)
    filename: str  #: what the form calls it
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download an address to a path; the outcome is the path. Never carries the key: films lie on other hosts."""

    url: str
    path: Path
    on_progress: Callable[[int, int | None], None] | None = None


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait; the outcome is None."""

    seconds: float


Effect = Send | SendFile | Fetch | Sleep
T = TypeVar("T")
Flow = Generator[Effect, Any, T]
