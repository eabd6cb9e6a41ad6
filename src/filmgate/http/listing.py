"""What is asked when somebody looks through their tasks: filters, how many at once, and where to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ..domain.errors import InvalidRequest
from ..domain.listing import Sought
from ..domain.spec import Kind
from ..domain.task import STATES, Status
from .fields import text, whole
from .orders import MAX_MODEL

MOST: Final = 100  #: tasks on a page
USUAL: Final = 20

_LATEST_MS = 253_402_300_799_999  # the end of the year 9999
_CURSOR_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Listing:
    sought: Sought
    before: int | None
    limit: int


def read_listing(query: Mapping[str, str]) -> Listing:
    """Raises InvalidRequest for the first field that is wrong."""
    return Listing(
        Sought(
            statuses=_state(query.get("state", "")),
            model=text("model", query.get("model"), MAX_MODEL),
            kind=_kind(query.get("kind", "")),
            since_ms=_time("since", query.get("since", "")),
            until_ms=_time("until", query.get("until", "")),
        ),
        before=_place(query.get("cursor", "").strip()),
        limit=_limit(query.get("limit", "").strip()),
    )


def cursor_of(before: int | None) -> str | None:
    """What a client sends to go on from here. It says nothing to anybody else."""
    return None if before is None else f"{before:0{_CURSOR_DIGITS}x}"


def _place(cursor: str) -> int | None:
    if not cursor:
        return None
    if len(cursor) != _CURSOR_DIGITS or not set(cursor) <= set("0123456789abcdef") or cursor[0] > "7":
        raise InvalidRequest("cursor must be the nextCursor of the page before, as it was told.")
    return int(cursor, 16)


def _limit(said: str) -> int:
    limit = whole(said) if said else USUAL
    if limit is None or not 1 <= limit <= MOST:
        raise InvalidRequest(f"limit must be a whole number from 1 to {MOST}.")
    return limit


def _state(said: str) -> tuple[Status, ...]:
    state = said.strip().lower()
    if state and state not in STATES:
        raise InvalidRequest(f"state must be one of {', '.join(STATES)}.")
    return STATES[state] if state else ()


def _kind(said: str) -> Kind | None:
    kind = said.strip().lower()
    if kind and kind not in set(Kind):
        raise InvalidRequest(f"kind must be one of {', '.join(Kind)}.")
    return Kind(kind) if kind else None


def _time(field: str, said: str) -> int | None:
    """Milliseconds since 1970 (UTC), or ISO 8601."""
    value = said.strip()
    if not value:
        return None
    if value.isascii() and value.isdigit() and len(value) < 16 and int(value) <= _LATEST_MS:
        return int(value)
    try:
        moment = datetime.fromisoformat(value)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{field} must be a time: milliseconds since 1970, or 2026-01-31T10:30:00Z (with + written as %2B)."
        ) from None
