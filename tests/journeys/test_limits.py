"""A server that lets an account have one task running: the others wait, although there is a slot for them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from support.server import serving


def test_an_account_at_its_cap_waits_for_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, FILMGATE_LIMITS__RUNNING_PER_ACCOUNT="1", FILMGATE_WORKER__SLOTS="2") as server:
        for task_id in [server.create(prompt, duration=4) for prompt in ("slow 0.5", "slow 0.2", "a dog")]:
            assert server.ended(task_id)["successFlag"] == 1
    with closing(sqlite3.connect(data / "filmgate.db")) as connection:
        spans = connection.execute("SELECT started_ms, ended_ms FROM tasks ORDER BY started_ms").fetchall()
    assert len(spans) == 3
    assert all(ended <= started for (_, ended), (started, _) in pairwise(spans))
