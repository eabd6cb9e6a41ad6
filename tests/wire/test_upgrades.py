"""get-1080p-video and get-4k-video over the wire."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from filmgate.domain.errors import EngineFailed
from filmgate.domain.spec import Kind, Resolution

from .answers import enveloped
from .conftest import World
from .test_record_info import create, record

P1080 = "/api/v1/veo/get-1080p-video"
K4 = "/api/v1/veo/get-4k-video"
PROCESSING_1080P = "1080P is processing. It should be ready in 1-2 minutes. Please check back shortly."
PROCESSING_4K = "4k is processing. It should be ready in 5-10 minutes. Please check back shortly."
DONE_4K = "The video has been generated successfully"


@pytest.fixture
def film(world: World, client: httpx2.Client) -> str:
    """A task with a film of 720 lines."""
    task_id = create(client)
    world.succeed(task_id, b"small")
    return task_id


def balance(world: World) -> int:
    return world.run(world.accounts.balance("default"))


# ---------------------------------------------------------------- 1080p -------------------------------------------


def test_1080p_is_processing_and_then_there(world: World, client: httpx2.Client, film: str) -> None:
    before = balance(world)
    first = client.get(P1080, params={"taskId": film})
    data = enveloped(first, 400)
    assert first.json()["msg"] == PROCESSING_1080P
    assert (data["resultUrl"], set(data)) == (None, {"resultUrl", "taskId"})
    assert data["taskId"] != film
    assert enveloped(client.get(P1080, params={"taskId": film}), 400) == data
    world.succeed(data["taskId"], b"large", size=(1920, 1080))
    done = enveloped(client.get(P1080, params={"taskId": film, "index": "0"}), 200, "success")
    assert httpx2.get(done["resultUrl"]).content == b"large"
    assert done["taskId"] == data["taskId"]
    assert enveloped(client.get(P1080, params={"taskId": film}), 200) == done
    assert balance(world) == before - 5


def test_the_upgrade_itself_may_be_asked_for_and_has_a_record(world: World, client: httpx2.Client, film: str) -> None:
    upgrade = enveloped(client.get(P1080, params={"taskId": film}), 400)["taskId"]
    assert enveloped(client.get(P1080, params={"taskId": upgrade}), 400)["taskId"] == upgrade
    told = record(client, upgrade)
    assert (told["state"], json.loads(told["paramJson"])["taskId"]) == ("waiting", film)
    world.succeed(upgrade, size=(1920, 1080))
    assert enveloped(client.get(P1080, params={"taskId": upgrade}), 200)["taskId"] == upgrade
    assert record(client, upgrade)["response"]["resolution"] == "1080p"


def test_a_film_that_is_large_enough_is_given_at_once(world: World, client: httpx2.Client) -> None:
    task_id = create(client, resolution="1080p")
    world.succeed(task_id, b"large", size=(1920, 1080))
    before = balance(world)
    done = enveloped(client.get(P1080, params={"taskId": task_id}), 200)
    assert done == {"taskId": task_id, "resultUrl": record(client, task_id)["resultUrl"]}
    assert balance(world) == before


def test_the_text_is_a_real_400_in_a_mirror(world: World, film: str) -> None:
    with world.client(world.new_key(edition={"http_status": "mirror"})) as client:
        enveloped(client.get(P1080, params={"taskId": film}), 400, "processing", status=400)


def refusals(world: World, client: httpx2.Client, film: str) -> list[tuple[dict[str, Any], str]]:
    running, failed = create(client), create(client)
    world.fail(failed, EngineFailed())
    return [
        ({}, "taskId is missing"),
        ({"taskId": " "}, "taskId is missing"),
        ({"taskId": "0" * 32}, "record is null."),
        ({"taskId": running}, "record status is not success."),
        ({"taskId": failed}, "record status is not success."),
        ({"taskId": film, "index": "5"}, "record result data not exist."),
        ({"taskId": film, "index": "999999999"}, "record result data not exist."),
        ({"taskId": film, "index": "-1"}, "index must be a whole number"),
        ({"taskId": film, "index": "one"}, "index must be a whole number"),
        ({"taskId": film, "index": "1.5"}, "index must be a whole number"),
    ]


def test_what_cannot_be_enlarged_is_said(world: World, client: httpx2.Client, film: str) -> None:
    for asked, says in refusals(world, client, film):
        assert enveloped(client.get(P1080, params=asked), 422, says) is None
        assert enveloped(client.post(K4, json=asked), 422, says) is None
        assert enveloped(client.get(K4, params=asked), 422, says) is None


def test_somebody_else_s_film_is_like_one_that_there_is_not(world: World, film: str) -> None:
    world.new_account("onlooker")
    with world.client(world.new_key("onlooker")) as client:
        enveloped(client.get(P1080, params={"taskId": film}), 422, "record is null")
        enveloped(client.post(K4, json={"taskId": film}), 422, "record is null")
        enveloped(client.get(K4, params={"taskId": film}), 422, "record is null")


def test_without_a_key_there_is_no_access(world: World, film: str) -> None:
    enveloped(httpx2.get(f"{world.url}{P1080}?taskId={film}"), 401)
    enveloped(httpx2.post(f"{world.url}{K4}", json={"taskId": film}), 401)


def test_a_film_of_long_ago_is_told_by_its_age(world: World, client: httpx2.Client, film: str) -> None:
    world.clock.now += 1_000_000
    try:
        for answer in (
            client.get(P1080, params={"taskId": film}),
            client.post(K4, json={"taskId": film}),
            client.get("/api/v1/veo/record-info", params={"taskId": film}),
        ):
            enveloped(answer, 422, "Temporarily supports records within 14 days.")
    finally:
        world.clock.now -= 1_000_000


def test_an_empty_film_is_told_so(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    world.succeed(task_id, b"")
    enveloped(client.get(P1080, params={"taskId": task_id}), 422, "record result data is empty.")


def test_a_task_without_a_film_is_told_so(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    world.run(world.tasks.succeed(world.take(task_id), [], engine="trial", state=b""))
    enveloped(client.get(P1080, params={"taskId": task_id}), 422, "record result data is blank.")


def test_credits_that_are_missing(world: World) -> None:
    world.new_account("thin", credits=62)
    with world.client(world.new_key("thin")) as client:
        task_id = create(client)
        world.succeed(task_id)
        enveloped(client.get(P1080, params={"taskId": task_id}), 402, "Credits insufficient")
        enveloped(client.post(K4, json={"taskId": task_id}), 402, "Credits insufficient")


# ---------------------------------------------------------------- 4K ----------------------------------------------


def test_4k_is_a_task_of_its_own(world: World, client: httpx2.Client, film: str) -> None:
    before = balance(world)
    first = enveloped(client.post(K4, json={"taskId": film}), 200, "success")
    assert first["taskId"] != film
    assert first == {"taskId": first["taskId"], "resultUrls": None, "imageUrls": None}
    again = client.post(K4, json={"taskId": film, "index": 0})
    assert enveloped(again, 422) == first
    assert again.json()["msg"] == PROCESSING_4K
    task = world.run(world.tasks.get(first["taskId"]))
    assert (task.spec.kind, task.spec.resolution, task.spec.source_id) == (Kind.UPGRADE_4K, Resolution.K4, film)
    world.succeed(first["taskId"], b"huge", size=(3840, 2160))
    done = client.post(K4, json={"taskId": film})
    data = enveloped(done, 422)
    assert done.json()["msg"] == DONE_4K
    assert [httpx2.get(url).content for url in data["resultUrls"]] == [b"huge"]
    assert [httpx2.get(url).headers["content-type"] for url in data["imageUrls"]] == ["image/jpeg"]
    assert balance(world) == before - 120


def test_asking_with_get_orders_nothing(world: World, client: httpx2.Client, film: str) -> None:
    before = balance(world)
    enveloped(client.get(K4, params={"taskId": film}), 422, "record is null")
    assert balance(world) == before
    ordered = enveloped(client.post(K4, json={"taskId": film}), 200)
    assert enveloped(client.get(K4, params={"taskId": film}), 422, PROCESSING_4K) == ordered
    assert enveloped(client.get(K4, params={"taskId": ordered["taskId"]}), 422, PROCESSING_4K) == ordered
    world.succeed(ordered["taskId"], size=(3840, 2160))
    done = enveloped(client.get(K4, params={"taskId": film}), 422, DONE_4K)
    assert enveloped(client.post(K4, json={"taskId": ordered["taskId"]}), 422, DONE_4K) == done
    assert done["resultUrls"] == record(client, ordered["taskId"])["response"]["resultUrls"]


def test_the_record_of_a_4k_version(world: World, client: httpx2.Client, film: str) -> None:
    upgrade = enveloped(client.post(K4, json={"taskId": film}), 200)["taskId"]
    assert "fallbackFlag" not in record(client, upgrade)
    world.succeed(upgrade, size=(3840, 2160))
    told = record(client, upgrade)
    assert "fallbackFlag" not in told
    [media_id] = told["response"]["mediaIds"]
    assert (len(media_id), told["response"]["resolution"]) == (32, "4k")


def test_after_a_failure_it_may_be_ordered_anew(world: World, client: httpx2.Client, film: str) -> None:
    before = balance(world)
    failed = enveloped(client.post(K4, json={"taskId": film}), 200)["taskId"]
    world.fail(failed, EngineFailed("No memory."))
    told = record(client, failed)
    assert told["errorCode"] == 500
    assert told["errorMessage"].startswith("The 4K version of this video is unavailable. Please try a different video.")
    assert balance(world) == before
    assert enveloped(client.post(K4, json={"taskId": film}), 200)["taskId"] != failed


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"{", 400, "JSON"),
        (b"[]", 400, "object"),
        (b'{"taskId": 5}', 422, "taskId must be a string"),
        (b'{"taskId": ["a"]}', 422, "taskId must be a string"),
        (b'{"taskId": "x", "index": {}}', 422, "index must be"),
        (b'{"taskId": "x", "index": 1e400}', 400, "JSON"),
        (b'{"taskId": "x", "index": true}', 422, "index must be"),
        (b'{"taskId": "x", "callBackUrl": "nonsense"}', 422, "callBackUrl"),
        (b'{"taskId": "x", "callBackUrl": "http://127.0.0.1/"}', 422, "loopback"),
    ],
)
def test_a_body_that_is_wrong(client: httpx2.Client, body: bytes, code: int, says: str) -> None:
    assert enveloped(client.post(K4, content=body), code, says) is None


def test_other_methods_are_refused(client: httpx2.Client) -> None:
    answer = client.put(K4)
    enveloped(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
