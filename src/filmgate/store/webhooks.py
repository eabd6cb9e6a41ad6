"""What the callbacks of an account are signed with. The secrets are stored as they are: see ``schema.py``."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from ..domain.errors import InvalidRequest
from ..ports import Clock, WebhookSecrets
from .accounts import balance_of
from .schema import webhook_secrets
from .sqlite import Database

KINDS = ("vendor", "standard")

_OF_KIND = (
    webhook_secrets.c.account_id == bindparam("of_account"),
    webhook_secrets.c.kind == bindparam("of_kind"),
)
_GOOD = (
    select(webhook_secrets.c.kind, webhook_secrets.c.secret)
    .where(
        webhook_secrets.c.account_id == bindparam("of_account"),
        or_(webhook_secrets.c.until_ms.is_(None), webhook_secrets.c.until_ms > bindparam("of_now")),
    )
    .order_by(webhook_secrets.c.id.desc())
)
_FORGET = delete(webhook_secrets).where(*_OF_KIND)
_FORGET_RUN_OUT = _FORGET.where(webhook_secrets.c.until_ms <= bindparam("of_now"))
_REPLACE = update(webhook_secrets).where(*_OF_KIND, webhook_secrets.c.until_ms.is_(None))
_ADD = insert(webhook_secrets)


class SqlWebhookStore:
    """The WebhookStore of ``ports.py`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def secrets(self, account_id: str) -> WebhookSecrets:
        values = {"of_account": account_id, "of_now": self._clock.now_ms()}
        rows = self._database.read(lambda c: c.execute(_GOOD, values).all())
        return WebhookSecrets(
            vendor=tuple(row.secret for row in rows if row.kind == "vendor"),
            standard=tuple(row.secret for row in rows if row.kind == "standard"),
        )

    async def rotate(self, account_id: str, kind: str, secret: str, overlap_ms: int) -> None:
        now = self._clock.now_ms()
        row = {"account_id": account_id, "kind": _known(kind), "secret": secret, "created_ms": now}
        await self._database.write(partial(_rotate, row, now + overlap_ms))

    async def remove(self, account_id: str, kind: str) -> None:
        of_kind = {"of_account": account_id, "of_kind": _known(kind)}
        await self._database.write(lambda c: c.execute(_FORGET, of_kind).close())


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise InvalidRequest(f"There is no webhook secret of kind {kind!r}: the kinds are {' and '.join(KINDS)}.")
    return kind


def _rotate(row: dict[str, Any], until_ms: int, connection: Connection) -> None:
    balance_of(connection, row["account_id"])  # says so where there is no such account
    of_kind = {"of_account": row["account_id"], "of_kind": row["kind"]}
    connection.execute(_REPLACE, of_kind | {"until_ms": until_ms})
    connection.execute(_FORGET_RUN_OUT, of_kind | {"of_now": row["created_ms"]})
    connection.execute(_ADD, row)
