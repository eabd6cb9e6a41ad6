"""F1 to F16: what the hosted API does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.asking import generate, get, made, post
from support.receiver import receiving
from support.server import Server, serving, until

GENERATE = "/api/v1/veo/generate"
CANCEL = "/api/v1/veo/cancel"
TASKS = "/api/v1/veo/tasks"
MEDIA = "/api/v1/veo/media"
NOWHERE = "0" * 32


@pytest.fixture(scope="module")
def film(server: Server) -> str:
    return str(made(server)["taskId"])


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without a worker: what is ordered waits."""
    with serving(tmp_path_factory.mktemp("waiting") / "data", "--no-worker") as running:
        yield running


def keyed(server: Server, key: str, path: str = GENERATE, **body: Any) -> dict[str, Any]:
    answer = server.http.post(path, json=body or {"prompt": "a dog"}, headers={"Idempotency-Key": key})
    said: dict[str, Any] = answer.json()
    return said


def balance(server: Server) -> int:
    return int(get(server, "/api/v1/chat/credit")["data"])


def stranger(server: Server) -> httpx2.Client:
    """A client of another account."""
    if "other" not in server.cli("accounts", "list"):
        server.cli("accounts", "create", "other")
    key = server.cli("keys", "create", "--account", "other").strip()
    return httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


@pytest.mark.statement("F1")
def test_the_same_order_twice(waiting: Server) -> None:
    before = balance(waiting)
    first, again = keyed(waiting, "F1"), keyed(waiting, "F1", prompt="a dog", aspectRatio="16:9", seeds="")
    assert (first["code"], again) == (200, first)
    assert balance(waiting) == before - 60


@pytest.mark.statement("F1")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/veo/extend", lambda film: {"taskId": film, "prompt": "on"}),
        ("/api/v1/veo/get-4k-video", lambda film: {"taskId": film}),
        ("/api/v1/jobs/createTask", lambda film: {"model": "veo-3-1", "input": {"prompt": "a dog", "duration": 4}}),
    ],
)
def test_whatever_creates_takes_a_key(
    server: Server, film: str, path: str, body: Callable[[str], dict[str, Any]]
) -> None:
    first = keyed(server, f"F1 {path}", path, **body(film))
    assert first["code"] == 200
    server.ended(first["data"]["taskId"], 120)
    assert keyed(server, f"F1 {path}", path, **body(film)) == first


@pytest.mark.statement("F2")
def test_another_order_under_a_key(waiting: Server) -> None:
    first = keyed(waiting, "F2")
    before = balance(waiting)
    refused = keyed(waiting, "F2", prompt="a cat")
    assert (refused["code"], refused["data"]) == (409, None)
    assert balance(waiting) == before
    with stranger(waiting) as other:
        theirs = other.post(GENERATE, json={"prompt": "a cat"}, headers={"Idempotency-Key": "F2"}).json()
    assert theirs["code"] == 402  # judged as a new order: this account has no credits
    assert keyed(waiting, "F2") == first


@pytest.mark.statement("F3")
def test_a_refused_order_has_no_key(waiting: Server) -> None:
    assert keyed(waiting, "F3", prompt="a dog", duration=5)["code"] == 422
    assert keyed(waiting, "F3")["code"] == 200


@pytest.mark.statement("F4")
def test_orders_at_once(waiting: Server) -> None:
    before = balance(waiting)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: keyed(waiting, "F4"), range(24)))
    assert {answer["code"] for answer in answers} == {200}
    assert len({answer["data"]["taskId"] for answer in answers}) == 1
    assert balance(waiting) == before - 60


@pytest.mark.statement("F5")
@pytest.mark.parametrize("keys", [[""], ["x" * 256], ["\u00e9"], ["a", "b"]])
def test_what_is_no_key(waiting: Server, keys: list[str]) -> None:
    headers = [(b"Idempotency-Key", key.encode()) for key in keys]
    assert waiting.http.post(GENERATE, json={"prompt": "a dog"}, headers=headers).json()["code"] == 422


