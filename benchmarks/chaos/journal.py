"""What the driver has seen with its own eyes: nothing in here was taken from the server's database."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Told:
    """What the receiver was told about one task."""

    ids: set[str] = field(default_factory=set)  #: webhook-id of each try
    bodies: set[bytes] = field(default_factory=set)
    accepted: int = 0  #: tries that were answered with 200


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that was not kept. ``kind`` is one of the counts in the line of figures."""

    kind: str
    task_id: str
    sentence: str


@dataclass
class Journal:
    """In memory for the checks, and line by line in a file as evidence."""

    path: Path
    acknowledged: dict[str, str] = field(default_factory=dict)  #: task id -> key of the order
    unanswered: set[str] = field(default_factory=set)  #: keys of orders that nobody ever acknowledged
    told: dict[str, Told] = field(default_factory=dict)
    kills: int = 0
    freezes: int = 0
    restarts: int = 0
    resumes_s: list[float] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    planted: dict[str, str] = field(default_factory=dict)  #: kind of a planted fault -> task id
    _file: TextIO | None = None

    def note(self, event: str, **facts: Any) -> None:
        if self._file is None:
            self._file = self.path.open("a", buffering=1)
        print(json.dumps({"at_ms": now_ms(), "event": event, **facts}), file=self._file)

    def breach(self, kind: str, task_id: str, sentence: str) -> None:
        self.breaches.append(Breach(kind, task_id, sentence))
        self.note("breach", kind=kind, task=task_id, sentence=sentence)

    def count(self, kind: str) -> int:
        """Of tasks, however much is wrong with each; what is of no task counts by its sentence."""
        return len({breach.task_id or breach.sentence for breach in self.breaches if breach.kind == kind})

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
