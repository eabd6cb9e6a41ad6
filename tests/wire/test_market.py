"""jobs/createTask and jobs/recordInfo over the wire, and what the market's callbacks say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from filmgate.app.callbacks import compose
from filmgate.dialects.market.render import NAME, TIER, render_record
from filmgate.domain.errors import ContentRejected, EngineFailed
from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution
from filmgate.domain.task import Failure, Status, Task
from filmgate.storage.links import Links

from .answers import enveloped
from .conftest import World
from .tasks import CREATED_MS, ENDED_MS, ID, ORIGIN, SOURCE_ID, film, task
from .test_record_info import create as create_veo
from .test_record_info import record as record_of_veo

CREATE, RECORD = "/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo"
LINKS = Links([b"a signing key"])
URL = LINKS.link("https://films.example.org", f"{ID}/1/result.mp4", ENDED_MS + 1000, f"{ID}.mp4")
MARKET = replace(ORIGIN, dialect=NAME)


def create(client: httpx2.Client, name: str = "veo-3-1", callback: str | None = None, **fields: Any) -> str:
    given = {"prompt": "a dog in a park", **fields}
    data = enveloped(client.post(CREATE, json={"model": name, "input": given, "callBackUrl": callback}), 200)
    assert set(data) == {"taskId", "recordId"}
    assert data["taskId"] == data["recordId"]
    return str(data["taskId"])


def record(client: httpx2.Client, task_id: str) -> dict[str, Any]:
    told: dict[str, Any] = enveloped(client.get(RECORD, params={"taskId": task_id}), 200, "success")
    return told


# ---------------------------------------------------------------- orders ------------------------------------------


def test_the_record_follows_the_task_to_its_success(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    assert record(client, task_id)["state"] == "waiting"
    lease = world.take(task_id)
    assert record(client, task_id)["state"] == "generating"
    world.run(world.tasks.drain(lease))
    assert record(client, task_id)["state"] in ("waiting", "queuing")
    world.succeed(task_id, b"the film")
    told = record(client, task_id)
    assert (told["state"], told["successFlag"], told["progress"]) == ("success", 1, 100)
    assert json.loads(told["resultJson"]) == told["response"]
    assert [httpx2.get(url).content for url in told["response"]["resultUrls"]] == [b"the film"]
    assert record_of_veo(client, task_id)["response"]["resultUrls"] == told["response"]["resultUrls"]


def test_the_input_in_full(world: World, client: httpx2.Client) -> None:
    images = [f"https://images.example.org/{n}.png" for n in range(3)]
    task_id = create(
        client,
        callback="https://hooks.example.org/",
        prompt="a cat",
        model="veo3_lite",
        image_urls=images,
        generation_type="REFERENCE_2_VIDEO",
        aspect_ratio="9:16",
        resolution="1080p",
        duration="8",
        seeds=12345,
        watermark="MyBrand",
        enable_translation=False,
        enable_fallback=True,
    )
    made = world.run(world.tasks.get(task_id))
    spec = made.spec
    assert (spec.prompt, spec.model, spec.images, spec.mode) == ("a cat", "veo3_lite", tuple(images), Mode.REFERENCE)
    assert (spec.aspect_ratio, spec.resolution, spec.seconds) == (AspectRatio.PORTRAIT, Resolution.P1080, 8)
    assert (spec.seed, spec.watermark, spec.translate, spec.fallback) == (12345, "MyBrand", False, True)
    assert (spec.callback_url, made.origin.dialect) == ("https://hooks.example.org/", NAME)


def test_the_spelling_of_the_other_dialect_is_understood(world: World, client: httpx2.Client) -> None:
    images = ["https://images.example.org/1.png"]
    task_id = create(client, prompt="a cat", imageUrls=images, generationType="REFERENCE_2_VIDEO", aspectRatio="9:16")
    spec = world.run(world.tasks.get(task_id)).spec
    assert (spec.images, spec.aspect_ratio, spec.mode) == (tuple(images), AspectRatio.PORTRAIT, Mode.REFERENCE)


@pytest.mark.parametrize("tier", ["veo3", "veo3_fast", "veo3_lite"])
def test_a_tier_may_be_named_as_the_model_or_in_the_input(world: World, client: httpx2.Client, tier: str) -> None:
    plain, inside = create(client, tier), create(client, model=tier)
    assert [world.run(world.tasks.get(task_id)).spec.model for task_id in (plain, inside)] == [tier, tier]
    assert record(client, plain)["model"] == json.loads(record(client, plain)["param"])["model"] == tier
    assert record(client, inside)["model"] == "veo-3-1"


def test_the_default_tier_is_that_of_the_key(world: World) -> None:
    with world.client(world.new_key(edition={"default_model": "veo3"})) as client:
        assert world.run(world.tasks.get(create(client))).spec.model == "veo3"


def test_an_extension(world: World, client: httpx2.Client) -> None:
    source = create(client)
    world.succeed(source)
    task_id = create(client, "veo/extend", prompt="it goes on", task_id=source, seeds=22222, watermark="W")
    spec = world.run(world.tasks.get(task_id)).spec
    assert (spec.kind, spec.source_id, spec.seed, spec.watermark) == (Kind.EXTEND, source, 22222, "W")
    world.succeed(task_id)
    told = record(client, task_id)
    assert told["model"] == "veo/extend"
    assert set(told["response"]) == {"resultUrls", "fullResultUrls"}
    assert record_of_veo(client, task_id)["response"]["fullResultUrls"] == told["response"]["fullResultUrls"]


@pytest.mark.parametrize(
    ("model", "field", "size", "kind"),
    [
        ("veo/get-1080p-video", "taskId", (1920, 1080), Kind.UPGRADE_1080P),
        ("veo/get-1080p-video", "task_id", (1920, 1080), Kind.UPGRADE_1080P),
        ("veo/get-4k-video", "task_id", (3840, 2160), Kind.UPGRADE_4K),
        ("veo/get-4k-video", "taskId", (3840, 2160), Kind.UPGRADE_4K),
    ],
)
def test_upgrades(
    world: World, client: httpx2.Client, model: str, field: str, size: tuple[int, int], kind: Kind
) -> None:
    source = create_veo(client)
    world.succeed(source)
    task_id = create(client, model, **{field: source, "index": "0"})
    assert world.run(world.tasks.get(task_id)).spec.kind is kind
    assert create(client, model, **{field: source}) == task_id
    world.succeed(task_id, b"large", size=size)
    told = record(client, task_id)
    assert told["model"] == model
    assert httpx2.get(told["response"]["resultUrls"][0]).content == b"large"
    assert ("mediaIds" in told["response"]) == (kind is Kind.UPGRADE_4K)


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({}, 422, "model is missing"),
        ({"model": "", "input": {}}, 422, "model is missing"),
        ({"model": "veo9", "input": {"prompt": "a"}}, 422, "The model name you specified is not supported."),
        ({"model": 9, "input": {"prompt": "a"}}, 422, "The model name you specified is not supported."),
        ({"model": ["veo-3-1"], "input": {}}, 422, "The model name you specified is not supported."),
        ({"model": "veo-3-1"}, 422, "input is missing"),
        ({"model": "veo-3-1", "input": []}, 422, "input must be an object"),
        ({"model": "veo-3-1", "input": "a dog"}, 422, "input must be an object"),
        ({"model": "veo-3-1", "input": {}}, 422, "Please enter prompt"),
        ({"model": "veo-3-1", "input": {"prompt": "a", "model": "veo9"}}, 422, "not supported"),
        ({"model": "veo-3-1", "input": {"prompt": "a", "model": []}}, 422, "not supported"),
        ({"model": "veo-3-1", "input": {"prompt": "a", "image_urls": "x"}}, 422, "image_urls must be a list"),
        ({"model": "veo-3-1", "input": {"prompt": "a", "generation_type": 3}}, 422, "generation_type must be"),
        ({"model": "veo-3-1", "input": {"prompt": "a", "enable_fallback": 3}}, 422, "enable_fallback must be"),
        ({"model": "veo-3-1", "input": {"prompt": "a", "duration": 5}}, 422, "duration"),
        ({"model": "veo3", "input": {"prompt": "a", "aspect_ratio": "1:1"}}, 422, "aspect_ratio"),
        ({"model": "veo-3-1", "input": {"prompt": "a"}, "callBackUrl": "x"}, 422, "callBackUrl"),
        ({"model": "veo/extend", "input": {"prompt": "a"}}, 422, "task_id is missing"),
        ({"model": "veo/extend", "input": {"task_id": "1"}}, 422, "Please enter prompt"),
        ({"model": "veo/extend", "input": {"task_id": "1", "prompt": "a"}}, 404, "does not exist"),
        ({"model": "veo/extend", "input": {"task_id": "1", "prompt": "a", "seeds": 1}}, 422, "seeds"),
        ({"model": "veo/get-1080p-video", "input": {}}, 422, "taskId is missing"),
        ({"model": "veo/get-1080p-video", "input": {"taskId": "1"}}, 422, "recordInfo is null"),
        ({"model": "veo/get-4k-video", "input": {}}, 422, "task_id is missing"),
        ({"model": "veo/get-4k-video", "input": {"task_id": "1", "index": "x"}}, 422, "index"),
    ],
)
def test_what_is_wrong_is_said(client: httpx2.Client, body: dict[str, Any], code: int, says: str) -> None:
    assert enveloped(client.post(CREATE, json=body), code, says) is None


def test_a_malformed_body_a_missing_key_and_missing_credits(world: World, client: httpx2.Client) -> None:
    enveloped(client.post(CREATE, content=b"{"), 400)
    enveloped(httpx2.post(f"{world.url}{CREATE}", json={}), 401, "access permissions")
    enveloped(httpx2.get(f"{world.url}{RECORD}?taskId=1"), 401, "access permissions")
    world.new_account("bare", credits=0)
    with world.client(world.new_key("bare")) as poor:
        answer = poor.post(CREATE, json={"model": "veo3", "input": {"prompt": "a"}})
        enveloped(answer, 402, "Credits insufficient")


# ---------------------------------------------------------------- records -----------------------------------------


@pytest.mark.parametrize("query", ["", "?taskId=", "?taskId=%20"])
def test_a_missing_task_id_is_said(client: httpx2.Client, query: str) -> None:
    assert enveloped(client.get(RECORD + query), 400, "taskId parameter is required") is None


@pytest.mark.parametrize("task_id", ["0" * 32, "%00", "%ED%A0%80", "9" * 5000])
def test_an_unknown_task_has_no_record(client: httpx2.Client, task_id: str) -> None:
    assert enveloped(client.get(f"{RECORD}?taskId={task_id}"), 422, "recordInfo is null") is None


def test_somebody_else_s_task_is_like_one_that_there_is_not(world: World, client: httpx2.Client) -> None:
    world.new_account("visitor")
    with world.client(world.new_key("visitor")) as visitor:
        foreign = visitor.get(RECORD, params={"taskId": create(client)})
        assert foreign.content == visitor.get(RECORD, params={"taskId": "0" * 32}).content


def test_a_mirror_says_so_in_http(world: World) -> None:
    with world.client(world.new_key(edition={"http_status": "mirror"})) as client:
        enveloped(client.get(RECORD), 400, status=400)
        enveloped(client.get(f"{RECORD}?taskId=1"), 422, "recordInfo is null", status=422)


def test_tasks_of_the_other_dialect_are_told_by_their_tier(world: World, client: httpx2.Client) -> None:
    task_id = create_veo(client, model="veo3_lite")
    assert record(client, task_id)["model"] == "veo3_lite"
    world.fail(task_id, ContentRejected())
    told = record(client, task_id)
    assert (told["state"], told["successFlag"], told["failCode"]) == ("fail", 3, "400")
    assert told["failMsg"] == record_of_veo(client, task_id)["errorMessage"]


INPUT = {
    "prompt": "a dog in a park",
    "model": "veo3_fast",
    "seeds": 12345,
    "watermark": None,
    "image_urls": [],
    "generation_type": "TEXT_2_VIDEO",
    "aspect_ratio": "16:9",
    "resolution": "720p",
    "duration": 8,
    "enable_translation": True,
    "enable_fallback": False,
}


def test_the_record_of_a_success_field_by_field() -> None:
    told = render_record(task(Status.SUCCEEDED, origin=MARKET, callback_url="https://hooks.example.org/"), LINKS)
    param = json.loads(told.pop("param"))
    assert json.loads(param.pop("input")) == INPUT
    assert param == {"model": "veo-3-1", "callBackUrl": "https://hooks.example.org/"}
    assert json.loads(told.pop("resultJson")) == {"resultUrls": [URL]}
    assert told == {
        "taskId": ID,
        "model": "veo-3-1",
        "state": "success",
        "successFlag": 1,
        "response": {"resultUrls": [URL]},
        "failCode": None,
        "failMsg": None,
        "costTime": ENDED_MS - CREATED_MS,
        "createTime": CREATED_MS,
        "completeTime": ENDED_MS,
        "updateTime": ENDED_MS,
        "progress": 100,
        "creditsConsumed": 60,
    }


def test_the_record_of_what_is_under_way() -> None:
    told = render_record(task(Status.RUNNING, origin=MARKET, progress=0.256), LINKS)
    assert (told["state"], told["successFlag"], told["progress"], told["resultJson"]) == ("generating", 0, 26, "")
    assert (told["response"], told["costTime"], told["completeTime"]) == (None, None, None)
    assert (told["updateTime"], told["creditsConsumed"]) == (CREATED_MS, 0)


def test_what_was_tried_and_waits_again_is_queuing() -> None:
    assert render_record(replace(task(), attempt=1), LINKS)["state"] == "queuing"


@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ({"kind": Kind.UPGRADE_1080P, "index": 1}, {"taskId": SOURCE_ID, "index": "1"}),
        ({"kind": Kind.UPGRADE_4K}, {"task_id": SOURCE_ID, "index": 0}),
        (
            {"kind": Kind.EXTEND},
            {"task_id": SOURCE_ID, **{name: INPUT[name] for name in ("prompt", "model", "seeds", "watermark")}},
        ),
    ],
)
def test_the_input_of_what_is_made_from_a_film(fields: dict[str, Any], given: dict[str, Any]) -> None:
    told = render_record(task(origin=MARKET, source_id=SOURCE_ID, **fields), LINKS)
    assert json.loads(json.loads(told["param"])["input"]) == given


# ---------------------------------------------------------------- callbacks ---------------------------------------


def callback(made: Task) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(compose(made, LINKS, {}))
    return told


@pytest.mark.parametrize("dialect", [NAME, TIER])
def test_the_callback_of_success(dialect: str) -> None:
    told = callback(task(Status.SUCCEEDED, origin=replace(ORIGIN, dialect=dialect)))
    assert (told["code"], told["taskId"], told["data"]["task_id"]) == (200, ID, ID)
    assert set(told["data"]) == {
        "taskId",
        "task_id",
        "model",
        "state",
        "param",
        "resultJson",
        "failCode",
        "failMsg",
        "costTime",
        "completeTime",
        "createTime",
        "updateTime",
        "creditsConsumed",
    }
    assert json.loads(told["data"]["resultJson"]) == {"resultUrls": [URL]}
    assert told["data"]["model"] == ("veo-3-1" if dialect == NAME else "veo3_fast")


def test_the_callback_of_failure() -> None:
    told = callback(task(Status.FAILED, origin=MARKET, failure=Failure("content_rejected", "No.")))
    assert (told["code"], told["data"]["state"], told["data"]["failCode"]) == (501, "fail", "400")
    assert told["msg"] == told["data"]["failMsg"]
    assert told["msg"].startswith("Your prompt was flagged")
    assert told["data"]["resultJson"] == ""


def test_tasks_of_the_other_dialect_are_told_back_in_that() -> None:
    assert "info" in callback(task(Status.SUCCEEDED))["data"]
    assert "info" in callback(task(Status.SUCCEEDED, films=(film(3840, 2160),), kind=Kind.UPGRADE_4K))["data"]


def test_a_failure_is_no_failure_of_asking(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    world.fail(task_id, EngineFailed("No boat."))
    assert record(client, task_id)["failMsg"] == "No boat."
