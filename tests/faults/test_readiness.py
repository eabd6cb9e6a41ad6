"""/readyz tells what would go wrong, before it does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from support.faults import frozen, held, runner_of, slot_of
from support.server import serving, until


def test_a_database_that_cannot_be_written_makes_the_server_unready(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        with held(tmp_path / "data" / "filmgate.db"):
            answer = until(
                lambda: found if (found := server.http.get("/readyz")).status_code == 503 else None, "it is unready", 20
            )
            assert "has not answered for 5 s" in answer.json()["msg"]
            assert server.http.get("/healthz").status_code == 200
        until(lambda: server.http.get("/readyz").status_code == 200, "it is ready again", 20)


def test_a_server_without_a_worker_that_needs_one_is_unready(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_WORKER__LEASE_S="4", FILMGATE_WORKER__HEARTBEAT_S="1") as server:
        with frozen(runner_of(server), slot_of(server)):
            os.kill(slot_of(server), signal.SIGKILL)
            until(lambda: server.http.get("/readyz").status_code == 503, "its worker is missed", 40)
            assert "no worker has loaded an engine" in server.http.get("/readyz").json()["msg"]
        until(lambda: server.http.get("/readyz").status_code == 200, "a new slot is ready", 30)


def test_many_who_ask_cost_one_look(tmp_path: Path) -> None:
    """Each look costs a flush of the disk, and anybody may ask."""
    with serving(tmp_path / "data") as server:
        before = _commits(server.http.get("/metrics").text)
        for _ in range(50):
            assert server.http.get("/readyz").status_code == 200
        assert _commits(server.http.get("/metrics").text) - before < 20


def _commits(text: str) -> float:
    line = next(
        each for each in text.splitlines() if each.startswith('filmgate_database_commit_seconds_count{process="api"}')
    )
    return float(line.split()[-1])
