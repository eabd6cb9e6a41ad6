"""Ambience: the air of each place, of each weather and of the night, as stereo beds whose levels fit each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..model import PARTS, Plan
from ..weather import flash
from .foley import FOLEY
from .synthesis import Signal, add, chance, decay, noise, panned, pulse, ramp, sine, swell, wide

Bed = Callable[[int, int, np.random.Generator], Signal]


def air(plan: Plan, rate: int, begins: float = 0.0, take: int = 0) -> Signal:
    """Everything that would be heard with nobody there, (seconds * rate, 2).

    ``begins`` is the second of the story at which it begins, and ``take`` tells its films apart: wind and water must
    not sound the same again.
    """
    n = plan.seconds * rate
    bus = np.zeros((n, 2))
    for name, level in _layers(plan):
        bus += level * BEDS[name](n, rate, chance(plan.seed, f"bed {name}{f' {take}' if take else ''}"))
    if plan.weather == "storm":
        _thunder(bus, plan, rate, begins)
    return bus


def _layers(plan: Plan) -> list[tuple[str, float]]:
    """The beds of a scene with their levels. Bad weather silences birds and crickets."""
    layers = [(name, 0.7 * level) for name, level in _PLACES.get(plan.setting, (("breeze", 0.05),))]
    inside = plan.setting in ("room", "space", "underwater")
    if plan.weather in ("rain", "storm", "snow") or PARTS[plan.time] == "night":
        layers = [(name, level) for name, level in layers if name != "birds"]
    if PARTS[plan.time] == "night" and plan.weather == "clear" and plan.setting in _CRICKETS:
        layers.append(("crickets", 0.035))
    for name, level in _WEATHERS.get(plan.weather, ()):
        layers.append((name, level * (0.35 if inside else 1.0)))
    return layers


# ---------------------------------------------------------------- air and water -----------------------------------


def _breeze(n: int, rate: int, rng: np.random.Generator) -> Signal:
    air = wide(n, rate, rng, [(60, -12), (200, 0), (700, -6), (3000, -24), (9000, -40)])
    return air * swell(n, rate, rng, 0.25, 0.4, 1.0)[:, None]


def _leaves(n: int, rate: int, rng: np.random.Generator) -> Signal:
    rustle = wide(n, rate, rng, [(600, -30), (2500, -4), (5000, 0), (9000, -8), (15000, -24)], 0.2)
    return rustle * (swell(n, rate, rng, 0.45) ** 2)[:, None]


def _wind(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """Wind that howls: narrow bands between which it moves."""
    bus = np.zeros((n, 2))
    for hertz in (180.0, 300.0, 470.0, 760.0):
        band = wide(n, rate, rng, [(hertz / 3, -36), (hertz, 0), (hertz * 1.25, -3), (hertz * 4, -38)], 0.4)
        bus += band * (swell(n, rate, rng, 0.35) ** 2)[:, None]
    return bus


def _surf(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """Waves on sand: a low roll that breaks into a hiss and runs back."""
    roll = wide(n, rate, rng, [(40, -6), (150, 0), (500, -8), (2000, -26)])
    hiss = wide(n, rate, rng, [(500, -20), (1800, -3), (4500, 0), (11000, -10)], 0.3)
    low, high, at = np.full(n, 0.25), np.full(n, 0.12), float(rng.uniform(0.6, 1.6))
    while at < n / rate + 2.0:
        low += pulse(n, rate, at, 0.9, 0.8)
        high += rng.uniform(0.7, 1.0) * pulse(n, rate, at + 0.55, 0.45, 1.1)
        at += float(rng.uniform(3.2, 4.4))
    return np.asarray(0.7 * roll * low[:, None] + 0.55 * hiss * high[:, None])


def _waves(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """Open water: heavier and slower than surf, with slaps."""
    deep = wide(n, rate, rng, [(30, -4), (110, 0), (350, -8), (1500, -24)])
    wash = wide(n, rate, rng, [(250, -16), (900, 0), (2600, -4), (8000, -18)], 0.25)
    return (
        0.8 * deep * swell(n, rate, rng, 0.4, 0.35, 1.0)[:, None]
        + 0.5 * wash * (swell(n, rate, rng, 0.5) ** 2)[:, None]
    )


def _brook(n: int, rate: int, rng: np.random.Generator) -> Signal:
    return _drops(n, rate, rng, 26.0, (500.0, 1400.0), 0.05)


def _rain(n: int, rate: int, rng: np.random.Generator) -> Signal:
    sheet = wide(n, rate, rng, [(300, -26), (1500, -6), (5000, 0), (11000, -4), (18000, -14)], 0.2)
    low = wide(n, rate, rng, [(80, -8), (300, 0), (1200, -10), (4000, -30)])
    return (
        0.75 * sheet * swell(n, rate, rng, 0.4, 0.8, 1.0)[:, None]
        + 0.3 * low
        + 0.9 * _drops(n, rate, rng, 30.0, (1400.0, 3600.0), 0.02)
    )


def _drops(n: int, rate: int, rng: np.random.Generator, many: float, pitch: tuple[float, float], ring: float) -> Signal:
    """Single drops, ``many`` a second, each a short note somewhere between left and right."""
    bus = np.zeros((n, 2))
    m = int(0.14 * rate)
    takes = [
        sine(float(rng.uniform(*pitch)) * (1.0 + 0.4 * np.linspace(0, 1, m)), m, rate) * decay(m, rate, 0.001, ring)
        for _ in range(9)
    ]
    for _ in range(int(many * n / rate)):
        sound = takes[int(rng.integers(9))] * float(rng.uniform(0.1, 1.0)) ** 2
        add(bus, panned(sound, float(rng.uniform(-0.9, 0.9))), int(rng.integers(n)))
    return bus


def _underwater(n: int, rate: int, rng: np.random.Generator) -> Signal:
    deep = wide(n, rate, rng, [(30, 0), (120, 0), (300, -12), (900, -34)])
    return deep * swell(n, rate, rng, 0.3, 0.6, 1.0)[:, None] + 0.8 * _drops(n, rate, rng, 5.0, (260.0, 620.0), 0.03)


# ---------------------------------------------------------------- creatures ---------------------------------------


def _birds(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """Two or three birds that answer each other from their trees."""
    bus = np.zeros((n, 2))
    for place in (-0.6, 0.5, 0.1):
        song, level = FOLEY["chirp"](rate, rng), float(rng.uniform(0.5, 1.0))
        at = float(rng.uniform(0.2, 1.8))
        while at < n / rate:
            add(bus, panned(level * song, place), int(at * rate))
            at += float(rng.uniform(1.3, 3.4))
    return 3.0 * bus


def _crickets(n: int, rate: int, rng: np.random.Generator) -> Signal:
    bus = np.zeros((n, 2))
    for place, hertz, pace in ((-0.6, 4150.0, 2.1), (0.55, 4420.0, 1.8), (0.0, 3900.0, 2.4)):
        t = ramp(n, rate) + float(rng.uniform(0, 1))
        trill = np.maximum(0.0, np.sin(2 * np.pi * 27.0 * t)) ** 2
        phrase = np.clip(np.sin(2 * np.pi * pace * t) * 3.0 - 0.9, 0.0, 1.0)
        bus += panned(sine(hertz, n, rate) * trill * phrase * swell(n, rate, rng, 0.3, 0.5, 1.0), place)
    return bus


# ---------------------------------------------------------------- rooms and towns ---------------------------------


def _city(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """A town from afar: a hum, and now and then something passes."""
    bus = wide(n, rate, rng, [(40, -3), (90, 0), (250, -5), (900, -16), (4000, -34)])
    for side in (-1.0, 1.0):
        tyres = noise(n, rate, rng, [(200, -8), (700, 0), (1800, -6), (6000, -28)])
        at = float(rng.uniform(0.5, n / rate))
        move = np.clip((ramp(n, rate) - at) / 1.6, -1.0, 1.0) * side * 0.8
        angle = (move + 1.0) * np.pi / 4.0
        bus += 0.8 * (tyres * pulse(n, rate, at, 0.8, 0.9))[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return bus


def _machines(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """A city of the future: a chord of transformers, and vehicles that sweep by on a falling tone."""
    hum = sum(a * sine(f, n, rate) for f, a in ((60.0, 1.0), (90.3, 0.5), (120.0, 0.5), (180.5, 0.2)))
    bus = panned(0.6 * hum * swell(n, rate, rng, 0.3, 0.7, 1.0), 0.0)
    for side, at in ((-1.0, 0.25), (1.0, 0.65)):
        moment = (at + float(rng.uniform(-0.1, 0.1))) * n / rate
        t = ramp(n, rate) - moment
        tone = sine(210.0 - 55.0 * np.tanh(1.6 * t), n, rate) + 0.4 * sine(424.0 - 110.0 * np.tanh(1.6 * t), n, rate)
        angle = (np.clip(t / 1.4, -1.0, 1.0) * side * 0.85 + 1.0) * np.pi / 4.0
        bus += (
            0.7 * (tone * pulse(n, rate, moment, 0.5, 0.7))[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        )
    return bus


def _room(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """A quiet room: air, and a clock somewhere."""
    bus = wide(n, rate, rng, [(40, 0), (120, -2), (400, -14), (2000, -34)], 0.7)
    m = int(0.05 * rate)
    for number in range(int(n / rate) + 1):
        tick = sine(2300.0 if number % 2 else 1950.0, m, rate) * decay(m, rate, 0.0005, 0.005)
        add(bus, panned(1.6 * tick, 0.45), int((number + 0.4) * rate))
    return bus


def _space(n: int, rate: int, rng: np.random.Generator) -> Signal:
    """No sound carries there; this is what space sounds like in a theatre."""
    bus = np.zeros((n, 2))
    for hertz, level in ((55.0, 1.0), (82.4, 0.6), (110.0, 0.45), (164.8, 0.2), (246.9, 0.1)):
        for side in (-0.7, 0.7):
            detuned = hertz * (1.0 + side * 0.003)
            bus += panned(level * sine(detuned, n, rate) * swell(n, rate, rng, 0.25, 0.5, 1.0), side)
    return 0.6 * bus + 0.25 * wide(n, rate, rng, [(400, -20), (1500, 0), (5000, -10), (12000, -30)], 0.1)


# ---------------------------------------------------------------- thunder -----------------------------------------


def flashes(plan: Plan, begins: float = 0.0) -> list[float]:
    """The seconds at which lightning strikes, counted from ``begins``."""
    times = np.arange(0, plan.seconds * 50) / 50.0
    bright = np.array([flash(begins + float(t), plan.seed) for t in times])
    strikes = (bright > 0.3) & (np.concatenate([[0.0], bright[:-1]]) < 0.05)
    return [float(t) for t in times[strikes]]


def _thunder(bus: Signal, plan: Plan, rate: int, begins: float) -> None:
    """A crack a little after each flash, and a long roll behind it."""
    for number, at in enumerate(flashes(plan, begins)):
        rng = chance(plan.seed, f"thunder {number}")
        n = int(3.2 * rate)
        crack = noise(n, rate, rng, [(120, -6), (500, 0), (2500, -6), (9000, -22)]) * decay(n, rate, 0.01, 0.11)
        roll = noise(n, rate, rng, [(25, 0), (70, 0), (180, -8), (600, -28)]) * decay(n, rate, 0.12, 0.6)
        roll *= swell(n, rate, rng, 3.0, 0.35, 1.0)
        add(bus, panned(0.2 * crack + 0.4 * roll, float(rng.uniform(-0.4, 0.4))), int((at + 0.22) * rate))


BEDS: dict[str, Bed] = {
    "breeze": _breeze, "leaves": _leaves, "wind": _wind, "surf": _surf, "waves": _waves, "brook": _brook,
    "rain": _rain, "underwater": _underwater, "birds": _birds, "crickets": _crickets, "city": _city,
    "machines": _machines, "room": _room, "space": _space,
}  # fmt: skip

_PLACES: dict[str, tuple[tuple[str, float], ...]] = {
    "park": (("breeze", 0.035), ("leaves", 0.018), ("birds", 0.05)),
    "garden": (("breeze", 0.03), ("leaves", 0.014), ("birds", 0.06)),
    "forest": (("breeze", 0.03), ("leaves", 0.03), ("birds", 0.06)),
    "plain": (("breeze", 0.045), ("birds", 0.02)),
    "mountains": (("breeze", 0.04), ("wind", 0.02)),
    "desert": (("breeze", 0.04), ("wind", 0.025)),
    "beach": (("surf", 0.07), ("breeze", 0.02)),
    "ocean": (("waves", 0.08), ("breeze", 0.03)),
    "underwater": (("underwater", 0.08),),
    "city": (("city", 0.06),),
    "future_city": (("machines", 0.045), ("city", 0.03)),
    "room": (("room", 0.03),),
    "space": (("space", 0.05),),
}
_CRICKETS = frozenset({"park", "garden", "forest", "plain", "desert", "mountains", "beach"})
_WEATHERS: dict[str, tuple[tuple[str, float], ...]] = {
    "rain": (("rain", 0.07),),
    "storm": (("rain", 0.06), ("wind", 0.07)),
    "snow": (("wind", 0.035),),
    "fog": (("breeze", 0.02),),
}
