"""Limits: how many tasks, how often, and what a key may spend. Whatever is refused by them has cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from .credits import Caps, Spent
from .errors import KeySpent

CREATES_WINDOW_MS = 10_000
#: Of keys, so of their tasks: within an account, the higher one first.
PRIORITIES = range(-10, 11)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes in and works on; 0 is without a bound."""

    creates_per_10s: int = 0  #: new tasks of one account in ten seconds
    queue: int = 0  #: tasks of all accounts that have not ended
    queue_per_account: int = 0  #: of one of them
    running_per_account: int = 0  #: tasks of one account that run at the same time, unless the account has its own


NO_LIMITS = Limits()


def wait_ms(nth_last_ms: int | None, now_ms: int, window_ms: int) -> int:
    """Milliseconds until there may be one more, where the N-th last of at most N in a window was then; 0: now.

    What lies in the future was noted by a clock that has been set back since; it is passed over, or an account could be
    locked out for as long as the clock was wrong.
    """
    if nth_last_ms is None or not now_ms - window_ms < nth_last_ms <= now_ms:
        return 0
    return nth_last_ms + window_ms - now_ms


def hour_of(ms: int) -> int:
    """When the hour (UTC) began."""
    return ms - ms % HOUR_MS


def day_of(ms: int) -> int:
    """When the day (UTC) began."""
    return ms - ms % DAY_MS


def check_caps(caps: Caps, spent: Spent, price: int, now_ms: int) -> None:
    """Raises KeySpent for the cap that keeps the key waiting longest."""
    next_hour, next_day = hour_of(now_ms) + HOUR_MS, day_of(now_ms) + DAY_MS
    for cap, so_far, period, over in (
        (caps.total, spent.total, "in all", "Ask the operator for a higher cap, or use another key."),
        (caps.daily, spent.day, "a day", f"The next day begins at {_instant(next_day)}."),
        (caps.hourly, spent.hour, "an hour", f"The next hour begins at {_instant(next_hour)}."),
    ):
        if cap is not None and so_far + price > cap:
            way_out = over if price <= cap else "Order something smaller, or ask the operator for a higher cap."
            raise KeySpent(
                f"This key may spend {cap} credits {period} and has spent {so_far}; this needs {price}. {way_out}"
            )


def _instant(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
