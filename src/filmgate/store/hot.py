"""The few statements that nearly every request needs, past SQLAlchemy.

They are written in Core like all the others, compiled once for the database that there is, and executed on its driver's
own connection. What SQLAlchemy does around an execution (a context, a result, its rows) takes several times as long as
SQLite takes for a statement that finds its row by an index, and half as long as PostgreSQL does; an order is four of
them.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import Select

Values = Mapping[str, Any]

_DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    "sqlite": lambda: SQLiteDialect_pysqlite(paramstyle="named"),
    "postgresql": PGDialect_psycopg,
}


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    constants: Values  #: parameters that stand in the statement itself
    row: Callable[[Sequence[Any]], Any]


class Hot:
    """One statement. What it is given and what it returns must need no conversion but that of true and false, which
    SQLite takes as 1 and 0, and which come back from there as numbers; lists as parameters do."""

    def __init__(self, core: Select[Any] | UpdateBase | TextClause, columns: Sequence[str] | None = None) -> None:
        """``columns`` are those that an INSERT sets, where it does not set all. Plain text returns nothing."""
        self._core = core
        self._columns = columns
        self._ready: dict[str, _Compiled] = {}

    def one(self, connection: Connection, values: Values) -> Any | None:
        """The only row that there can be, its columns as attributes."""
        compiled = self._compiled(connection)
        found = _execute(connection, compiled.sql, _given(compiled, values)).fetchall()
        return compiled.row(found[0]) if found else None

    def change(self, connection: Connection, values: Values) -> int:
        """How many rows were added or changed."""
        compiled = self._compiled(connection)
        changed: int = _execute(connection, compiled.sql, _given(compiled, values)).rowcount
        return changed

    def _compiled(self, connection: Connection) -> _Compiled:
        """Not at import: most programs that know of the store execute nothing."""
        name = connection.dialect.name
        if name not in self._ready:
            self._ready[name] = self._compile(_DIALECTS[name]())
        return self._ready[name]

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._core.compile(dialect=dialect, column_keys=self._columns)
        constants = {name: each.value for name, each in compiled.binds.items() if not each.required}
        columns = () if isinstance(self._core, TextClause) else self._core.exported_columns.keys()  # text: none
        names = [str(name) for name in columns]
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # names that are known once it is compiled
        return _Compiled(str(compiled), constants, row._make)


Change = tuple[Hot, Values]


def together(connection: Connection, changes: Sequence[Change]) -> None:
    """Changes none of which depends on another, or fails but for all of them: on PostgreSQL, where the way there and
    back is what takes long, by one statement. None may return rows."""
    if connection.dialect.name != "postgresql":
        for hot, values in changes:
            hot.change(connection, values)
        return
    given = {f"{number}_{name}": value for number, (_, values) in enumerate(changes) for name, value in values.items()}
    _execute(connection, _joined(tuple(hot for hot, _ in changes)), given)


@lru_cache(maxsize=16)
def _joined(hots: tuple[Hot, ...]) -> str:
    """One statement of several, the parameters of each under its number."""
    found = [hot._compile(_DIALECTS["postgresql"]()) for hot in hots]
    assert not any(each.constants for each in found)
    parts = [re.sub(r"%\((\w+)\)s", rf"%({number}_\1)s", each.sql) for number, each in enumerate(found)]
    before = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(parts[:-1]))
    return f"WITH {before} {parts[-1]}" if before else parts[-1]


def _given(compiled: _Compiled, values: Values) -> Values:
    return {**compiled.constants, **values} if compiled.constants else values


def _execute(connection: Connection, sql: str, values: Values) -> Any:
    driver: Any = connection.connection.driver_connection
    try:
        return driver.execute(sql, values)
    except connection.dialect.loaded_dbapi.IntegrityError as error:  # under the name that it has on every database
        raise IntegrityError(sql, None, error) from error