@pytest.mark.statement("F6")
def test_cancelling_what_is_being_made(server: Server) -> None:
    before = balance(server)
    with receiving() as receiver:
        task_id = generate(server, prompt="slow 600", callBackUrl=receiver.url)["data"]["taskId"]
        until(lambda: server.record(task_id)["state"] == "generating", "it is being made")
        answer = post(server, CANCEL, taskId=task_id)
        record = server.record(task_id)
        body = until(lambda: receiver.bodies, "the callback comes")[0]
    assert (answer["code"], answer["data"]) == (200, {"taskId": task_id})
    assert (record["successFlag"], record["errorCode"]) == (2, 400)
    assert record["errorMessage"] == "The task was cancelled by its owner."
    assert (body["code"], body["data"]["taskId"]) == (400, task_id)
    assert balance(server) == before
    assert made(server)["successFlag"] == 1  # by the only slot


@pytest.mark.statement("F6", "F7")
def test_cancelling_what_waits(waiting: Server) -> None:
    before = balance(waiting)
    task_id = generate(waiting)["data"]["taskId"]
    assert [post(waiting, CANCEL, taskId=task_id)["code"] for _ in range(2)] == [200, 200]
    assert waiting.record(task_id)["successFlag"] == 2
    assert balance(waiting) == before


@pytest.mark.statement("F7")
def test_cancelling_what_has_ended(server: Server, film: str) -> None:
    failed = generate(server, prompt="fail")["data"]["taskId"]
    server.ended(failed)
    for task_id in (film, failed):
        before = server.record(task_id)
        answer = post(server, CANCEL, taskId=task_id)
        assert (answer["code"], answer["data"]) == (409, None)
        assert server.record(task_id) == before


@pytest.mark.statement("F8")
def test_going_through_ones_tasks(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker") as server:
        ordered = [generate(server, model=("veo3", "veo3_lite")[n % 2])["data"]["taskId"] for n in range(7)]
        seen: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 3}
        while query.get("cursor", "") is not None:
            page = get(server, TASKS, **query)["data"]
            seen += page["tasks"]
            query["cursor"] = page["nextCursor"]
            generate(server)
        assert [record["taskId"] for record in seen] == ordered[::-1]
        assert seen[0] == server.record(ordered[-1])
        post(server, CANCEL, taskId=ordered[0])
        chosen = {
            "state=fail": [ordered[0]],
            "model=veo3_lite&limit=100": ordered[5::-2],
            f"kind=generate&model=veo3&until={seen[0]['createTime']}": ordered[4::-2],
            f"since={seen[0]['createTime']}&model=veo3": [ordered[6]],
            "kind=extend": [],
        }
        for asked, right in chosen.items():
            told = server.http.get(f"{TASKS}?{asked}").json()["data"]
            assert [record["taskId"] for record in told["tasks"]] == right, asked
            assert told["nextCursor"] is None


@pytest.mark.statement("F9")
@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"cursor": "3"}, {"state": "lost"}, {"since": "soon"}], ids=str
)
def test_what_cannot_be_looked_for(waiting: Server, query: dict[str, str]) -> None:
    assert get(waiting, TASKS, **query)["code"] == 422


@pytest.mark.statement("F10", "F11")
def test_deleting_films(server: Server) -> None:
    record = made(server)
    task_id, link = record["taskId"], record["resultUrl"]
    assert httpx2.get(link).status_code == 200
    assert [_deleted(server.http, task_id)["code"] for _ in range(2)] == [200, 200]
    assert httpx2.get(link).status_code == 404
    assert not list((server.data / "media").glob(f"{task_id}/**/*.mp4"))
    for said in (
        get(server, "/api/v1/veo/record-info", taskId=task_id),
        get(server, "/api/v1/veo/get-1080p-video", taskId=task_id),
        post(server, "/api/v1/veo/get-4k-video", taskId=task_id),
    ):
        assert (said["code"], said["data"]) == (422, None)
        assert "record result data is blank." in said["msg"]
    assert post(server, "/api/v1/veo/extend", taskId=task_id, prompt="on")["code"] == 422
    told = next(each for each in get(server, TASKS)["data"]["tasks"] if each["taskId"] == task_id)
    assert (told["successFlag"], told["response"], "resultUrl" in told) == (1, None, False)


