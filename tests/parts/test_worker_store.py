"""Who is there to do the work, over a real file."""

from __future__ import annotations

from pathlib import Path

import pytest

from filmgate.store.workers import SqlWorkerStore
from support.storing import NOON, shelf

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_worker_is_there_until_its_time_is_up(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        workers = SqlWorkerStore(s.database, s.clock)
        assert await workers.live() == {}
        await workers.announce("w1", ["storyboard", "trial"], NOON + 100)
        await workers.announce("w2", [], NOON + 50)
        assert await workers.live() == {"w1": ["storyboard", "trial"], "w2": []}
        s.clock.ms += 50
        assert await workers.live() == {"w1": ["storyboard", "trial"]}


async def test_a_worker_speaks_for_itself_the_last_word_counts(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        workers = SqlWorkerStore(s.database, s.clock)
        await workers.announce("w1", ["storyboard"], NOON + 100)
        await workers.announce("w1", ["trial"], NOON + 200)
        await workers.announce("w2", ["trial"], NOON + 200)
        s.clock.ms += 150
        await workers.withdraw("w2")
        await workers.withdraw("never seen")
        assert await workers.live() == {"w1": ["trial"]}
