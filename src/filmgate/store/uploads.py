"""Files that clients have sent: what is known of them; the bytes are in the storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from ..ports import Clock, Upload
from .database import Database
from .schema import uploads

_OF_KEY = select(uploads).where(uploads.c.account_id == bindparam("of_account"), uploads.c.key == bindparam("of_key"))
_STORED_BYTES = select(func.coalesce(func.sum(uploads.c.bytes), 0)).where(
    uploads.c.account_id == bindparam("of_account")
)
_REPLACED = (
    delete(uploads)
    .where(
        uploads.c.account_id == bindparam("of_account"),
        uploads.c.path == bindparam("of_path"),
        uploads.c.name == bindparam("of_name"),
    )
    .returning(uploads.c.key)
)
_FIRST_EXPIRED = (
    select(uploads.c.id)
    .where(uploads.c.expires_ms <= bindparam("of_now"))
    .order_by(uploads.c.expires_ms)
    .limit(bindparam("of_limit"))
)
_FORGET = delete(uploads).where(uploads.c.id.in_(_FIRST_EXPIRED)).returning(uploads)


class SqlUploadStore:
    """The UploadStore of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(self, upload: Upload) -> str | None:
        return await self._database.write(partial(_put, upload))

    async def get(self, account_id: str, key: str) -> Upload | None:
        of_file = {"of_account": account_id, "of_key": key}
        row = await self._database.read(lambda c: c.execute(_OF_KEY, of_file).one_or_none())
        return None if row is None else _upload_of(row)

    async def stored_bytes(self, account_id: str) -> int:
        of_account = {"of_account": account_id}
        return int(await self._database.read(lambda c: c.execute(_STORED_BYTES, of_account).scalar_one()))

    async def expired(self, limit: int) -> Sequence[Upload]:
        values = {"of_now": self._clock.now_ms(), "of_limit": limit}
        rows = await self._database.write(lambda c: c.execute(_FORGET, values).all())
        return sorted(map(_upload_of, rows), key=lambda upload: (upload.expires_ms, upload.id))


def _put(upload: Upload, connection: Connection) -> str | None:
    place = {"of_account": upload.account_id, "of_path": upload.path, "of_name": upload.name}
    replaced: str | None = connection.execute(_REPLACED, place).scalar_one_or_none()
    connection.execute(insert(uploads), asdict(upload))
    return replaced


def _upload_of(row: Row[Any]) -> Upload:
    return Upload(**row._mapping)
