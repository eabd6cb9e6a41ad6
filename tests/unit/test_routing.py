"""Which engine of a route gets an order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import Unsupported
from filmgate.domain.routing import Capabilities, Route, choose
from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution, Spec

PLAIN = Capabilities()
TALL_ONLY = Capabilities(aspect_ratios=frozenset({AspectRatio.PORTRAIT}))
ENGINES = {"plain": PLAIN, "tall": TALL_ONLY}


def spec(**changes: object) -> Spec:
    return Spec("a dog", "veo3", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "lack"),
    [
        ({"kind": Kind.EXTEND}, "tasks of kind extend"),
        ({"mode": Mode.FRAMES}, "films that start from a first or last frame"),
        ({"mode": Mode.REFERENCE, "images": ("a",)}, "films that start from reference images"),
        ({"seconds": 30}, "films of 30 seconds"),
    ],
)
def test_an_engine_says_in_words_what_it_lacks(wish: dict[str, object], lack: str) -> None:
    assert PLAIN.lacks(spec(**wish)) == lack


def test_auto_needs_both_ratios() -> None:
    assert PLAIN.lacks(spec(aspect_ratio=AspectRatio.AUTO)) is None
    assert TALL_ONLY.lacks(spec(aspect_ratio=AspectRatio.AUTO)) == "the aspect ratio Auto"


def test_an_engine_of_small_films_lacks_large_ones() -> None:
    small = Capabilities(resolutions=frozenset({Resolution.P720}))
    assert small.lacks(spec(resolution=Resolution.K4)) == "4k films"


def test_reference_images_are_counted() -> None:
    two = Capabilities(modes=frozenset({Mode.REFERENCE}), max_references=2)
    assert two.lacks(spec(mode=Mode.REFERENCE, images=("a", "b"))) is None
    assert two.lacks(spec(mode=Mode.REFERENCE, images=("a", "b", "c"))) == "so many reference images"


def test_a_last_frame_is_more_than_some_engines_can() -> None:
    first_only = Capabilities(modes=frozenset({Mode.FRAMES}), max_frames=1)
    assert first_only.lacks(spec(mode=Mode.FRAMES, images=("a",))) is None
    assert first_only.lacks(spec(mode=Mode.FRAMES, images=("a", "b"))) == "films with a last frame"


def test_what_a_film_starts_from_matters_only_to_a_new_one() -> None:
    images_only = Capabilities(
        kinds=frozenset(Kind), modes=frozenset({Mode.FRAMES}), resolutions=frozenset({Resolution.P720}), max_frames=1
    )
    assert images_only.lacks(spec()) == "films that start from text"
    assert images_only.lacks(spec(kind=Kind.EXTEND)) is None
    assert images_only.lacks(spec(kind=Kind.EXTEND, resolution=Resolution.P1080)) == "1080p films"
    of_two_images = spec(
        kind=Kind.UPGRADE_1080P, resolution=Resolution.P1080, mode=Mode.FRAMES, images=("a", "b"), seconds=30
    )
    assert images_only.lacks(of_two_images) is None


def test_the_first_engine_that_can_is_chosen() -> None:
    route = Route("veo3", ("tall", "plain"))
    assert choose(route, spec(aspect_ratio=AspectRatio.PORTRAIT), ENGINES.__getitem__) == "tall"
    assert choose(route, spec(), ENGINES.__getitem__) == "plain"


def test_a_refusal_names_every_engine_and_what_it_lacks() -> None:
    with pytest.raises(Unsupported) as refusal:
        choose(Route("veo3", ("tall", "plain")), spec(seconds=30), ENGINES.__getitem__)
    assert str(refusal.value) == (
        "No engine behind model veo3 can do this: "
        "tall cannot make the aspect ratio 16:9; plain cannot make films of 30 seconds."
    )


@given(
    offers=st.lists(st.sets(st.sampled_from(AspectRatio)), min_size=1, max_size=4),
    wished=st.sampled_from(AspectRatio),
)
def test_an_engine_is_chosen_exactly_when_one_can(offers: list[set[AspectRatio]], wished: AspectRatio) -> None:
    engines = {str(i): Capabilities(aspect_ratios=frozenset(offer)) for i, offer in enumerate(offers)}
    both = {AspectRatio.LANDSCAPE, AspectRatio.PORTRAIT}  # Auto becomes one of the two when the image is seen
    wanted = both if wished is AspectRatio.AUTO else {wished}
    able = [name for name, can in engines.items() if wanted <= can.aspect_ratios]
    route = Route("veo3", tuple(engines))
    try:
        chosen = [choose(route, spec(aspect_ratio=wished), engines.__getitem__)]
    except Unsupported:
        chosen = []
    assert chosen == able[:1]
