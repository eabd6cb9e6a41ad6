"""Accounts, their keys and their credits, and the secrets of the server. Each change is noted in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from ..domain.audit import SERVER, Note, changes, in_words
from ..domain.credits import Entry, EntryKind, Spent
from ..domain.errors import InsufficientCredits, InvalidRequest
from ..ports import Account, Caller, Clock, Key
from . import keys as of_keys
from .audit import add_note
from .database import Database, Notice, Remembered, Turn
from .hot import Change, Hot, together
from .memory import Memory
from .schema import accounts, keys, ledger, secrets

_CHANGE_BALANCE = (
    update(accounts)
    .where(accounts.c.id == bindparam("of_id"), accounts.c.balance + bindparam("of_credits") >= 0)
    .values(balance=accounts.c.balance + bindparam("of_credits"))
)
#: Nobody asks for its number.
_ADD_ENTRY = Hot(insert(ledger).inline(), ("account_id", "kind", "credits", "at_ms", "task_id", "note"))
_BALANCE = select(accounts.c.balance).where(accounts.c.id == bindparam("of_id"))
_ACCOUNT = select(accounts).where(accounts.c.id == bindparam("of_id"))
_ACCOUNT_LOCKED = _ACCOUNT.with_for_update()
_ADD_ACCOUNT = insert(accounts)
_CHANGE_ACCOUNT = update(accounts).where(accounts.c.id == bindparam("of_id"))
_CALLERS = 1024  #: remembered at once
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
    together(connection, [line_of(entry)])


def line_of(entry: Entry) -> Change:
    """The line alone, for who changes the balance in a statement of their own."""
    return (
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
    """The AccountStore of ``ports`` over a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._callers: Memory[of_keys.Good] = Memory(_CALLERS)  #: by digest

    # ------------------------------------------------------------ accounts

    async def create_account(
        self,
        account_id: str,
        label: str,
        *,
        credits: int = 0,
        weight: float = 1.0,
        max_running: int | None = None,
        by: str = SERVER,
    ) -> bool:
        account = Account(account_id, label, self._clock.now_ms(), 0, weight, max_running)
        return await self._database.write(lambda c: _create_account(c, account, credits, by), turn=Turn.ORDERS)

    async def account(self, account_id: str) -> Account:
        return await self._database.read(lambda c: _account(c, account_id))

    async def accounts(self) -> Sequence[Account]:
        everyone = select(accounts).order_by(accounts.c.created_ms, accounts.c.id)
        return await self._database.read_aside(lambda c: [_account_of(row) for row in c.execute(everyone)])

    async def change_account(self, account_id: str, change: Callable[[Account], Account], *, by: str) -> Account:
        def work(connection: Connection) -> Account:
            before = _account(connection, account_id, _ACCOUNT_LOCKED)
            after = change(before)
            connection.execute(_CHANGE_ACCOUNT, {"of_id": account_id} | _told(after))
            different = changes(_told(before), _told(after))
            note = Note(self._clock.now_ms(), by, "account.change", account_id, account_id, different)
            add_note(connection, note)
            return after

        return await self._database.write(work)

    # ------------------------------------------------------------ credits

    async def post(self, entry: Entry, *, by: str = SERVER) -> None:
        await self._database.write(lambda c: _post(c, entry, by))

    async def balance(self, account_id: str) -> int:
        return await self._database.read(lambda c: balance_of(c, account_id))

    async def entries(self, account_id: str, *, limit: int | None = None) -> Sequence[Entry]:
        newest = select(ledger).where(ledger.c.account_id == account_id).order_by(ledger.c.id.desc()).limit(limit)
        rows = await self._database.read_aside(lambda c: c.execute(newest).all())
        return [_entry_of(row) for row in reversed(rows)]

    # ------------------------------------------------------------ keys

    async def authenticate(self, digest: str) -> Caller | None:
        mark, now = self._database.mark(Remembered.KEYS), self._clock.now_ms()
        known = self._callers.last(digest)
        if known is not None and known.holds(mark) and now < known.value.until_ms:
            return known.value.caller
        row = await self._database.read(lambda c: of_keys.CALLER.one(c, {"of_digest": digest, "of_now": now}))
        if row is None:
            self._callers.forget(digest)
            return None
        good = of_keys.good_of(row)
        self._callers.keep(digest, good, mark)
        return good.caller

    async def create_key(self, key: Key, digest: str, *, by: str = SERVER) -> None:
        await self._database.write(lambda c: of_keys.add_key(c, key, digest, by), notice=Notice.KEYS)

    async def change_key(self, key_id: str, change: Callable[[Key], Key], *, by: str) -> Key:
        def work(connection: Connection) -> Key:
            before = of_keys.live_key(connection, key_id)
            after = change(before)
            of_keys.change_key(connection, before, after, self._note("key.change", before, by))
            return after

        return await self._database.write(work, notice=Notice.KEYS)

    async def rotate_key(self, key_id: str, digest: str, hint: str, overlap_ms: int, *, by: str) -> Key:
        def work(connection: Connection) -> Key:
            key = of_keys.live_key(connection, key_id)
            note = self._note("key.rotate", key, by, overlap_ms=overlap_ms)
            of_keys.rotate(connection, key, digest, hint, note.at_ms, overlap_ms)
            add_note(connection, note)
            return of_keys.live_key(connection, key_id)

        return await self._database.write(work, notice=Notice.KEYS)

    async def revoke_key(self, key_id: str, *, by: str = SERVER) -> bool:
        now = self._clock.now_ms()
        live = update(keys).where(keys.c.id == key_id, keys.c.revoked_ms.is_(None)).returning(keys.c.account_id)

        def work(connection: Connection) -> bool:
            account_id = connection.execute(live.values(revoked_ms=now)).scalar_one_or_none()
            if account_id is None:
                return False
            add_note(connection, Note(now, by, "key.revoke", key_id, account_id))
            return True

        return await self._database.write(work, notice=Notice.KEYS)

    async def keys(self, account_id: str | None = None) -> Sequence[Key]:
        wanted = of_keys.ALL if account_id is None else of_keys.ALL.where(keys.c.account_id == account_id)
        return await self._database.read_aside(lambda c: [of_keys.key_of(row) for row in c.execute(wanted)])

    async def spent(self) -> Mapping[str, Spent]:
        return await self._database.read_aside(lambda c: of_keys.spent(c, self._clock.now_ms()))

    async def note_uses(self, uses: Mapping[str, int]) -> None:
        if uses:
            await self._database.write(lambda c: of_keys.note_uses(c, uses))

    def _note(self, action: str, key: Key, by: str, **details: int) -> Note:
        return Note(self._clock.now_ms(), by, action, key.id, key.account_id, details)

    # ------------------------------------------------------------ the server itself

    async def secret(self, name: str, candidate: str) -> str:
        row = {"name": name, "value": candidate, "created_ms": self._clock.now_ms()}
        return await self._database.write(partial(_first_secret, row), turn=Turn.ORDERS)


