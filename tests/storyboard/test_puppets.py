"""The cast: every drawing can be loaded, hangs together, and is drawn where it says it is."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest
import skia

from filmgate.engines.storyboard import puppets
from filmgate.engines.storyboard.draw import Brush
from filmgate.engines.storyboard.figures import blinking
from filmgate.engines.storyboard.lexicon import lexicon
from filmgate.engines.storyboard.light import light_for
from filmgate.engines.storyboard.model import Actor, Subject
from filmgate.engines.storyboard.puppets import RIGS, CastError, Part, Puppet, colours_for, load, names, parse
from filmgate.engines.storyboard.shapes import channels, cut, lids, limb, mix, tinted

CAST = names()
MAIN_CAST = {
    "dog", "cat", "horse", "bird", "fish", "butterfly", "person", "child", "dancer", "robot", "car", "flying_car",
    "bicycle", "train", "boat", "ship", "balloon", "kite",
}  # fmt: skip

SMALL = """
rig = "still"
height = 2.0
main = "paper"
[colours]
paper = "#cc8844"
[[part]]
name = "body"
pivot = [0, 0]
z = 1
shapes = [{ path = "-10,0! 10,0! 0,-100!", fill = "paper" }]
"""


def brightness(colour: str) -> int:
    return sum(channels(colour))


def painted(part: Part, puppet: Puppet, size: int = 220, *, shut: bool = False) -> skia.Image:
    """The part on a transparent sheet that shows -2.5 to 2.5 heights across, and as much upwards."""
    surface = skia.Surface(size, size)
    canvas = surface.getCanvas()
    canvas.scale(size / 5, size / 5)
    canvas.translate(2.5, 4.0)
    brush = Brush(canvas, light_for("day", "clear", 1), 1.0, size / 5 / puppet.height)
    part.paint(brush, colours_for(puppet), shut=shut)
    return surface.makeImageSnapshot()


def test_the_whole_main_cast_is_here() -> None:
    assert set(CAST) >= MAIN_CAST


def test_there_are_more_than_forty() -> None:
    assert len(CAST) >= 40


def test_the_puppet_of_the_documentation_is_in_the_cast_as_it_is_printed_there() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "storyboard.md").read_text(encoding="utf-8")
    printed = page.split("This is all of `cast/turtle.toml`:")[1].split("```toml\n")[1].split("```")[0]
    drawn = resources.files(puppets.__package__).joinpath("cast", "turtle.toml").read_text(encoding="utf-8")
    assert printed == drawn
    words = page.split("in `lexicon/puppets.toml`:")[1].split("```toml\n")[1].split("```")[0]
    row = tomllib.loads(words)["puppet"]["turtle"]
    assert all(noun and noun.puppet == "turtle" for noun in map(lexicon().noun, row["words"].split()))


def test_an_unknown_puppet_is_named_with_the_cast() -> None:
    with pytest.raises(KeyError, match=r"unicorn.*dog"):
        load("unicorn")


@pytest.mark.parametrize("name", CAST)
def test_every_puppet_loads_with_the_joints_of_its_rig(name: str) -> None:
    puppet = load(name)
    parts = [part.name for part in puppet.parts]
    assert puppet.name == name
    assert set(RIGS[puppet.rig]) <= set(parts)
    assert len(set(parts)) == len(parts)
    assert puppet.main in puppet.colours
    assert 1.0 <= puppet.height <= 6.0
    assert puppet.lift >= 0.0


@pytest.mark.parametrize("name", CAST)
def test_every_puppet_is_one_height_tall_and_stands_on_the_ground(name: str) -> None:
    solid = [part.box for part in load(name).parts if not part.name.startswith(("smoke", "flame"))]
    assert -1.2 < min(top for _, top, _, _ in solid) < -0.9
    assert -0.05 < max(bottom for *_, bottom in solid) < 0.2


@pytest.mark.parametrize("name", CAST)
def test_parents_exist_and_lead_to_a_root(name: str) -> None:
    puppet = load(name)
    for part in puppet.parts:
        seen = [part.name]
        while part.parent is not None:
            part = puppet.part(part.parent)
            assert part.name not in seen
            seen.append(part.name)


@pytest.mark.parametrize("name", CAST)
def test_a_joint_lies_on_both_pieces_that_it_holds(name: str) -> None:
    puppet = load(name)
    for part in puppet.parts:
        assert near(part, part.pivot), f"{part.name} does not reach its own pivot"
        if part.parent is not None:
            assert near(puppet.part(part.parent), part.pivot), f"{part.name} hangs beside its parent"


def near(part: Part, point: tuple[float, float], slack: float = 0.05) -> bool:
    left, top, right, bottom = part.box
    return left - slack <= point[0] <= right + slack and top - slack <= point[1] <= bottom + slack


BLIND = {
    "airplane", "balloon", "bicycle", "boat", "bus", "butterfly", "car", "flower", "flying_car", "kite", "robot",
    "rocket", "ship", "train", "tree",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(CAST) - BLIND))
def test_eyes_shut(name: str) -> None:
    puppet = load(name)
    seeing = [part for part in puppet.parts if part.sees]
    assert [part.name for part in seeing] in (["head"], ["body"])
    assert 1 <= len(lids(seeing[0].shapes)) <= 2
    assert painted(seeing[0], puppet).toarray().tobytes() != painted(seeing[0], puppet, shut=True).toarray().tobytes()


def test_eyes_are_shut_a_few_times_in_a_film_and_always_in_sleep() -> None:
    actor = Actor(Subject("dog", "dog", None), 0.0, 0.0, 1.0, 2.0, phase=0.3)
    shut = [blinking(actor, i / 24) for i in range(8 * 24)]
    assert 4 <= sum(shut) <= 16
    assert sum(a != b for a, b in pairwise(shut)) in (4, 5, 6, 7, 8)
    assert blinking(replace(actor, subject=replace(actor.subject, action="sleep")), 3.3)


@pytest.mark.parametrize("name", CAST)
def test_parts_are_laid_on_each_other_in_order(name: str) -> None:
    depths = [part.z for part in load(name).parts]
    assert depths == sorted(depths)


@pytest.mark.parametrize("name", CAST)
def test_every_part_paints_within_its_box(name: str) -> None:
    puppet = load(name)
    for part in puppet.parts:
        pixels = painted(part, puppet).toarray()[..., 3]
        assert pixels.any(), f"{part.name} is invisible"
        left, top, right, bottom = (value * 44 for value in part.box)
        # A pixel of rounding, and the palest fringe of the shadow, may lie outside.
        loud_rows, loud_columns = (pixels > 24).nonzero()
        assert left - 2 <= loud_columns.min() - 110
        assert loud_columns.max() - 110 <= right + 2
        assert top - 2 <= loud_rows.min() - 176
        assert loud_rows.max() - 176 <= bottom + 2


def test_a_prompts_colour_replaces_the_main_colour_and_nothing_else() -> None:
    puppet = load("car")
    colours = colours_for(puppet, "#3366cc")
    assert colours[puppet.main] == "#3366cc"
    assert {k: v for k, v in colours.items() if k != puppet.main} == {
        k: v for k, v in puppet.colours.items() if k != puppet.main
    }


@pytest.mark.parametrize("colour", ["#000000", "#ffffff"])
def test_black_and_white_are_softened_so_that_shades_can_be_told_apart(colour: str) -> None:
    colours = colours_for(load("cat"), colour)
    shades = {tinted(fill, colours) for fill in ("coat", "coat-dark", "coat-light")}
    assert len(shades) == 3
    assert colours["coat"] != colour


def test_a_group_differs_and_the_look_comes_round_again() -> None:
    puppet = load("person")
    looks = [colours_for(puppet, None, i) for i in range(len(puppet.variants) + 2)]
    assert looks[0] == dict(puppet.colours)
    assert looks[1] != looks[0]
    assert looks[len(puppet.variants) + 1] == looks[0]


def test_tones_go_darker_and_lighter() -> None:
    colours = {"coat": "#b06030"}
    deep, dark, plain, light, pale = (
        brightness(tinted(fill, colours)) for fill in ("coat-deep", "coat-dark", "coat", "coat-light", "coat-pale")
    )
    assert deep < dark < plain < light < pale
    assert brightness(tinted("#b06030-dark-dark", {})) < dark


def test_mixing_goes_from_one_colour_to_the_other() -> None:
    assert mix("#102030", "#ffffff", 0.0) == "#102030"
    assert mix("#102030", "#ffffff", 1.0) == "#ffffff"


def test_a_curve_goes_through_its_points_and_a_limb_round_its_ends() -> None:
    assert cut("0,0 10,5 20,0 10,-5", closed=True).contains(10, 0)
    assert not cut("0,0! 10,0! 10,10!", closed=True).contains(1, 9)
    assert cut("M0,0 L10,0 L10,10 Z", closed=True).contains(9, 1)
    bounds = limb("0,0,2 10,0,1").computeTightBounds()
    assert (bounds.left(), bounds.right()) == pytest.approx((-2, 11), abs=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('rig = "still"', 'rig = "hovercraft"'), "no rig 'hovercraft'; use one of"),
        (('main = "paper"', 'main = "wool"'), "main is 'wool', which .colours. lacks"),
        (("height = 2.0", ""), "lacks height"),
        (("height = 2.0", "height = = 2"), "is not TOML"),
        (('name = "body"', 'name = "blob"'), "needs the parts body"),
        (("z = 1", 'z = 1\nparent = "ghost"'), "part 'body': its parent 'ghost' does not exist"),
        (("z = 1", 'z = 1\nparent = "body"'), "part 'body': it is its own ancestor"),
        (("z = 1", 'z = 1\ncopy = "ghost"'), "copies 'ghost'; name a part above it"),
        (("z = 1", ""), "part 'body': lacks 'z'"),
        (('fill = "paper"', 'fill = "wool"'), "part 'body': no colour or tone 'wool'"),
        (('fill = "paper"', 'fill = "paper-odd"'), "no colour or tone 'odd'"),
        (("-10,0! 10,0! 0,-100!", "-10,0! 10"), "2 numbers with commas"),
        (("-10,0! 10,0! 0,-100!", "1,2 3,4"), "too few points"),
        (("path =", "blob ="), "needs path, oval, rect, limb or line"),
        (("path =", "limb ="), "3 numbers with commas|could not convert"),
    ],
)
def test_a_bad_drawing_says_where_it_is_and_what_to_do(change: tuple[str, str], message: str) -> None:
    assert parse("small", SMALL).part("body").z == 1
    with pytest.raises(CastError, match=message) as caught:
        parse("small", SMALL.replace(*change))
    assert str(caught.value).startswith("cast/small.toml")


def test_a_copied_part_can_be_moved_mirrored_and_toned() -> None:
    copied = '[[part]]\nname = "twin"\nz = 0\ncopy = "body"\nmove = [40, -10]\nmirror = true\ntone = "dark"\n'
    puppet = parse("small", SMALL.replace('name = "body"\npivot = [0, 0]', 'name = "body"\npivot = [5, 0]') + copied)
    twin = puppet.part("twin")
    assert twin.pivot == pytest.approx((0.35, -0.1))
    assert twin.shapes[0].fill == "paper-dark"
    assert puppet.parts[0] is twin
    with pytest.raises(KeyError, match="has no part tail"):
        puppet.part("tail")
