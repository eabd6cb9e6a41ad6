"""Whatever is sent to whichever address that takes JSON: an answer that its dialect knows, and never a crash."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filmgate.dialects.market.schema import MODELS

from .answers import enveloped
from .test_schema import json_values

FIELDS = ("taskId", "prompt", "model", "index", "seeds", "watermark", "callBackUrl", "url", "input", "other")
INPUTS = ("taskId", "task_id", "prompt", "model", "image_urls", "index", "seeds", "aspect_ratio", "duration", "other")
PATHS = ("/api/v1/veo/extend", "/api/v1/veo/get-4k-video", "/api/v1/jobs/createTask", "/api/v1/common/download-url")
ALLOWED = {200, 400, 404, 422}

often = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("path", PATHS)
def test_any_fields(client: httpx2.Client, path: str) -> None:
    @often
    @given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6))
    def sent(fields: dict[str, Any]) -> None:
        answer = client.post(path, content=json.dumps(fields).encode("utf-8", "replace"))
        assert answer.json()["code"] in ALLOWED
        enveloped(answer, answer.json()["code"])

    sent()


@often
@given(model=st.sampled_from(MODELS), given_input=st.dictionaries(st.sampled_from(INPUTS), json_values, max_size=6))
def test_any_input_of_any_model(client: httpx2.Client, model: str, given_input: dict[str, Any]) -> None:
    body = json.dumps({"model": model, "input": given_input}).encode("utf-8", "replace")
    answer = client.post("/api/v1/jobs/createTask", content=body)
    assert answer.json()["code"] in ALLOWED


@pytest.mark.parametrize("path", PATHS)
def test_any_bytes(client: httpx2.Client, path: str) -> None:
    @often
    @given(st.binary(max_size=200))
    def sent(body: bytes) -> None:
        answer = client.post(path, content=body)
        assert enveloped(answer, answer.json()["code"]) is None
        assert answer.json()["code"] in (400, 422)

    sent()


@pytest.mark.parametrize("path", ["/api/v1/veo/get-1080p-video", "/api/v1/veo/get-4k-video", "/api/v1/jobs/recordInfo"])
def test_any_query(client: httpx2.Client, path: str) -> None:
    @often
    @given(task_id=st.text(), index=st.text() | st.integers().map(str))
    def sent(task_id: str, index: str) -> None:
        asked = {"taskId": task_id.encode("utf-8", "replace").decode(), "index": index.encode("utf-8", "replace")}
        answer = client.get(path, params={name: str(value) for name, value in asked.items()})
        assert enveloped(answer, answer.json()["code"]) is None
        assert answer.json()["code"] in (400, 422)

    sent()
