"""API keys as rows, and the secrets by which they are recognised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, case, delete, func, insert, or_, select, update

from ..domain.audit import Note, changes
from ..domain.credits import Caps, Spent
from ..domain.errors import InvalidRequest
from ..domain.limits import day_of, hour_of
from ..ports import Caller, Key
from .audit import add_note
from .hot import Hot
from .rows import addresses_of, edition_of, json_text
from .schema import key_secrets, key_spending, keys

_NOW: BindParameter[int] = bindparam("of_now")
_UNTIL: BindParameter[int] = bindparam("of_until")
#: With the end of the secret itself: the key may last longer.
CALLER = Hot(
    select(keys, key_secrets.c.until_ms)
    .join_from(key_secrets, keys, keys.c.id == key_secrets.c.key_id)
    .where(
        key_secrets.c.digest == bindparam("of_digest"),
        keys.c.revoked_ms.is_(None),
        or_(key_secrets.c.until_ms.is_(None), key_secrets.c.until_ms > _NOW),
        or_(keys.c.expires_ms.is_(None), keys.c.expires_ms > _NOW),
    )
)
ALL = select(keys).order_by(keys.c.created_ms, keys.c.id)
_LIVE = select(keys).where(keys.c.id == bindparam("of_id"), keys.c.revoked_ms.is_(None)).with_for_update()
_CHANGE = update(keys).where(keys.c.id == bindparam("of_id"))
_USED = _CHANGE.values(last_used_ms=bindparam("last_used_ms"))
_ADD = insert(keys)
_ADD_SECRET = insert(key_secrets)
_OF_KEY = key_secrets.c.key_id == bindparam("of_id")
_END_SECRETS = (
    update(key_secrets)
    .where(_OF_KEY, or_(key_secrets.c.until_ms.is_(None), key_secrets.c.until_ms > _UNTIL))
    .values(until_ms=_UNTIL)
)
_FORGET_ENDED = delete(key_secrets).where(_OF_KEY, key_secrets.c.until_ms <= _NOW)


def _since(moment: str) -> Any:
    return func.sum(case((key_spending.c.hour_ms >= bindparam(moment), key_spending.c.credits), else_=0))


_SPENT = select(
    key_spending.c.key_id,
    _since("of_hour").label("hour"),
    _since("of_day").label("day"),
    func.sum(key_spending.c.credits).label("total"),
).group_by(key_spending.c.key_id)


def add_key(connection: Connection, key: Key, digest: str, actor: str) -> None:
    connection.execute(_ADD, row_of(key))
    connection.execute(_ADD_SECRET, {"digest": digest, "key_id": key.id, "created_ms": key.created_ms})
    said = {name: word for name, word in _told(key).items() if word not in (None, "")}
    add_note(connection, Note(key.created_ms, actor, "key.create", key.id, key.account_id, said))


def live_key(connection: Connection, key_id: str) -> Key:
    """Raises InvalidRequest where there is no such key, or it is revoked."""
    row = connection.execute(_LIVE, {"of_id": key_id}).one_or_none()
    if row is None:
        raise InvalidRequest(f"There is no live key {key_id!r}: see `filmgate keys list`.")
    return key_of(row)


def change_key(connection: Connection, before: Key, after: Key, note: Note) -> None:
    """``note`` is completed with what is different."""
    row = row_of(after)
    connection.execute(_CHANGE, {"of_id": before.id} | {name: row[name] for name in _CHANGEABLE})
    different = changes(_told(before), _told(after))
    add_note(connection, Note(note.at_ms, note.actor, note.action, before.id, before.account_id, different))


def rotate(connection: Connection, key: Key, digest: str, hint: str, now_ms: int, overlap_ms: int) -> None:
    """Older secrets end when the overlap does, unless they end before; what has ended is forgotten."""
    of_key = {"of_id": key.id}
    connection.execute(_END_SECRETS, of_key | {"of_until": now_ms + overlap_ms})
    connection.execute(_FORGET_ENDED, of_key | {"of_now": now_ms})
    connection.execute(_ADD_SECRET, {"digest": digest, "key_id": key.id, "created_ms": now_ms})
    connection.execute(_CHANGE, of_key | {"hint": hint})


def spent(connection: Connection, now_ms: int) -> Mapping[str, Spent]:
    since = {"of_hour": hour_of(now_ms), "of_day": day_of(now_ms)}
    return {row.key_id: Spent(row.hour, row.day, row.total) for row in connection.execute(_SPENT, since)}


def note_uses(connection: Connection, uses: Mapping[str, int]) -> None:
    """In the order of their ids, so that two who do this wait for each other, and not both."""
    connection.execute(_USED, [{"of_id": key_id, "last_used_ms": at_ms} for key_id, at_ms in sorted(uses.items())])


# ---------------------------------------------------------------- rows --------------------------------------------

_CHANGEABLE = (
    *("label", "edition", "revoked_ms", "expires_ms"),
    *("hourly_cap", "daily_cap", "total_cap", "max_running", "addresses", "priority"),
)


def row_of(key: Key) -> dict[str, Any]:
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


@dataclass(frozen=True, slots=True)
class Good:
    """Who may use a key, and until when if nobody changes anything before."""

    caller: Caller
    until_ms: float


def good_of(row: Any) -> Good:
    """Of a row of ``CALLER``."""
    return Good(_caller_of(row), min(row.until_ms or math.inf, row.expires_ms or math.inf))


def _caller_of(row: Any) -> Caller:
    addresses = addresses_of(row.addresses)
    return Caller(row.account_id, row.id, edition_of(row.edition), _caps_of(row), addresses, row.priority)


def key_of(row: Row[Any]) -> Key:
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


def _caps_of(row: Any) -> Caps:
    return Caps(row.hourly_cap, row.daily_cap, row.total_cap)


def _told(key: Key) -> dict[str, str | int | None]:
    """What the audit log says of a key."""
    return {
        "label": key.label,
        "edition": ", ".join(f"{name}={value}" for name, value in sorted(key.edition.items())),
        "expires": _when(key.expires_ms),
        "hourly_cap": key.caps.hourly,
        "daily_cap": key.caps.daily,
        "total_cap": key.caps.total,
        "max_running": key.max_running,
        "addresses": ", ".join(key.addresses),
        "priority": key.priority or None,
    }


def _when(ms: int | None) -> str | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
