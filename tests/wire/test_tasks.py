"""Looking through one's tasks: filters, pages, and what is told of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx2
import pytest

from filmgate.domain.errors import EngineFailed

from .answers import enveloped
from .conftest import DAY_MS, World

URL = "/api/v1/veo/tasks"
_numbers = count(1)


@pytest.fixture
def owner(world: World) -> Iterator[httpx2.Client]:
    """The client of an account of its own."""
    name = f"looker {next(_numbers)}"
    world.new_account(name)
    with world.client(world.new_key(name)) as made:
        yield made


def ordered(client: httpx2.Client, **order: Any) -> str:
    return str(enveloped(client.post("/api/v1/veo/generate", json={"prompt": "a dog", **order}), 200)["taskId"])


def page(client: httpx2.Client, **query: Any) -> Any:
    return enveloped(client.get(URL, params=query), 200)


def ids(client: httpx2.Client, **query: Any) -> list[str]:
    return [record["taskId"] for record in page(client, **query)["tasks"]]


def test_the_tasks_of_the_account_are_told_the_newest_first(owner: httpx2.Client, client: httpx2.Client) -> None:
    mine = [ordered(owner) for _ in range(3)]
    ordered(client)
    told = page(owner)
    assert [record["taskId"] for record in told["tasks"]] == mine[::-1]
    assert told["nextCursor"] is None
    for record in told["tasks"]:
        alone = owner.get("/api/v1/veo/record-info", params={"taskId": record["taskId"]})
        assert enveloped(alone, 200) == record


def test_who_has_no_tasks_is_told_none(owner: httpx2.Client) -> None:
    assert page(owner) == {"tasks": [], "nextCursor": None}


def test_pages_hold_still_while_orders_come(owner: httpx2.Client) -> None:
    before = [ordered(owner) for _ in range(7)][::-1]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        told = page(owner, limit=2, cursor=cursor)
        seen += [record["taskId"] for record in told["tasks"]]
        ordered(owner)
        cursor = told["nextCursor"]
    assert seen == before


def test_only_what_is_asked_for_is_told(world: World, owner: httpx2.Client) -> None:
    done, failed, cancelled = ordered(owner), ordered(owner, model="veo3"), ordered(owner)
    world.succeed(done)
    world.fail(failed, EngineFailed())
    enveloped(owner.post("/api/v1/veo/cancel", json={"taskId": cancelled}), 200)
    longer = enveloped(owner.post("/api/v1/veo/extend", json={"taskId": done, "prompt": "on"}), 200)["taskId"]
    running = ordered(owner)
    world.take(longer)  # what stands before it in the queue of this account: nothing
    assert ids(owner, state="success") == [done]
    assert ids(owner, state="fail") == [cancelled, failed]
    assert ids(owner, state="generating") == [longer]
    assert ids(owner, state="WAITING") == [running]
    assert ids(owner, model="veo3") == [failed]
    assert ids(owner, kind="extend") == [longer]
    assert ids(owner, kind="generate", state="fail", model="veo3") == [failed]
    assert ids(owner, state="", model=" ", kind="", cursor="", limit="") == [running, longer, cancelled, failed, done]


def test_times_are_those_of_creation(world: World, owner: httpx2.Client) -> None:
    made = []
    for _ in range(4):
        made.append((world.clock.now, ordered(owner)))
        world.clock.now += 100_000
    (_, first), (second_ms, second), (third_ms, third), (_, fourth) = made
    assert ids(owner, since=second_ms) == [fourth, third, second]
    assert ids(owner, until=third_ms) == [second, first]
    assert ids(owner, since=second_ms, until=third_ms) == [second]
    words = datetime.fromtimestamp(third_ms / 1000, UTC).isoformat()
    assert ids(owner, since=words) == [fourth, third]
    assert ids(owner, since=world.clock.now) == []
    assert ids(owner, until=0) == []


def test_films_that_cannot_be_had_any_more_are_not_linked(world: World, owner: httpx2.Client) -> None:
    deleted, kept = ordered(owner), ordered(owner)
    world.succeed(deleted)
    world.succeed(kept)
    enveloped(owner.delete("/api/v1/veo/media", params={"taskId": deleted}), 200)
    newer, older = page(owner)["tasks"]
    assert newer["resultUrl"].startswith(world.url)
    assert (older["successFlag"], older["response"]) == (1, None)
    assert "resultUrl" not in older
    world.clock.now += DAY_MS
    assert page(owner)["tasks"][0]["response"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "many"},
        {"limit": "-1"},
        {"cursor": "7"},
        {"cursor": "f" * 16},
        {"cursor": "x" * 16},
        {"state": "queued"},
        {"kind": "film"},
        {"model": "m" * 101},
        {"since": "yesterday"},
        {"until": "9" * 17},
        {"since": "-1"},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_by_name(owner: httpx2.Client, query: dict[str, str]) -> None:
    enveloped(owner.get(URL, params=query), 422, next(iter(query)))


def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(owner: httpx2.Client, client: httpx2.Client) -> None:
    for _ in range(3):
        ordered(client)
    cursor = page(client, limit=1)["nextCursor"]
    mine = ordered(owner)
    assert ids(owner, cursor=cursor) in ([], [mine])
