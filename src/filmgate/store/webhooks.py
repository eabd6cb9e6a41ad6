"""What the callbacks of an account are signed with, sealed where the operator has set a key: see ``sealing.py``."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from ..domain.audit import SERVER, Note
from ..domain.errors import InvalidRequest
from ..ports import Clock, HeldSecret, WebhookSecrets
from .accounts import balance_of
from .audit import add_note
from .database import Database
from .schema import accounts, webhook_secrets
from .sealing import Seal, SecretSealed, is_sealed

log = logging.getLogger("filmgate.store")

KINDS = ("vendor", "standard")

_OF_KIND = (
    webhook_secrets.c.account_id == bindparam("of_account"),
    webhook_secrets.c.kind == bindparam("of_kind"),
)
_GOOD = (
    select(webhook_secrets)
    .where(
        webhook_secrets.c.account_id == bindparam("of_account"),
        or_(webhook_secrets.c.until_ms.is_(None), webhook_secrets.c.until_ms > bindparam("of_now")),
    )
    .order_by(webhook_secrets.c.id.desc())
)
_LOCK = select(accounts.c.id).where(accounts.c.id == bindparam("of_account")).with_for_update()
_FORGET = delete(webhook_secrets).where(*_OF_KIND)
_FORGET_RUN_OUT = _FORGET.where(webhook_secrets.c.until_ms <= bindparam("of_now"))
_REPLACE = update(webhook_secrets).where(*_OF_KIND, webhook_secrets.c.until_ms.is_(None))
_ADD = insert(webhook_secrets).inline()
_ALL = select(webhook_secrets)
_RESEAL = update(webhook_secrets).where(webhook_secrets.c.id == bindparam("of_id"))
_IN_CLEAR = Seal(None)


class SqlWebhookStore:
    """The WebhookStore of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock, seal: Seal = _IN_CLEAR) -> None:
        self._database = database
        self._clock = clock
        self._seal = seal

    async def secrets(self, account_id: str) -> WebhookSecrets:
        rows = await self._good(account_id)
        return WebhookSecrets(**{kind: tuple(self._opened(rows, kind)) for kind in KINDS})

    async def held(self, account_id: str) -> Sequence[HeldSecret]:
        return [HeldSecret(row.kind, is_sealed(row.secret)) for row in await self._good(account_id)]

    async def rotate(self, account_id: str, kind: str, secret: str, overlap_ms: int, *, by: str = SERVER) -> None:
        now = self._clock.now_ms()
        stored = self._seal.close(secret, place_of(account_id, _known(kind)))
        row = {"account_id": account_id, "kind": kind, "secret": stored, "created_ms": now}
        note = Note(now, by, "webhook.rotate", kind, account_id, {"overlap_ms": overlap_ms})
        await self._database.write(partial(_rotate, row, now + overlap_ms, note))

    async def remove(self, account_id: str, kind: str, *, by: str = SERVER) -> None:
        of_kind = {"of_account": account_id, "of_kind": _known(kind)}
        note = Note(self._clock.now_ms(), by, "webhook.remove", kind, account_id)

        def work(connection: Connection) -> None:
            if connection.execute(_FORGET, of_kind).rowcount:
                add_note(connection, note)

        await self._database.write(work)

    async def seal(self) -> int:
        return await self._database.write(self._seal_all) if self._seal.closes else 0

    async def _good(self, account_id: str) -> Sequence[Row[Any]]:
        values = {"of_account": account_id, "of_now": self._clock.now_ms()}
        return await self._database.read(lambda c: c.execute(_GOOD, values).all())

    def _opened(self, rows: Sequence[Row[Any]], kind: str) -> Iterator[str]:
        """Those of one kind. An older one that cannot be opened is left out: it is being replaced, maybe for that."""
        for number, row in enumerate(row for row in rows if row.kind == kind):
            try:
                yield self._seal.open(row.secret, place_of(row.account_id, kind))
            except SecretSealed:
                if number == 0:
                    raise
                log.warning("account=%s event=secret_sealed kind=%s: an older one signs no more", row.account_id, kind)

    def _seal_all(self, connection: Connection) -> int:
        clear = [row for row in connection.execute(_ALL).all() if not is_sealed(row.secret)]
        for row in clear:
            place = place_of(row.account_id, row.kind)
            stored = self._seal.close(self._seal.open(row.secret, place), place)
            connection.execute(_RESEAL, {"of_id": row.id, "secret": stored})
            add_note(connection, Note(self._clock.now_ms(), SERVER, "webhook.seal", row.kind, row.account_id))
        return len(clear)


def place_of(account_id: str, kind: str) -> str:
    """Whose secret it is, as it is sealed in with it."""
    return f"{account_id}/{kind}"


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise InvalidRequest(f"There is no webhook secret of kind {kind!r}: the kinds are {' and '.join(KINDS)}.")
    return kind


def _rotate(row: dict[str, Any], until_ms: int, note: Note, connection: Connection) -> None:
    balance_of(connection, row["account_id"])  # says so where there is no such account
    connection.execute(_LOCK, {"of_account": row["account_id"]})  # one replaces after the other
    of_kind = {"of_account": row["account_id"], "of_kind": row["kind"]}
    connection.execute(_REPLACE, of_kind | {"until_ms": until_ms})
    connection.execute(_FORGET_RUN_OUT, of_kind | {"of_now": row["created_ms"]})
    connection.execute(_ADD, row)
    add_note(connection, note)
