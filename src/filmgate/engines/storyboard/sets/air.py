"""The air of a place: what a roof, the sea or the void makes of the light outdoors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..light import Light, mix

_WATER = {"day": "#3fb2cf", "sunset": "#9c6fae", "night": "#1f4088"}
_VOID = {"day": "#4a6fd0", "sunset": "#a04f90", "night": "#3a3a86"}


def atmosphere(setting: str, light: Light) -> Light:
    """The light in which a setting and its puppets are filmed, given the light outdoors."""
    return _AIRS[setting](light) if setting in _AIRS else light


def _lamplit(light: Light) -> Light:
    """A room is warm and bright when it is dark or dull outside, and its air is clear."""
    warmth = {"day": 0.5 if light.overcast else 0.25, "sunset": 0.5, "night": 0.72}[light.time]
    ambient = _blend(light.ambient, (1.0, 0.88, 0.76), warmth)
    return replace(light, ambient=ambient, density=min(light.density, 0.1), air=min(light.air, 0.03))


def _spotlit(light: Light) -> Light:
    """The lamps of a theatre; the hour is only played there."""
    ambient = _blend(light.ambient, (1.02, 0.95, 0.88), 0.7)
    return replace(light, weather="clear", ambient=ambient, density=0.05, air=0.0)


def _submerged(light: Light) -> Light:
    """Water swallows red first; no weather reaches the reef."""
    ambient = _blend(light.ambient, (0.78, 1.0, 1.02), 0.55)
    return replace(light, weather="clear", ambient=ambient, haze=_WATER[light.time], density=0.13, air=0.05)


def _airless(light: Light) -> Light:
    """Hard light and no weather; the hour only tints it."""
    ambient = _blend(light.ambient, (0.98, 0.95, 1.0), 0.75)
    haze = mix(_VOID[light.time], light.haze, 0.15)
    return replace(light, weather="clear", ambient=ambient, haze=haze, density=0.06, air=0.02)


def _blend(a: tuple[float, float, float], b: tuple[float, float, float], share: float) -> tuple[float, float, float]:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share


_AIRS: dict[str, Callable[[Light], Light]] = {
    "room": _lamplit,
    "stage": _spotlit,
    "underwater": _submerged,
    "space": _airless,
}
