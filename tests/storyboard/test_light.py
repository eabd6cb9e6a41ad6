"""The light: palettes that tell times and weathers apart, and colours that fade with distance."""

from __future__ import annotations

from itertools import combinations, product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.storyboard.light import Light, light_for, mix
from filmgate.engines.storyboard.model import Stage, Time, Weather
from filmgate.engines.storyboard.sets import SETS, atmosphere

TIMES: tuple[Time, ...] = get_args(Time)
WEATHERS: tuple[Weather, ...] = get_args(Weather)
LIGHTS = [light_for(time, weather, 1) for time, weather in product(TIMES, WEATHERS)]

colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")
lights = st.sampled_from(LIGHTS)


def brightness(colour: tuple[int, int, int]) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


@given(lights, colours, st.floats(0.3, 40.0))
def test_every_colour_stays_a_colour(light: Light, colour: str, depth: float) -> None:
    assert all(0 <= channel <= 255 for channel in light.on(colour, depth))


@given(lights, colours, st.floats(1.0, 30.0), st.floats(0.0, 10.0))
def test_what_is_farther_is_nearer_to_the_haze(light: Light, colour: str, depth: float, more: float) -> None:
    haze = tuple(int(light.haze[i : i + 2], 16) for i in (1, 3, 5))

    def away(at: float) -> int:
        return max(abs(a - b) for a, b in zip(light.on(colour, at), haze, strict=True))

    # Rounding moves a channel by at most one; an overbright one is cut off at white.
    assert away(depth + more) <= max(away(depth), 1) + 1


@given(colours, colours)
def test_mixing_reaches_both_ends(first: str, second: str) -> None:
    assert mix(first, second, 0.0) == first
    assert mix(first, second, 1.0) == second


@pytest.mark.parametrize(("one", "other"), list(combinations(LIGHTS, 2)))
def test_no_two_lights_look_alike(one: Light, other: Light) -> None:
    def look(light: Light) -> list[int]:
        grass, wall = light.on(light.open("#7fb64f"), 1.0), light.on("#f0e6d0", 3.0)
        zenith = light.sky[0]
        return [*grass, *wall, *(int(zenith[i : i + 2], 16) for i in (1, 3, 5))]

    assert sum(abs(a - b) for a, b in zip(look(one), look(other), strict=True)) > 40


@pytest.mark.parametrize("weather", WEATHERS)
def test_the_day_is_brighter_than_the_sunset_and_that_than_the_night(weather: Weather) -> None:
    shown = {time: brightness(light_for(time, weather, 1).on("#c0c0c0", 1.0)) for time in TIMES}
    assert shown["day"] > shown["sunset"] > shown["night"]
    assert shown["dawn"] > shown["moonlight"] > shown["night"]
    assert shown["golden_hour"] > shown["sunset"]


@pytest.mark.parametrize("weather", WEATHERS)
def test_a_night_is_still_readable(weather: Weather) -> None:
    light = light_for("night", weather, 1)
    pale, dark = brightness(light.on("#f0e0c0", 1.0)), brightness(light.on("#403020", 1.0))
    horizon = brightness(light.on("#000000", 12.0))
    assert pale - dark > 40
    assert horizon - dark > 20


def test_snow_whitens_and_rain_darkens_what_lies_open() -> None:
    grass = "#7fb64f"
    plain = light_for("day", "clear", 1)
    assert plain.open(grass) == grass
    assert brightness(plain.on(light_for("day", "snow", 1).open(grass), 1.0)) > brightness(plain.on(grass, 1.0))
    assert brightness(plain.on(light_for("day", "rain", 1).open(grass), 1.0)) < brightness(plain.on(grass, 1.0))


def test_lamps_are_lit_when_it_is_dark() -> None:
    assert light_for("night", "clear", 1).lamps_on
    assert light_for("day", "storm", 1).lamps_on
    assert not light_for("day", "clear", 1).lamps_on


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize("light", LIGHTS, ids=lambda light: f"{light.time}-{light.weather}")
def test_the_sun_stands_in_the_sky_on_its_side(light: Light, portrait: bool) -> None:
    stage = Stage(portrait)
    x, y = light.sun_position(stage)
    assert stage.left < x < stage.right
    assert stage.top < y < -1.5
    assert light_for(light.time, light.weather, -1).sun_position(stage) == (-x, y)


@pytest.mark.parametrize("light", LIGHTS, ids=lambda light: f"{light.time}-{light.weather}")
def test_the_air_of_a_place(light: Light) -> None:
    for setting in SETS:
        air = atmosphere(setting, light)
        assert (air.time, air.side) == (light.time, light.side)
    assert atmosphere("park", light) is light
    assert atmosphere("space", light).weather == atmosphere("underwater", light).weather == "clear"
    assert atmosphere("room", light).density <= 0.1
