"""POST /api/v1/veo/extend over the wire."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from filmgate.domain.spec import AspectRatio, Kind

from .answers import enveloped
from .conftest import World
from .test_record_info import create, record

PATH = "/api/v1/veo/extend"


@pytest.fixture
def film(world: World, client: httpx2.Client) -> str:
    task_id = create(client, aspect_ratio="9:16", model="veo3", seeds=11111)
    world.succeed(task_id, size=(720, 1280))
    return task_id


def extend(client: httpx2.Client, film: str, **fields: Any) -> str:
    answer = client.post(PATH, json={"taskId": film, "prompt": "it goes on", **fields})
    data = enveloped(answer, 200, "success")
    assert set(data) == {"taskId"}
    return str(data["taskId"])


def test_an_extension_is_a_task_of_its_own(world: World, client: httpx2.Client, film: str) -> None:
    task_id = extend(client, film, callBackUrl="https://hooks.example.org/", watermark="MyBrand")
    spec = world.run(world.tasks.get(task_id)).spec
    assert (spec.kind, spec.source_id, spec.prompt, spec.model) == (Kind.EXTEND, film, "it goes on", "veo3_fast")
    assert (spec.aspect_ratio, spec.watermark, spec.callback_url) == (
        AspectRatio.PORTRAIT,
        "MyBrand",
        "https://hooks.example.org/",
    )
    assert record(client, task_id)["state"] == "waiting"
    world.succeed(task_id, b"more", size=(720, 1280))
    told = record(client, task_id)["response"]
    assert len(told["fullResultUrls"]) == len(told["resultUrls"]) == 1
    assert told["fullResultUrls"] != told["resultUrls"]
    assert httpx2.get(told["fullResultUrls"][0]).content == b"more"


@pytest.mark.parametrize(
    ("said", "model"),
    [
        ({}, "veo3_fast"),
        ({"model": ""}, "veo3_fast"),
        ({"model": "fast"}, "veo3_fast"),
        ({"model": "quality"}, "veo3"),
        ({"model": "lite"}, "veo3_lite"),
        ({"model": "veo3_fast"}, "veo3_fast"),
        ({"model": "veo3"}, "veo3"),
        ({"model": "veo3_lite"}, "veo3_lite"),
    ],
)
def test_the_models_by_their_short_and_their_own_names(
    world: World, client: httpx2.Client, film: str, said: dict[str, str], model: str
) -> None:
    assert world.run(world.tasks.get(extend(client, film, **said))).spec.model == model


@pytest.mark.parametrize(("said", "seed"), [({"seeds": 22222}, 22222), ({"seeds": "22222"}, 22222), ({}, 11111)])
def test_the_seed_is_that_of_the_source_unless_said(
    world: World, client: httpx2.Client, film: str, said: dict[str, Any], seed: int
) -> None:
    assert world.run(world.tasks.get(extend(client, film, **said))).spec.seed == seed


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"taskId": None}, 422, "taskId is missing"),
        ({"taskId": 7}, 422, "taskId must be a string"),
        ({"taskId": "0" * 32}, 404, "Original video or task does not exist"),
        ({"taskId": "\0"}, 404, "Original video or task does not exist"),
        ({"prompt": None}, 422, "Please enter prompt"),
        ({"prompt": " "}, 422, "Please enter prompt"),
        ({"prompt": 4}, 422, "prompt must be a string"),
        ({"model": "turbo"}, 422, "not supported"),
        ({"model": 4}, 422, "not supported"),
        ({"seeds": 9999}, 422, "seeds"),
        ({"watermark": ["a"]}, 422, "watermark"),
        ({"callBackUrl": "ftp://a.example/"}, 422, "callBackUrl"),
        ({"callBackUrl": "http://127.0.0.1/"}, 422, "loopback"),
    ],
)
def test_what_is_wrong_is_said(client: httpx2.Client, film: str, fields: dict[str, Any], code: int, says: str) -> None:
    answer = client.post(PATH, json={"taskId": film, "prompt": "it goes on", **fields})
    assert enveloped(answer, code, says) is None


def test_a_film_that_is_not_there_yet_cannot_go_on(client: httpx2.Client) -> None:
    answer = client.post(PATH, json={"taskId": create(client), "prompt": "it goes on"})
    enveloped(answer, 422, "record status is not success.")


def test_somebody_else_s_film_is_like_one_that_there_is_not(world: World, film: str) -> None:
    world.new_account("borrower")
    with world.client(world.new_key("borrower")) as client:
        enveloped(client.post(PATH, json={"taskId": film, "prompt": "mine"}), 404, "does not exist")


def test_credits_that_are_missing(world: World) -> None:
    world.new_account("thinner", credits=60)
    with world.client(world.new_key("thinner")) as client:
        task_id = create(client)
        world.succeed(task_id)
        enveloped(client.post(PATH, json={"taskId": task_id, "prompt": "on"}), 402, "Credits insufficient")


def test_a_malformed_body_and_a_missing_key(world: World, client: httpx2.Client) -> None:
    enveloped(client.post(PATH, content=b"{"), 400)
    enveloped(httpx2.post(f"{world.url}{PATH}", json={}), 401, "access permissions")