@pytest.mark.statement("F11")
def test_deleting_what_is_not_there_yet(waiting: Server) -> None:
    assert _deleted(waiting.http, generate(waiting)["data"]["taskId"])["code"] == 409


@pytest.mark.statement("F12")
def test_tasks_of_others_look_like_none(server: Server, film: str) -> None:
    running = generate(server, prompt="slow 2", duration=4)["data"]["taskId"]
    with stranger(server) as other:
        for task_id in (film, running):
            for ask in (_cancelled, _deleted):
                assert ask(other, task_id) == ask(other, NOWHERE)
                assert ask(other, task_id)["code"] == 422
        assert other.get(TASKS).json()["data"] == {"tasks": [], "nextCursor": None}
    assert server.record(film)["successFlag"] == 1
    assert server.ended(running)["successFlag"] == 1


def _cancelled(client: httpx2.Client, task_id: str) -> Any:
    return client.post(CANCEL, json={"taskId": task_id}).json()


def _deleted(client: httpx2.Client, task_id: str) -> Any:
    return client.delete(MEDIA, params={"taskId": task_id}).json()


@pytest.mark.statement("F13")
def test_a_task_that_nobody_begins(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", FILMGATE_LIMITS__START_WITHIN_S="0.5") as server:
        before = balance(server)
        record = server.ended(server.create("a dog"))
        assert (record["successFlag"], record["errorCode"]) == (3, 408)
        assert balance(server) == before


@pytest.mark.statement("F13")
def test_a_task_that_takes_too_long(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_LIMITS__END_WITHIN_S="2") as server, receiving() as receiver:
        before = balance(server)
        task_id = server.create("slow 600", callBackUrl=receiver.url)
        record = server.ended(task_id)
        assert (record["successFlag"], record["errorCode"]) == (3, 408)
        assert until(lambda: receiver.bodies, "the callback comes")[0]["code"] == 408
        assert balance(server) == before


@pytest.mark.statement("F14")
def test_once_more_by_the_operator(server: Server) -> None:
    with receiving() as receiver:
        old = server.create("fail", callBackUrl=receiver.url)
        before = server.ended(old)
        new = server.cli("tasks", "retry", old).split()[0]
        record = server.ended(new)
        assert (record["retryOf"], record["successFlag"]) == (old, 3)
        until(lambda: len(receiver.bodies) == 2, "both callbacks come")
    assert [body["data"].get("retryOf") for body in receiver.bodies] == [None, old]
    assert server.record(old) == before


@pytest.mark.statement("F15")
def test_the_tasks_of_a_key_with_a_higher_priority_go_first(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        secret = server.cli("keys", "create", "--priority", "5").strip()
        server.create("slow 2", duration=4)
        usual = server.create("a dog", duration=4)
        with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {secret}"}) as urgent:
            order = urgent.post(GENERATE, json={"prompt": "a cat", "duration": 4}).json()
        first = server.ended(order["data"]["taskId"])
        assert first["completeTime"] <= server.ended(usual)["completeTime"]


@pytest.mark.statement("F16")
def test_what_may_be_ordered(server: Server) -> None:
    told = {each["model"]: each for each in get(server, "/api/v1/veo/models")["data"]["models"]}
    assert set(told) == {"veo3", "veo3_fast", "veo3_lite"}
    assert [name for name, each in told.items() if each["isDefault"]] == ["veo3_fast"]
    fast = told["veo3_fast"]
    assert fast["prices"] == {
        **{"720p": 60, "1080p": 65, "4k": 180, "extend": 60},
        **{"upgrade_1080p": 5, "upgrade_4k": 120},
    }
    assert (fast["durations"], fast["resolutions"]) == ([4, 6, 8], ["720p", "1080p", "4k"])
    assert "REFERENCE_2_VIDEO" in fast["generationTypes"]
    assert "REFERENCE_2_VIDEO" not in told["veo3"]["generationTypes"]
    assert "engine" not in str(told)  # whose films they are is the operator's affair
    before = get(server, "/api/v1/chat/credit")["data"]
    assert generate(server, prompt="a dog", duration=5)["code"] == 422
    assert get(server, "/api/v1/chat/credit")["data"] == before
