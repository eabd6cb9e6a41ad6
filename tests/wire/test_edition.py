"""The switches between wire formats."""

from __future__ import annotations

import pytest

from filmgate.http.edition import CHOICES, Edition


def test_the_defaults_are_what_polling_clients_expect() -> None:
    assert Edition() == Edition(
        http_status="envelope",
        callback_result_urls="array",
        prompt_json="string",
        times="epoch_ms",
        top_level_result_urls="json_string",
        default_model="veo3_fast",
        preset="default",
    )


def test_a_key_s_switches_lie_over_the_server_s() -> None:
    server = Edition(times="iso")
    assert server.merged({}) is server
    assert server.merged({"http_status": "mirror"}) == Edition(times="iso", http_status="mirror")


@pytest.mark.parametrize(
    ("server", "key", "form"),
    [
        ({}, {"preset": "quickstart"}, "json_string"),
        ({"preset": "quickstart"}, {}, "json_string"),
        ({"preset": "quickstart"}, {"preset": "default"}, "array"),
        ({"preset": "quickstart"}, {"callback_result_urls": "array"}, "array"),
        ({"preset": "quickstart"}, {"times": "iso"}, "json_string"),
        ({}, {"preset": "quickstart", "callback_result_urls": "array"}, "array"),
        ({"callback_result_urls": "json_string"}, {}, "json_string"),
    ],
)
def test_a_preset_comes_first_and_a_named_switch_wins(server: dict[str, str], key: dict[str, str], form: str) -> None:
    assert Edition().merged(server).merged(key).callback_result_urls == form


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_a_value_that_a_switch_does_not_have_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is one of {CHOICES[name][0]}"):
        Edition().merged({name: "nonsense"})


def test_a_switch_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no edition switch colour"):
        Edition().merged({"colour": "red"})
