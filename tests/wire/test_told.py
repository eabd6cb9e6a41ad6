"""Answers that were given before are given again only while they are true, and only to whom they were given."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx2
from starlette.responses import Response

from filmgate.domain.forecast import Outlook
from filmgate.domain.spec import Spec
from filmgate.domain.task import Origin, Task
from filmgate.http.edition import Edition
from filmgate.http.told import Told

from .conftest import World

RECORD = "/api/v1/veo/record-info"
NOW, LATER = Outlook(1, 1000), Outlook(1, 2000)
TASK = Task("a", Origin("default", "key", "veo3", "http://localhost"), Spec("a dog", "veo3"), created_ms=1)


def counting(most: int = 10) -> tuple[Told, list[str]]:
    made: list[str] = []

    def tell(task: Task, edition: Edition, outlook: Outlook) -> Response:
        made.append(f"{task.id} {task.stage} {edition.times} {outlook.finish_ms}")
        return Response(made[-1])

    return Told(tell, most), made


def test_the_same_question_is_answered_once() -> None:
    told, made = counting()
    first = told(TASK, Edition(), NOW)
    assert told(TASK, Edition(), Outlook(1, 1000)) is first
    assert made == ["a queued epoch_ms 1000"]


def test_whatever_is_different_makes_another_answer() -> None:
    told, made = counting()
    for task, edition, outlook in (
        (TASK, Edition(), NOW),
        (TASK, Edition(), LATER),
        (TASK, Edition(times="iso"), LATER),
        (replace(TASK, stage="drawing"), Edition(times="iso"), LATER),
        (replace(TASK, stage="drawing"), Edition(times="iso"), LATER),  # it looks the same, and nobody vouches for it
    ):
        assert told(task, edition, outlook).body == made[-1].encode()
    assert len(made) == 5


def test_it_forgets_what_was_asked_longest_ago() -> None:
    told, made = counting(most=2)
    known = [replace(TASK, id=name) for name in "abc"]
    for task in (*known, known[2], known[1], known[0]):
        told(task, Edition(), NOW)
    assert [each[0] for each in made] == ["a", "b", "c", "a"]


def create(client: httpx2.Client) -> str:
    return str(client.post("/api/v1/veo/generate", json={"prompt": "a dog"}).json()["data"]["taskId"])


def record(client: httpx2.Client, task_id: str) -> dict[str, Any]:
    answer = client.get(RECORD, params={"taskId": task_id}).json()
    assert answer["code"] == 200, answer
    return dict(answer["data"])


def test_each_step_of_a_task_is_told_as_it_is(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    assert record(client, task_id) == record(client, task_id)
    assert record(client, task_id)["state"] == "waiting"
    world.take(task_id)
    assert record(client, task_id)["state"] == "generating"
    assert record(client, task_id)["state"] == "generating"
    world.run(world.tasks.cancel(task_id))
    assert record(client, task_id)["state"] == "fail"


def test_each_key_is_told_in_its_own_edition(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    with world.client(world.new_key(edition={"times": "iso"})) as other:
        for _ in range(2):
            assert isinstance(record(client, task_id)["createTime"], int)
            assert isinstance(record(other, task_id)["createTime"], str)


def test_a_film_that_was_told_of_is_told_of_no_more_when_it_is_deleted_or_has_expired(
    world: World, client: httpx2.Client
) -> None:
    deleted, expired = create(client), create(client)
    for task_id in (deleted, expired):
        world.succeed(task_id)
        assert record(client, task_id)["resultUrls"]
    assert client.delete("/api/v1/veo/media", params={"taskId": deleted}).json()["code"] == 200
    assert client.get(RECORD, params={"taskId": deleted}).json()["code"] == 422
    world.clock.now += 1_000_000
    try:
        assert client.get(RECORD, params={"taskId": expired}).json()["code"] == 422
    finally:
        world.clock.now -= 1_000_000
    assert json.loads(record(client, expired)["resultUrls"])


def test_a_stranger_is_not_told_what_the_owner_was(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    record(client, task_id)
    world.new_account("a stranger")
    with world.client(world.new_key("a stranger")) as other:
        assert other.get(RECORD, params={"taskId": task_id}).json()["code"] == 422


def test_a_key_that_is_revoked_is_told_nothing_more(world: World) -> None:
    world.new_account("leaving")
    with world.client(world.new_key("leaving")) as client:
        task_id = create(client)
        record(client, task_id)
        key_id = world.run(world.accounts.keys("leaving"))[0].id
        assert world.run(world.accounts.revoke_key(key_id))
        assert client.get(RECORD, params={"taskId": task_id}).json()["code"] == 401
