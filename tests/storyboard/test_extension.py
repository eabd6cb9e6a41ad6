"""Films that go on: the same scene, the same clock, the same sound."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import EngineFailed
from filmgate.domain.spec import Kind, Mode, Spec
from filmgate.engines.storyboard.continuing import next_plan
from filmgate.engines.storyboard.engine import StoryboardEngine, script_of
from filmgate.engines.storyboard.filming import film_of
from filmgate.engines.storyboard.model import FPS, Plan
from filmgate.engines.storyboard.pictures import silent_cast
from filmgate.engines.storyboard.plan import make_plan
from filmgate.engines.storyboard.script import Script, Unreadable, decoded, encoded
from filmgate.engines.storyboard.sequel import plays, views
from filmgate.engines.storyboard.sound import composed
from filmgate.engines.storyboard.sound.music import score, score_on
from filmgate.engines.storyboard.ways import Stretch, Way
from filmgate.media.probe import probe
from filmgate.ports import Job
from storyboard.photographs import landscape, street

RATE = 48_000
STORIES = [
    ("a dog running in a park", "the dog sits down and it starts to snow"),
    ("a cat sleeping in a room", "a butterfly comes"),
    ("a ship at sea", "night falls and a storm comes up"),
    ("a car driving through a city, tracking shot", "it goes on"),
    ("the meaning of justice", "and of freedom"),
    ("children flying kites on a beach", "they dance at sunset"),
]


def planned(prompt: str, *, portrait: bool = False, seconds: int = 4) -> Plan:
    return make_plan(prompt, seed=12345, seconds=seconds, portrait=portrait)


def story(*prompts: str, portrait: bool = False, seconds: int = 4) -> Script:
    script = Script((planned(prompts[0], portrait=portrait, seconds=seconds),))
    for prompt in prompts[1:]:
        script = script.followed_by(next_plan(script.plan, prompt, seconds))
    return script


def shown(script: Script, indices: range, images: list[Path] | None = None) -> list[npt.NDArray[np.int_]]:
    size = (180, 320) if script.plan.portrait else (320, 180)
    film = film_of(script, images or [], *size)
    return [film.frame(i).copy().astype(int) for i in indices]


def jumps(frames: list[npt.NDArray[np.int_]]) -> list[float]:
    return [float(np.abs(a - b).mean()) for a, b in pairwise(frames)]


def first(script: Script) -> Script:
    return Script(script.plans[:-1], script.start)


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize(("before", "after"), STORIES)
def test_an_extension_begins_where_its_source_ends(before: str, after: str, portrait: bool) -> None:
    script = story(before, after, portrait=portrait)
    old, new = shown(first(script), range(86, 96)), shown(script, range(6))
    seam = float(np.abs(old[-1] - new[0]).mean())
    assert seam <= 1.15 * max(*jumps(old), *jumps(new)), (seam, jumps(old), jumps(new))


def test_so_does_the_extension_of_an_extension() -> None:
    script = story("a dog running in a park", "the dog sits down and it starts to snow", "then it jumps")
    old, new = shown(first(script), range(88, 96)), shown(script, range(6))
    assert float(np.abs(old[-1] - new[0]).mean()) <= 1.15 * max(*jumps(old), *jumps(new))


@pytest.mark.parametrize("count", [1, 2])
def test_a_film_of_pictures_goes_on_with_the_last_one(tmp_path: Path, count: int) -> None:
    images = [landscape(tmp_path / "one.png", 320, 180), street(tmp_path / "two.png", 320, 180)][:count]
    plan = silent_cast(planned("snow falls"))
    script = Script((plan,), "frames").followed_by(silent_cast(next_plan(plan, "it rains at night", 4)))
    old, new = shown(first(script), range(86, 96), images), shown(script, range(6), images)
    assert float(np.abs(old[-1] - new[0]).mean()) <= 1.15 * max(*jumps(old), *jumps(new), 0.2)


def test_the_camera_leaves_without_a_jerk() -> None:
    *_, source, play = plays(story("a car driving through a city, tracking shot", "it goes on"))
    h = 1 / FPS
    path = [source.shots[-1].view(4 - i * h).x for i in (2, 1)]
    path += [play.shots[0].view(4 + i * h).x for i in range(4)]
    pace = np.diff(path)
    assert np.abs(np.diff(pace)).max() < 0.25 * np.abs(pace).max()


def test_the_same_paper_is_not_seen_from_closer() -> None:
    source, play = plays(story("a dog running in a park", "close up"))
    assert max(view.zoom for view in views(play)) <= max(view.zoom for view in views(source)) + 1e-6


# ---------------------------------------------------------------- what the prompt changes -------------------------


def test_what_is_not_said_stays() -> None:
    before = planned("a red dog running in a park at sunset in the rain")
    after = next_plan(before, "and so it goes on", 6)
    assert (after.seconds, after.prompt) == (6, "and so it goes on")
    for name in ("seed", "portrait", "setting", "time", "weather", "mood"):
        assert getattr(after, name) == getattr(before, name)
    assert [subject.noun for subject in after.subjects] == ["dog"]


@pytest.mark.parametrize(
    ("before", "prompt", "action"),
    [
        ("a dog running in a park", "the dog sits down", "sit"),
        ("a woman walking in a city", "she starts dancing", "dance"),
        ("a cat sleeping", "the cat jumps", "jump"),
    ],
)
def test_somebody_does_something_else(before: str, prompt: str, action: str) -> None:
    assert next_plan(planned(before), prompt, 4).subjects[0].action == action


def test_weather_hour_place_and_words_can_change() -> None:
    before = planned("a dog in a park")
    assert next_plan(before, "it starts to snow", 4).weather == "snow"
    assert next_plan(before, "night falls", 4).time == "night"
    assert next_plan(before, "the dog arrives at the beach", 4).setting == "beach"
    assert next_plan(before, 'the dog says "hello"', 4).dialogue == "hello"
    assert "Zorblax" in next_plan(before, "Zorblax Quimby", 4).lettered


def test_a_newcomer_walks_in_from_the_wings() -> None:
    play = plays(story("a dog sitting in a park", "a cat comes in"))[-1]
    cat = next(actor for actor in play.actors if actor.subject.noun == "cat")
    assert cat.way is not None
    assert abs(cat.way.at(4.0)[0]) > 9.0, "at first out of sight"
    assert abs(cat.way.at(8.0)[0]) < 7.0


@given(st.text(max_size=60), st.sampled_from(STORIES))
def test_whatever_is_said_the_story_goes_on(prompt: str, before: tuple[str, str]) -> None:
    script = story(before[0], prompt)
    play = plays(script)[-1]
    assert (play.shots[0].start, play.shots[-1].end) == (4.0, 8.0)
    assert script.plan.subjects[: len(script.plans[0].subjects)] or not script.plans[0].subjects


def test_nobody_leaves_the_stage_however_long_the_story() -> None:
    play = plays(story("three horses running across a meadow", *["they run on"] * 5))[-1]
    for actor in play.actors:
        assert actor.way is not None
        assert all(abs(actor.way.at(t)[0]) < 8.0 for t in np.arange(8, 24, 0.25))


def test_a_way_is_smooth() -> None:
    way = Way(-2.0, (Stretch(0, "run", 1.0, 1, 0.0), Stretch(4, "run", -1.0, -1, 0.0), Stretch(7, "fly", 0.5, 1, -2.0)))
    places = np.array([way.at(t) for t in np.arange(0, 10, 1 / FPS)])
    assert np.abs(np.diff(places, n=2, axis=0)).max() < 0.012
    assert (way.facing(3.9), way.facing(6.9), way.facing(9.0)) == (1.0, -1.0, 1.0)


# ---------------------------------------------------------------- sound -------------------------------------------


@pytest.mark.parametrize(("before", "after"), STORIES[:4])
def test_the_sound_goes_on_at_its_level_and_without_a_click(before: str, after: str) -> None:
    script = story(before, after)
    old, raised = composed(plays(first(script)))
    new, again = composed(plays(script), (raised,))
    assert new.shape == (4 * RATE, 2)
    assert abs(again - raised) <= 6.0
    window, cut = RATE // 5, RATE // 50
    left, right = _level(old[-window - cut : -cut]), _level(new[cut : window + cut])
    assert abs(left - right) < 3.5, (left, right)
    joined = np.concatenate([old[-RATE:], new[:RATE]])
    steps = np.abs(np.diff(joined, axis=0)).max(axis=1)
    assert steps[RATE - 500 : RATE + 500].max() <= steps.max() * 0.8 + 1e-3


def _level(sound: npt.NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2) + 1e-12))


def test_the_level_is_found_again_where_it_was_not_kept() -> None:
    script = story("a dog running in a park", "it rains")
    _, raised = composed(plays(first(script)))
    assert np.array_equal(composed(plays(script))[0], composed(plays(script), (raised,))[0])


def test_the_music_goes_on_in_its_bars() -> None:
    """What it plays before the seam is the music of the source: the same key, the same beat, no new start."""
    script = story("a girl dancing in a park", "she dances on")
    long = score_on(script.plans, RATE, whole=True)
    source = score(script.plans[0], RATE)
    assert np.allclose(long[: len(source)], source, atol=1e-9)
    assert np.array_equal(score_on(script.plans, RATE), long[len(source) :])
    assert np.abs(long[len(source) : len(source) + RATE // 10]).max() > 1e-3, "the last chord rings on"


# ---------------------------------------------------------------- the engine --------------------------------------


def job(folder: Path, spec: Spec, state: bytes = b"", images: tuple[Path, ...] = ()) -> Job:
    return Job("task", 1, spec, folder, lambda fraction, stage: None, lambda: False, images=images, state=state)


def test_the_state_holds_the_whole_story(tmp_path: Path) -> None:
    script = story("a dog running in a park", "it sits", "it rains").sounding((4.0, 5.0, 5.5))
    assert decoded(encoded(script)) == script
    assert script.begins == 8
    spec = Spec("and it jumps", "veo3", kind=Kind.EXTEND, seconds=6, seed=12345)
    further = script_of(job(tmp_path, spec, encoded(script)))
    assert further.plans[:3] == script.plans
    assert further.plan.seconds == 6
    again = Spec("", "veo3", kind=Kind.UPGRADE_4K, seconds=4, seed=12345)
    assert script_of(job(tmp_path, again, encoded(script))) == script


def test_an_extension_without_its_source_says_so(tmp_path: Path) -> None:
    spec = Spec("and it jumps", "veo3", kind=Kind.EXTEND, seconds=4, seed=12345)
    with pytest.raises(EngineFailed, match="make that film anew"):
        script_of(job(tmp_path, spec))
    with pytest.raises(EngineFailed, match="cannot be read"):
        script_of(job(tmp_path, spec, b"nonsense"))
    with pytest.raises(Unreadable, match="another version"):
        decoded(b'{"version": 99}')


def test_a_real_extension_of_a_film_with_a_reference(tmp_path: Path) -> None:
    image = landscape(tmp_path / "one.png", 300, 200)
    start = Spec("a photo in a forest", "veo3", mode=Mode.REFERENCE, seconds=4, seed=12345)
    state = encoded(script_of(job(tmp_path, start, images=(image,))))
    spec = Spec("it starts to snow", "veo3", kind=Kind.EXTEND, seconds=4, seed=12345)
    clip = StoryboardEngine().render(job(tmp_path, spec, state, (image,)))
    found = probe(clip.path)
    assert (found.width, found.height, found.seconds, found.has_audio) == (1280, 720, 4.0, True)
    script = decoded(clip.state)
    assert (len(script.plans), len(script.raised), script.plan.weather) == (2, 2, "snow")
