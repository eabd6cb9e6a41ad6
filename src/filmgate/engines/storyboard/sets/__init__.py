"""The sets: every place as sheets of cut paper, back to front."""

from __future__ import annotations

import math

from ..light import Light
from ..model import Plan, Sheet, Stage
from .air import atmosphere
from .beach import beach
from .country import farm, village
from .deep import underwater
from .future import future_city
from .indoors import WALL_DEPTH, room
from .nature import garden, park, plain
from .site import Site
from .space import space
from .theatre import stage as theatre_stage
from .town import city
from .water import ocean
from .wild import desert, forest, mountains

_FAMILIES = {
    "park": park,
    "forest": forest,
    "city": city,
    "future_city": future_city,
    "beach": beach,
    "ocean": ocean,
    "mountains": mountains,
    "desert": desert,
    "room": room,
    "space": space,
    "underwater": underwater,
    "village": village,
    "farm": farm,
    "stage": theatre_stage,
    "garden": garden,
    "plain": plain,
}

SETS: tuple[str, ...] = tuple(_FAMILIES)

#: Sets under a roof, or where there is no weather: rain, snow and fog are seen only from this depth on.
SHELTERED: dict[str, float] = {"room": WALL_DEPTH, "space": math.inf, "underwater": math.inf, "stage": math.inf}


def build(plan: Plan, stage: Stage, light: Light) -> list[Sheet]:
    """The sheets of the plan's setting, back to front. Raises KeyError for a setting that is not in SETS.

    ``light`` is the light of the place: what ``atmosphere`` makes of the light outdoors.
    """
    sheets = _FAMILIES[plan.setting](Site(stage, light, plan.seed))
    return sorted(sheets, key=lambda sheet: -sheet.depth)


__all__ = ["SETS", "SHELTERED", "atmosphere", "build"]
