"""How long to wait before trying again. Pure: whoever waits brings the clock."""

from __future__ import annotations

from collections.abc import Sequence


def wait_before_retry(schedule_s: Sequence[float], tries: int) -> float | None:
    """Seconds to wait after ``tries`` failed tries, or None when the schedule is used up.

    With (10, 60, 300): 10 after the first try, 60 after the second, 300 after the third, then no more.
    """
    return schedule_s[tries - 1] if 1 <= tries <= len(schedule_s) else None


def doubling(first_s: float, tries: int, longest_s: float) -> float:
    """first, 2 x first, 4 x first ... up to the longest: waits of a worker after a passing fault."""
    return float(min(longest_s, first_s * 2 ** max(0, min(tries - 1, 32))))
