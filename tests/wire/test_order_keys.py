"""Idempotency-Key: an order is taken once, however often it comes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx2
import pytest

from filmgate.domain.credits import Entry, EntryKind

from .answers import enveloped
from .conftest import World

_numbers = count(1)
GENERATE = "/api/v1/veo/generate"


@pytest.fixture
def key() -> str:
    return f"order {next(_numbers)}"


@pytest.fixture
def owner(world: World) -> Iterator[httpx2.Client]:
    """The client of an account of its own, which can pay for two films of veo3_fast."""
    name = f"owner {next(_numbers)}"
    world.new_account(name, credits=120)
    with world.client(world.new_key(name)) as made:
        yield made


def sent(client: httpx2.Client, key: str, path: str = GENERATE, **body: Any) -> httpx2.Response:
    return client.post(path, json=body or {"prompt": "a dog"}, headers={"Idempotency-Key": key})


def balance(client: httpx2.Client) -> int:
    return int(client.get("/api/v1/chat/credit").json()["data"])


def test_the_same_order_is_the_same_task_and_costs_nothing_more(owner: httpx2.Client, key: str) -> None:
    first, again = sent(owner, key), sent(owner, key)
    assert enveloped(first, 200) == enveloped(again, 200)
    assert balance(owner) == 60


@pytest.mark.parametrize(
    "body",
    [
        b'{ "model":"veo3_fast" , "prompt": "a dog" }',
        b'{"prompt": "a dog", "aspectRatio": "16:9", "duration": "8", "imageUrls": []}',
        b'{"prompt": "a d\\u006fg", "an unknown field": 7}',
    ],
)
def test_how_an_order_is_written_down_does_not_matter(owner: httpx2.Client, key: str, body: bytes) -> None:
    first = sent(owner, key)
    again = owner.post(GENERATE, content=body, headers={"Idempotency-Key": key})
    assert enveloped(first, 200) == enveloped(again, 200)


@pytest.mark.parametrize("other", [{"prompt": "a cat"}, {"prompt": "a dog", "seeds": 12345}])
def test_another_order_under_the_same_key_is_refused(owner: httpx2.Client, key: str, other: dict[str, Any]) -> None:
    enveloped(sent(owner, key), 200)
    enveloped(sent(owner, key, **other), 409, "sent with another order before")
    assert balance(owner) == 60


def test_the_same_words_at_another_address_are_another_order(owner: httpx2.Client, key: str) -> None:
    enveloped(sent(owner, key), 200)
    order = {"model": "veo-3-1", "input": {"prompt": "a dog"}}
    enveloped(sent(owner, key, "/api/v1/jobs/createTask", **order), 409, "another order")


def test_keys_are_those_of_an_account(world: World, owner: httpx2.Client, client: httpx2.Client, key: str) -> None:
    assert enveloped(sent(owner, key), 200) != enveloped(sent(client, key, prompt="a dog"), 200)


def test_without_a_key_each_order_is_its_own(owner: httpx2.Client) -> None:
    first, second = (owner.post(GENERATE, json={"prompt": "a dog"}) for _ in range(2))
    assert enveloped(first, 200) != enveloped(second, 200)


def test_what_was_refused_can_be_ordered_again_under_its_key(world: World, owner: httpx2.Client, key: str) -> None:
    dear = {"prompt": "a dog", "model": "veo3"}
    enveloped(sent(owner, key, **dear), 402)
    enveloped(sent(owner, key, prompt="a dog", duration=5), 422)
    account = enveloped(owner.get("/api/v1/veo/tasks"), 200)
    assert account["tasks"] == []
    name = f"owner {next(_numbers) - 2}"
    world.run(world.accounts.post(Entry(name, EntryKind.GRANT, 1000, world.clock.now_ms())))
    enveloped(sent(owner, key, **dear), 200)


def test_a_task_is_given_again_though_the_credits_are_used_up(owner: httpx2.Client, key: str) -> None:
    first = enveloped(sent(owner, key), 200)
    enveloped(owner.post(GENERATE, json={"prompt": "a dog"}), 200)
    enveloped(owner.post(GENERATE, json={"prompt": "a dog"}), 402)
    assert enveloped(sent(owner, key), 200) == first


def test_orders_that_come_at_once_make_one_task(owner: httpx2.Client, key: str) -> None:
    """Each by a connection of its own."""
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: sent(owner, key), range(36)))
    assert len({enveloped(answer, 200)["taskId"] for answer in answers}) == 1
    assert balance(owner) == 60
    assert len(enveloped(owner.get("/api/v1/veo/tasks"), 200)["tasks"]) == 1


def test_extensions_and_jobs_have_keys_too(world: World, client: httpx2.Client) -> None:
    film = enveloped(client.post(GENERATE, json={"prompt": "a dog"}), 200)["taskId"]
    world.succeed(film)
    for path, order in (
        ("/api/v1/veo/extend", {"taskId": film, "prompt": "on"}),
        ("/api/v1/jobs/createTask", {"model": "veo-3-1", "input": {"prompt": "a dog"}}),
        ("/api/v1/jobs/createTask", {"model": "veo/extend", "input": {"task_id": film, "prompt": "on"}}),
        ("/api/v1/jobs/createTask", {"model": "veo/get-1080p-video", "input": {"taskId": film}}),
    ):
        name = f"order {next(_numbers)}"
        first, again = sent(client, name, path, **order), sent(client, name, path, **order)
        assert enveloped(first, 200) == enveloped(again, 200), order
        enveloped(sent(client, name, path, **{**order, "callBackUrl": "https://a.example"}), 409)


def test_a_4k_version_is_answered_as_when_it_was_new(world: World, client: httpx2.Client, key: str) -> None:
    film = enveloped(client.post(GENERATE, json={"prompt": "a dog"}), 200)["taskId"]
    world.succeed(film)
    url, order = "/api/v1/veo/get-4k-video", {"taskId": film}
    first = enveloped(sent(client, key, url, **order), 200)
    assert enveloped(sent(client, key, url, **order), 200) == first
    enveloped(client.post(url, json=order), 422, "4k is processing")
    world.succeed(first["taskId"], size=(3840, 2160))
    assert enveloped(sent(client, key, url, **order), 200) == first
    with ThreadPoolExecutor(8) as pool:
        film = enveloped(client.post(GENERATE, json={"prompt": "a dog"}), 200)["taskId"]
        world.succeed(film)
        answers = list(pool.map(lambda _: sent(client, f"{key}b", url, taskId=film), range(16)))
    assert len({enveloped(answer, 200)["taskId"] for answer in answers}) == 1


@pytest.mark.parametrize("bad", [b"", b"x" * 256, "é".encode(), b"a\tb"])
def test_a_key_that_is_none_is_refused(owner: httpx2.Client, bad: bytes) -> None:
    headers = {b"Idempotency-Key": bad, b"Content-Type": b"application/json"}
    answer = owner.post(GENERATE, content=b'{"prompt": "a dog"}', headers=headers)
    enveloped(answer, 422, "Idempotency-Key must be one text of 1 to 255 printable ASCII characters")
    assert balance(owner) == 120


def test_two_keys_are_refused(owner: httpx2.Client) -> None:
    answer = owner.post(
        GENERATE, json={"prompt": "a dog"}, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )
    enveloped(answer, 422, "one text")


@pytest.mark.parametrize("good", ["x", "x" * 255, 'a "b" ~ !'])
def test_any_printable_text_is_a_key(owner: httpx2.Client, good: str) -> None:
    assert enveloped(sent(owner, good), 200) == enveloped(sent(owner, good), 200)
