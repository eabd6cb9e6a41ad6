"""When an engine is left alone, and when it is asked again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.breaker import Breaker, BreakerState

CLOSED = Breaker(most=3, rest_s=10.0)


def opened(at: float = 100.0) -> Breaker:
    return CLOSED.fault(at).fault(at).fault(at)


def test_so_many_faults_in_a_row_open_it() -> None:
    assert CLOSED.fault(1).fault(2).state(2) is BreakerState.CLOSED
    assert CLOSED.fault(1).fault(2).fault(3).state(3) is BreakerState.OPEN
    assert CLOSED.fault(1).fault(2).good().fault(3).fault(4).state(4) is BreakerState.CLOSED


def test_after_its_rest_one_order_shows_whether_it_is_well() -> None:
    breaker = opened(100)
    assert breaker.rests(109.9)
    assert not breaker.rests(110)
    assert breaker.state(110) is BreakerState.HALF_OPEN
    probing = breaker.sent(110)
    assert probing.rests(110)
    assert probing.rests(1000)  # one, however long it takes
    assert not probing.unsent().rests(110)


def test_an_order_that_is_taken_closes_it_and_one_more_fault_opens_it_again() -> None:
    taken = opened(100).sent(110).accepted()
    assert taken.state(110) is BreakerState.CLOSED
    assert taken.fault(111).state(111) is BreakerState.OPEN
    assert taken.good().fault(111).state(111) is BreakerState.CLOSED


def test_a_probe_that_fails_lets_it_rest_anew() -> None:
    breaker = opened(100).sent(110).fault(112)
    assert breaker.rests(121.9)
    assert not breaker.rests(122)


def test_an_order_to_one_that_is_well_is_no_probe() -> None:
    assert not CLOSED.sent(1).rests(1)


@given(st.lists(st.sampled_from(["sent", "accepted", "good", "fault", "unsent", "later"]), max_size=60))
def test_whatever_happens_it_is_asked_again_some_day(steps: list[str]) -> None:
    breaker, now = CLOSED, 0.0
    for step in steps:
        if step == "later":
            now += 4.0
        elif step in ("sent", "fault"):
            breaker = getattr(breaker, step)(now)
        else:
            breaker = getattr(breaker, step)()
    assert not breaker.unsent().rests(now + 10.0)
    assert not breaker.good().rests(now)
