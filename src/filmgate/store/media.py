"""Which tasks have stored files that nobody can download any more, and which are to be forgotten altogether."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, exists, literal_column, select, update

from ..domain.audit import Note
from ..ports import Clock
from .audit import add_note
from .database import Database
from .rows import artifacts_of
from .schema import callbacks, tasks

_EXPIRED = (
    select(tasks.c.id)
    .where(tasks.c.media_until_ms.is_not(None), tasks.c.media_until_ms <= bindparam("of_now"))
    .order_by(tasks.c.media_until_ms)
    .limit(bindparam("of_limit"))
)
_DISCARD = (
    update(tasks)
    .where(tasks.c.id == bindparam("of_id"), tasks.c.ended_ms.is_not(None))
    .values(artifacts="[]", media_until_ms=0)
    .returning(tasks.c.account_id)
)
_POSTPONE = update(tasks).where(tasks.c.id == bindparam("of_id")).values(media_until_ms=bindparam("of_until"))
_NAMED = select(tasks.c.ended_ms, tasks.c.artifacts).where(tasks.c.id == bindparam("of_id"))
_NEWEST = (
    select(tasks.c.artifacts)
    .where(tasks.c.media_until_ms > bindparam("of_now"))
    .order_by(tasks.c.media_until_ms.desc())
    .limit(bindparam("of_limit"))
)
_REMOVED = update(tasks).where(tasks.c.id == bindparam("of_id")).values(media_until_ms=None)
_STILL_TOLD = exists(
    select(callbacks.c.id).where(callbacks.c.task_id == tasks.c.id, callbacks.c.state == literal_column("'pending'"))
)
_PAST = (tasks.c.ended_ms <= bindparam("of_until"), tasks.c.media_until_ms.is_(None), ~_STILL_TOLD)
_OUTDATED = select(tasks.c.id).where(*_PAST).order_by(tasks.c.ended_ms).limit(bindparam("of_limit"))
#: State, callbacks and deliveries go with the task; the ledger knows its id and stays.
_FORGET = delete(tasks).where(tasks.c.id == bindparam("of_id"), *_PAST)


class SqlMediaStore:
    """The MediaStore of ``services/janitor.py`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def expired(self, limit: int) -> Sequence[str]:
        values = {"of_now": self._clock.now_ms(), "of_limit": limit}
        return await self._database.read_aside(lambda c: c.execute(_EXPIRED, values).scalars().all())

    async def discard(self, task_id: str, *, by: str | None = None) -> None:
        def work(connection: Connection) -> None:
            account_id = connection.execute(_DISCARD, {"of_id": task_id}).scalar_one_or_none()
            if by is not None and account_id is not None:
                add_note(connection, Note(self._clock.now_ms(), by, "task.delete_media", task_id, account_id))

        await self._database.write(work)

    async def wants(self, task_id: str, key: str) -> bool:
        row = await self._database.read_aside(lambda c: c.execute(_NAMED, {"of_id": task_id}).one_or_none())
        if row is None:
            return False
        return row.ended_ms is None or any(artifact.key == key for artifact in artifacts_of(row.artifacts))

    async def newest(self, limit: int) -> Sequence[str]:
        values = {"of_now": self._clock.now_ms(), "of_limit": limit}
        lists = await self._database.read_aside(lambda c: c.execute(_NEWEST, values).scalars().all())
        return [artifact.key for text in lists for artifact in artifacts_of(text)]

    async def removed(self, task_ids: Sequence[str]) -> None:
        rows = [{"of_id": task_id} for task_id in task_ids]
        if rows:
            await self._database.write(lambda c: c.execute(_REMOVED, rows).close())

    async def postpone(self, task_ids: Sequence[str], until_ms: int) -> None:
        rows = [{"of_id": task_id, "of_until": until_ms} for task_id in task_ids]
        if rows:
            await self._database.write(lambda c: c.execute(_POSTPONE, rows).close())

    async def outdated(self, until_ms: int, limit: int) -> Sequence[str]:
        values = {"of_until": until_ms, "of_limit": limit}
        return await self._database.read_aside(lambda c: c.execute(_OUTDATED, values).scalars().all())

    async def forget(self, task_ids: Sequence[str], until_ms: int) -> int:
        def work(connection: Connection) -> int:
            return sum(connection.execute(_FORGET, {"of_id": each, "of_until": until_ms}).rowcount for each in task_ids)

        return await self._database.write(work) if task_ids else 0
