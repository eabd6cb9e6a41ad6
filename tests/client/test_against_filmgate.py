"""Both clients against this very server, in its own processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from filmgate.client import (
    AsyncFilmgate,
    Filmgate,
    InvalidRequest,
    NotFound,
    Record,
    TaskFailed,
    Unauthenticated,
    webhooks,
)
from support.receiver import receiving
from support.server import KEY, Server, serving, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served") / "data") as server:
        yield server


def test_a_film_from_order_to_file(server: Server, tmp_path: Path) -> None:
    seen: list[Record] = []
    with Filmgate(KEY, server.url) as films:
        record = films.create_and_wait(
            "a dog", seeds=12345, aspect_ratio="9:16", poll_interval=0.05, on_progress=seen.append
        )
        path = films.download(record, tmp_path / "dog.mp4")
    assert path.read_bytes()[4:8] == b"ftyp"
    assert (record.state, record.resolution, record.seeds, record.progress) == ("success", "720p", (12345,), 1.0)
    assert record.created is not None
    assert record.completed is not None
    assert record.created <= record.completed
    assert record.credits == 60
    assert record.origin_urls
    assert seen[-1] == record
    assert all(one.stage for one in seen)


def test_the_same_awaited(server: Server, tmp_path: Path) -> None:
    async def make() -> bytes:
        async with AsyncFilmgate(KEY, server.url) as films:
            record = await films.create_and_wait("a dog", poll_interval=0.05)
            return (await films.download(record, tmp_path / "dog.mp4")).read_bytes()

    assert asyncio.run(make())[4:8] == b"ftyp"


def test_its_refusals(server: Server) -> None:
    with Filmgate(KEY, server.url) as films:
        with pytest.raises(InvalidRequest, match="Please enter prompt"):
            films.generate(" ")
        with pytest.raises(InvalidRequest, match="not supported"):
            films.generate("a dog", model="veo2")
        with pytest.raises(NotFound, match="record is null"):
            films.retrieve("0" * 32)
    with Filmgate("fg_wrong", server.url) as films, pytest.raises(Unauthenticated):
        films.retrieve("0" * 32)


def test_a_task_that_it_rejects(server: Server) -> None:
    with Filmgate(KEY, server.url) as films, pytest.raises(TaskFailed, match="flagged") as failed:
        films.create_and_wait("reject this", poll_interval=0.05)
    assert (failed.value.code, failed.value.record.status) == (400, 2)


def test_its_callback_is_read_as_an_event(server: Server) -> None:
    with receiving() as receiver, Filmgate(KEY, server.url) as films:
        record = films.create_and_wait("a dog", callback_url=receiver.url, poll_interval=0.05)
        until(lambda: receiver.bodies, "the callback arrives")
        [headers] = receiver.headers
    event = webhooks.read_event(json.dumps(receiver.bodies[0]).encode(), headers)
    assert (event.task_id, event.succeeded, event.result_urls) == (record.task_id, True, record.result_urls)
    assert event.id.startswith("msg_")
