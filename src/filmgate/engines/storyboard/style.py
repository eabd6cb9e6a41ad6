"""Manners of picture: what "watercolor", "noir" or "blueprint" in a prompt does to palette, paper and grain.

Each is a filter of colours that is laid on every piece of paper when it is baked, so that it costs nothing in a frame;
a grain; and, for some, another way to cut. Neon is a light (``light.py``) and needs no filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import skia

from .model import Style

_LUMA = (0.299, 0.587, 0.114)
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Manner:
    """What a style changes beside the colours."""

    grain: float = 1.0  #: how much stronger the grain of the paper is
    vignette: float = 0.0  #: how much darker the corners are
    warmth: float = 1.0  #: how much of the warm key light is left
    rough: float = 0.0  #: grain over the whole frame, as of thick paper or old film
    squared: bool = False  #: drawn on squared paper


_MANNERS: dict[Style, Manner] = {
    "watercolor": Manner(grain=1.5, vignette=-0.2, warmth=0.5, rough=0.035),
    "noir": Manner(grain=1.2, vignette=0.26, warmth=0.0, rough=0.05),
    "neon": Manner(grain=0.8, vignette=0.12, warmth=0.6),
    "pastel": Manner(grain=0.8, vignette=-0.18, warmth=0.5),
    "vintage": Manner(grain=1.5, vignette=0.2, warmth=0.8, rough=0.06),
    "blueprint": Manner(grain=0.7, vignette=0.06, warmth=0.0, squared=True),
}


def manner(style: Style | None) -> Manner:
    return _MANNERS[style] if style else Manner()


def tone(style: Style | None) -> skia.ColorFilter | None:
    """The filter for all colours of a film in this style; None where they stay as they are."""
    if style == "noir":
        return _matrix(saturation=0.0, gain=(1.55, 1.56, 1.6), lift=(-0.12, -0.12, -0.1))
    if style == "pastel":
        return _matrix(saturation=0.82, gain=(0.62, 0.61, 0.62), lift=(0.37, 0.355, 0.36))
    if style == "vintage":
        return _matrix(saturation=0.38, gain=(0.92, 0.82, 0.64), lift=(0.11, 0.08, 0.06))
    if style == "watercolor":
        return _matrix(saturation=1.12, gain=(0.72, 0.72, 0.71), lift=(0.27, 0.26, 0.24))
    if style == "blueprint":
        return _matrix(saturation=0.0, gain=(0.88, 0.72, 0.42), lift=(0.05, 0.22, 0.55))
    return None


def toned(style: Style | None, colour: int) -> int:
    """One colour (ARGB) through the filter of a style."""
    filter_ = tone(style)
    return colour if filter_ is None else int(filter_.filterColor(colour))


def _matrix(*, saturation: float, gain: Colour, lift: Colour) -> skia.ColorFilter:
    """Colours less or more vivid, then each channel times ``gain`` plus ``lift``."""
    rows: list[float] = []
    for channel in range(3):
        mixed = [luma * (1.0 - saturation) for luma in _LUMA]
        mixed[channel] += saturation
        rows += [*(gain[channel] * part for part in mixed), 0.0, lift[channel]]
    return skia.ColorFilters.Matrix([*rows, 0.0, 0.0, 0.0, 1.0, 0.0])


def inked(rgb: Sequence[int]) -> tuple[int, int, int]:
    """A colour as a plan shows it: hardly more than the paper, since lines tell what is what."""
    grey = round(0.34 * sum(share * value for share, value in zip(_LUMA, rgb, strict=True)))
    return grey, grey, grey
