"""The audit log as rows. A note is added in the transaction of what it tells of: neither is there without the other."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from ..domain.audit import Note
from .rows import json_text
from .schema import audit

_ADD = insert(audit)


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
