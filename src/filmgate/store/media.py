"""Which tasks have stored files that nobody can download any more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select, update

from ..ports import Clock
from .rows import artifacts_of
from .schema import tasks
from .sqlite import Database

_EXPIRED = (
    select(tasks.c.id)
    .where(tasks.c.media_until_ms.is_not(None), tasks.c.media_until_ms <= bindparam("of_now"))
    .order_by(tasks.c.media_until_ms)
    .limit(bindparam("of_limit"))
)
_NEWEST = (
    select(tasks.c.artifacts)
    .where(tasks.c.media_until_ms > bindparam("of_now"))
    .order_by(tasks.c.media_until_ms.desc())
    .limit(bindparam("of_limit"))
)
_REMOVED = update(tasks).where(tasks.c.id == bindparam("of_id")).values(media_until_ms=None)


class SqlMediaStore:
    """The MediaStore of ``services/janitor.py`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def expired(self, limit: int) -> Sequence[str]:
        values = {"of_now": self._clock.now_ms(), "of_limit": limit}
        return await self._database.read_aside(lambda c: c.execute(_EXPIRED, values).scalars().all())

    async def newest(self, limit: int) -> Sequence[str]:
        values = {"of_now": self._clock.now_ms(), "of_limit": limit}
        lists = await self._database.read_aside(lambda c: c.execute(_NEWEST, values).scalars().all())
        return [artifact.key for text in lists for artifact in artifacts_of(text)]

    async def removed(self, task_ids: Sequence[str]) -> None:
        rows = [{"of_id": task_id} for task_id in task_ids]
        if rows:
            await self._database.write(lambda c: c.execute(_REMOVED, rows).close())
