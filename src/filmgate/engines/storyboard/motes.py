"""What is always in the air of a theatre: specks of paper and dust in the light, fireflies at night."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from .model import PARTS, Plan, Stage
from .weather import Particle

_COLOURS = {"day": "#fff6df", "sunset": "#ffd9a0", "night": "#ffe59a"}
_ROWS = ((1.9, 14, 0.05, 0.5), (1.15, 12, 0.075, 0.6), (0.7, 6, 0.16, 0.35))  #: depth, how many, size, alpha


def motes(plan: Plan, stage: Stage) -> list[Particle]:
    """Few and small, rising slowly; none where something else falls."""
    if plan.weather not in ("clear", "fog"):
        return []
    rng, colour = Random(f"{plan.seed}:motes"), _COLOURS[PARTS[plan.time]]
    return [
        Particle(depth, _risen(stage, depth, rng), "flake", size * rng.uniform(0.6, 1.2), 0.0, colour, alpha)
        for depth, count, size, alpha in _ROWS
        for _ in range(count)
    ]  # fmt: skip


def _risen(stage: Stage, depth: float, rng: Random) -> Callable[[float], tuple[float, float]]:
    left, top, right, bottom = stage.span(depth)
    x, y = rng.uniform(0, right - left), rng.uniform(0, bottom - top)
    up, sway = rng.uniform(0.12, 0.32) / depth, rng.uniform(0.15, 0.45)
    pace, start = rng.uniform(0.5, 1.1), rng.uniform(0, math.tau)

    def path(t: float) -> tuple[float, float]:
        aside = x + sway * math.sin(pace * t + start)
        return left + aside % (right - left), top + (y - up * t) % (bottom - top)

    return path
