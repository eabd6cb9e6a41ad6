"""The weather: particles that never leave the span of their depth, and lightning that is there and gone."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.storyboard.model import Stage, Weather
from filmgate.engines.storyboard.weather import flash, particles

WEATHERS: tuple[Weather, ...] = get_args(Weather)


@given(st.sampled_from(WEATHERS), st.booleans(), st.integers(0, 2**32), st.floats(0.0, 3600.0))
def test_particles_stay_within_the_span_of_their_depth(weather: Weather, portrait: bool, seed: int, t: float) -> None:
    stage = Stage(portrait)
    for particle in particles(weather, stage, seed):
        left, top, right, bottom = stage.span(particle.depth)
        x, y = particle.path(t)
        assert left <= x <= right
        assert top <= y <= bottom


@pytest.mark.parametrize("weather", WEATHERS)
def test_the_air_is_not_too_full_to_be_drawn(weather: Weather) -> None:
    drops = particles(weather, Stage(False), 7)
    assert len(drops) <= 220
    assert (len(drops) == 0) == (weather == "clear")
    depths = [drop.depth for drop in drops]
    assert depths == sorted(depths, reverse=True)
    assert all(0 < drop.alpha <= 1 and drop.size > 0 for drop in drops)


@pytest.mark.parametrize(
    ("weather", "kind"), [("rain", "streak"), ("storm", "streak"), ("snow", "flake"), ("fog", "mist")]
)
def test_each_weather_has_its_kind(weather: Weather, kind: str) -> None:
    assert {drop.kind for drop in particles(weather, Stage(False), 3)} == {kind}


def test_rain_falls_along_its_streaks() -> None:
    drop = particles("storm", Stage(False), 3)[0]
    moves = [
        (b[0] - a[0], b[1] - a[1])
        for a, b in ((drop.path(i * 0.01), drop.path(i * 0.01 + 0.01)) for i in range(40))
        if b[1] > a[1] and abs(b[0] - a[0]) < 1
    ]
    assert moves
    # Clockwise from upright: the lower end of the streak points to the left, and so it falls.
    assert all((dx < 0) == (drop.turn > 0) for dx, _ in moves)


def test_the_same_seed_gives_the_same_weather() -> None:
    def marks(seed: int) -> list[tuple[float, float]]:
        return [drop.path(1.5) for drop in particles("snow", Stage(False), seed)]

    assert marks(1) == marks(1)
    assert marks(1) != marks(2)


@given(st.floats(0.0, 600.0), st.integers(0, 1000))
def test_lightning_is_a_brightness(t: float, seed: int) -> None:
    assert 0.0 <= flash(t, seed) <= 1.0


@pytest.mark.parametrize("seed", range(5))
def test_a_storm_flashes_and_is_mostly_dark(seed: int) -> None:
    frames = [flash(i / 24, seed) for i in range(24 * 8)]
    assert max(frames) > 0.5
    assert sum(value < 0.05 for value in frames) > len(frames) / 2
