"""The sets: every place builds and paints in every light, without holes, and always the same for the same seed."""

from __future__ import annotations

from itertools import product
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
import skia

from filmgate.engines.storyboard.draw import Brush
from filmgate.engines.storyboard.light import Light, light_for
from filmgate.engines.storyboard.model import Part, Plan, Sheet, Stage, Time, Weather
from filmgate.engines.storyboard.sets import SETS, SHELTERED, atmosphere, build

TIMES: tuple[Part, ...] = get_args(Part)
WEATHERS: tuple[Weather, ...] = get_args(Weather)
UNIT = 12.0  #: pixels in a stage unit: small pictures are enough to find holes and differences


def plan_of(setting: str, *, seed: int = 1, portrait: bool = False) -> Plan:
    return Plan("", seed, 8, portrait, (), setting)


def light_of(setting: str, time: Time = "day", weather: Weather = "clear") -> Light:
    return atmosphere(setting, light_for(time, weather, 1))


def painted(sheets: list[Sheet], stage: Stage, light: Light, at: float = 0.0) -> npt.NDArray[np.uint8]:
    """The frame at rest, RGBA, at a second of the film."""
    surface = skia.Surface(round(stage.width * UNIT), round(stage.height * UNIT))
    canvas = surface.getCanvas()
    canvas.scale(UNIT, UNIT)
    canvas.translate(-stage.left, -stage.top)
    for sheet in sheets:
        dx, dy = sheet.drift(at) if sheet.drift else (0.0, 0.0)
        canvas.save()
        canvas.translate(dx, dy)
        sheet.paint(Brush(canvas, light, sheet.depth, UNIT))
        canvas.restore()
    picture: npt.NDArray[np.uint8] = surface.makeImageSnapshot().toarray()
    return picture


def picture_of(setting: str, time: Time = "day", weather: Weather = "clear", *, seed: int = 1) -> npt.NDArray[np.uint8]:
    stage, light = Stage(False), light_of(setting, time, weather)
    return painted(build(plan_of(setting, seed=seed), stage, light), stage, light)


def test_the_places_that_prompts_name_are_there() -> None:
    named = "park forest city future_city beach ocean mountains desert room space underwater garden plain"
    assert set(named.split()) <= set(SETS)
    assert set(SHELTERED) <= set(SETS)


def test_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(KeyError):
        build(plan_of("nowhere"), Stage(False), light_of("plain"))


@pytest.mark.parametrize("portrait", [False, True], ids=["landscape", "portrait"])
@pytest.mark.parametrize("setting", SETS)
def test_a_set_is_a_row_of_sheets_from_far_to_near(setting: str, portrait: bool) -> None:
    stage = Stage(portrait)
    for time, weather in product(TIMES, WEATHERS):
        sheets = build(plan_of(setting, portrait=portrait), stage, light_of(setting, time, weather))
        depths = [sheet.depth for sheet in sheets]
        assert 6 <= len(sheets) <= 15
        assert depths == sorted(depths, reverse=True)
        assert depths[0] >= 20
        assert [sheet.opaque for sheet in sheets] == [True] + [False] * (len(sheets) - 1)
        assert len({sheet.name for sheet in sheets}) == len(sheets)
        covers(sheets[0].box, stage.span(depths[0]))


def covers(outer: tuple[float, float, float, float], inner: tuple[float, float, float, float]) -> None:
    assert outer[0] <= inner[0]
    assert outer[1] <= inner[1]
    assert outer[2] >= inner[2]
    assert outer[3] >= inner[3]


@pytest.mark.parametrize("portrait", [False, True], ids=["landscape", "portrait"])
@pytest.mark.parametrize("setting", SETS)
def test_nothing_is_cut_off_at_the_top_of_its_box(setting: str, portrait: bool) -> None:
    """A sheet may be lower than the span; then nothing that it paints may rise above it, or it would be cut."""
    stage = Stage(portrait)
    for seed, weather in ((1, "clear"), (2, "snow"), (3, "storm")):
        light = light_of(setting, "night", weather)  # type: ignore[arg-type]
        for sheet in build(plan_of(setting, seed=seed, portrait=portrait), stage, light):
            left, top, right, _ = sheet.box
            if top <= stage.span(sheet.depth)[1]:
                continue
            surface = skia.Surface(round((right - left) * UNIT), round(3 * UNIT))
            canvas = surface.getCanvas()
            canvas.scale(UNIT, UNIT)
            canvas.translate(-left, 3.0 - top)
            sheet.paint(Brush(canvas, light, sheet.depth, UNIT))
            alpha = surface.makeImageSnapshot().toarray()[..., 3]
            assert alpha.max() < 24, f"{sheet.name} rises above its box by {3 - alpha.max(axis=1).argmax() / UNIT:.2f}"


@pytest.mark.parametrize("portrait", [False, True], ids=["landscape", "portrait"])
@pytest.mark.parametrize("setting", SETS)
def test_a_frame_has_no_holes(setting: str, portrait: bool) -> None:
    stage = Stage(portrait)
    for time, weather in (("day", "clear"), ("sunset", "fog"), ("night", "storm"), ("day", "snow"), ("night", "rain")):
        light = light_of(setting, time, weather)  # type: ignore[arg-type]
        sheets = build(plan_of(setting, portrait=portrait), stage, light)
        assert painted(sheets, stage, light, at=3.0)[..., 3].min() == 255


