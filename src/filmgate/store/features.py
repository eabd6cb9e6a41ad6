"""Which features are on, as rows. Every process reads them anew whenever something in the database has changed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from ..domain.audit import Note
from ..domain.features import Feature
from ..ports import Clock
from .audit import add_note
from .schema import features
from .sqlite import Database, driver_of

_ALL = select(features.c.name, features.c.is_on)
_ADD = insert(features)
_REMOVE = delete(features).where(features.c.name == bindparam("of_name"))


class SqlFeatureStore:
    """The FeatureStore of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: tuple[int, Mapping[Feature, bool]] | None = None

    async def is_on(self, feature: Feature) -> bool:
        return (await self.all())[feature]

    async def all(self) -> Mapping[Feature, bool]:
        return await self._database.read(self._read)

    def _read(self, connection: Connection) -> Mapping[Feature, bool]:
        """Asking SQLite whether anything was committed costs a fifth of reading the table again."""
        (version,) = driver_of(connection).execute("PRAGMA data_version").fetchone()
        if self._known is None or self._known[0] != version:
            said = {row.name: row.is_on for row in connection.execute(_ALL)}
            self._known = version, {each: bool(said.get(each.value, each.is_on_at_first)) for each in Feature}
        return self._known[1]

    async def set(self, feature: Feature, is_on: bool, actor: str) -> None:
        now = self._clock.now_ms()
        note = Note(now, actor, f"feature.{'on' if is_on else 'off'}", feature.value)
        row = {"name": feature.value, "is_on": is_on, "changed_ms": now}

        def work(connection: Connection) -> None:
            connection.execute(_REMOVE, {"of_name": feature.value})
            connection.execute(_ADD, row)
            add_note(connection, note)

        await self._database.write(work)
