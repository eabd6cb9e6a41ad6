"""Processes are killed in the middle of a stream of orders; the books are right all the same."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2

from support.server import KEY, Server, serving, until

PROMPTS = ("a dog", "a dog", "slow 0.4", "reject", "fail", "crash till 2")
KILLS = 3  #: in each life of the server
ORDERS = 16  #: in each life of the server
LIVE = "SELECT id FROM tasks WHERE ended_ms IS NULL"
LIVES = ("killed", "stopped", "left to end")


@contextmanager
def stream(server: Server, keys: list[str], chance: random.Random, accepted: list[str]) -> Iterator[None]:
    """Orders of several accounts, one after the other, while processes come and go."""
    stop = threading.Event()

    def order() -> None:
        for number in range(ORDERS):
            headers = {"Authorization": f"Bearer {chance.choice(keys)}"}
            body = {
                "prompt": PROMPTS[number % len(PROMPTS)],
                "duration": 4,
                "model": chance.choice(["veo3", "veo3_lite"]),
            }
            try:
                answer = httpx2.post(f"{server.url}/api/v1/veo/generate", json=body, headers=headers, timeout=10).json()
            except (httpx2.TransportError, ValueError):  # killed while it answered: the order may be there, or not
                answer = {"code": None}
            if answer["code"] == 200:
                accepted.append(answer["data"]["taskId"])
            if stop.wait(chance.uniform(0.05, 0.4)):
                return

    thread = threading.Thread(target=order)
    thread.start()
    try:
        yield
        thread.join(60)
    finally:
        stop.set()
        thread.join(60)


def children(server: Server) -> list[int]:
    """The API's process and the runner's, as far as they are there now."""
    parent = server.process.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def kill_one(server: Server, chance: random.Random) -> None:
    pid = chance.choice(until(lambda: children(server), "a process is there"))
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in children(server), "it is gone")


def rows(data: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data / "filmgate.db")) as connection:
        return connection.execute(query).fetchall()


def check_books(data: Path, granted: dict[str, int]) -> None:
    """Every task has ended and is closed once; every balance is what was granted, less what was charged."""
    tasks = rows(
        data,
        "SELECT account_id, status, price, (SELECT group_concat(kind || credits) FROM "
        "(SELECT * FROM ledger ORDER BY ledger.id) AS line WHERE line.task_id = tasks.id) FROM tasks",
    )
    charged = dict.fromkeys(granted, 0)
    for account_id, status, price, entries in tasks:
        close = "settle0" if status == "succeeded" else f"refund{price}"
        assert entries == f"hold{-price},{close}"
        charged[account_id] += price if status == "succeeded" else 0
    balances = dict(rows(data, "SELECT id, balance FROM accounts"))
    assert balances == {account_id: credits - charged[account_id] for account_id, credits in granted.items()}
    assert min(balances.values()) >= 0
    assert dict(rows(data, "SELECT account_id, SUM(credits) FROM ledger GROUP BY account_id")) == balances


def test_the_books_are_right_whatever_is_killed(tmp_path: Path) -> None:
    data, chance = tmp_path / "data", random.Random(2026)
    granted, accepted, keys = {"default": 1_000_000, "acme": 3000, "poor": 300}, list[str](), [KEY]
    for life in LIVES:
        with serving(data) as server:
            if len(keys) == 1:
                for account_id in ("acme", "poor"):
                    server.cli("accounts", "create", account_id, "--credits", str(granted[account_id]))
                    made = json.loads(server.cli("keys", "create", "--account", account_id, "--json"))
                    keys.append(made["key"])
            with stream(server, keys, chance, accepted):
                for _ in range(KILLS):
                    threading.Event().wait(chance.uniform(0.3, 1.2))
                    kill_one(server, chance)
            if life == "killed":
                server.kill()
            elif life == "left to end":
                until(lambda: not rows(data, LIVE), "every task has ended", 90)
    assert len(accepted) > ORDERS
    assert {task_id for (task_id,) in rows(data, "SELECT id FROM tasks")} >= set(accepted)
    assert {status for (status,) in rows(data, "SELECT status FROM tasks")} == {"succeeded", "rejected", "failed"}
    check_books(data, granted)
