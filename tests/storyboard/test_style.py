"""Manners of picture: each is another palette, on every piece of paper, and the same film otherwise."""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest

from filmgate.engines.storyboard.film import from_plan
from filmgate.engines.storyboard.model import Style
from filmgate.engines.storyboard.plan import make_plan

STYLES: tuple[Style, ...] = get_args(Style)
WORDS = {"noir": "film noir", "watercolor": "watercolour", "vintage": "retro"}


def frame(style: str, index: int = 60) -> npt.NDArray[np.int16]:
    plan = make_plan(f"a dog and a pizza in a park in the morning, {style}", seed=7, seconds=4, portrait=False)
    return from_plan(plan, 320, 180).frame(index)[..., :3].astype(np.int16)


@pytest.mark.parametrize("style", STYLES)
def test_a_prompt_names_its_style(style: Style) -> None:
    plan = make_plan(f"a dog in a park, {WORDS.get(style, style)}", seed=7, seconds=4, portrait=False)
    assert plan.style == style
    assert not plan.noted


@pytest.mark.parametrize("style", STYLES)
def test_a_style_changes_the_whole_picture(style: Style) -> None:
    difference = np.abs(frame(style) - frame("high quality"))
    assert difference.mean() > 12
    assert (difference.max(axis=2) > 6).mean() > 0.7


def test_no_two_styles_look_alike() -> None:
    shown = [frame(style) for style in STYLES]
    assert all(np.abs(one - other).mean() > 12 for i, one in enumerate(shown) for other in shown[:i])


def test_noir_is_grey_and_a_blueprint_is_blue() -> None:
    noir, blueprint = frame("noir"), frame("blueprint")
    assert (noir.max(axis=2) - noir.min(axis=2)).max() < 40
    assert (blueprint[..., 0] > blueprint[..., 2]).mean() > 0.97


def test_noir_is_filmed_at_night_unless_the_prompt_says_otherwise() -> None:
    assert make_plan("a man in the city, film noir", seed=7, seconds=4, portrait=False).time == "night"
    assert make_plan("a man in the city at noon, film noir", seed=7, seconds=4, portrait=False).time == "day"
