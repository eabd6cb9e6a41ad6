"""The page about the storyboard engine: its examples work, and its lists are the engine's."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
import skia

from filmgate.engines.storyboard import actions, model, puppets, sets
from filmgate.engines.storyboard.draw import Brush
from filmgate.engines.storyboard.light import light_for
from filmgate.engines.storyboard.sets.site import Site

PAGE = (Path(__file__).parents[2] / "docs" / "storyboard.md").read_text(encoding="utf-8")
UNIT = 12.0  #: pixels in a stage unit


def example(language: str) -> str:
    """The first block of a language on the page."""
    found = re.search(rf"^```{language}\n(.+?)^```$", PAGE, re.M | re.S)
    assert found
    return found[1]


def picture(stage: model.Stage, paint: Any) -> Any:
    """What ``paint`` leaves on a transparent frame, as RGBA."""
    surface = skia.Surface(round(stage.width * UNIT), round(stage.height * UNIT))
    canvas = surface.getCanvas()
    canvas.scale(UNIT, UNIT)
    canvas.translate(-stage.left, -stage.top)
    paint(canvas)
    return surface.makeImageSnapshot().toarray()


def test_the_puppet_of_the_page_can_be_cast() -> None:
    turtle = puppets.parse("turtle", example("toml"))
    _, top, _, bottom = turtle.box
    assert turtle.rig == "quadruped"
    assert -1.2 < top < -0.9
    assert -0.05 < bottom < 0.2
    assert puppets.colours_for(turtle, "#3060c0")["shell"] == "#3060c0"
    seen = picture(model.Stage(False), lambda canvas: _perform(turtle, canvas))
    assert 400 < (seen[..., 3] > 128).sum() < 4000


def _perform(puppet: puppets.Puppet, canvas: skia.Canvas) -> None:
    canvas.scale(3, 3)
    for part in puppet.parts:
        part.paint(Brush(canvas, light_for("day", "clear", 1), 1.0, 3 * UNIT), puppets.colours_for(puppet))


def test_the_words_of_that_puppet_are_in_the_form_of_the_lexicon() -> None:
    row = PAGE.split("[puppet.turtle]\n")[1].split("```")[0]
    keys = re.findall(r"^(\w+) =", row, re.M)
    assert keys == ["words", "emoji", "home", "action"]
    assert re.search(r'^home = "(\w+)"', row, re.M)[1] in sets.SETS  # type: ignore[index]
    assert re.search(r'^action = "(\w+)"', row, re.M)[1] in actions.ACTIONS  # type: ignore[index]


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize("time", get_args(model.Time))
def test_the_set_of_the_page_has_no_holes(time: model.Time, portrait: bool) -> None:
    module = ModuleType("filmgate.engines.storyboard.sets.moor")
    module.__package__ = "filmgate.engines.storyboard.sets"
    exec(example("python"), vars(module))
    stage, light = model.Stage(portrait), light_for(time, "clear", 1)
    sheets = sorted(module.moor(Site(stage, light, 7)), key=lambda sheet: -sheet.depth)
    assert [sheet.opaque for sheet in sheets] == [True] + [False] * (len(sheets) - 1)

    def paint(canvas: skia.Canvas) -> None:
        for sheet in sheets:
            sheet.paint(Brush(canvas, light, sheet.depth, UNIT))

    assert picture(stage, paint)[..., 3].min() == 255


@pytest.mark.parametrize(
    ("row", "known"),
    [
        ("puppets", puppets.names()),
        ("settings", sets.SETS),
        ("times", get_args(model.Time)),
        ("weathers", get_args(model.Weather)),
        ("actions", actions.ACTIONS),
        ("camera moves", get_args(model.Move)),
    ],
)
def test_its_lists_are_those_of_the_engine(row: str, known: tuple[str, ...]) -> None:
    listed = re.search(rf"^\| {row} \| (.+) \|$", PAGE, re.M)
    assert listed
    assert set(listed[1].split(", ")) == {each.replace("_", " ") for each in known}


def test_every_rig_is_named_with_the_parts_that_it_needs() -> None:
    for rig, parts in puppets.RIGS.items():
        assert f"| `{rig}` | {', '.join(f'`{part}`' for part in parts)} |" in PAGE
