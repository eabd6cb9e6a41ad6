"""Cancelling: what may be cancelled, by whom, and what it leaves behind."""

from __future__ import annotations

import httpx2
import pytest

from filmgate.domain.errors import EngineFailed, LeaseLost

from .answers import enveloped
from .conftest import World

URL = "/api/v1/veo/cancel"


def ordered(client: httpx2.Client, prompt: str = "a dog") -> str:
    return str(enveloped(client.post("/api/v1/veo/generate", json={"prompt": prompt}), 200)["taskId"])


def cancelled(client: httpx2.Client, task_id: object) -> httpx2.Response:
    return client.post(URL, json={"taskId": task_id})


def record(client: httpx2.Client, task_id: str) -> dict[str, object]:
    told = enveloped(client.get("/api/v1/veo/record-info", params={"taskId": task_id}), 200)
    assert isinstance(told, dict)
    return told


def test_a_queued_task_ends_refused_and_gives_its_credits_back(client: httpx2.Client) -> None:
    before = client.get("/api/v1/chat/credit").json()["data"]
    task_id = ordered(client)
    assert enveloped(cancelled(client, task_id), 200) == {"taskId": task_id}
    told = record(client, task_id)
    assert (told["successFlag"], told["state"], told["errorCode"]) == (2, "fail", 400)
    assert told["errorMessage"] == "The task was cancelled by its owner."
    assert client.get("/api/v1/chat/credit").json()["data"] == before


def test_who_works_on_a_cancelled_task_has_lost_it(world: World, client: httpx2.Client) -> None:
    task_id = ordered(client)
    lease = world.take(task_id)
    assert world.run(world.tasks.held(lease.owner))[task_id] == lease.attempt
    enveloped(cancelled(client, task_id), 200)
    assert task_id not in world.run(world.tasks.held(lease.owner))
    with pytest.raises(LeaseLost):
        world.run(world.tasks.succeed(lease, [], engine="trial", state=b""))


def test_cancelling_twice_is_as_good_as_once(client: httpx2.Client) -> None:
    task_id = ordered(client)
    before = client.get("/api/v1/chat/credit").json()["data"]
    enveloped(cancelled(client, task_id), 200)
    enveloped(cancelled(client, task_id), 200)
    assert client.get("/api/v1/chat/credit").json()["data"] == before + 60


def test_what_has_ended_otherwise_is_not_cancelled(world: World, client: httpx2.Client) -> None:
    done, failed = ordered(client), ordered(client)
    world.succeed(done)
    world.fail(failed, EngineFailed())
    enveloped(cancelled(client, done), 409, "succeeded already")
    enveloped(cancelled(client, failed), 409, "failed already")
    assert record(client, done)["successFlag"] == 1


def test_a_task_of_somebody_else_looks_like_none(world: World, client: httpx2.Client) -> None:
    task_id = ordered(client)
    world.new_account("a canceller")
    with world.client(world.new_key("a canceller")) as stranger:
        theirs, unknown = cancelled(stranger, task_id), cancelled(stranger, "0" * 32)
    assert theirs.json() == unknown.json()
    enveloped(theirs, 422, "record is null")
    assert record(client, task_id)["successFlag"] == 0


def test_a_task_of_the_jobs_is_cancelled_likewise(client: httpx2.Client) -> None:
    made = client.post("/api/v1/jobs/createTask", json={"model": "veo-3-1", "input": {"prompt": "a dog"}})
    task_id = enveloped(made, 200)["taskId"]
    enveloped(cancelled(client, task_id), 200)
    told = enveloped(client.get("/api/v1/jobs/recordInfo", params={"taskId": task_id}), 200)
    assert told["state"] == "fail"


@pytest.mark.parametrize(("body", "code"), [(b"", 400), (b"[]", 400), (b"{}", 422), (b'{"taskId": 7}', 422)])
def test_what_names_no_task_is_refused(client: httpx2.Client, body: bytes, code: int) -> None:
    enveloped(client.post(URL, content=body), code)
