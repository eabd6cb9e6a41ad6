"""An attempt at a task that is under way in a runner, and what it can come to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..domain.errors import (
    AttemptsUsedUp,
    ContentRejected,
    EngineCrashed,
    FilmgateError,
    OutputUnusable,
    TaskError,
)
from ..domain.lifecycle import MAX_FAULTS
from ..domain.task import Artifact, Lease, Run
from ..ports import Progress
from .marks import Mark

_STARTING = Progress(0.0, "starting")


@dataclass(frozen=True)
class Resumed:
    """An engine elsewhere has done with the order: its film can be fetched, or ``error`` says why there is none."""

    mark: Mark
    error: TaskError | None = None


@dataclass(eq=False)
class Attempt:
    """An attempt that is under way in this runner."""

    lease: Lease
    engine: str  #: whose slot it has, or waits for
    workdir: Path
    freed: Callable[[], None]  #: called when that slot is needed no longer
    resumed: Resumed | None = None
    work: asyncio.Task[None] | None = None
    progress: Progress = _STARTING
    noted: Progress | None = None  #: what the store knows of it
    rendering: bool = True  #: it has, or waits for, an engine's slot
    making: bool = True  #: until there is a film or an error; what is left then is tidying, which nobody may stop
    lost: bool = False  #: the task is no longer ours
    paid: bool = False  #: an order elsewhere came to nothing: it is not sent once more
    pledged: list[str] = field(default_factory=list)  #: engines elsewhere that keep a place for it
    handed_over_to: str | None = None
    runs: list[Run] = field(default_factory=list)  #: what ran for it and has ended

    @property
    def task_id(self) -> str:
        return self.lease.task.id

    def part(self, low: float, high: float) -> Callable[[float, str], None]:
        """A reporter for a part of the progress bar, which never goes back: a fallback begins where the first engine
        has stopped."""

        def report(fraction: float, stage: str) -> None:
            self.progress = Progress(max(self.progress.fraction, low + (high - low) * fraction), stage)

        return report

    def takes(self, engine: str) -> None:
        """Wait for a slot of this engine, in place of the one before."""
        self.engine, self.rendering = engine, True
        self.freed()

    def leaves_slot(self) -> None:
        """The next render need not wait until this film is stored."""
        self.rendering = False
        self.freed()

    def ended(self, run: Run, outcome: str, now_ms: int) -> Run:
        """The run, which has come to this; kept, to be stored with the end of the attempt."""
        run = self.done(run, outcome, now_ms)
        self.runs.append(run)
        return run

    @staticmethod
    def done(run: Run, outcome: str, now_ms: int) -> Run:
        return replace(run, ended_ms=now_ms, outcome=outcome)


@dataclass(frozen=True)
class Turn:
    """The engine that is asked now, and what has come before it."""

    engine: str
    tried: tuple[str, ...] = ()  #: engines that have refused the order, or broken down over it
    refusal: ContentRejected | None = None  #: for which this engine is asked as a fallback
    resumed: Resumed | None = None
    again: Mark | None = None  #: nobody knows whether it was sent: send the same once more


@dataclass(frozen=True)
class Made:
    """What an attempt came to: stored files, and how they came about."""

    artifacts: Sequence[Artifact]
    state: bytes
    engine: str
    fallback_used: bool = False


@dataclass(frozen=True)
class HandedOver:
    """What an attempt came to: an engine elsewhere works on it, and a look is due at that time."""

    run_at_ms: int


def word_for(outcome: FilmgateError | HandedOver | None) -> str:
    """What meters and traces call the end of an attempt."""
    if isinstance(outcome, HandedOver):
        return "handed_over"
    return "succeeded" if outcome is None else outcome.slug


def last_word(error: TaskError) -> TaskError:
    """What the owner is told when a passing fault has come back too often. What kind of fault it was stays."""
    said = "the engine's process died each time" if isinstance(error, EngineCrashed) else "the last one said"
    kind = AttemptsUsedUp if isinstance(error, EngineCrashed | OutputUnusable) else type(error)
    final = kind(f"{MAX_FAULTS} attempts ended without a film; {said}: {error}")
    final.__cause__ = error
    return final
