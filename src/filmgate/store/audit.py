"""The audit log as rows. A note is added in the transaction of what it tells of: neither is there without the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select

from ..domain.audit import Note
from .database import Database
from .rows import json_text
from .schema import audit

_ADD = insert(audit).inline()  # nobody asks for its number
_DETAILS = msgspec.json.Decoder(dict[str, str | int | None])


def add_note(connection: Connection, note: Note) -> None:
    connection.execute(
        _ADD,
        {
            "at_ms": note.at_ms,
            "actor": note.actor,
            "action": note.action,
            "account_id": note.account_id,
            "subject": note.subject,
            "details": json_text(note.details),
        },
    )


class SqlAuditLog:
    """The AuditLog of ``ports`` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, *, account_id: str | None = None, limit: int = 50) -> Sequence[Note]:
        newest = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if account_id is not None:
            newest = newest.where(audit.c.account_id == account_id)
        return await self._database.read_aside(lambda c: [_note_of(row) for row in c.execute(newest)])


def _note_of(row: Row[Any]) -> Note:
    return Note(row.at_ms, row.actor, row.action, row.subject, row.account_id, _DETAILS.decode(row.details))
