"""The Task: one order, where it stands, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .spec import Spec


class Status(StrEnum):
    """Where a task stands; ``lifecycle.py`` says what may follow what."""

    QUEUED = "queued"  #: waits for a worker, or for the time of its next attempt
    RUNNING = "running"  #: a worker holds a lease on it
    WAITING = "waiting"  #: a remote engine works on it; nobody holds a lease
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"  #: refused: the owner would have to change something
    FAILED = "failed"  #: the engine could not

    @property
    def ended(self) -> bool:
        return self in (Status.SUCCEEDED, Status.REJECTED, Status.FAILED)


#: What clients are told, in fewer words.
STATES: Mapping[str, tuple[Status, ...]] = {
    "waiting": (Status.QUEUED,),
    "generating": (Status.RUNNING, Status.WAITING),
    "success": (Status.SUCCEEDED,),
    "fail": (Status.REJECTED, Status.FAILED),
}


class Role(StrEnum):
    """What an artifact is for."""

    RESULT = "result"
    ORIGIN = "origin"
    POSTER = "poster"
    FULL = "full"  #: an extension joined to what it extends
    INPUT = "input"  #: an image that the order came with, checked and made upright


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored file of a task. ``key`` names it in the storage and holds task and attempt."""

    role: Role
    key: str
    mime: str
    bytes: int
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    has_audio: bool = False
    expires_ms: int = 0  #: from then on its links answer 410


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task was rejected or failed: the slug of a TaskError, and its sentence."""

    slug: str
    sentence: str


@dataclass(frozen=True, slots=True)
class OrderKey:
    """What a client calls one order, so that it is taken once however often it comes: its Idempotency-Key."""

    key: str
    digest: str  #: of the order; another one under the same key is a mistake


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked, through which door. It decides how the task is told back: links, record, callback."""

    account_id: str
    key_id: str
    dialect: str  #: "veo3", "market", ...: whose wire format the callback has
    public_base: str  #: "https://films.example.org": the base of every link of this task
    edition: Mapping[str, str] = field(default_factory=dict)  #: the switches of the key that asked


@dataclass(frozen=True, slots=True)
class Run:
    """One engine's go at a task: what ran where, when, with what, and how it ended. A task has one of an attempt and an
    engine. Times are UTC milliseconds."""

    attempt: int  #: in which it was begun
    engine: str  #: by the name that the route has for it
    version: str  #: of the package that brings it
    worker: str
    began_ms: int
    ended_ms: int | None = None
    outcome: str | None = None  #: "succeeded", or the slug of what ended it; None while it is under way
    upstream_id: str | None = None  #: what the other side calls it, of an engine that renders elsewhere
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """One order. Times are UTC milliseconds."""

    id: str  #: 32 lowercase hex digits, a UUIDv7 without dashes
    origin: Origin
    spec: Spec
    created_ms: int
    status: Status = Status.QUEUED
    run_at_ms: int = 0  #: not claimed before this
    priority: int = 0
    price: int = 0  #: credits held for it; charged only when it succeeds
    attempt: int = 0  #: attempts begun; fences off a worker that lost its lease
    faults: int = 0  #: attempts that ended in a passing fault
    lost_leases: int = 0  #: attempts whose worker went silent
    owner: str | None = None  #: the worker that holds the lease
    lease_until_ms: int | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    progress: float = 0.0
    stage: str = "queued"
    engine: str | None = None  #: the engine that made it
    fallback_used: bool = False
    checkpoint: str | None = None  #: what a remote engine needs to find its job again
    failure: Failure | None = None
    retry_of: str | None = None  #: the ended task that the operator has ordered once more by this one
    artifacts: tuple[Artifact, ...] = ()

    def artifacts_of(self, role: Role) -> tuple[Artifact, ...]:
        return tuple(a for a in self.artifacts if a.role is role)


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's hold on a task. A result is taken only while (task, owner, attempt) still fits the row."""

    task: Task
    owner: str
    attempt: int
