"""GET /api/v1/veo/record-info over the wire, and the quickstart's way of polling it."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
import requests

from filmgate.domain.errors import ContentRejected, EngineFailed

from .answers import enveloped
from .conftest import World

PATH = "/api/v1/veo/record-info"


def create(client: httpx2.Client, **fields: Any) -> str:
    answer = client.post("/api/v1/veo/generate", json={"prompt": "a dog in a park", **fields})
    return str(enveloped(answer, 200)["taskId"])


def record(client: httpx2.Client, task_id: str) -> dict[str, Any]:
    told: dict[str, Any] = enveloped(client.get(PATH, params={"taskId": task_id}), 200, "success")
    return told


def test_the_record_follows_the_task_to_its_success(world: World, client: httpx2.Client) -> None:
    task_id = create(client, aspectRatio="9:16")
    waiting = record(client, task_id)
    assert (waiting["state"], waiting["successFlag"], waiting["response"]) == ("waiting", 0, None)
    world.succeed(task_id, b"the film itself", size=(720, 1280))
    done = record(client, task_id)
    assert (done["state"], done["status"], done["creditsConsumed"]) == ("success", 1, 60)
    [url] = json.loads(done["resultUrls"])
    assert url.startswith(world.url + "/f/")
    assert done["response"]["originUrls"] == done["response"]["resultUrls"] == [url]
    assert httpx2.get(url).content == b"the film itself"


@pytest.mark.parametrize(
    ("error", "flag", "code", "says"),
    [(EngineFailed("No boat."), 3, 501, "No boat."), (ContentRejected(), 2, 400, "Your prompt was flagged")],
)
def test_the_record_of_a_failure_is_a_success_of_asking(
    world: World, client: httpx2.Client, error: EngineFailed, flag: int, code: int, says: str
) -> None:
    task_id = create(client)
    world.fail(task_id, error)
    told = record(client, task_id)
    assert (told["successFlag"], told["errorCode"], told["state"]) == (flag, code, "fail")
    assert says in told["errorMessage"]


def test_two_who_ask_get_the_same_link(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    world.succeed(task_id)
    assert record(client, task_id) == record(client, task_id)


@pytest.mark.parametrize("query", ["", "?taskId=", "?taskId=%20", "?taskid=1"])
def test_a_missing_task_id_is_said(client: httpx2.Client, query: str) -> None:
    assert enveloped(client.get(PATH + query), 422, "taskId") is None


@pytest.mark.parametrize("task_id", ["0" * 32, "x", "%00", "%ED%A0%80", "'; drop table tasks", "9" * 5000])
def test_an_unknown_task_has_no_record(client: httpx2.Client, task_id: str) -> None:
    assert enveloped(client.get(f"{PATH}?taskId={task_id}"), 422, "record is null") is None


def test_somebody_else_s_task_is_like_one_that_there_is_not(world: World, client: httpx2.Client) -> None:
    world.new_account("neighbour")
    with world.client(world.new_key("neighbour")) as neighbour:
        foreign = neighbour.get(PATH, params={"taskId": create(client)})
        unknown = neighbour.get(PATH, params={"taskId": "0" * 32})
    assert foreign.content == unknown.content
    assert foreign.headers["content-length"] == unknown.headers["content-length"]


def test_two_keys_of_an_account_share_its_tasks(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    with world.client(world.new_key("default")) as second:
        assert record(second, task_id)["taskId"] == task_id


def test_each_key_reads_in_its_own_edition(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    world.succeed(task_id)
    with world.client(world.new_key(edition={"times": "iso", "top_level_result_urls": "array"})) as modern:
        told = record(modern, task_id)
    assert told["createTime"].endswith("Z")
    assert told["resultUrls"] == told["response"]["resultUrls"]
    assert isinstance(record(client, task_id)["createTime"], int)


def test_head_says_what_get_would_without_the_body(client: httpx2.Client) -> None:
    path = f"{PATH}?taskId={create(client)}"
    asked, got = client.head(path), client.get(path)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == got.headers["content-length"]


def test_a_program_written_after_the_quickstart_gets_its_film(world: World) -> None:
    """Its way: raise_for_status everywhere, ``status`` and a JSON string of addresses in ``data``."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {world.key}"
    order = {"prompt": "a cat in a garden on a sunny day", "model": "veo3", "aspectRatio": "16:9"}
    created = session.post(f"{world.url}/api/v1/veo/generate", json=order)
    created.raise_for_status()
    task_id = created.json()["data"]["taskId"]

    def addresses() -> list[str] | None:
        answer = session.get(f"{world.url}{PATH}?taskId={task_id}")
        answer.raise_for_status()
        told = answer.json()
        assert told["data"]["status"] in (0, 1), told["msg"]
        return json.loads(told["data"]["resultUrls"]) if told["data"]["status"] == 1 else None

    assert addresses() is None
    world.succeed(task_id, b"the film")
    found = addresses()
    assert found is not None
    assert [session.get(url).content for url in found] == [b"the film"]
    session.close()
