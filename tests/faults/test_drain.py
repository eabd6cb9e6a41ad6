"""A server that is asked to go while it is calling back."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from support.receiver import receiving
from support.server import serving, until


def _slowly(number: int) -> int:
    time.sleep(2)
    return 200


def test_a_callback_under_way_is_told_once_and_recorded_before_the_server_goes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with receiving(_slowly) as receiver:
        with serving(data) as server:
            server.create("a dog", duration=4, callBackUrl=receiver.url)
            until(lambda: receiver.bodies, "the receiver is being told")
            assert server.stop() == 0
        with closing(sqlite3.connect(data / "filmgate.db")) as connection:
            assert connection.execute("SELECT state, tries FROM callbacks").fetchall() == [("delivered", 1)]
        with serving(data) as server:
            server.ended(server.create("a cat", duration=4))
        assert len(receiver.bodies) == 1


def test_a_film_that_ends_while_the_server_drains_is_told_once_then_or_at_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with receiving() as receiver:
        with serving(data) as server:
            task_id = server.create("slow 2", duration=4, callBackUrl=receiver.url)
            until(lambda: server.record(task_id)["progress"] > 0.1, "it is being made")
            assert server.stop() == 0
        assert _owed(data) + len(receiver.bodies) == 1
        with serving(data):
            until(lambda: receiver.bodies, "it is told")
            assert _owed(data) == 0
        assert [body["data"]["taskId"] for body in receiver.bodies] == [task_id]


def _owed(data: Path) -> int:
    with closing(sqlite3.connect(data / "filmgate.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM callbacks WHERE state = 'pending'").fetchone()
    return int(count)
