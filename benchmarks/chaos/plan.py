"""What a run is to do, and which processes it has. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KEY = "chaos-key-that-is-long-enough-for-a-server"
SCHEDULE_S = (0.3, 0.5, 1.0, 1.0, 2.0, 2.0)  #: between the tries of a callback
CALLBACK_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Layout:
    """``servers`` times `filmgate serve`; with no ``workers`` beside them, each has a worker of its own."""

    servers: int = 1
    workers: int = 0


ALONE = Layout()  #: one `filmgate serve`, as on one machine
SHARED = Layout(servers=2, workers=2)  #: several API processes and workers on one database and one storage


@dataclass(frozen=True, slots=True)
class Plan:
    """``resume_s`` is the longest that a task of a dead worker may wait; None only measures it."""

    folder: Path
    rounds: int
    seed: int
    layout: Layout = ALONE
    database: str | None = None  #: postgresql://...; None is a SQLite file of the run's own
    lease_s: float = 2.0
    heartbeat_s: float = 0.5
    resume_s: float | None = 4.0
    live: int = 8  #: orders that are under way at the same time
    settle_s: float = 120.0  #: within which everything must have ended once nobody disturbs it any more
    plants: tuple[str, ...] = ()  #: faults to be planted behind the server's back
    one_task_per_key: bool = False  #: hold the server to its Idempotency-Key

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    @property
    def temporary(self) -> Path:
        """What TMPDIR says."""
        return self.folder / "tmp"
