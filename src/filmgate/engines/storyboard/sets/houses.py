"""Buildings: walls with their windows, roofs, shops. Each stands with its middle at x and its foot at y."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import skia

from ..light import mix
from .cuts import box, disc, joined, poly

if TYPE_CHECKING:
    from ..draw import Brush

LAMPLIGHT = ("#ffd977", "#ffc65c", "#ffe9a8")
BRICKS = ("#d9795d", "#e8b27a", "#7fa3a8", "#c9905f", "#b86a6a", "#8d97b5", "#e3c79a")


def lit_share(brush: Brush) -> float:
    """How many of the windows are lit."""
    if brush.light.time == "night":
        return 0.62
    return 0.4 if brush.light.lamps_on else (0.16 if brush.light.overcast else 0.0)


def panes(
    brush: Brush,
    rng: Random,
    area: tuple[float, float, float, float],
    cell: tuple[float, float],
    glass: str,
    share: float,
) -> None:
    """A grid of windows over an area (left, top, right, bottom), one cell wide and high each; some of them lit."""
    left, top, right, bottom = area
    columns, rows = max(1, int((right - left) / cell[0])), max(1, int((bottom - top) / cell[1]))
    w, h = (right - left) / columns, (bottom - top) / rows
    dark: list[skia.Path] = []
    lamps: dict[str, list[skia.Path]] = {tone: [] for tone in LAMPLIGHT}
    for row in range(rows):
        for column in range(columns):
            x, y = left + w * (column + 0.5), top + h * (row + 0.5)
            pane = box(x - w * 0.27, y - h * 0.3, x + w * 0.27, y + h * 0.3)
            (lamps[rng.choice(LAMPLIGHT)] if rng.random() < share else dark).append(pane)
    brush.fill(joined(dark), glass, card=False)
    for tone, lit in lamps.items():
        # Far windows pale into the haze like everything else, yet not so much that the city goes dark.
        far = "#" + "".join(f"{value:02x}" for value in brush.light.on(tone, brush.depth))
        brush.fill(joined(lit), mix(tone, far, 0.25), raw=True)


def tower(brush: Brush, rng: Random, x: float, y: float, w: float, h: float, wall: str) -> None:
    """A town house or tower: shaded flank, cornice, windows and something on the roof."""
    side, left, right, top = brush.light.side, x - w / 2, x + w / 2, y - h
    roof = brush.light.open(mix(wall, "#2a2030", 0.3), 0.95)
    _rooftop(brush, rng, x, top, w, roof)
    brush.rect(left, top, right, y, wall)
    flank = (left, left + w * 0.2) if side > 0 else (right - w * 0.2, right)
    brush.rect(flank[0], top, flank[1], y, mix(wall, "#27233a", 0.2), card=False)
    brush.rect(left - 0.07, top - 0.02, right + 0.07, top + 0.13, roof)
    cell = rng.choice(((0.42, 0.5), (0.5, 0.58), (0.36, 0.55)))
    glass = mix(wall, "#2b3c58", 0.55) if brush.light.time != "day" else mix(wall, "#e6f4fa", 0.6)
    panes(brush, rng, (left + w * 0.08, top + 0.24, right - w * 0.08, y - 0.2), cell, glass, lit_share(brush))


def _rooftop(brush: Brush, rng: Random, x: float, top: float, w: float, tone: str) -> None:
    kind = rng.choice(("tank", "gable", "mast", "chimneys", "step"))
    if kind == "tank":
        legs = [box(x + d * 0.22 - 0.025, top - 0.4, x + d * 0.22 + 0.025, top) for d in (-1, 0, 1)]
        brush.fill(joined([*legs, box(x - 0.3, top - 0.85, x + 0.3, top - 0.35)]), tone)
        brush.fill(poly((x - 0.36, top - 0.83), (x, top - 1.12), (x + 0.36, top - 0.83)), tone)
    elif kind == "gable":
        brush.fill(poly((x - w / 2 - 0.1, top + 0.02), (x, top - w * 0.42), (x + w / 2 + 0.1, top + 0.02)), tone)
    elif kind == "mast":
        brush.rect(x - w * 0.2, top - 0.3, x + w * 0.2, top, tone)
        brush.line(f"M{x} {top - 0.3} V{top - 1.25}", tone, 0.05)
        brush.oval(x, top - 1.27, 0.05, 0.05, "#ff5a4d", raw=brush.light.lamps_on)
    elif kind == "chimneys":
        stacks = [box(x + d * w - 0.08, top - 0.42, x + d * w + 0.08, top) for d in (-0.3, 0.12, 0.32)]
        brush.fill(joined(stacks), tone)
    else:
        brush.rect(x - w * 0.3, top - 0.42, x + w * 0.3, top, tone)


def shop(brush: Brush, rng: Random, x: float, y: float, w: float, awning: str) -> None:
    """The ground floor of a house: a shop window, a door and a striped awning."""
    on = brush.light.lamps_on
    left, right, h = x - w / 2, x + w / 2, 1.25
    brush.rect(left, y - h - 0.12, right, y, "#4f3f48")
    glass = "#ffdf94" if on else "#d8ecf0"
    brush.rect(left + 0.12, y - h + 0.28, x + w * 0.18, y - 0.25, glass, raw=on, card=False)
    brush.rect(x + w * 0.26, y - h + 0.28, right - 0.12, y, mix(awning, "#3a2c3a", 0.45), card=False)
    goods = [disc(left + 0.3 + 0.26 * i, y - 0.34, 0.09, rng.uniform(0.09, 0.2)) for i in range(int(w * 0.55 / 0.26))]
    brush.fill(joined(goods), "#a9605a", card=False, alpha=0.8)
    if on:
        brush.glow(x - w * 0.1, y - 0.6, w * 0.75, "#ffc56a", 0.45)
    stripes = max(4, round(w / 0.26))
    step = (w + 0.2) / stripes
    for i in range(stripes):
        sx = left - 0.1 + step * i
        flap = poly(
            (sx + 0.03, y - h - 0.12),
            (sx + step + 0.03, y - h - 0.12),
            (sx + step, y - h + 0.26),
            (sx + step / 2, y - h + 0.36),
            (sx, y - h + 0.26),
        )
        brush.fill(flap, brush.light.open(awning if i % 2 == 0 else "#fff3e0", 0.7), card=i % 2 == 0)
