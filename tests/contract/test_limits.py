"""C26 and C27: how many orders an account may give in ten seconds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from support.asking import generate, get
from support.server import Server, serving

SHIPPED = "20"  #: what a server begins with
ORDER = {"duration": 4, "model": "veo3_lite"}


@pytest.mark.statement(26)
def test_the_twenty_first_order_within_ten_seconds(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_LIMITS__CREATES_PER_10S=SHIPPED) as server:
        before = get(server, "/api/v1/chat/credit")["data"]
        answers = [generate(server, **ORDER) for _ in range(21)]
        assert [answer["code"] for answer in answers] == [200] * 20 + [429]
        assert "frequency" in answers[-1]["msg"]
        assert answers[-1]["data"] is None
        for answer in answers[:-1]:
            assert server.ended(answer["data"]["taskId"])["successFlag"] == 1
        assert get(server, "/api/v1/chat/credit")["data"] == before - 20 * 30
        assert _tasks(server) == 20


@pytest.mark.statement(27)
def test_two_keys_of_an_account_share_its_limit(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False, FILMGATE_LIMITS__CREATES_PER_10S=SHIPPED) as server:
        other = server.cli("keys", "create").split()[-1]
        with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {other}"}, timeout=30) as second:
            codes = [
                client.post("/api/v1/veo/generate", json={"prompt": "a dog", **ORDER}).json()["code"]
                for _ in range(11)
                for client in (server.http, second)
            ]
        assert codes == [200] * 20 + [429] * 2


def _tasks(server: Server) -> int:
    with closing(sqlite3.connect(server.data / "filmgate.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
        return int(count)
