"""The database is held by somebody else, or its file is moved away: requests wait or are refused, and all goes on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from support.faults import held
from support.receiver import receiving
from support.server import serving, until


def test_orders_wait_while_another_process_holds_the_database_and_films_in_the_making_survive(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with receiving() as receiver, serving(data) as server:
        making = server.create("slow 2", duration=4, callBackUrl=receiver.url)
        until(lambda: server.record(making)["progress"] > 0.1, "it is being made")
        answers: list[Any] = []
        with held(data / "filmgate.db"):
            order = threading.Thread(target=lambda: answers.append(server.create("a cat", duration=4)))
            order.start()
            until(lambda: server.record(making)["state"] == "generating", "what is there can be read all the while")
            order.join(4)
            assert order.is_alive()
            assert not answers
        order.join(20)
        assert server.ended(making)["successFlag"] == 1
        assert server.ended(answers[0])["successFlag"] == 1
        until(lambda: receiver.bodies, "the callback arrives")
        assert len(receiver.bodies) == 1
        assert server.record(making)["paramJson"]


def test_a_database_file_that_is_moved_away_and_back_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """The server goes on with the file that it has open, wherever that is called now."""
    data = tmp_path / "data"
    database, away = data / "filmgate.db", tmp_path / "away.db"
    with serving(data) as server:
        before = server.create("a dog", duration=4)
        server.ended(before)
        database.rename(away)
        during = server.create("a cat", duration=4)
        assert server.ended(during)["successFlag"] == 1
        away.rename(database)
        after = server.create("a fox", duration=4)
        assert server.ended(after)["successFlag"] == 1
        assert server.stop() == 0
    with serving(data, "--no-worker", ready=False) as server:
        assert {server.record(task_id)["successFlag"] for task_id in (before, during, after)} == {1}
