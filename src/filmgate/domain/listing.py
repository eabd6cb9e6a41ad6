"""Looking through tasks: which are looked for, and what is found at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .spec import Kind
from .task import Status, Task


@dataclass(frozen=True, slots=True)
class Sought:
    """Which tasks are looked for; what is None or empty does not matter. Times are those of creation, UTC milliseconds:
    from ``since_ms`` on, and before ``until_ms``."""

    statuses: tuple[Status, ...] = ()
    model: str | None = None
    kind: Kind | None = None
    since_ms: int | None = None
    until_ms: int | None = None


ANY = Sought()


@dataclass(frozen=True)
class Page:
    """Some of the tasks of an account, the newest first; more of them may come before number ``before``, if it is not
    None. A page may be short, or even empty, and not the last: no more than so many tasks are looked at for one."""

    tasks: Sequence[Task]
    before: int | None
