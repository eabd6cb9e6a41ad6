"""``python -m support.hammer``: one of several processes that use one database at once, as fast as they can.

It says "ready", waits for a line, does what its job says, and prints what came of it as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filmgate.domain.credits import Caps
from filmgate.domain.errors import RequestError
from filmgate.domain.limits import Limits
from filmgate.store.database import Database
from filmgate.store.tasks import SqlTaskStore

from .storing import FILM, MODELS, NOON, opened, order


@dataclass(frozen=True)
class Job:
    address: str
    work: str  #: "submit", or "claim": until there is nothing more
    tries: int = 0
    haste: int = 0  #: how much faster than the world the clock runs; 0 stands still
    accounts: tuple[str, ...] = ("default",)
    limits: Limits = field(default_factory=Limits)
    caps: Caps = field(default_factory=Caps)
    keep: bool = False  #: whether claimed tasks go on running


class HastyClock:
    """The same in every process."""

    def __init__(self, haste: int) -> None:
        self._haste = haste

    def now_ms(self) -> int:
        return NOON + time.time_ns() // 1_000_000 * self._haste

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def together(job: Job, count: int) -> list[dict[str, Any]]:
    """The same job in several processes at the same moment; what came of each."""
    started = [await _start(job) for _ in range(count)]
    for process in started:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(process.communicate(b"go\n") for process in started))
    assert [process.returncode for process in started] == [0] * count
    return [json.loads(answer) for answer, _ in answers]


async def _start(job: Job) -> asyncio.subprocess.Process:
    tests = str(Path(__file__).parents[1])
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "support.hammer", json.dumps(asdict(job)))
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=os.environ | {"PYTHONPATH": tests}
    )


async def _main(said: dict[str, Any]) -> None:
    job = Job(**{**said, "limits": Limits(**said["limits"]), "caps": Caps(**said["caps"])})
    async with opened(job.address) as database:
        store = SqlTaskStore(database, HastyClock(job.haste), limits=job.limits)
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(await (_submit if job.work == "submit" else _claim)(job, store, database)))


async def _submit(job: Job, store: SqlTaskStore, database: Database) -> dict[str, int]:
    """What was answered how often; eight orders are under way at a time."""
    answers: Counter[str] = Counter()
    numbers = iter(range(job.tries))

    async def one_by_one() -> None:
        for number in numbers:
            account = job.accounts[number % len(job.accounts)]
            try:
                await store.submit(order(account=account, task_id=os.urandom(16).hex()), job.caps)
                answers["taken"] += 1
            except RequestError as error:
                answers[error.slug] += 1

    await asyncio.gather(*(one_by_one() for _ in range(8)))
    return answers


async def _claim(job: Job, store: SqlTaskStore, database: Database) -> dict[str, int]:
    """The most tasks that were ever seen running, of an account and of a key, and how many were claimed here."""
    seen = {"of_account": 0, "of_key": 0, "claimed": 0}
    worker = f"worker-{os.getpid()}"
    while await store.waiting_time() is not None:
        lease = await store.claim(worker, 30_000, MODELS)
        for name, column in (("of_account", "account_id"), ("of_key", "key_id")):
            seen[name] = max(seen[name], await _most_running(database, column))
        if lease is None and job.keep:
            break
        if lease is not None:
            seen["claimed"] += 1
            if not job.keep:
                await store.succeed(lease, [FILM], engine="storyboard", state=b"")
    return seen


async def _most_running(database: Database, column: str) -> int:
    counts = f"SELECT count(*) AS n FROM tasks WHERE status = 'running' GROUP BY {column}"
    most = f"SELECT coalesce(max(n), 0) FROM ({counts})"
    return int(await database.read(lambda c: c.exec_driver_sql(most).scalar_one()))


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
