"""C4 (maintenance), C39, C43 (fallback), C51 and C52: what is refused, what another engine makes, what is forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.asking import generate, get, made
from support.receiver import receiving
from support.server import FALLBACK, Server, serving, until

FLAGGED = "Your prompt was flagged by Website as violating content policies"


def told(server: Server, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record and the callback of an order that has ended."""
    with receiving() as receiver:
        answer = generate(server, **{"duration": 4, "callBackUrl": receiver.url, **fields})
        assert (answer["code"], answer["msg"]) == (200, "success")
        record = server.ended(answer["data"]["taskId"])
        body: dict[str, Any] = until(lambda: receiver.bodies, "the callback comes")[0]
    assert body["taskId"] == record["taskId"]
    return record, body


@pytest.mark.statement(51)
def test_a_prompt_against_the_rules(server: Server) -> None:
    before = get(server, "/api/v1/chat/credit")["data"]
    record, body = told(server, prompt="a nude woman on a sofa")
    assert body["code"] == record["errorCode"] == 400
    assert body["msg"].startswith("Your prompt was flagged")
    assert FLAGGED in body["msg"]
    assert body["msg"] == record["errorMessage"]
    assert body["data"]["fallbackFlag"] is record["fallbackFlag"] is False
    assert "info" not in body["data"]
    assert record["successFlag"] == 2
    assert get(server, "/api/v1/chat/credit")["data"] == before


@pytest.mark.statement(51)
def test_an_ordinary_prompt_with_the_same_words_is_made(server: Server) -> None:
    assert made(server, prompt="kill the lights, nude lipstick on the naked eye chart")["successFlag"] == 1


@pytest.mark.statement(52)
def test_a_fallback_engine(tmp_path: Path) -> None:
    with serving(tmp_path / "data", toml=FALLBACK) as server:
        for prompt in ("reject then go", "a deepfake then go", "underage then go"):
            record, body = told(server, prompt=prompt, enableFallback=True)
            assert (record["successFlag"], record["fallbackFlag"], body["code"]) == (1, True, 200)
            assert body["data"]["fallbackFlag"] is True
            assert "(using fallback model)" in body["msg"]
            assert body["data"]["info"]["resultUrls"] == record["response"]["resultUrls"]
            assert record["response"]["resolution"] == "720p"
        upright, body = told(server, prompt="reject then go", enableFallback=True, aspect_ratio="9:16")
        assert (body["code"], upright["errorCode"], upright["fallbackFlag"]) == (422, 422, False)
        assert f"rejected by Flow({FLAGGED}" in body["msg"]


@pytest.mark.statement(52)
@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"prompt": "reject then go"}, 400, FLAGGED),
        ({"prompt": "prominent then go"}, 400, "public error prominent people upload"),
        ({"prompt": "underage then go"}, 400, "public error minor upload"),
        ({"prompt": "reject then go", "enableFallback": False}, 422, f"rejected by Flow({FLAGGED}"),
        ({"prompt": "reject then fail", "enableFallback": True}, 422, f"rejected by Flow({FLAGGED}"),
        ({"prompt": "reject then reject", "enableFallback": True}, 422, f"rejected by Flow({FLAGGED}"),
        ({"prompt": "a nude man then go", "enableFallback": True}, 422, f"rejected by Flow({FLAGGED}"),
        ({"prompt": "fail then fail", "enableFallback": True}, 501, "The trial engine fails"),
    ],
)
def test_what_is_said_without_one(with_fallback: Server, fields: dict[str, Any], code: int, says: str) -> None:
    record, body = told(with_fallback, **fields)
    assert body["code"] == record["errorCode"] == code
    assert says in body["msg"]
    assert record["fallbackFlag"] is False


@pytest.mark.statement(52)
def test_a_film_by_the_next_engine_since_one_broke_down_is_no_fallback(with_fallback: Server) -> None:
    """A trigger is what the fallback needs, and a breakdown is none: the record says that it is a film like others."""
    record = made(with_fallback, prompt="fail then go", enableFallback=True)
    assert record["fallbackFlag"] is False


@pytest.mark.statement(43)
def test_a_film_of_a_fallback_engine_has_no_1080p_version(with_fallback: Server) -> None:
    film = made(with_fallback, prompt="reject then go", enableFallback=True)
    answer = get(with_fallback, "/api/v1/veo/get-1080p-video", taskId=film["taskId"])
    assert answer["code"] == 422
    assert "fallback" in answer["msg"]


@pytest.mark.statement(39)
def test_a_record_after_its_time(tmp_path: Path) -> None:
    """A server begins with 14 days and two months, which a test of the settings asserts; here it is seconds."""
    with serving(tmp_path / "data", FILMGATE_RETENTION__MEDIA_S="3") as server:
        film = made(server)
        path, asked = "/api/v1/veo/record-info", {"taskId": film["taskId"]}
        answer = until(
            lambda: found if (found := get(server, path, **asked))["code"] != 200 else None, "the film is gone"
        )
        assert answer["code"] == 422
        assert "within 14 days" in answer["msg"]
        assert answer["data"] is None
        assert httpx2.get(film["resultUrl"]).status_code in (404, 410)
    with serving(tmp_path / "data", FILMGATE_RETENTION__METADATA_S="3") as server:
        until(lambda: "record is null" in get(server, path, **asked)["msg"], "the record is forgotten")
        assert get(server, path, **asked)["code"] == 422
        assert httpx2.get(film["resultUrl"].replace(film["resultUrl"].split("/f/")[0], server.url)).status_code == 410


@pytest.mark.statement(4)
def test_maintenance_in_mirror_mode(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False, FILMGATE_EDITION__HTTP_STATUS="mirror") as mirror:
        mirror.cli("features", "set", "maintenance", "on")
        closed = mirror.http.get("/api/v1/veo/record-info", params={"taskId": "x"})
        assert closed.status_code == closed.json()["code"] == 455
        mirror.cli("features", "set", "maintenance", "off")
        assert mirror.http.get("/api/v1/veo/record-info", params={"taskId": "x"}).status_code == 422


@pytest.fixture(scope="module")
def with_fallback(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(tmp_path_factory.mktemp("fallback") / "data", toml=FALLBACK) as running:
        yield running
