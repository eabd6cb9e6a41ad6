"""The engines that can be used: the installed kinds, ours and those of other packages, by the same door (entry points),
and the names that the operator has given to some of them, each with settings of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, cast

import msgspec

from ..domain.errors import EngineUnavailable
from ..domain.routing import Capabilities
from ..ports import Engine, RemoteEngine

GROUP = "filmgate.engines"


@dataclass(frozen=True, slots=True)
class Declared:
    """An engine under a name of the operator's own."""

    kind: str  #: one of ``installed``
    config: msgspec.Struct | None = None  #: what its class calls ``Config``; None for a class that has none


def installed() -> Sequence[str]:
    """The kinds of engines that there are, in alphabetical order; nothing is imported."""
    return sorted(_entry_points())


def load(kind: str) -> type[Any]:
    """The class of a kind. Raises EngineUnavailable, saying which there are or what failed."""
    entry = _entry_points().get(kind)
    if entry is None:
        raise EngineUnavailable(
            f"There is no engine named {kind!r}: installed are {', '.join(installed())}. "
            "Correct the model's engine in filmgate.toml, or install the package that brings it."
        )
    try:
        return cast("type[Any]", entry.load())
    except ImportError as error:
        raise EngineUnavailable(f"The engine {kind!r} cannot be imported: {error}.") from error


def config_of(kind: type[Any]) -> type[msgspec.Struct] | None:
    """What an engine's class wants to be told, if anything."""
    return getattr(kind, "Config", None)


class Registry:
    """Name -> engine. A kind that the operator has given no settings goes by its own name."""

    def __init__(self, declared: Mapping[str, Declared] = MappingProxyType({})) -> None:
        self._declared = declared
        self._capabilities: dict[str, Capabilities] = {}

    def names(self) -> Sequence[str]:
        """Those that can stand in a route, in alphabetical order."""
        return sorted({*installed(), *self._declared})

    def declared(self, name: str) -> Declared:
        return self._declared.get(name, Declared(name))

    def make(self, name: str) -> Engine | RemoteEngine:
        """A new engine, not yet loaded or opened. Raises EngineUnavailable."""
        of = self.declared(name)
        kind = self._class(name)
        config = config_of(kind)
        if config is None:
            return cast("Engine | RemoteEngine", kind())
        return cast("Engine | RemoteEngine", kind(of.config or _without_settings(name, config)))

    def capabilities(self, name: str) -> Capabilities:
        """What an engine can do, asked once. Raises EngineUnavailable."""
        if name not in self._capabilities:
            self._capabilities[name] = self.make(name).capabilities()
        return self._capabilities[name]

    def version(self, name: str) -> str:
        """Of the package that brings it: "filmgate 0.3"; empty for what is no engine."""
        entry = _entry_points().get(self.declared(name).kind)
        return f"{entry.dist.name} {entry.dist.version}" if entry is not None and entry.dist is not None else ""

    def release(self, name: str) -> str:
        """The number of that version; empty for what is no engine."""
        return self.version(name).rpartition(" ")[2]

    def is_remote(self, name: str) -> bool:
        """Whether its films are made elsewhere. Raises EngineUnavailable."""
        return hasattr(self._class(name), "start")

    def _class(self, name: str) -> type[Any]:
        kind = self.declared(name).kind
        if kind == name and kind not in _entry_points() and self._declared:
            raise EngineUnavailable(
                f"There is no engine named {name!r}: there are {', '.join(self.names())}. "
                f"Correct the model's engine in filmgate.toml, or write a table [engines.{name}]."
            )
        return load(kind)


def _without_settings(name: str, config: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return config()
    except TypeError:
        needed = [each.encode_name for each in msgspec.structs.fields(config) if each.required]
        raise EngineUnavailable(
            f"The engine {name!r} has to be told {', '.join(needed)}: write a table [engines.{name}] with that in "
            "filmgate.toml."
        ) from None


@cache
def _entry_points() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
