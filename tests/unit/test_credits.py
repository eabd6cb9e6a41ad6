"""What an order costs."""

from __future__ import annotations

import pytest

from filmgate.domain.credits import DEFAULT_PRICES, price
from filmgate.domain.spec import Kind, Resolution, Spec


@pytest.mark.parametrize(
    ("model", "resolution", "credits"),
    [
        ("veo3", Resolution.P720, 250),
        ("veo3", Resolution.P1080, 255),
        ("veo3", Resolution.K4, 380),
        ("veo3_fast", Resolution.P720, 60),
        ("veo3_fast", Resolution.P1080, 65),
        ("veo3_fast", Resolution.K4, 180),
        ("veo3_lite", Resolution.P720, 30),
        ("veo3_lite", Resolution.P1080, 35),
        ("veo3_lite", Resolution.K4, 150),
    ],
)
def test_a_film_costs_what_its_model_and_size_cost(model: str, resolution: Resolution, credits: int) -> None:
    assert price(Spec("a dog", model, resolution=resolution)) == credits


def test_an_extension_costs_what_the_model_says_whatever_its_size() -> None:
    specs = [Spec("on it goes", "veo3_fast", kind=Kind.EXTEND, resolution=size) for size in Resolution]
    assert {price(spec) for spec in specs} == {60}


@pytest.mark.parametrize("model", ["veo3", "veo3_fast", "veo3_lite"])
def test_upgrades_cost_the_same_for_every_model(model: str) -> None:
    assert price(Spec("", model, kind=Kind.UPGRADE_1080P)) == 5
    assert price(Spec("", model, kind=Kind.UPGRADE_4K)) == 120


def test_quality_in_4k_costs_less_from_images() -> None:
    images = ("https://a.example/1.png",)
    assert price(Spec("a dog", "veo3", resolution=Resolution.K4, images=images)) == 370
    assert price(Spec("a dog", "veo3", resolution=Resolution.P1080, images=images)) == 255
    assert price(Spec("a dog", "veo3_fast", resolution=Resolution.K4, images=images)) == 180  # it has no such price
    assert price(Spec("", "veo3", kind=Kind.UPGRADE_4K, resolution=Resolution.K4, images=images)) == 120


def test_prices_of_the_operator_count() -> None:
    assert price(Spec("a dog", "mine"), {"mine": {"720p": 0}}) == 0


def test_a_model_without_a_price_is_an_error_of_the_settings() -> None:
    with pytest.raises(KeyError):
        price(Spec("a dog", "unheard_of"), DEFAULT_PRICES)
