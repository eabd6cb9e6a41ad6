"""C25, C36, C38, C41, C43, C47 and C57: what costs what, what is given back, and what tenants see of each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from filmgate.domain.credits import DEFAULT_PRICES
from support.asking import eventually, generate, get, made, post
from support.server import Server, serving

CREDIT = "/api/v1/chat/credit"
P1080 = "/api/v1/veo/get-1080p-video"
K4 = "/api/v1/veo/get-4k-video"
UNKNOWN = "0" * 32


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: no other test spends credits there."""
    with serving(tmp_path_factory.mktemp("bank") / "data") as running:
        yield running


def balance(server: Server) -> int:
    answer = get(server, CREDIT)
    assert answer["code"] == 200
    assert isinstance(answer["data"], int)
    return int(answer["data"])


def tenant(server: Server, account: str, credits: int) -> httpx2.Client:
    """A client of an account of its own."""
    server.cli("accounts", "create", account, "--credits", str(credits))
    key = json.loads(server.cli("keys", "create", "--account", account, "--json"))["key"]
    return httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


@pytest.mark.statement(25)
def test_what_the_credits_do_not_cover_is_refused_and_costs_nothing(bank: Server) -> None:
    with tenant(bank, "poor", 59) as poor:
        answer = poor.post("/api/v1/veo/generate", json={"prompt": "a dog"}).json()
        assert answer["code"] == 402
        assert "insufficient" in answer["msg"].lower()
        assert "credit" in answer["msg"].lower()
        assert answer["data"] is None
        assert poor.get(CREDIT).json()["data"] == 59
        assert json.loads(bank.cli("tasks", "list", "--account", "poor", "--json")) == []
        lite = poor.post("/api/v1/veo/generate", json={"prompt": "a dog", "model": "veo3_lite"}).json()
        assert lite["code"] == 200
        assert poor.get(CREDIT).json()["data"] == 29


@pytest.mark.statement(57)
@pytest.mark.parametrize("model", ["veo3", "veo3_fast", "veo3_lite"])
def test_a_film_costs_its_listed_price(bank: Server, model: str) -> None:
    before = balance(bank)
    record = made(bank, model=model)
    assert balance(bank) == before - DEFAULT_PRICES[model]["720p"]
    assert record["creditsConsumed"] == DEFAULT_PRICES[model]["720p"]
    assert get(bank, "/api/v1/common/credit") == get(bank, CREDIT)


@pytest.mark.statement(36)
@pytest.mark.parametrize("prompt", ["reject", "fail"])
def test_a_failure_gives_the_credits_back(bank: Server, prompt: str) -> None:
    before = balance(bank)
    record = bank.ended(generate(bank, prompt=prompt, duration=4)["data"]["taskId"])
    assert record["successFlag"] in (2, 3)
    assert record["creditsConsumed"] == 0
    assert balance(bank) == before


@pytest.mark.statement(41)
def test_1080p_is_charged_once_however_often_it_is_asked_for(bank: Server) -> None:
    task_id = made(bank)["taskId"]
    before = balance(bank)
    first = eventually(bank, P1080, 200, taskId=task_id)
    assert balance(bank) == before - DEFAULT_PRICES["upgrade"]["upgrade_1080p"]
    again = [get(bank, P1080, taskId=task_id) for _ in range(10)]
    assert again == [first] * 10
    assert balance(bank) == before - DEFAULT_PRICES["upgrade"]["upgrade_1080p"]


@pytest.mark.statement(43)
def test_1080p_of_a_film_that_is_as_large_costs_nothing(bank: Server) -> None:
    task_id = made(bank, resolution="1080p")["taskId"]
    before = balance(bank)
    assert get(bank, P1080, taskId=task_id)["code"] == 200
    assert balance(bank) == before


@pytest.mark.statement(47)
def test_a_4k_version_that_fails_gives_its_charge_back(bank: Server) -> None:
    """The source's file is taken away, so that its upgrade cannot be made."""
    task_id = made(bank)["taskId"]
    for film in (bank.data / "media" / task_id).rglob("result.mp4"):
        film.unlink()
    before = balance(bank)
    upgrade = post(bank, K4, taskId=task_id)["data"]["taskId"]
    assert balance(bank) in (before - DEFAULT_PRICES["upgrade"]["upgrade_4k"], before)  # held, or failed by now
    assert bank.ended(upgrade)["successFlag"] in (2, 3)
    assert balance(bank) == before
    entries = json.loads(bank.cli("accounts", "ledger", "default", "--json"))
    assert [each["credits"] for each in entries if each["taskId"] == upgrade] == [120, -120]


#: Every address that takes the id of a task: (method, path, body or query around the id).
ASKED: dict[str, tuple[str, str, Any]] = {
    "record-info": ("GET", "/api/v1/veo/record-info", lambda task: {"taskId": task}),
    "recordInfo": ("GET", "/api/v1/jobs/recordInfo", lambda task: {"taskId": task}),
    "get-1080p-video": ("GET", P1080, lambda task: {"taskId": task}),
    "get-4k-video, asked": ("GET", K4, lambda task: {"taskId": task}),
    "get-4k-video": ("POST", K4, lambda task: {"taskId": task}),
    "extend": ("POST", "/api/v1/veo/extend", lambda task: {"taskId": task, "prompt": "on"}),
    "veo/extend": (
        "POST",
        "/api/v1/jobs/createTask",
        lambda task: {"model": "veo/extend", "input": {"task_id": task, "prompt": "on"}},
    ),
    "veo/get-1080p-video": (
        "POST",
        "/api/v1/jobs/createTask",
        lambda task: {"model": "veo/get-1080p-video", "input": {"taskId": task}},
    ),
    "veo/get-4k-video": (
        "POST",
        "/api/v1/jobs/createTask",
        lambda task: {"model": "veo/get-4k-video", "input": {"task_id": task}},
    ),
}


@pytest.fixture(scope="module")
def theirs(bank: Server) -> str:
    return str(made(bank)["taskId"])


@pytest.fixture(scope="module")
def stranger(bank: Server) -> Iterator[httpx2.Client]:
    with tenant(bank, "stranger", 1000) as client:
        yield client


@pytest.mark.statement(38)
@pytest.mark.parametrize("name", ASKED)
def test_a_task_of_another_account_is_like_none(stranger: httpx2.Client, theirs: str, name: str) -> None:
    """Status, headers and every byte of the body; only the date may differ."""
    method, path, around = ASKED[name]

    def answer(task_id: str) -> tuple[int, dict[str, str], bytes]:
        fields = around(task_id)
        told = stranger.request(
            method, path, params=fields if method == "GET" else None, json=None if method == "GET" else fields
        )
        return told.status_code, {k: v for k, v in told.headers.items() if k != "date"}, told.content

    assert answer(theirs) == answer(UNKNOWN)
    assert json.loads(answer(theirs)[2])["code"] in (404, 422)
    assert stranger.get(CREDIT).json()["data"] == 1000
