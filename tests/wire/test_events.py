"""Watching a task: server-sent events over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from filmgate.domain.errors import EngineFailed
from filmgate.ports import Progress

from .conftest import World

EVENTS = "/api/v1/veo/events"


@dataclass(frozen=True)
class Event:
    id: int
    name: str
    data: dict[str, Any]


def read(lines: Iterator[str]) -> Iterator[Event]:
    """Events as a browser would read them."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "data" in fields:
                yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}


@contextmanager
def watching(http: httpx2.Client, url: str, **headers: str) -> Iterator[Iterator[Event]]:
    with http.stream("GET", url, headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield read(answer.iter_lines())


def ordered(world: World, key: str | None = None) -> str:
    with world.client(key) as http:
        answer = http.post("/api/v1/veo/generate", json={"prompt": "a dog"}).json()
        assert answer["code"] == 200, answer
        return str(answer["data"]["taskId"])


def record(world: World, task_id: str) -> dict[str, Any]:
    with world.client() as http:
        found: dict[str, Any] = http.get("/api/v1/veo/record-info", params={"taskId": task_id}).json()["data"]
        return found


def test_a_task_is_watched_from_its_creation_to_its_end(world: World) -> None:
    task_id = ordered(world)
    with world.client() as http, watching(http, f"{EVENTS}?taskId={task_id}") as events:
        first = next(events)
        assert (first.id, first.name, first.data["state"], first.data["stage"]) == (0, "progress", "waiting", "queued")
        world.take(task_id)
        assert next(events).data["state"] == "generating"
        world.run(world.tasks.heartbeat("a worker", 30_000, {task_id: Progress(0.5, "painting")}))
        assert (next(events).data["progress"], world.run(world.tasks.get(task_id)).progress) == (0.5, 0.5)
        lease_ended = threading.Thread(target=lambda: world.run(world.tasks.cancel(task_id)))
        lease_ended.start()
        *_, last = events
        lease_ended.join()
    assert (last.id, last.name, last.data["state"], last.data["successFlag"]) == (3, "end", "fail", 2)


def test_the_link_of_the_record_needs_no_key_and_opens_one_task_only(world: World) -> None:
    task_id, other = ordered(world), ordered(world)
    world.fail(task_id, EngineFailed("No."))
    url = record(world, task_id)["eventsUrl"]
    with httpx2.Client() as http, watching(http, url) as events:
        assert [(each.id, each.name) for each in events] == [(0, "progress"), (1, "progress"), (2, "end")]
    with httpx2.Client() as http:
        assert http.get(url.replace(task_id, other)).json()["code"] == 404
        assert http.get(url.replace("expires=1", "expires=2")).json()["code"] == 404
        assert http.get(f"{world.url}{EVENTS}?taskId={task_id}").json()["code"] == 401
        world.clock.now += 15 * 24 * 3600 * 1000
        assert http.get(url).json()["code"] == 410


def test_who_comes_back_misses_nothing_and_hears_nothing_twice(world: World) -> None:
    task_id = ordered(world)
    lease = world.take(task_id)
    for number in range(1, 6):
        world.run(world.tasks.heartbeat("a worker", 30_000, {task_id: Progress(number / 10, f"part {number}")}))
    with world.client() as http:
        url = f"{EVENTS}?taskId={task_id}"
        with watching(http, url) as events:
            seen = [next(events) for _ in range(3)]
        world.run(world.tasks.end(lease, EngineFailed("No.")))
        with watching(http, url, **{"Last-Event-ID": str(seen[-1].id)}) as events:
            rest = list(events)
        assert [each.id for each in (*seen, *rest)] == list(range(8))
        assert [each.data["progress"] for each in rest] == [0.2, 0.3, 0.4, 0.5, 0.5]
        done = http.get(url, headers={"Last-Event-ID": str(rest[-1].id)})
        assert (done.status_code, done.content) == (204, b"")
        for nonsense in ("x", "-1", "9" * 40, "1.5"):
            with watching(http, url, **{"Last-Event-ID": nonsense}) as events:
                assert next(events).id == 0


def test_a_task_that_ended_before_steps_were_kept_still_ends(world: World) -> None:
    task_id = ordered(world)
    world.fail(task_id, EngineFailed("No."))
    world.run(world.database.write(lambda c: c.exec_driver_sql("DELETE FROM task_events").close()))
    with world.client() as http, watching(http, f"{EVENTS}?taskId={task_id}") as events:
        assert [(each.id, each.name, each.data["state"]) for each in events] == [
            (0, "progress", "waiting"),
            (1, "end", "fail"),
        ]


def test_a_server_that_stops_ends_its_streams(world: World) -> None:
    task_id = ordered(world)
    with world.client() as http, watching(http, f"{EVENTS}?taskId={task_id}") as events:
        assert next(events).id == 0
        world.loop.call_soon_threadsafe(world.closing.set)
        assert list(events) == []


def test_times_have_the_form_of_the_edition_of_the_key(world: World) -> None:
    key = world.new_key(edition={"times": "iso"})
    task_id = ordered(world, key)
    world.fail(task_id, EngineFailed("No."))
    with httpx2.Client() as http, watching(http, record(world, task_id)["eventsUrl"]) as events:
        assert all(each.data["time"].endswith("Z") for each in events)


@pytest.mark.parametrize(("query", "code"), [("taskId=nowhere", 422), ("", 422), ("taskId=x&signature=", 404)])
def test_refusals_are_envelopes(world: World, query: str, code: int) -> None:
    with world.client() as http:
        assert http.get(f"{EVENTS}?{query}").json()["code"] == code


def test_the_task_of_another_account_is_like_one_that_is_not_there(world: World) -> None:
    world.new_account("b")
    task_id = ordered(world)
    with world.client(world.new_key("b")) as http:
        theirs = http.get(f"{EVENTS}?taskId={task_id}")
        nobodys = http.get(f"{EVENTS}?taskId={'0' * 32}")
    assert theirs.content == nobodys.content


def test_who_waits_is_told_where_and_who_runs_is_told_when(world: World) -> None:
    done, first, second = (ordered(world) for _ in range(3))
    world.take(done)
    world.clock.now += 4000
    lease = world.run(world.tasks.get(done))
    assert lease.owner
    told = record(world, second)
    assert (told["queuePosition"], told["estimatedFinishTime"]) == (2, None), "nothing is known of durations yet"
    assert record(world, done)["queuePosition"] is None
    assert record(world, first)["queuePosition"] == 1
