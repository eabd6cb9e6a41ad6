"""Composition: the rules that every film keeps, whatever its prompt."""

from __future__ import annotations

import itertools
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.storyboard.blocking import width_of
from filmgate.engines.storyboard.camera import magnification, seen, within
from filmgate.engines.storyboard.lexicon import lexicon
from filmgate.engines.storyboard.model import Actor, Screenplay, Stage, View
from filmgate.engines.storyboard.plan import make_plan
from filmgate.engines.storyboard.shots import CLOSEST, main_shot, stage_play, where

PROMPTS = [
    "A dog playing in a park",
    "a robot dancing in the snow",
    "a ship in a storm at night",
    "A futuristic city with flying cars at sunset",
    "children flying kites on a beach, drone shot",
    "three dogs running on the beach",
    "five elephants walking through the savanna",
    "a cat chasing a butterfly",
    "a girl riding a bicycle, tracking shot",
    "a red car driving through the city in the rain, pan right",
    "a flock of seagulls over the sea, tilt up",
    "an astronaut riding a horse on the moon",
    "a black cat sleeping on a sofa",
    "a steam train crossing the mountains",
    "a hot air balloon over the alps, crane shot",
    "a fish swimming, dolly in",
    "a whale underwater, pull back",
    "two robots and a cat dancing in the street, orbiting shot",
    "a giant octopus attacking a ship, handheld",
    "a tiny butterfly, static camera",
    "an old man playing guitar under a tree",
    "a rocket flying to the moon",
    "a rose",
    "a dog contemplating existentialism",
    "the meaning of justice",
    "a beach at sunset",
]
FILMS = list(itertools.product(PROMPTS, (False, True), (4, 6, 8)))


@lru_cache(maxsize=512)
def staged(prompt: str, portrait: bool, seconds: int, seed: int = 5) -> Screenplay:
    return stage_play(make_plan(prompt, seed=seed, seconds=seconds, portrait=portrait))


def times(start: float, end: float, steps: int = 12) -> list[float]:
    return [start + (end - start) * i / (steps + 1e-3) for i in range(steps + 1)]


def share_of_height(actor: Actor, view: View, stage: Stage) -> float:
    return actor.height * magnification(view, actor.depth) / stage.height


@pytest.mark.parametrize(("prompt", "portrait", "seconds"), FILMS)
def test_shots_tile_the_film(prompt: str, portrait: bool, seconds: int) -> None:
    shots = staged(prompt, portrait, seconds).shots
    assert shots[0].start == 0.0
    assert shots[-1].end == seconds
    assert all(one.end == other.start for one, other in itertools.pairwise(shots))
    assert all(shot.end - shot.start >= 1.0 for shot in shots)


@pytest.mark.parametrize(("prompt", "portrait", "seconds"), FILMS)
def test_the_camera_never_sees_the_end_of_the_set(prompt: str, portrait: bool, seconds: int) -> None:
    stage = Stage(portrait)
    for shot in staged(prompt, portrait, seconds).shots:
        for t in times(shot.start, shot.end):
            view = shot.view(t)
            assert view == within(view, stage)
            assert 1.0 <= view.zoom <= CLOSEST + 1e-9


@pytest.mark.parametrize(("prompt", "portrait", "seconds"), FILMS)
def test_the_main_subject_is_well_framed_in_its_shot(prompt: str, portrait: bool, seconds: int) -> None:
    play, stage = staged(prompt, portrait, seconds), Stage(portrait)
    if not play.actors:
        return
    shot, main = main_shot(play), play.actors[0]
    view = shot.view((shot.start + shot.end) / 2)
    share = share_of_height(main, view, stage)
    across = width_of(main) * magnification(view, main.depth) / stage.width
    assert share <= 0.45
    group = [actor for actor in play.actors if actor.subject is main.subject]
    assert share >= 0.25 or across >= 0.5 or len(group) > 1, "only what is very wide may be low"
    for t in times(shot.start, shot.end):
        for actor in group:
            left, _, right, _ = seen(shot.view(t), actor.depth, stage)
            x, half = where(actor, t)[0], width_of(actor) / 2
            assert left <= x - half, "nobody is cut off by the edge"
            assert x + half <= right, "nobody is cut off by the edge"


