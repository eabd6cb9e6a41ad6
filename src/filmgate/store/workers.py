"""Who is there to do the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, delete, select, text

from ..ports import Clock
from .database import Database
from .rows import json_text
from .schema import workers

_LIVE = select(workers.c.id, workers.c.engines, workers.c.resting).where(workers.c.until_ms > bindparam("of_now"))
_ANNOUNCE = text(
    "INSERT INTO workers (id, engines, until_ms, resting) VALUES (:id, :engines, :until_ms, :resting) "
    "ON CONFLICT (id) DO UPDATE SET engines = excluded.engines, until_ms = excluded.until_ms, "
    "resting = excluded.resting"
)
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

        await self._database.write(lambda connection: connection.execute(_ANNOUNCE, row).close())

    async def withdraw(self, worker: str) -> None:
        await self._database.write(lambda connection: connection.execute(_FORGET, {"of_id": worker}).close())

    async def live(self) -> Mapping[str, Sequence[str]]:
        return {row.id: msgspec.json.decode(row.engines, type=list[str]) for row in await self._live()}

    async def resting(self) -> Mapping[str, Sequence[str]]:
        return {row.id: msgspec.json.decode(row.resting, type=list[str]) for row in await self._live()}

    async def _live(self) -> Sequence[Row[Any, Any, Any]]:
        now = {"of_now": self._clock.now_ms()}
        return await self._database.read(lambda connection: list(connection.execute(_LIVE, now)))
