"""Who is there to do the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from ..ports import Clock
from .rows import json_text
from .schema import workers
from .sqlite import Database

_LIVE = select(workers.c.id, workers.c.engines, workers.c.resting).where(workers.c.until_ms > bindparam("of_now"))
_FORGET = delete(workers).where(workers.c.id == bindparam("of_id"))


class SqlWorkerStore:
    """The WorkerStore of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def announce(self, worker: str, engines: Sequence[str], until_ms: int, resting: Sequence[str] = ()) -> None:
        row = {
            "id": worker,
            "engines": json_text(list(engines)),
            "until_ms": until_ms,
            "resting": json_text(list(resting)),
        }

        def work(connection: Connection) -> None:
            connection.execute(_FORGET, {"of_id": worker})
            connection.execute(insert(workers), row)

        await self._database.write(work)

    async def withdraw(self, worker: str) -> None:
        await self._database.write(lambda connection: connection.execute(_FORGET, {"of_id": worker}))

    async def live(self) -> Mapping[str, Sequence[str]]:
        return {row.id: msgspec.json.decode(row.engines, type=list[str]) for row in await self._live()}

    async def resting(self) -> Mapping[str, Sequence[str]]:
        return {row.id: msgspec.json.decode(row.resting, type=list[str]) for row in await self._live()}

    async def _live(self) -> Sequence[Row[Any, Any, Any]]:
        now = {"of_now": self._clock.now_ms()}
        return await self._database.read(lambda connection: list(connection.execute(_LIVE, now)))
