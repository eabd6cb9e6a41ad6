"""The rules of limits: when there may be one more, and what a key may still spend."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.credits import Caps, Spent
from filmgate.domain.errors import KeySpent
from filmgate.domain.limits import DAY_MS, HOUR_MS, check_caps, day_of, hour_of, wait_ms

NINE = 1_790_067_600_000  #: 2026-09-22 09:00 UTC
NOTHING = Spent(0, 0, 0)


@pytest.mark.parametrize(
    ("ago_ms", "wait"), [(0, 1000), (1, 999), (999, 1), (1000, 0), (5000, 0), (-1, 0), (-3_600_000, 0)]
)
def test_one_more_may_come_when_the_nth_last_has_left_the_window(ago_ms: int, wait: int) -> None:
    assert wait_ms(NINE - ago_ms, NINE, 1000) == wait


def test_who_has_not_come_so_often_need_not_wait() -> None:
    assert wait_ms(None, NINE, 1000) == 0


@given(st.integers(1, 5), st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_no_window_holds_more_and_nobody_waits_in_vain(most: int, pauses: list[int]) -> None:
    now, taken = NINE, deque[int]()
    for pause in pauses:
        now += pause
        wait = wait_ms(taken[-most] if len(taken) >= most else None, now, 1000)
        recent = sum(now - 1000 < each for each in taken)
        assert (wait == 0) == (recent < most)
        if wait:
            assert sum(now + wait - 1000 < each for each in taken) < most
            assert sum(now + wait - 1001 < each for each in taken) >= most
        else:
            taken.append(now)


def test_hours_and_days_are_those_of_utc() -> None:
    assert hour_of(NINE) == hour_of(NINE + HOUR_MS - 1) == NINE
    assert hour_of(NINE - 1) == NINE - HOUR_MS
    assert day_of(NINE) == day_of(NINE + 15 * HOUR_MS - 1) == NINE - 9 * HOUR_MS
    assert day_of(NINE + 15 * HOUR_MS) == day_of(NINE) + DAY_MS


@given(
    st.builds(Caps, *[st.none() | st.integers(0, 300)] * 3),
    st.builds(Spent, *[st.integers(0, 300)] * 3),
    st.integers(0, 300),
)
def test_a_key_may_spend_up_to_each_of_its_caps(caps: Caps, spent: Spent, price: int) -> None:
    pairs = ((caps.hourly, spent.hour), (caps.daily, spent.day), (caps.total, spent.total))
    if all(cap is None or so_far + price <= cap for cap, so_far in pairs):
        check_caps(caps, spent, price, NINE)
    else:
        with pytest.raises(KeySpent):
            check_caps(caps, spent, price, NINE)


@pytest.mark.parametrize(
    ("caps", "spent", "price", "sentence"),
    [
        (
            Caps(hourly=100),
            Spent(60, 60, 60),
            60,
            r"100 credits an hour and has spent 60; this needs 60. The next hour",
        ),
        (Caps(hourly=100), Spent(60, 60, 60), 60, r"The next hour begins at 2026-09-22 10:00 UTC\."),
        (Caps(daily=100), Spent(0, 60, 60), 60, r"credits a day .* The next day begins at 2026-09-23 00:00 UTC\."),
        (Caps(total=100), Spent(0, 0, 60), 60, r"100 credits in all .* Ask the operator for a higher cap"),
        (Caps(hourly=50), NOTHING, 60, r"an hour .* Order something smaller, or ask the operator"),
        (Caps(50, 50, 100), Spent(0, 0, 60), 60, r"in all"),
    ],
)
def test_the_refusal_says_which_cap_and_when_it_frees(caps: Caps, spent: Spent, price: int, sentence: str) -> None:
    with pytest.raises(KeySpent, match=sentence):
        check_caps(caps, spent, price, NINE)
