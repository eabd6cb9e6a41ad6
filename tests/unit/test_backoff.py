"""How long to wait before trying again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.backoff import doubling, wait_before_retry


@pytest.mark.parametrize(("tries", "wait"), [(0, None), (1, 10), (2, 60), (3, 300), (4, None), (400, None)])
def test_a_schedule_is_followed_and_then_used_up(tries: int, wait: float | None) -> None:
    assert wait_before_retry((10, 60, 300), tries) == wait


def test_an_empty_schedule_never_retries() -> None:
    assert wait_before_retry((), 1) is None


@pytest.mark.parametrize(("tries", "wait"), [(0, 2), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (10**9, 30)])
def test_doubling_has_a_ceiling(tries: int, wait: float) -> None:
    assert doubling(2, tries, 30) == wait


@given(first=st.floats(0.01, 60), longest=st.floats(0.01, 3600))
def test_waits_never_shrink_and_never_pass_the_ceiling(first: float, longest: float) -> None:
    waits = [doubling(first, tries, longest) for tries in range(1, 40)]
    assert all(earlier <= later for earlier, later in pairwise(waits))
    assert max(waits) <= longest
