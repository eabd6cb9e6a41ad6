"""How keys are told at the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..domain.credits import Spent
from .tables import Row, moment, show_table

if TYPE_CHECKING:
    from ..ports import Key

UNSPENT = Spent()


@dataclass(frozen=True, slots=True)
class Told:
    """A key, what it has spent, and what time it is."""

    key: Key
    spent: Spent
    now_ms: int

    @property
    def state(self) -> str:
        if self.key.revoked_ms is not None:
            return "revoked"
        return "expired" if self.key.expires_ms is not None and self.key.expires_ms <= self.now_ms else "live"


def told_of(found: Sequence[Key], spent: Mapping[str, Spent], now_ms: int) -> list[Told]:
    return [Told(key, spent.get(key.id, UNSPENT), now_ms) for key in found]


def show_keys(found: Sequence[Told]) -> None:
    heads = ("id", "key", "account", "label", "state", "spent", "last used")
    show_table(heads, [_row(each) for each in found])


def facts(told: Told) -> dict[str, Any]:
    key, spent = told.key, told.spent
    return {
        "id": key.id,
        "hint": key.hint,
        "account": key.account_id,
        "label": key.label,
        "state": told.state,
        "created": moment(key.created_ms),
        "revoked": _moment(key.revoked_ms),
        "expires": _moment(key.expires_ms),
        "lastUsed": _moment(key.last_used_ms),
        "caps": {"hour": key.caps.hourly, "day": key.caps.daily, "total": key.caps.total},
        "spent": {"hour": spent.hour, "day": spent.day, "total": spent.total},
        "maxRunning": key.max_running,
        "priority": key.priority,
        "addresses": list(key.addresses),
        "edition": dict(key.edition),
    }


def _row(told: Told) -> Row:
    key = told.key
    last = "-" if key.last_used_ms is None else moment(key.last_used_ms)
    cells = (key.id, f"{key.hint}...", key.account_id, key.label or "-", told.state, str(told.spent.total), last)
    return Row(cells, dim=told.state != "live")


def lines(told: Told) -> list[tuple[str, str]]:
    key, spent = told.key, told.spent
    caps = key.caps
    return [
        ("key", f"{key.id}, {key.hint}..., {told.state}"),
        ("label", key.label),
        ("account", key.account_id),
        ("created", moment(key.created_ms)),
        ("revoked", _moment(key.revoked_ms) or ""),
        ("expires", _moment(key.expires_ms) or "never"),
        ("last used", _moment(key.last_used_ms) or "not yet"),
        ("this hour", _of_cap(spent.hour, caps.hourly)),
        ("today", _of_cap(spent.day, caps.daily)),
        ("in all", _of_cap(spent.total, caps.total)),
        ("running", "as the account" if key.max_running is None else f"{key.max_running} at most"),
        ("priority", str(key.priority)),
        ("from", ", ".join(key.addresses) or "everywhere"),
        ("edition", ", ".join(f"{name}={value}" for name, value in key.edition.items())),
    ]


def _of_cap(spent: int, cap: int | None) -> str:
    return f"{spent} credits spent" if cap is None else f"{spent} of {cap} credits spent"


def _moment(ms: int | None) -> str | None:
    return None if ms is None else moment(ms)
