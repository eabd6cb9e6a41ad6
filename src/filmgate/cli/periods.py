"""Options that are a length of time or a moment, in the words of people: 90d, 12h, 2027-01-31."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import click

DAY = 86400
YEAR = 366 * DAY

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY, "": 1}
_LENGTH = re.compile(rf"([0-9]{{1,12}}(?:\.[0-9]{{1,3}})?)([{''.join(_UNITS)}]?)")


class Period(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A length of time, in milliseconds: "1d", "12h", "0"; a bare number is seconds."""

    name = "period"

    def __init__(self, longest_s: int) -> None:
        self._longest_s = longest_s

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        length_ms = length(str(value))
        if length_ms is None:
            self.fail(f"{value!r} is no length of time: write 90d, 12h, 30m, 45s or 2w.", param, ctx)
        if length_ms > self._longest_s * 1000:
            self.fail(f"{value!r} is longer than {self._longest_s // DAY} days.", param, ctx)
        return length_ms


class Moment(click.ParamType):  # type: ignore[type-arg]  # as above
    """A moment that is still to come, in UTC milliseconds: so long from now, or a date, at whose beginning it is."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        now_ms = time.time_ns() // 1_000_000
        length_ms = length(str(value))
        at_ms = now_ms + length_ms if length_ms is not None else _date(str(value))
        if at_ms is None:
            self.fail(f"{value!r} is no time: write 90d, 12h, 2027-01-31 or 2027-01-31T12:00.", param, ctx)
        if not now_ms < at_ms <= now_ms + 100 * YEAR * 1000:
            self.fail(f"{value!r} is not a time to come, within a hundred years.", param, ctx)
        return at_ms


class Past(click.ParamType):  # type: ignore[type-arg]  # as above
    """A moment in UTC milliseconds: so long ago, or a date, at whose beginning it is."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        length_ms = length(str(value))
        at_ms = time.time_ns() // 1_000_000 - length_ms if length_ms is not None else _date(str(value))
        if at_ms is None:
            self.fail(f"{value!r} is no time: write 90d, 12h, 2026-01-31 or 2026-01-31T12:00.", param, ctx)
        return at_ms


def length(text: str) -> int | None:
    found = _LENGTH.fullmatch(text.strip().lower())
    return round(float(found[1]) * _UNITS[found[2]] * 1000) if found else None


def _date(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