@pytest.mark.parametrize("setting", SETS)
def test_the_boards_lie_under_the_feet(setting: str) -> None:
    """At y = 0 and below there is paper at depths up to 1.3 all along the frame."""
    stage, light = Stage(False), light_of(setting)
    near = [sheet for sheet in build(plan_of(setting), stage, light) if 1.0 < sheet.depth <= 1.3]
    below = painted(near, stage, light)[round(-stage.top * UNIT) + 4 :, :, 3]
    assert below.min() == 255


@pytest.mark.parametrize("setting", SETS)
def test_the_foreground_leaves_the_middle_free(setting: str) -> None:
    stage, light = Stage(False), light_of(setting)
    front = [sheet for sheet in build(plan_of(setting), stage, light) if sheet.depth < 0.86]
    alpha = painted(front, stage, light)[..., 3]
    middle, feet = round(stage.width * UNIT / 2), round(-stage.top * UNIT)
    reach = round(0.3 * stage.width * UNIT)
    assert alpha[feet - round(5 * UNIT) : feet, middle - reach : middle + reach].max() == 0


@pytest.mark.parametrize("setting", SETS)
def test_the_same_seed_gives_the_same_picture(setting: str) -> None:
    first = picture_of(setting, seed=5)
    assert np.array_equal(first, picture_of(setting, seed=5))
    assert not np.array_equal(first, picture_of(setting, seed=6))


@pytest.mark.parametrize("setting", SETS)
def test_times_look_different(setting: str) -> None:
    pictures = [picture_of(setting, time).astype(int) for time in TIMES]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(pictures[i] - pictures[j]).mean() > 8


@pytest.mark.parametrize(("hour", "part"), [("dawn", "sunset"), ("golden_hour", "sunset"), ("moonlight", "night")])
def test_the_hours_between_differ_from_the_parts_of_the_day(hour: Time, part: Time) -> None:
    for setting in ("park", "city", "beach", "plain", "mountains"):
        difference = np.abs(picture_of(setting, hour).astype(int) - picture_of(setting, part))
        assert difference[..., :3].mean() > 6, setting


@pytest.mark.parametrize("setting", [name for name in SETS if name not in SHELTERED])
def test_weathers_look_different(setting: str) -> None:
    pictures = [picture_of(setting, "day", weather).astype(int) for weather in WEATHERS]
    for i in range(len(pictures)):
        for j in range(i):
            assert np.abs(pictures[i] - pictures[j]).mean() > 4


@pytest.mark.parametrize("portrait", [False, True], ids=["landscape", "portrait"])
@pytest.mark.parametrize("setting", SETS)
def test_what_drifts_never_shows_its_end(setting: str, portrait: bool) -> None:
    """Waves and banks of clouds go from edge to edge: they must still do so after eight seconds of drifting."""
    stage = Stage(portrait)
    for weather in ("clear", "storm"):
        light = light_of(setting, "day", weather)
        for sheet in build(plan_of(setting, portrait=portrait), stage, light):
            if sheet.drift is None or not from_edge_to_edge(sheet, light):
                continue
            travel = 3.0 / sheet.depth
            for t in range(9):
                dx, _ = sheet.drift(float(t))
                assert sheet.box[0] + dx <= stage.left - travel, sheet.name
                assert sheet.box[2] + dx >= stage.right + travel, sheet.name


def from_edge_to_edge(sheet: Sheet, light: Light) -> bool:
    """Whether the paper of a sheet lies all along the upper or the lower edge of its box."""
    left, top, right, bottom = sheet.box
    surface = skia.Surface(round((right - left) * UNIT), round((bottom - top) * UNIT))
    canvas = surface.getCanvas()
    canvas.scale(UNIT, UNIT)
    canvas.translate(-left, -top)
    sheet.paint(Brush(canvas, light, sheet.depth, UNIT))
    alpha = surface.makeImageSnapshot().toarray()[2:-2, 2:-2, 3]
    return bool(alpha[0].min() > 200 or alpha[-1].min() > 200)


def test_the_waves_of_the_ocean_drift_against_each_other() -> None:
    sheets = build(plan_of("ocean"), Stage(False), light_of("ocean"))
    waves = [sheet for sheet in sheets if sheet.name.startswith("wave") and sheet.drift is not None]
    ways = [sheet.drift(8.0)[0] - sheet.drift(0.0)[0] > 0 for sheet in waves if sheet.drift is not None]
    assert len(waves) >= 6
    assert {True, False} == set(ways)
    assert min(sheet.depth for sheet in waves) < 1 < max(sheet.depth for sheet in waves)


@pytest.mark.parametrize("weather", ["clear", "storm"])
def test_the_waves_before_a_ship_leave_its_deck_free(weather: Weather) -> None:
    stage, light = Stage(False), light_of("ocean", "night", weather)
    near = [sheet for sheet in build(plan_of("ocean"), stage, light) if sheet.depth < 1]
    deck = round((-stage.top - 0.3) * UNIT)
    for t in range(9):
        alpha = painted(near, stage, light, at=float(t))[..., 3]
        assert alpha[:deck].max() == 0
        assert alpha[round((-stage.top + 0.7) * UNIT) :].min() == 255, "and cover its keel"
