"""What other servers of the Veo3 API answer, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import (
    Breakdown,
    ContentRejected,
    EngineFailed,
    EngineUnavailable,
    ImageRejected,
    LanguageRejected,
    MinorRejected,
    PersonRejected,
    TaskError,
)
from filmgate.engines.veo3_answers import Unclear, links, not_taken, plain, read, record, refusal

FILM = "https://films.example/a.mp4"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("successFlag", "status", "state", "response", "resultUrls", "resultJson", "resultUrl", "progress", "stage")
RECORDS = st.dictionaries(st.sampled_from([*FIELDS, "errorCode", "errorMessage", "failCode", "failMsg"]), JSON)


@pytest.mark.parametrize(
    "data",
    [
        {"successFlag": 1, "response": {"resultUrls": [FILM]}},
        {"successFlag": "1", "response": {"resultUrls": json.dumps([FILM])}},
        {"status": 1, "resultUrls": json.dumps([FILM])},
        {"status": 1, "resultUrls": [FILM], "response": None},
        {"status": "success", "resultUrl": FILM},
        {"state": "success", "resultJson": json.dumps({"resultUrls": [FILM]})},
        {"successFlag": 1, "videoUrl": FILM},
        {"successFlag": 1, "response": {"resultUrls": None}, "resultUrls": f'["{FILM}"]'},
    ],
)
def test_films_of_every_edition_are_found(data: dict[str, Any]) -> None:
    found = record(data)
    assert (found.done, found.films, found.error) == (True, (FILM,), None)


@pytest.mark.parametrize("data", [{"successFlag": 0}, {"status": "0"}, {"state": "queuing"}, {"status": "generating"}])
def test_what_is_under_way(data: dict[str, Any]) -> None:
    found = record(data)
    assert (found.done, found.error) == (False, None)


@pytest.mark.parametrize("share", [0.5, 50])
def test_progress_is_a_share_or_a_percentage(share: float) -> None:
    assert record({"successFlag": 0, "progress": share, "stage": "drawing"}).progress.fraction == 0.5


@pytest.mark.parametrize(
    ("said", "kind", "sentence"),
    [
        (
            "Your prompt was flagged by Website as violating content policies. It is rude.",
            ContentRejected,
            "It is rude.",
        ),
        ("public error prominent people upload", PersonRejected, PersonRejected.sentence),
        ("public error minor upload. Who is it?", MinorRejected, "Who is it?"),
        ("public error unsafe image upload", ImageRejected, ImageRejected.sentence),
        ("Only English prompts are supported at this time.", LanguageRejected, LanguageRejected.sentence),
        ("Your request was rejected by Flow(bad).", ContentRejected, None),
        ("Images size exceeds limit", EngineFailed, "The other server could not make it: Images size exceeds limit"),
    ],
)
def test_refusals_are_told_apart_and_said_once(said: str, kind: type[TaskError], sentence: str | None) -> None:
    error = refusal(422, said)
    assert type(error) is kind
    assert sentence in (None, str(error))


@pytest.mark.parametrize("code", [401, 402, 403, 404, 408, 429, 433, 455, 500, 501, 503, 505, 599])
def test_what_says_nothing_of_the_order_is_asked_again(code: int) -> None:
    error = not_taken(read(code, b'{"code": %d, "msg": "no", "data": null}' % code))
    assert isinstance(error, EngineUnavailable)
    assert error.retryable


def test_without_an_envelope_the_status_counts() -> None:
    assert read(429, b'{"message": "slow down"}').code == 429
    assert read(200, b'{"code": "401", "msg": "x"}').code == 401
    assert read(200, b'{"code": true}').code == 200


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_unclear(body: bytes) -> None:
    try:
        read(200, body)
    except Unclear:
        return


@given(RECORDS)
def test_any_record_is_a_record_or_unclear(data: dict[str, Any]) -> None:
    try:
        found = record(data)
    except Unclear:
        return
    assert 0.0 <= found.progress.fraction <= 1.0
    assert all(link.startswith(("http://", "https://")) for link in found.films)
    assert (found.error is None) == (found.flag in (0, 1))
    if isinstance(found.error, Breakdown):
        assert not found.error.retryable  # what has failed there is no look that has failed


@given(JSON)
def test_links_are_links(value: Any) -> None:
    assert all(link.startswith(("http://", "https://")) for link in links(value))


@given(st.text())
def test_foreign_words_are_short_and_plain(text: str) -> None:
    said = plain(text + " https://user:secret@x/y?k=secret \x1b[31m\n")
    assert len(said) <= 200
    assert "secret" not in said or "secret" in text
    assert said.isprintable()
