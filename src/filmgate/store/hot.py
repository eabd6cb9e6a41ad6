"""The few statements that nearly every request needs, past SQLAlchemy where the database is SQLite.

They are written in Core like all the others, and compiled once. What SQLAlchemy does around an execution (a context, a
result, its rows) takes several times as long as SQLite takes for a statement that finds its row by an index, and an
order is six of them. On any other database, where the way there takes longer than both, SQLAlchemy executes them.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.selectable import Select

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    constants: Values  #: parameters that stand in the statement itself
    row: Callable[[Sequence[Any]], Any]


class Hot:
    """One statement. What it is given and what it returns must need no conversion but that of true and false to 1 and
    0, which come back as numbers; lists as parameters do."""

    def __init__(self, core: Select[Any] | UpdateBase | TextClause, columns: Sequence[str] | None = None) -> None:
        """``columns`` are those that an INSERT sets, where it does not set all. Plain text returns nothing."""
        self._core = core
        self._columns = columns

    def one(self, connection: Connection, values: Values) -> Any | None:
        """The only row that there can be, its columns as attributes."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._core, values).one_or_none()
        found = self._execute(connection, values).fetchall()
        return self._compiled.row(found[0]) if found else None

    def change(self, connection: Connection, values: Values) -> int:
        """How many rows were added or changed."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._core, values).rowcount
        return self._execute(connection, values).rowcount

    def _execute(self, connection: Connection, values: Values) -> sqlite3.Cursor:
        driver: Any = connection.connection.driver_connection
        compiled = self._compiled
        try:
            cursor: sqlite3.Cursor = driver.execute(compiled.sql, {**compiled.constants, **values})
        except sqlite3.IntegrityError as error:  # under the name that it has on every database
            raise IntegrityError(compiled.sql, None, error) from error
        return cursor

    @cached_property
    def _compiled(self) -> _Compiled:
        """Not at import: most programs that know of the store execute nothing."""
        compiled = self._core.compile(dialect=SQLiteDialect_pysqlite(paramstyle="named"), column_keys=self._columns)
        constants = {name: each.value for name, each in compiled.binds.items() if not each.required}
        columns = () if isinstance(self._core, TextClause) else self._core.exported_columns.keys()  # text: none
        names = [str(name) for name in columns]
        row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # names that are known once it is compiled
        return _Compiled(str(compiled), constants, row._make)
