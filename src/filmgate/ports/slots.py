"""Child processes, and the orders that cross to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from ..domain.spec import Spec
from ..domain.task import Role
from .engines import Clip


class Work(StrEnum):
    """What a slot is asked to do. Engines render; everything else is done by the media slot."""

    RENDER = "render"  #: an engine: spec (and images, state, source) -> a Clip
    FIT = "fit"  #: ``clip`` -> in the size and length of the spec; with ``source``, what comes after that film
    FINISH = "finish"  #: ``clip`` -> the film as it is stored, and its poster
    IMAGES = "images"  #: ``images`` as they were fetched -> checked, upright, PNG
    UPSCALE = "upscale"  #: ``source`` -> a clip of the spec's size
    JOIN = "join"  #: ``source`` and then ``clip`` -> one film
    JUDGE = "judge"  #: ``images``, or frames of ``clip``: raises ImageRejected or ContentRejected for an unsafe one


@dataclass(frozen=True)
class Provenance:
    """What a film is to say of itself; it is signed where there are a key and the chain of its certificates."""

    engine: str  #: or UPSCALE
    version: str  #: of the engine's package
    source_type: str  #: ``Capabilities.source_type``
    certificate: Path | None = None  #: PEM
    key: Path | None = None  #: PEM, not encrypted


@dataclass(frozen=True)
class Order:
    """A piece of work for a slot: plain data, since it crosses a process boundary."""

    task_id: str
    attempt: int
    spec: Spec
    workdir: Path  #: absolute
    work: Work = Work.RENDER
    clip: Path | None = None
    images: tuple[Path, ...] = ()
    source: Path | None = None  #: the film that is extended or upgraded
    state: bytes = b""  #: its Clip.state
    options: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance | None = None  #: None: the film says nothing


@dataclass(frozen=True)
class Finished:
    """A file that the media slot has checked and made ready."""

    path: Path
    role: Role
    mime: str
    width: int
    height: int
    seconds: float = 0.0
    has_audio: bool = False


@dataclass(frozen=True)
class SlotHealth:
    kind: str  #: an engine's name, or "media"
    pid: int | None
    state: str  #: "starting", "idle", "busy", "dead"
    task_id: str | None = None


class Slots(Protocol):
    """Child processes, each with one engine loaded (or, kind "media", with the tools for finished films).

    Cancelling ``render`` or ``media`` ends the work: an engine that can leave it is told to and given the time that it
    says it needs; otherwise, and then, the slot is killed, and a new one takes its place.
    """

    async def open(self, kind: str, count: int) -> None:
        """Start and load; returns when all are ready. Raises EngineUnavailable."""

    def free(self, kind: str) -> int:
        """How many slots of this kind could take an order now."""

    def on_free(self, tell: Callable[[], None]) -> None:
        """Call this whenever a slot has become free, or a fresh one has taken the place of a dead one."""

    async def render(self, kind: str, order: Order, report: Callable[[float, str], None]) -> Clip:
        """Run an engine. Raises what the engine raised, EngineCrashed, or EngineTimeout."""

    async def media(self, order: Order, report: Callable[[float, str], None]) -> Sequence[Finished]:
        """What ``order.work`` says, by the media slot. Raises InputUnusable for an image that is none."""

    def health(self) -> Sequence[SlotHealth]: ...

    async def close(self) -> None: ...
