"""What an operator says about the engine: the table [engines.NAME] with kind = "diffusers"."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import msgspec

from ...domain.errors import EngineUnavailable
from .recipes import RECIPES, REFUSED, Recipe

_Side = Annotated[int, msgspec.Meta(ge=16, le=4096)]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    repo: str  #: where the model is published, "Wan-AI/Wan2.2-TI2V-5B-Diffusers", or a folder: "/models/wan"
    recipe: str = ""  #: how it is asked; "" is found from its model_index.json
    upscaler: str = ""  #: where the weights of its upscaler are, for recipes that have one
    size: tuple[_Side, _Side] | None = None  #: of a landscape, where the recipe's own is not wanted
    fps: Annotated[int, msgspec.Meta(ge=1, le=120)] | None = None  #: at which the model is to make pictures
    device: Literal["auto", "cuda", "cpu"] = "auto"
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    offload: Literal["auto", "none", "model", "group"] = "auto"
    attention: str = "auto"  #: a backend of diffusers
    compile: bool = False  #: the transformer's blocks with torch.compile
    warm_up: bool = True  #: one step for each shape of a film before the first order


def named(name: str) -> Recipe:
    """The recipe of this name. Raises EngineUnavailable, saying why a known one is refused."""
    if name in REFUSED:
        raise EngineUnavailable(f"{name} cannot be used: {REFUSED[name]}")
    if name not in RECIPES:
        raise EngineUnavailable(f"There is no recipe {name!r}: there are {', '.join(RECIPES)}.")
    return RECIPES[name]


def fitted(recipe: Recipe, config: Config) -> Recipe:
    """The recipe with the operator's size and speed in it. Raises EngineUnavailable where the model cannot do them."""
    if config.upscaler and not recipe.upscaler:
        raise EngineUnavailable(f"The recipe {recipe.name} has no upscaler: leave the word out of the engine's table.")
    size = config.size or recipe.size
    if not recipe.grid.legal(size):
        nearest = recipe.grid.nearest(size)
        raise EngineUnavailable(
            f"{recipe.title} makes pictures whose sides are multiples of {recipe.grid.multiple}, not "
            f"{size[0]}x{size[1]}: write size = [{nearest[0]}, {nearest[1]}]."
        )
    return replace(recipe, size=size, grid=replace(recipe.grid, fps=config.fps or recipe.grid.fps))
