"""A task of another account and one that there is not cost the same work: the same statements, and no row is read out.

So neither answers nor their times tell which tasks there are. What is measured is the work itself, not the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from filmgate.store.sqlite import driver_of

from .conftest import World

UNKNOWN = "f" * 32

ASKED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "record-info": ("GET", "/api/v1/veo/record-info", {"taskId": "{}"}),
    "recordInfo": ("GET", "/api/v1/jobs/recordInfo", {"taskId": "{}"}),
    "get-1080p-video": ("GET", "/api/v1/veo/get-1080p-video", {"taskId": "{}"}),
    "get-4k-video": ("POST", "/api/v1/veo/get-4k-video", {"taskId": "{}"}),
    "extend": ("POST", "/api/v1/veo/extend", {"taskId": "{}", "prompt": "on"}),
    "veo/extend": (
        "POST",
        "/api/v1/jobs/createTask",
        {"model": "veo/extend", "input": {"task_id": "{}", "prompt": "on"}},
    ),
    "download-url": ("POST", "/api/v1/common/download-url", {"url": "{}"}),
}


@contextmanager
def statements(world: World, without: str) -> Iterator[list[str]]:
    """Every statement that SQLite executes meanwhile for looks and orders, ``without`` this value. The question whether
    anything has changed is left out: it is asked once in a turn of the loop, whatever the turn is about."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT")):
            seen.append(statement.replace(without, "?"))

    async def trace(hear: Callable[[str], None] | None) -> None:
        await world.database.read(lambda c: driver_of(c).set_trace_callback(hear))
        await world.database.write(lambda c: driver_of(c).set_trace_callback(hear))

    world.run(trace(note))
    try:
        yield seen
    finally:
        world.run(trace(None))


@pytest.fixture
def theirs(world: World) -> str:
    """A film of somebody else, in a row that cannot be decoded: whoever tried would fail otherwise than it must."""
    world.new_account("neighbour")
    with world.client(world.new_key("neighbour")) as client:
        task_id = str(client.post("/api/v1/veo/generate", json={"prompt": "a dog"}).json()["data"]["taskId"])
    world.succeed(task_id)
    broken = "UPDATE tasks SET spec = 'no JSON', artifacts = 'no JSON', failure = 'no JSON' WHERE id = ?"
    world.run(world.database.write(lambda c: c.exec_driver_sql(broken, (task_id,)).close()))
    return task_id


def put_in(fields: dict[str, Any], value: str) -> dict[str, Any]:
    return {
        name: put_in(each, value) if isinstance(each, dict) else each.replace("{}", value)
        for name, each in fields.items()
    }


@pytest.fixture
def told(world: World) -> str:
    """A task of somebody else that its owner has just looked at, so that it is remembered."""
    world.new_account("neighbour")
    with world.client(world.new_key("neighbour")) as client:
        task_id = str(client.post("/api/v1/veo/generate", json={"prompt": "a dog"}).json()["data"]["taskId"])
        assert client.get("/api/v1/veo/record-info", params={"taskId": task_id}).json()["code"] == 200
    return task_id


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("whose", ["theirs", "told"])
def test_foreign_and_unknown_tasks_cost_the_same_work(
    world: World, request: pytest.FixtureRequest, whose: str, name: str
) -> None:
    foreign_id: str = request.getfixturevalue(whose)
    method, path, fields = ASKED[name]

    def asked(task_id: str) -> tuple[int, bytes, list[str]]:
        link = world.links.link(world.url, f"{task_id}/1/result.mp4", world.clock.now_ms() + 1000, "a.mp4")
        filled = put_in(fields, link if name == "download-url" else task_id)
        with world.client() as client, statements(world, task_id) as seen:
            told = client.request(
                method, path, params=filled if method == "GET" else None, json=None if method == "GET" else filled
            )
        return told.status_code, told.content, seen

    asked(UNKNOWN)  # after a change the switches of the operator are read once, whatever is asked for
    foreign, unknown = asked(foreign_id), asked(UNKNOWN)
    assert foreign == unknown
    assert b'"data":null' in foreign[1]
    assert sum("FROM tasks" in statement for statement in foreign[2]) == 1


def test_the_owner_s_broken_row_would_have_been_noticed(world: World, theirs: str) -> None:
    with world.client(world.new_key("neighbour")) as client:
        assert client.get("/api/v1/veo/record-info", params={"taskId": theirs}).json()["code"] == 500
