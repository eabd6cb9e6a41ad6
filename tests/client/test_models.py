"""Records of every edition of the API, read into one type."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.client._models import Record, record_from, upload_from

FILM = "https://films.example.org/f/1/2/result.mp4"

WIRE: dict[str, Any] = {
    "taskId": "0" * 32,
    "paramJson": "{}",
    "response": {
        "taskId": "0" * 32,
        "resolution": "720p",
        "originUrls": None,
        "resultUrls": [FILM],
        "fullResultUrls": None,
        "hasAudioList": [True],
        "seeds": [61668],
    },
    "successFlag": 1,
    "fallbackFlag": False,
    "completeTime": 1776728275000,
    "createTime": 1776728214000,
    "errorCode": None,
    "errorMessage": None,
}


def test_the_record_of_a_hosted_server() -> None:
    assert record_from(WIRE) == Record(
        task_id="0" * 32,
        status=1,
        state="success",
        result_urls=(FILM,),
        resolution="720p",
        seeds=(61668,),
        has_audio=True,
        created=datetime(2026, 4, 20, 23, 36, 54, tzinfo=UTC),
        completed=datetime(2026, 4, 20, 23, 37, 55, tzinfo=UTC),
        raw=WIRE,
    )


def test_what_filmgate_adds() -> None:
    more = {"progress": 0.4, "stage": "drawing", "creditsConsumed": 60, "state": "waiting", "successFlag": 0}
    record = record_from(WIRE | more)
    assert (record.progress, record.stage, record.credits, record.state) == (0.4, "drawing", 60.0, "waiting")
    assert not record.ended


@pytest.mark.parametrize(
    "data",
    [
        {"response": {"resultUrls": [FILM]}},
        {"response": {"resultUrls": f'["{FILM}"]'}},
        {"resultUrls": f'["{FILM}"]'},
        {"resultUrls": [FILM], "response": None},
        {"resultJson": f'{{"resultUrls":["{FILM}"]}}'},
    ],
)
def test_the_films_are_found_wherever_they_are(data: dict[str, Any]) -> None:
    assert record_from(data).result_urls == (FILM,)


@pytest.mark.parametrize(
    ("data", "status", "state"),
    [
        ({"successFlag": 0}, 0, "generating"),
        ({"successFlag": 2}, 2, "fail"),
        ({"status": 3}, 3, "fail"),
        ({"state": "success"}, 1, "success"),
        ({"state": "fail"}, 3, "fail"),
        ({"state": "queuing"}, 0, "queuing"),
        ({}, 0, "generating"),
    ],
)
def test_where_the_task_stands(data: dict[str, Any], status: int, state: str) -> None:
    record = record_from(data)
    assert (record.status, record.state) == (status, state)


@pytest.mark.parametrize(
    "time", [1738319400000, "2025-01-31 10:30:00", "2025-01-31T10:30:00Z", "2025-01-31T11:30:00+01:00"]
)
def test_times_of_every_edition(time: Any) -> None:
    assert record_from({"createTime": time}).created == datetime(2025, 1, 31, 10, 30, tzinfo=UTC)


def test_failures_are_told_by_either_pair_of_names() -> None:
    ours = record_from({"successFlag": 3, "errorCode": 501, "errorMessage": "It broke."})
    market = record_from({"state": "fail", "failCode": "501", "failMsg": "It broke."})
    for record in (ours, market):
        assert (record.error_code, record.error_message, record.succeeded) == (501, "It broke.", False)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WIRE, *WIRE["response"]]), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*WIRE, "status", "state", "resultUrls", "resultJson", "progress"]), anything))
def test_no_answer_breaks_the_reading(data: dict[str, Any]) -> None:
    record = record_from(data)
    assert record.status in (0, 1, 2, 3)
    assert all(isinstance(url, str) for url in record.result_urls)


def test_lists_that_are_too_deep_are_no_lists() -> None:
    deep = "[" * 100_000
    assert record_from({"taskId": "t", "resultUrls": deep, "resultJson": deep}).result_urls == ()


def test_what_extensions_and_4k_versions_have() -> None:
    response = {"resultUrls": [FILM], "fullResultUrls": ["https://f/full.mp4"]}
    extension = record_from({"response": response, "paramJson": '{"taskId":"source","prompt":"on"}'})
    assert (extension.full_result_urls, extension.film_url) == (("https://f/full.mp4",), "https://f/full.mp4")
    assert extension.source_id == "source"
    large = record_from({"response": {"resultUrls": [FILM], "mediaIds": ["a"], "imageUrls": ["https://f/still.jpg"]}})
    assert (large.media_ids, large.image_urls, large.film_url) == (("a",), ("https://f/still.jpg",), FILM)
    assert (record_from(WIRE).source_id, record_from({}).film_url) == (None, None)


@pytest.mark.parametrize("params", ["", "no", "[]", "{}", '{"taskId":7}', None, 7, "[" * 100_000])
def test_what_says_nothing_of_a_source(params: Any) -> None:
    assert record_from({"paramJson": params}).source_id is None


def test_uploads_of_every_edition() -> None:
    quickstart = {"fileName": "a.png", "uploadPath": "x", "fileUrl": FILM, "fileSize": "12", "expiresAt": 1738319400000}
    found = upload_from(quickstart)
    assert found is not None
    assert (found.url, found.name, found.path, found.size) == (FILM, "a.png", "x", 12)
    assert found.expires == datetime(2025, 1, 31, 10, 30, tzinfo=UTC)
    wire = upload_from({"downloadUrl": FILM, "filePath": "x/a.png", "fileUrl": "https://f/other"})
    assert wire is not None
    assert (wire.url, wire.path, wire.expires) == (FILM, "x/a.png", None)
    assert upload_from({"fileName": "a.png"}) is None
