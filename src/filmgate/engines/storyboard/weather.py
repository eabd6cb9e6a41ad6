"""The weather: what falls and drifts through the theatre, as small pieces that the renderer moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from .model import Stage, Weather

_SLANT = {"rain": 12.0, "storm": 26.0}  # degrees from the vertical
_FLASH_EVERY = 2.2  # seconds: each stretch of this length has one flash


@dataclass(frozen=True)
class Particle:
    """One raindrop, snowflake or bank of mist."""

    depth: float
    path: Callable[[float], tuple[float, float]]  #: seconds -> (x, y) of its middle, in stage units at that depth
    kind: Literal["streak", "flake", "mist"]
    size: float  #: stage units: length of a streak, diameter of a flake, width of a bank of mist
    turn: float  #: degrees clockwise; a streak with turn 0 is upright
    colour: str  #: as in plain daylight, "#rrggbb"
    alpha: float


def particles(weather: Weather, stage: Stage, seed: int) -> list[Particle]:
    """What is in the air in this weather, far to near; nothing when it is clear. The same seed, the same weather."""
    rng = Random(f"{seed}:weather")
    if weather in ("rain", "storm"):
        return _rain(weather, stage, rng)
    if weather == "snow":
        return _snow(stage, rng)
    return _fog(stage, rng) if weather == "fog" else []


def flash(t: float, seed: int) -> float:
    """How bright the lightning of a storm is at a second of the film, 0 to 1."""
    stretch = math.floor(t / _FLASH_EVERY)
    rng = Random(f"{seed}:flash:{stretch}")
    since = t - stretch * _FLASH_EVERY - rng.uniform(0.25, _FLASH_EVERY - 0.9)
    power = rng.uniform(0.7, 1.0)
    return power * max(_stroke(since), 0.75 * _stroke(since - 0.2))


def _stroke(since: float) -> float:
    """One stroke of lightning: there at once, gone in half a second."""
    return 0.0 if not 0.0 <= since < 0.5 else math.exp(-7.0 * since)


def _rain(weather: Weather, stage: Stage, rng: Random) -> list[Particle]:
    """Three curtains of streaks; those of a storm are longer, faster and driven by the wind."""
    storm, blow = weather == "storm", rng.choice((-1, 1))
    lean = _SLANT[weather] * blow
    rows = [(3.2, 84, 1.1, 0.8), (1.5, 70, 1.6, 0.85), (0.9, 36, 2.3, 0.75)]
    drops = []
    for depth, count, length, alpha in rows:
        speed = (15.0 if storm else 11.0) / math.sqrt(depth)
        for _ in range(round(count * (1.15 if storm else 0.9))):
            size = length * rng.uniform(0.8, 1.3) * (1.25 if storm else 1.0)
            path = _fall(stage, depth, rng, speed * rng.uniform(0.9, 1.1), lean)
            drops.append(Particle(depth, path, "streak", size, lean, "#f2f7ff", alpha * rng.uniform(0.7, 1.0)))
    return drops


def _fall(stage: Stage, depth: float, rng: Random, speed: float, lean: float) -> Callable[[float], tuple[float, float]]:
    """A straight endless fall; clockwise lean of the streak means that it falls towards the left."""
    left, top, right, bottom = stage.span(depth)
    x, y = rng.uniform(0, right - left), rng.uniform(0, bottom - top)
    across, down = -speed * math.tan(math.radians(lean)), speed

    def path(t: float) -> tuple[float, float]:
        return left + (x + across * t) % (right - left), top + (y + down * t) % (bottom - top)

    return path


def _snow(stage: Stage, rng: Random) -> list[Particle]:
    rows = [(3.2, 84, 0.12, 0.9), (1.6, 76, 0.17, 0.95), (0.95, 42, 0.23, 0.95), (0.65, 14, 0.36, 0.85)]
    flakes = []
    for depth, count, size, alpha in rows:
        for _ in range(count):
            path = _flutter(stage, depth, rng)
            flakes.append(Particle(depth, path, "flake", size * rng.uniform(0.7, 1.3), 0.0, "#ffffff", alpha))
    return flakes


def _flutter(stage: Stage, depth: float, rng: Random) -> Callable[[float], tuple[float, float]]:
    left, top, right, bottom = stage.span(depth)
    x, y = rng.uniform(0, right - left), rng.uniform(0, bottom - top)
    down, wind = rng.uniform(0.9, 1.4) / depth**0.5, rng.uniform(-0.35, -0.1)
    sway, pace, start = rng.uniform(0.12, 0.4), rng.uniform(1.2, 2.6), rng.uniform(0, math.tau)

    def path(t: float) -> tuple[float, float]:
        aside = x + wind * t + sway * math.sin(pace * t + start)
        return left + aside % (right - left), top + (y + down * t) % (bottom - top)

    return path


def _fog(stage: Stage, rng: Random) -> list[Particle]:
    """Few banks, huge and slow; the lowest lie on the boards."""
    banks = []
    for depth, count, alpha in ((5.0, 4, 0.5), (2.4, 4, 0.42), (1.3, 3, 0.34), (0.8, 3, 0.26)):
        for _ in range(count):
            path = _creep(stage, depth, rng)
            banks.append(Particle(depth, path, "mist", rng.uniform(6.0, 9.5), 0.0, "#f2f4f2", alpha))
    return banks


def _creep(stage: Stage, depth: float, rng: Random) -> Callable[[float], tuple[float, float]]:
    """To and fro rather than round and round: a bank is so wide that one would see it jump from edge to edge."""
    left, _, right, _ = stage.span(depth)
    x, y = rng.uniform(left + 2.0, right - 2.0), rng.uniform(-0.27, 0.06) * stage.height
    pace, start = rng.uniform(0.2, 0.32), rng.uniform(0, math.tau)

    def path(t: float) -> tuple[float, float]:
        return x + 1.9 * math.sin(pace * t + start), y + 0.15 * math.cos(pace * t + start)

    return path
