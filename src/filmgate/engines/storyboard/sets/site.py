"""The site of a set: what the families of sets share when they lay out their sheets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from ..light import Light
from ..model import Sheet, Stage

if TYPE_CHECKING:
    from ..draw import Brush

Paint = Callable[["Brush", Random], None]
Drift = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Site:
    """A stage in its light, with the seed by which one park differs from the next."""

    stage: Stage
    light: Light
    seed: int

    @property
    def half(self) -> float:
        """Half the width of the frame at rest."""
        return self.stage.width / 2

    @property
    def tall(self) -> float:
        """By how much things grow upwards to fill a portrait."""
        return 1.45 if self.stage.portrait else 1.0

    def x(self, share: float) -> float:
        """The place at a share of the half width: -1 is the left edge of the frame at rest, 1 the right one."""
        return share * self.half

    def pick(self, name: str) -> Random:
        """Chance of its own for each thing, so that one more leaf here moves no leaf there."""
        return Random(f"{self.seed}:sets:{name}")

    def sheet(
        self,
        name: str,
        depth: float,
        paint: Paint,
        *,
        top: float | None = None,
        margin: float = 0.0,
        drift: Drift | None = None,
        opaque: bool = False,
    ) -> Sheet:
        """A sheet that covers the span of its depth, from ``top`` down; ``margin`` widens it for what drifts."""
        left, upper, right, bottom = self.stage.span(depth)
        upper = upper if top is None else max(upper, top)
        box = (left - margin, upper, right + margin, bottom)
        return Sheet(name, depth, lambda brush: paint(brush, self.pick(name)), box, opaque, drift)