def _create_account(connection: Connection, account: Account, credits: int, by: str) -> bool:
    if connection.execute(_BALANCE, {"of_id": account.id}).one_or_none() is not None:
        return False
    connection.execute(_ADD_ACCOUNT, {"id": account.id, "created_ms": account.created_ms} | _told(account))
    said = {name: in_words(value) for name, value in _told(account).items()}
    add_note(connection, Note(account.created_ms, by, "account.create", account.id, account.id, said))
    if credits:
        _post(connection, Entry(account.id, EntryKind.GRANT, credits, account.created_ms), by)
    return True


def _post(connection: Connection, entry: Entry, by: str) -> None:
    add_entry(connection, entry)
    said: dict[str, str | int | None] = {"credits": entry.credits, "note": entry.note}
    action = f"credits.{entry.kind.value}"
    add_note(connection, Note(entry.at_ms, by, action, entry.account_id, entry.account_id, said))


def _account(connection: Connection, account_id: str, which: Select[Any] = _ACCOUNT) -> Account:
    """Raises InvalidRequest if there is none."""
    row = connection.execute(which, {"of_id": account_id}).one_or_none()
    if row is None:
        raise InvalidRequest(f"There is no account {account_id!r}: see `filmgate accounts list`.")
    return _account_of(row)


def _first_secret(row: dict[str, Any], connection: Connection) -> str:
    known: str | None = connection.execute(_SECRET, {"of_name": row["name"]}).scalar_one_or_none()
    if known is not None:
        return known
    connection.execute(insert(secrets), row)
    return str(row["value"])


def _told(account: Account) -> dict[str, Any]:
    """What an operator can change of an account, by column."""
    return {"label": account.label, "weight": account.weight, "max_running": account.max_running}


def _account_of(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        label=row.label,
        created_ms=row.created_ms,
        balance=row.balance,
        weight=float(row.weight),
        max_running=row.max_running,
        live=row.live,
    )


def _entry_of(row: Row[Any]) -> Entry:
    return Entry(row.account_id, EntryKind(row.kind), row.credits, row.at_ms, row.task_id, row.note)
