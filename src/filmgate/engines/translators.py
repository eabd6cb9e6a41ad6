"""The translators that are installed, by entry points: Filmgate brings none of its own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import cast

from ..domain.errors import EngineUnavailable
from ..ports import Translator

GROUP = "filmgate.translators"


def installed() -> Sequence[str]:
    """Names, in alphabetical order; nothing is imported."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def make(name: str) -> Translator:
    """Raises EngineUnavailable, saying which names there are or what failed."""
    entry = next(iter(entry_points(group=GROUP, name=name)), None)
    if entry is None:
        there = ", ".join(installed()) or "none"
        raise EngineUnavailable(
            f"There is no translator named {name!r}: installed are {there}. "
            "Correct policy.translator, or install the package that brings it."
        )
    try:
        return cast(Translator, entry.load()())
    except ImportError as error:
        raise EngineUnavailable(f"The translator {name!r} cannot be imported: {error}.") from error
