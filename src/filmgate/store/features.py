"""Which features are on, as rows. Every process reads them anew whenever something in the database has changed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from ..domain.audit import Note
from ..domain.features import Feature
from ..ports import Clock
from .audit import add_note
from .memory import Memory
from .schema import features
from .sqlite import Database

_ALL = select(features.c.name, features.c.is_on)
_ADD = insert(features)
_REMOVE = delete(features).where(features.c.name == bindparam("of_name"))
_EVERYTHING = "features"


class SqlFeatureStore:
    """The FeatureStore of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: Memory[Mapping[Feature, bool]] = Memory(most=1)

    async def is_on(self, feature: Feature) -> bool:
        return (await self.all())[feature]

    async def all(self) -> Mapping[Feature, bool]:
        mark = self._database.mark()
        known = self._known.sure(_EVERYTHING, mark)
        if known is None:
            known = await self._database.read(_read)
            self._known.keep(_EVERYTHING, mark, known)
        return known

    async def set(self, feature: Feature, is_on: bool, actor: str) -> None:
        now = self._clock.now_ms()
        note = Note(now, actor, f"feature.{'on' if is_on else 'off'}", feature.value)
        row = {"name": feature.value, "is_on": is_on, "changed_ms": now}

        def work(connection: Connection) -> None:
            connection.execute(_REMOVE, {"of_name": feature.value})
            connection.execute(_ADD, row)
            add_note(connection, note)

        await self._database.write(work)


def _read(connection: Connection) -> Mapping[Feature, bool]:
    said = {row.name: row.is_on for row in connection.execute(_ALL)}
    return {each: bool(said.get(each.value, each.is_on_at_first)) for each in Feature}
