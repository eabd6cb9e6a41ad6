"""C28 to C37: asking about a task."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from support.asking import UUID7, generate, get, made, measured, params
from support.server import Server, serving, until


@pytest.mark.statement(28)
def test_just_after_creation(server: Server) -> None:
    running, queued = (generate(server, prompt="slow 2", duration=4)["data"]["taskId"] for _ in range(2))
    until(lambda: server.record(running)["state"] == "generating", "the first is being made")
    for task_id, state in ((running, "generating"), (queued, "waiting")):
        answer = get(server, "/api/v1/veo/record-info", taskId=task_id)
        record = answer["data"]
        assert answer["code"] == 200
        assert (record["successFlag"], record["status"], record["state"]) == (0, 0, state)
        assert record["resultJson"] == ""
        assert record["failCode"] is record["failMsg"] is record["response"] is record["completeTime"] is None
        assert "resultUrls" not in record
    server.ended(queued)


@pytest.mark.statement(29, 30, 33, 34)
def test_after_success(server: Server, tmp_path: Path) -> None:
    record = made(server, prompt="a dog in the sun", model="veo3", seeds=54321)
    urls = record["response"]["resultUrls"]
    assert (record["successFlag"], record["status"], record["state"]) == (1, 1, "success")
    assert urls
    assert all(re.match(r"https?://", url) for url in urls)
    assert json.loads(record["resultJson"])["resultUrls"] == urls
    assert json.loads(record["resultUrls"]) == urls
    assert record["failCode"] is record["failMsg"] is None
    assert record["response"]["taskId"] == record["taskId"]
    assert re.match(UUID7, record["taskId"])
    ordered = params(record)
    assert (ordered["prompt"], ordered["model"], ordered["aspectRatio"]) == ("a dog in the sun", "veo3", "16:9")
    assert record["response"]["hasAudioList"] == [measured(url, tmp_path).has_audio for url in urls]
    assert record["response"]["seeds"] == [54321] * len(urls)


@pytest.mark.statement(31)
def test_the_quickstart_program(server: Server) -> None:
    """Order, look, wait: as tests/journeys/quickstart/client.py does it with its status and its JSON string."""
    task_id = generate(server, model="veo3", aspectRatio="16:9", duration=4)["data"]["taskId"]
    record = until(lambda: found if (found := server.record(task_id))["status"] != 0 else None, "status is set")
    assert record["status"] == 1
    assert json.loads(record["resultUrls"])


@pytest.mark.statement(32)
def test_times(server: Server, tmp_path: Path) -> None:
    record = made(server)
    assert isinstance(record["createTime"], int)
    assert isinstance(record["completeTime"], int)
    assert record["completeTime"] >= record["createTime"] > 1_700_000_000_000
    for times, form in (("string", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), ("iso", r".*Z")):
        with serving(tmp_path / times, FILMGATE_EDITION__TIMES=times) as edition:
            told = made(edition)
            for field in ("createTime", "completeTime"):
                assert re.fullmatch(form, told[field])
                datetime.fromisoformat(told[field])


@pytest.mark.statement(35)
def test_origin_and_full_urls(server: Server) -> None:
    landscape, portrait = made(server)["response"], made(server, aspect_ratio="9:16")["response"]
    assert landscape["originUrls"] is None
    assert isinstance(portrait["originUrls"], list)
    assert landscape["fullResultUrls"] is portrait["fullResultUrls"] is None


@pytest.mark.statement(36)
@pytest.mark.parametrize("prompt", ["reject", "fail"])
def test_after_failure(server: Server, prompt: str) -> None:
    answer = generate(server, prompt=prompt)
    record = server.ended(answer["data"]["taskId"])
    assert record["successFlag"] == record["status"]
    assert record["successFlag"] in (2, 3)
    assert record["state"] == "fail"
    assert isinstance(record["errorCode"], int)
    assert record["errorMessage"]
    assert record["failCode"] is not None
    assert record["failMsg"] == record["errorMessage"]
    assert record["resultJson"] == ""
    assert "resultUrls" not in record
    assert record["creditsConsumed"] == 0


@pytest.mark.statement(37)
def test_an_unknown_task(server: Server) -> None:
    for task_id in ("0" * 32, "veo_task_abcdef123456", "'; DROP TABLE tasks; --"):
        answer = get(server, "/api/v1/veo/record-info", taskId=task_id)
        assert answer["code"] == 422
        assert "record is null" in answer["msg"]
        assert answer["data"] is None
    assert get(server, "/api/v1/veo/record-info")["code"] == 422
