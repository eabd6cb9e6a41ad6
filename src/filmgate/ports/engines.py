"""What makes films: engines, what they are given, and what they leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from pathlib import Path
from typing import Any, Protocol

from ..domain.routing import Capabilities
from ..domain.spec import Spec
from .tasks import Progress


class Secret:
    """A text in an engine's ``Config`` that nobody is to see: ``config show`` masks it, and no log or error has it.

    A field ``api_key: Secret`` is written ``api_key = "..."`` or ``api_key_file = "/run/secrets/house"``.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(********)"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(other._text.encode(), self._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True)
class Job:
    """One attempt at a task as an engine sees it."""

    task_id: str
    attempt: int
    spec: Spec  #: ``spec.seed`` is always set
    workdir: Path  #: the engine's own; removed afterwards
    report: Callable[[float, str], None]  #: fraction 0 to 1 that never falls, and the stage in plain words
    cancelled: Callable[[], bool]  #: nobody wants it any more: raise anything. Asked by engines with leaves_within_s
    images: tuple[Path, ...] = ()  #: checked, upright PNGs in the order of the spec
    source: Path | None = None  #: the film that is upgraded or extended
    state: bytes = b""  #: its Clip.state
    options: Mapping[str, Any] = field(default_factory=dict)  #: from the model's route


@dataclass(frozen=True)
class Clip:
    """What an engine made: a playable file in the workdir, and what it needs to continue or enlarge it."""

    path: Path
    state: bytes = b""  #: opaque; stored with the task
    rough: bool = False  #: its maker keeps to no size and length: scale, crop and cut it to what was ordered
    whole: bool = False  #: where it continues a film, that film comes first in it


class Engine(Protocol):
    """Renders on this machine. Blocking; lives in a slot. Errors are TaskErrors; anything else is an engine's bug.

    A class that has a ``Config``, a frozen ``msgspec.Struct``, is made with one: the operator's table
    ``[engines.NAME]``. Any other is made with nothing. The same goes for a RemoteEngine.
    """

    name: str

    def capabilities(self) -> Capabilities:
        """Cheap: called without ``load``, in processes that have none of the engine's libraries."""

    def load(self) -> None:
        """Once per slot, before the first job. Raises EngineUnavailable with what to install or set."""

    def render(self, job: Job) -> Clip: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class RemoteJob:
    """One attempt at a task as an engine sees it whose films are made elsewhere."""

    task_id: str
    attempt: int
    spec: Spec  #: ``spec.seed`` is always set
    images: tuple[Path, ...] = ()  #: checked, upright PNGs in the order of the spec
    source: Path | None = None  #: the film that is upgraded or extended
    state: bytes = b""  #: its Clip.state
    options: Mapping[str, Any] = field(default_factory=dict)  #: from the model's route
    order_key: str = ""  #: the same where the order may have been sent already: the other side is to take it once


@dataclass(frozen=True)
class Polled:
    """What a look at a remote task showed."""

    progress: Progress
    done: bool = False  #: the film can be collected
    again_s: float | None = None  #: when to look next, where the other side says so


class RemoteEngine(Protocol):
    """Renders elsewhere; async; needs no slot. Errors are TaskErrors: a Rejection where the other side refuses the
    order, a Breakdown where it could not. Only a ``retryable`` one is asked again.

    An instance serves many tasks at the same time, in the runner's loop. Nothing of a task is kept in it: between
    ``start`` and ``poll`` the process may have died, and another one polls.
    """

    name: str

    def capabilities(self) -> Capabilities:
        """Cheap, without ``open``."""

    async def open(self) -> None:
        """Once, before anything else. Raises EngineUnavailable with what to install or set."""

    async def start(self, job: RemoteJob) -> str:
        """Place the order, and return the other side's id for it, which is stored before the first ``poll``.

        Raises EngineTimeout where nobody can know whether the order was taken: unless ``Capabilities.starts_once``, it
        is then not sent again. With any other TaskError it was not taken.
        """

    async def poll(self, upstream_id: str) -> Polled:
        """Raises a ``retryable`` error where it could not look, and any other where there will be no film."""

    async def collect(self, upstream_id: str, into: Path) -> Clip:
        """Fetch the film into this folder. Called again after a ``retryable`` fault."""

    async def cancel(self, upstream_id: str) -> None:
        """Nobody wants it any more. The other side may not know how to stop: then this does nothing."""

    async def check(self) -> str:
        """Ask the other side whether it would serve us, at no cost: what it answered, in a few words. Raises
        EngineUnavailable."""

    async def close(self) -> None: ...


class Translator(Protocol):
    """Puts prompts into English, for engines that read nothing else. Blocking; lives in a thread of the runner."""

    name: str

    def translate(self, text: str, languages: frozenset[str]) -> str:
        """``languages``: those that the text may be in. Raises TaskErrors; anything else is a translator's bug."""
