"""What may be ordered of a model: what the engines behind it can do between them, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .credits import Prices
from .routing import Capabilities, Route
from .spec import AspectRatio, Kind, Mode, Resolution

_UPGRADES = frozenset(kind for kind in Kind if kind.is_upgrade)


@dataclass(frozen=True, slots=True)
class Offer:
    """Of one model. Each thing can be had, though not every combination of them."""

    model: str
    kinds: frozenset[Kind]
    modes: frozenset[Mode]
    aspect_ratios: frozenset[AspectRatio]
    resolutions: frozenset[Resolution]
    seconds: tuple[int, ...]
    max_references: int
    audio: bool  #: whether any of its films has sound
    seeded: bool  #: whether the same seed gives the same film, whichever engine makes it
    prices: Mapping[str, int]  #: "720p", "extend", "upgrade_1080p" ... -> credits


def offer(route: Route, capabilities: Callable[[str], Capabilities], prices: Prices) -> Offer:
    """Every film can be enlarged: those that no engine can are scaled up."""
    able = [capabilities(name) for name in route.engines]
    ratios = frozenset[AspectRatio]().union(*(each.aspect_ratios for each in able))
    both = any({AspectRatio.LANDSCAPE, AspectRatio.PORTRAIT} <= each.aspect_ratios for each in able)
    return Offer(
        model=route.model,
        kinds=_UPGRADES.union(*(each.kinds for each in able)),
        modes=frozenset[Mode]().union(*(each.modes for each in able)),
        aspect_ratios=ratios | {AspectRatio.AUTO} if both else ratios,
        resolutions=frozenset[Resolution]().union(*(each.resolutions for each in able)),
        seconds=tuple(sorted({seconds for each in able for seconds in each.seconds})),
        max_references=max(each.max_references for each in able),
        audio=any(each.audio for each in able),
        seeded=all(each.seeded for each in able),
        prices={**prices[route.model], **prices["upgrade"]},
    )
