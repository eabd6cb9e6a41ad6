"""Accounts, their keys and their credits, and the secrets of the server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, insert, or_, select, update

from ..domain.credits import Caps, Entry, EntryKind
from ..domain.errors import InsufficientCredits, InvalidRequest
from ..ports import Caller, Clock, Key
from .rows import addresses_of, edition_of, json_text
from .schema import accounts, key_secrets, keys, ledger, secrets
from .sqlite import Database

_CHANGE_BALANCE = (
    update(accounts)
    .where(accounts.c.id == bindparam("of_id"), accounts.c.balance + bindparam("of_credits") >= 0)
    .values(balance=accounts.c.balance + bindparam("of_credits"))
)
_ADD_ENTRY = insert(ledger)
_BALANCE = select(accounts.c.balance).where(accounts.c.id == bindparam("of_id"))
_NOW: BindParameter[int] = bindparam("of_now")
_CALLER = (
    select(keys)
    .join_from(key_secrets, keys, keys.c.id == key_secrets.c.key_id)
    .where(
        key_secrets.c.digest == bindparam("of_digest"),
        keys.c.revoked_ms.is_(None),
        or_(key_secrets.c.until_ms.is_(None), key_secrets.c.until_ms > _NOW),
        or_(keys.c.expires_ms.is_(None), keys.c.expires_ms > _NOW),
    )
)
_SECRET = select(secrets.c.value).where(secrets.c.name == bindparam("of_name"))


def add_entry(connection: Connection, entry: Entry) -> None:
    """One line of the ledger and the balance that follows from it.

    Raises InsufficientCredits if the balance would fall below zero, InvalidRequest if there is no such account.
    """
    if entry.credits:
        change = {"of_id": entry.account_id, "of_credits": entry.credits}
        if connection.execute(_CHANGE_BALANCE, change).rowcount != 1:
            raise InsufficientCredits(
                f"This needs {-entry.credits} credits and the account has {balance_of(connection, entry.account_id)}."
            )
    add_line(connection, entry)


def add_line(connection: Connection, entry: Entry) -> None:
    """The line alone, for who changes the balance in a statement of their own."""
    connection.execute(
        _ADD_ENTRY,
        {
            "account_id": entry.account_id,
            "kind": entry.kind.value,
            "credits": entry.credits,
            "at_ms": entry.at_ms,
            "task_id": entry.task_id,
            "note": entry.note,
        },
    )


def balance_of(connection: Connection, account_id: str) -> int:
    """Raises InvalidRequest if there is no such account."""
    balance = connection.execute(_BALANCE, {"of_id": account_id}).scalar_one_or_none()
    if balance is None:
        raise InvalidRequest(f"There is no account {account_id!r}.")
    return int(balance)


class SqlAccountStore:
    """The AccountStore of ``ports.py`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def authenticate(self, digest: str) -> Caller | None:
        values = {"of_digest": digest, "of_now": self._clock.now_ms()}
        row = self._database.read(lambda c: c.execute(_CALLER, values).one_or_none())
        return None if row is None else _caller_of(row)

    async def create_account(self, account_id: str, label: str) -> bool:
        row = {"id": account_id, "label": label, "created_ms": self._clock.now_ms()}
        return await self._database.write(partial(_create_account, row))

    async def create_key(self, key: Key, digest: str) -> None:
        def work(connection: Connection) -> None:
            connection.execute(insert(keys), _row_of_key(key))
            connection.execute(insert(key_secrets), {"digest": digest, "key_id": key.id, "created_ms": key.created_ms})

        await self._database.write(work)

    async def revoke_key(self, key_id: str) -> bool:
        live = update(keys).where(keys.c.id == key_id, keys.c.revoked_ms.is_(None))
        revoked = live.values(revoked_ms=self._clock.now_ms())
        return await self._database.write(lambda c: c.execute(revoked).rowcount == 1)

    async def keys(self, account_id: str | None = None) -> Sequence[Key]:
        wanted = select(keys).order_by(keys.c.created_ms, keys.c.id)
        if account_id is not None:
            wanted = wanted.where(keys.c.account_id == account_id)
        return await self._database.read_aside(lambda c: [_key_of(row) for row in c.execute(wanted)])

    async def post(self, entry: Entry) -> None:
        await self._database.write(lambda c: add_entry(c, entry))

    async def balance(self, account_id: str) -> int:
        return self._database.read(lambda c: balance_of(c, account_id))

    async def entries(self, account_id: str) -> Sequence[Entry]:
        wanted = select(ledger).where(ledger.c.account_id == account_id).order_by(ledger.c.id)
        return await self._database.read_aside(lambda c: [_entry_of(row) for row in c.execute(wanted)])

    async def secret(self, name: str, candidate: str) -> str:
        row = {"name": name, "value": candidate, "created_ms": self._clock.now_ms()}
        return await self._database.write(partial(_first_secret, row))


def _create_account(row: dict[str, Any], connection: Connection) -> bool:
    if connection.execute(_BALANCE, {"of_id": row["id"]}).one_or_none() is not None:
        return False
    connection.execute(insert(accounts), row)
    return True


def _first_secret(row: dict[str, Any], connection: Connection) -> str:
    known: str | None = connection.execute(_SECRET, {"of_name": row["name"]}).scalar_one_or_none()
    if known is not None:
        return known
    connection.execute(insert(secrets), row)
    return str(row["value"])


def _row_of_key(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "account_id": key.account_id,
        "label": key.label,
        "hint": key.hint,
        "edition": json_text(key.edition),
        "created_ms": key.created_ms,
        "revoked_ms": key.revoked_ms,
        "expires_ms": key.expires_ms,
        "last_used_ms": key.last_used_ms,
        "hourly_cap": key.caps.hourly,
        "daily_cap": key.caps.daily,
        "total_cap": key.caps.total,
        "max_running": key.max_running,
        "addresses": json_text(key.addresses),
        "priority": key.priority,
    }


def _caps_of(row: Row[Any]) -> Caps:
    return Caps(row.hourly_cap, row.daily_cap, row.total_cap)


def _caller_of(row: Row[Any]) -> Caller:
    return Caller(
        row.account_id, row.id, edition_of(row.edition), _caps_of(row), addresses_of(row.addresses), row.priority
    )


def _key_of(row: Row[Any]) -> Key:
    return Key(
        id=row.id,
        account_id=row.account_id,
        label=row.label,
        hint=row.hint,
        created_ms=row.created_ms,
        revoked_ms=row.revoked_ms,
        edition=edition_of(row.edition),
        expires_ms=row.expires_ms,
        last_used_ms=row.last_used_ms,
        caps=_caps_of(row),
        max_running=row.max_running,
        addresses=addresses_of(row.addresses),
        priority=row.priority,
    )


def _entry_of(row: Row[Any]) -> Entry:
    return Entry(row.account_id, EntryKind(row.kind), row.credits, row.at_ms, row.task_id, row.note)