@pytest.mark.parametrize(("prompt", "portrait"), list(itertools.product(PROMPTS, (False, True))))
def test_all_stand_where_the_wide_shot_sees_them(prompt: str, portrait: bool) -> None:
    play, stage = staged(prompt, portrait, 8), Stage(portrait)
    for actor in play.actors:
        assert stage.left <= where(actor, 4.0)[0] <= stage.right
        assert stage.top <= actor.y - actor.height
        assert actor.y <= 1.0
        if actor.y > -0.6:
            assert actor.depth < 1.05, "farther away the boards would hide the feet"


def test_a_move_that_is_asked_for_is_the_whole_film() -> None:
    assert len(staged("a dog, drone shot", False, 8).shots) == 1
    assert [len(staged("a dog", False, seconds).shots) for seconds in (4, 6, 8)] == [2, 3, 3]


def test_tracking_stays_with_the_runner() -> None:
    play = staged("a horse galloping, tracking shot", False, 8)
    shot, horse = play.shots[0], play.actors[0]
    gaps = [where(horse, t)[0] - shot.view(t).x for t in times(0.0, 8.0)]
    assert abs(where(horse, 8.0)[0] - where(horse, 0.0)[0]) > 4.5
    assert max(gaps) - min(gaps) < 1.0


def test_groups_are_out_of_step_and_together() -> None:
    dogs = staged("five dogs running in a park", False, 8).actors
    assert len(dogs) == 5
    assert len({dog.phase for dog in dogs}) == 5
    assert all(dog.subject is dogs[0].subject for dog in dogs)


def test_what_is_chased_runs_ahead_and_the_rider_sits_on_top() -> None:
    cat, butterfly = staged("a cat chasing a butterfly", False, 8).actors
    assert (butterfly.x - cat.x) * cat.facing > 0
    assert (butterfly.speed, butterfly.facing) == (cat.speed, cat.facing)
    rider, horse = staged("an astronaut riding a horse", False, 8).actors
    assert rider.y < -0.4 * horse.height
    assert (rider.x, rider.speed) == (horse.x, horse.speed)


def test_kites_hang_on_the_hands_of_children() -> None:
    actors = staged("children flying kites on a beach", False, 8).actors
    for child, kite in zip(actors[:3], actors[3:], strict=True):
        assert abs(kite.x - child.x) < child.height
        assert -child.height < kite.y - child.y < 0.0
        assert kite.depth > max(actor.depth for actor in actors[:3]), "no tail crosses a face"


def test_cars_keep_to_the_road_and_people_to_the_pavement() -> None:
    assert staged("a car driving through the city", False, 8).actors[0].y > 0.5
    assert staged("a woman walking through the city", False, 8).actors[0].y == 0.0


def test_a_drone_comes_down_and_closer() -> None:
    shot = staged("a dog in a park, drone shot", False, 8).shots[0]
    first, last = shot.view(0.0), shot.view(8.0)
    assert last.y - first.y > 1.0
    assert magnification(last, 1.0) > 1.3 * magnification(first, 1.0)


@given(
    st.lists(st.sampled_from([*sorted(lexicon().words), "a", "in", "and", "the", ","]), min_size=1, max_size=9),
    st.booleans(),
    st.sampled_from((4, 6, 8)),
    st.integers(0, 2**32 - 1),
)
def test_any_words_can_be_staged(words: list[str], portrait: bool, seconds: int, seed: int) -> None:
    play, stage = staged(" ".join(words).replace("_", " "), portrait, seconds, seed), Stage(portrait)
    for shot in play.shots:
        for t in (shot.start, (shot.start + shot.end) / 2):
            assert shot.view(t) == within(shot.view(t), stage)
    if play.actors:
        shot = main_shot(play)
        left, _, right, _ = seen(shot.view((shot.start + shot.end) / 2), 1.0, stage)
        assert left < where(play.actors[0], (shot.start + shot.end) / 2)[0] < right


def test_the_same_plan_is_staged_the_same() -> None:
    one, other = (staged.__wrapped__("three birds over a lake", False, 8) for _ in range(2))
    assert one.actors == other.actors
    assert [shot.view(1.0) for shot in one.shots] == [shot.view(1.0) for shot in other.shots]
