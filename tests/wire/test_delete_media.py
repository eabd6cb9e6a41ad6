"""Deleting films: the files, their links, and what is told afterwards."""

from __future__ import annotations

import httpx2

from .answers import enveloped
from .conftest import DAY_MS, World

URL = "/api/v1/veo/media"


def film(world: World, client: httpx2.Client) -> str:
    task_id = str(enveloped(client.post("/api/v1/veo/generate", json={"prompt": "a dog"}), 200)["taskId"])
    world.succeed(task_id)
    return task_id


def deleted(client: httpx2.Client, task_id: str) -> httpx2.Response:
    return client.delete(URL, params={"taskId": task_id})


def asked(client: httpx2.Client, task_id: str) -> httpx2.Response:
    return client.get("/api/v1/veo/record-info", params={"taskId": task_id})


def test_the_files_and_their_links_are_gone_at_once(world: World, client: httpx2.Client) -> None:
    task_id = film(world, client)
    link = enveloped(asked(client, task_id), 200)["resultUrl"]
    assert client.get(link).status_code == 200
    assert enveloped(deleted(client, task_id), 200) == {"taskId": task_id}
    assert client.get(link).status_code == 404
    assert world.run(world.storage.keys(f"{task_id}/")) == []
    enveloped(asked(client, task_id), 422, "record result data is blank.")


def test_deleting_twice_is_as_good_as_once(world: World, client: httpx2.Client) -> None:
    task_id = film(world, client)
    enveloped(deleted(client, task_id), 200)
    enveloped(deleted(client, task_id), 200)


def test_nothing_is_made_from_a_film_that_is_gone(world: World, client: httpx2.Client) -> None:
    task_id = film(world, client)
    enveloped(deleted(client, task_id), 200)
    longer = client.post("/api/v1/veo/extend", json={"taskId": task_id, "prompt": "on"})
    enveloped(longer, 422, "the films of that task have been deleted")
    enveloped(client.post("/api/v1/veo/get-4k-video", json={"taskId": task_id}), 422, "deleted")
    enveloped(client.get("/api/v1/veo/get-1080p-video", params={"taskId": task_id}), 422, "deleted")


def test_a_larger_version_that_was_deleted_is_told_as_such(world: World, client: httpx2.Client) -> None:
    task_id = film(world, client)
    order = {"taskId": task_id}
    larger = enveloped(client.post("/api/v1/veo/get-4k-video", json=order), 200)["taskId"]
    world.succeed(larger, size=(3840, 2160))
    enveloped(deleted(client, larger), 200)
    enveloped(client.post("/api/v1/veo/get-4k-video", json=order), 422, "record result data is blank.")
    enveloped(client.get("/api/v1/veo/get-4k-video", params=order), 422, "record result data is blank.")
    enveloped(asked(client, task_id), 200)


def test_a_task_that_has_not_ended_keeps_its_files(client: httpx2.Client) -> None:
    task_id = str(enveloped(client.post("/api/v1/veo/generate", json={"prompt": "a dog"}), 200)["taskId"])
    enveloped(deleted(client, task_id), 409, "has not ended")


def test_a_task_of_somebody_else_looks_like_none(world: World, client: httpx2.Client) -> None:
    task_id = film(world, client)
    world.new_account("a remover")
    with world.client(world.new_key("a remover")) as stranger:
        theirs, unknown = deleted(stranger, task_id), deleted(stranger, "0" * 32)
    assert theirs.json() == unknown.json()
    enveloped(theirs, 422, "record is null")
    enveloped(asked(client, task_id), 200)


def test_a_task_without_an_id_is_refused(client: httpx2.Client) -> None:
    enveloped(client.delete(URL), 422, "taskId is missing")


def test_what_was_half_deleted_goes_with_the_next_sweep(world: World, client: httpx2.Client) -> None:
    """The row has forgotten the files, and the process died before they were removed."""
    task_id = film(world, client)
    world.run(world.media.discard(task_id))
    enveloped(asked(client, task_id), 422, "record result data is blank.")
    assert task_id in world.run(world.media.expired(100))
    world.run(world.janitor().sweep_once())
    assert world.run(world.storage.keys(f"{task_id}/")) == []
    assert task_id not in world.run(world.media.expired(100))


def test_a_film_whose_time_is_over_is_told_as_before(world: World, client: httpx2.Client) -> None:
    task_id = film(world, client)
    world.clock.now += DAY_MS
    enveloped(asked(client, task_id), 422, "within 14 days")
    enveloped(deleted(client, task_id), 200)
