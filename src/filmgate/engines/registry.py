"""The engines that are installed: ours and those of other packages, by the same door (entry points)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from ..domain.errors import EngineUnavailable
from ..domain.routing import Capabilities
from ..ports import Engine

GROUP = "filmgate.engines"


def installed() -> Sequence[str]:
    """The names of all engines, in alphabetical order; nothing is imported."""
    return sorted(_entry_points())


def make(name: str) -> Engine:
    """A new, not yet loaded engine. Raises EngineUnavailable, saying which names there are or what failed."""
    entry = _entry_points().get(name)
    if entry is None:
        raise EngineUnavailable(
            f"There is no engine named {name!r}: installed are {', '.join(installed())}. "
            "Correct the model's engine in filmgate.toml, or install the package that brings it."
        )
    try:
        return cast(Engine, entry.load()())
    except ImportError as error:
        raise EngineUnavailable(f"The engine {name!r} cannot be imported: {error}.") from error


@cache
def capabilities(name: str) -> Capabilities:
    """What an engine can do, asked once."""
    return make(name).capabilities()


def version(name: str) -> str:
    """Of the package that brings the engine; empty where it does not say."""
    entry = _entry_points().get(name)
    return entry.dist.version if entry is not None and entry.dist is not None else ""


@cache
def _entry_points() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
