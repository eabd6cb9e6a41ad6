"""Processes that stand still for longer than they may, and then go on as if nothing had been."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from filmgate.app.parts import SystemClock
from filmgate.domain.task import Artifact, Lease, Role, Task
from filmgate.store.sqlite import Database
from filmgate.store.tasks import SqlTaskStore
from support.faults import api_of, frozen, held, runner_of, slot_of
from support.receiver import receiving
from support.server import Server, serving, until

SHORT: dict[str, Any] = {"FILMGATE_WORKER__LEASE_S": "2", "FILMGATE_WORKER__HEARTBEAT_S": "0.5"}


def _film(task_id: str) -> Artifact:
    return Artifact(Role.RESULT, f"{task_id}/9/other.mp4", "video/mp4", 1, 1280, 720, 4.0, True, 2_000_000_000_000)


async def _taken_over(database: Path, task_id: str) -> Task:
    """Another worker finds the lease run out, makes the film, and publishes it."""
    async with Database(database) as opened:
        store = SqlTaskStore(opened, SystemClock())
        lease: Lease | None = None
        while lease is None:
            await store.sweep_leases()
            lease = await store.claim("another worker", 60_000, ["veo3", "veo3_fast", "veo3_lite"])
            await asyncio.sleep(0.05)
        assert lease.task.id == task_id
        return await store.succeed(lease, [_film(task_id)], engine="trial", state=b"")


def _count(database: Path, query: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (number,) = connection.execute(query).fetchone()
    return int(number)


def test_a_runner_that_was_frozen_beyond_its_lease_publishes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with receiving() as receiver, serving(data, **SHORT) as server:
        task_id = server.create("slow 3", duration=4, callBackUrl=receiver.url)
        until(lambda: server.record(task_id)["progress"] > 0.1, "it is being made")
        with frozen(runner_of(server), slot_of(server)):
            asyncio.run(_taken_over(data / "filmgate.db", task_id))
        next_one = server.create("a cat", duration=4)
        assert server.ended(next_one)["successFlag"] == 1
        assert "other.mp4" in server.record(task_id)["response"]["resultUrls"][0]
        until(lambda: receiver.bodies, "the callback arrives")
        assert [body["data"]["taskId"] for body in receiver.bodies] == [task_id]
    assert _count(data / "filmgate.db", "SELECT count(*) FROM ledger WHERE kind = 'settle'") == 2
    assert _count(data / "filmgate.db", "SELECT count(*) FROM callbacks") == 1
    assert not list((data / "media" / task_id).rglob("result.mp4"))


def test_a_runner_that_was_frozen_and_lost_nothing_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path / "data", **SHORT) as server:
        task_id = server.create("slow 2", duration=4)
        until(lambda: server.record(task_id)["progress"] > 0.1, "it is being made")
        with frozen(runner_of(server)):
            until(lambda: server.http.get("/readyz").status_code == 503, "its silence is noticed", 20)
        assert server.ended(task_id)["successFlag"] == 1
        until(lambda: server.http.get("/readyz").status_code == 200, "it is there again", 20)


def test_while_the_api_stands_still_films_are_made_and_requests_wait(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        task_id = server.create("a dog", duration=4)
        answers: list[str] = []
        with frozen(api_of(server)):
            order = threading.Thread(target=lambda: answers.append(server.create("a cat", duration=4)))
            order.start()
            until(lambda: _status(server, task_id) == "succeeded", "the film is made")
            assert not answers
        order.join(20)
        assert server.ended(answers[0])["successFlag"] == 1


def _status(server: Server, task_id: str) -> str:
    with closing(sqlite3.connect(server.data / "filmgate.db")) as connection:
        (status,) = connection.execute("SELECT status FROM tasks WHERE id = ?", (task_id,)).fetchone()
    return str(status)


def test_a_kill_between_storing_a_film_and_publishing_it_leaves_one_film(tmp_path: Path) -> None:
    """The film is in the storage under its name; its row waits for a lock when everything is killed."""
    data = tmp_path / "data"
    with receiving() as receiver:
        with serving(data) as server:
            task_id = server.create("slow 1", duration=4, callBackUrl=receiver.url)
            until(lambda: server.record(task_id)["progress"] > 0.1, "it is being made")
            with held(data / "filmgate.db"):
                stored = data / "media" / task_id / "1" / "result.mp4"
                until(stored.exists, "the film is stored")
                assert _status(server, task_id) == "running"
                server.kill()
        with serving(data) as server:
            assert server.ended(task_id)["successFlag"] == 1
            until(lambda: not stored.exists(), "what the first attempt stored is removed")
            until(lambda: receiver.bodies, "the callback arrives")
            assert len(list((data / "media" / task_id).rglob("result.mp4"))) == 1
    assert len(receiver.bodies) == 1
    assert _count(data / "filmgate.db", "SELECT count(*) FROM ledger WHERE kind = 'settle'") == 1


def test_a_slot_that_is_killed_as_by_the_kernel_for_its_memory_costs_one_attempt(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        task_id = server.create("slow 2", duration=4)
        until(lambda: server.record(task_id)["progress"] > 0.1, "it is being made")
        os.kill(slot_of(server), signal.SIGKILL)
        assert server.ended(task_id)["successFlag"] == 1
        assert any("out of memory" in line for line in server.log)
