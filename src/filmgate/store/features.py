"""Which features are on, as rows. Every process reads them anew whenever something in the database has changed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, text

from ..domain.audit import Note
from ..domain.features import Feature
from ..ports import Clock
from .audit import add_note
from .database import Database, Notice, Remembered
from .memory import Memory
from .schema import features

_ALL = select(features.c.name, features.c.is_on)
_SET = text(
    "INSERT INTO features (name, is_on, changed_ms) VALUES (:name, :is_on, :changed_ms) "
    "ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on, changed_ms = excluded.changed_ms"
)
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
        mark, known = self._database.mark(Remembered.FEATURES), self._known.last(_EVERYTHING)
        if known is not None and known.holds(mark):
            return known.value
        found = await self._database.read(_read)
        self._known.keep(_EVERYTHING, found, mark)
        return found

    async def set(self, feature: Feature, is_on: bool, actor: str) -> None:
        now = self._clock.now_ms()
        note = Note(now, actor, f"feature.{'on' if is_on else 'off'}", feature.value)
        row = {"name": feature.value, "is_on": is_on, "changed_ms": now}

        def work(connection: Connection) -> None:
            connection.execute(_SET, row)
            add_note(connection, note)

        await self._database.write(work, notice=Notice.FEATURES)


def _read(connection: Connection) -> Mapping[Feature, bool]:
    said = {row.name: row.is_on for row in connection.execute(_ALL)}
    return {each: bool(said.get(each.value, each.is_on_at_first)) for each in Feature}
