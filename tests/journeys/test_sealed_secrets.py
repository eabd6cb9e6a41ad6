"""An operator sets a key after webhook secrets were stored, and loses it again: no task is held up, no secret lost."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from filmgate.client import webhooks
from support.receiver import receiving
from support.server import Server, serving, until

SECRET = "a-secret-of-the-receiver"
KEY = "k" * 40
LATER: dict[str, Any] = {"FILMGATE_CALLBACKS__SCHEDULE_S": "3600"}  #: nothing is tried again by itself meanwhile


def stored(data: Path) -> str:
    with closing(sqlite3.connect(data / "filmgate.db")) as connection:
        return str(connection.execute("SELECT secret FROM webhook_secrets").fetchone()[0])


def tries(server: Server, task_id: str) -> list[dict[str, Any]]:
    listed = json.loads(server.cli("callbacks", "list", "--json"))
    return next((each["tries"] for each in listed if each["taskId"] == task_id), [])


def test_a_key_that_is_set_later_seals_and_one_that_is_lost_stops_no_task(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with receiving() as receiver:
        with serving(data, ready=False) as server:
            server.cli("keys", "webhook", "--vendor", SECRET)
        assert SECRET in stored(data)
        with serving(data, FILMGATE_SECRET_KEY=KEY) as server:
            assert SECRET not in stored(data)
            server.create("a dog", duration=4, callBackUrl=receiver.url)
            until(lambda: receiver.raw, "the callback has come")
            assert webhooks.verify_vendor(receiver.raw[0], receiver.headers[0], SECRET)
        with serving(data, **LATER) as server:
            task_id = server.create("a dog", duration=4, callBackUrl=receiver.url)
            assert server.ended(task_id)["successFlag"] == 1
            first = until(lambda: tries(server, task_id), "a try is recorded")[0]
            assert first["error"].startswith("No FILMGATE_SECRET_KEY is set.")
        with serving(data, FILMGATE_SECRET_KEY=KEY, **LATER) as server:
            server.cli("callbacks", "redeliver", task_id)
            until(lambda: len(receiver.raw) == 2, "the callback has come")
            assert webhooks.verify_vendor(receiver.raw[1], receiver.headers[1], SECRET).task_id == task_id
