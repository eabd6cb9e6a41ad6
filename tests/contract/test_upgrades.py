"""C40 to C49: 1080p, 4K and extensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.asking import PROCESSING_1080P, eventually, generate, get, made, measured, params, post
from support.receiver import receiving
from support.server import Server, until

P1080 = "/api/v1/veo/get-1080p-video"
K4 = "/api/v1/veo/get-4k-video"
EXTEND = "/api/v1/veo/extend"
UNAVAILABLE_4K = "The 4K version of this video is unavailable. Please try a different video."


@pytest.fixture(scope="module")
def source(server: Server) -> dict[str, Any]:
    return made(server, prompt="a dog", seeds=11111)


@pytest.mark.statement(40)
def test_1080p(server: Server, tmp_path: Path) -> None:
    task_id = made(server)["taskId"]
    first = get(server, P1080, taskId=task_id)
    assert (first["code"], first["msg"]) == (400, PROCESSING_1080P)
    assert first["data"]["resultUrl"] is None
    done = eventually(server, P1080, 200, taskId=task_id)
    film = measured(done["data"]["resultUrl"], tmp_path)
    assert min(film.width, film.height) == 1080
    assert server.record(done["data"]["taskId"])["successFlag"] == 1


@pytest.mark.statement(40)
def test_a_1080p_version_that_fails_is_told(server: Server) -> None:
    """The source's file is taken away. Who polls hears of it, and does not order the version anew with each look."""
    record = made(server)
    for film in (server.data / "media" / record["taskId"]).rglob("result.mp4"):
        film.unlink()
    assert get(server, P1080, taskId=record["taskId"])["msg"] == PROCESSING_1080P
    failed = eventually(server, P1080, 500, taskId=record["taskId"])
    assert "no longer stored" in failed["msg"]
    again = get(server, P1080, taskId=record["taskId"])
    assert (again["code"], again["data"]["taskId"]) == (500, failed["data"]["taskId"])


@pytest.mark.statement(42)
def test_1080p_of_what_is_not_there(server: Server) -> None:
    running = generate(server, prompt="slow 2", duration=4)["data"]["taskId"]
    not_yet = get(server, P1080, taskId=running)
    assert not_yet["code"] == 422
    assert "record status is not success" in not_yet["msg"]
    unknown = get(server, P1080, taskId="0" * 32)
    assert unknown["code"] == 422
    assert "record is null" in unknown["msg"]
    server.ended(running)
    beyond = get(server, P1080, taskId=running, index=5)
    assert beyond["code"] == 422
    assert "record result data not exist" in beyond["msg"]


@pytest.mark.statement(43)
def test_1080p_of_a_film_that_is_as_large(server: Server) -> None:
    record = made(server, resolution="1080p")
    answer = get(server, P1080, taskId=record["taskId"])
    assert answer["code"] == 200
    assert answer["data"]["resultUrl"] == record["resultUrl"]


@pytest.mark.statement(44, 45, 46)
def test_4k(server: Server, tmp_path: Path) -> None:
    task_id = made(server)["taskId"]
    first = post(server, K4, taskId=task_id)
    assert first["code"] == 200
    upgrade = first["data"]["taskId"]
    assert upgrade != task_id
    assert first["data"]["resultUrls"] is first["data"]["imageUrls"] is None
    assert "fallbackFlag" not in server.record(upgrade)
    repeated = post(server, K4, taskId=task_id)
    assert repeated["code"] == 422
    assert repeated["data"]["taskId"] == upgrade
    if repeated["data"]["resultUrls"] is None:
        assert repeated["msg"].startswith("4k is processing")
    record = server.ended(upgrade, 180)
    assert record["successFlag"] == 1, record
    assert isinstance(record["response"]["mediaIds"], list)
    assert isinstance(record["response"]["imageUrls"], list)
    film = measured(record["response"]["resultUrls"][0], tmp_path)
    assert min(film.width, film.height) == 2160
    done = post(server, K4, taskId=task_id)
    assert (done["code"], done["msg"]) == (422, "The video has been generated successfully")
    assert done["data"]["resultUrls"] == record["response"]["resultUrls"]
    assert done["data"]["imageUrls"]
    asked = get(server, K4, taskId=task_id)
    assert asked["data"]["taskId"] == upgrade


@pytest.mark.statement(47)
def test_a_4k_upgrade_that_fails(server: Server) -> None:
    """The source's file is taken away, so that its upgrade cannot be made."""
    record = made(server)
    for film in (server.data / "media" / record["taskId"]).rglob("result.mp4"):
        film.unlink()
    with receiving() as receiver:
        answer = post(server, K4, taskId=record["taskId"], callBackUrl=receiver.url)
        assert answer["code"] == 200
        told = until(lambda: receiver.bodies, "the failure is told", 90)[0]
    assert told["code"] == 500
    assert told["msg"] == UNAVAILABLE_4K
    assert server.record(answer["data"]["taskId"])["creditsConsumed"] == 0


@pytest.mark.statement(48)
def test_an_extension(server: Server, source: dict[str, Any], tmp_path: Path) -> None:
    answer = post(server, EXTEND, taskId=source["taskId"], prompt="it runs away")
    assert answer["code"] == 200
    assert answer["data"]["taskId"] != source["taskId"]
    record = server.ended(answer["data"]["taskId"], 120)
    assert record["successFlag"] == 1, record
    assert record["response"]["resultUrls"]
    (full,) = record["response"]["fullResultUrls"]
    assert measured(full, tmp_path).seconds > measured(source["resultUrl"], tmp_path).seconds
    assert params(record)["prompt"] == "it runs away"


@pytest.mark.statement(49)
def test_orders_of_extensions(server: Server, source: dict[str, Any]) -> None:
    assert post(server, EXTEND, taskId="0" * 32, prompt="on")["code"] == 404
    assert post(server, EXTEND, taskId=source["taskId"])["code"] == 422
    assert post(server, EXTEND, taskId=source["taskId"], prompt="on", model="turbo")["code"] == 422
    for model in ("fast", "quality", "lite", "veo3_fast"):
        assert post(server, EXTEND, taskId=source["taskId"], prompt="on", model=model)["code"] == 200
