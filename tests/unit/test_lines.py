"""Lines in which callbacks wait: caps, order, turns."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.callback import Callback
from filmgate.services.lines import Lines, host_of


def callback(number: int, host: str, account: str = "default") -> Callback:
    return Callback(f"msg_{number}", f"task_{number}", account, f"https://{host}/hook", number, number)


def ids(*callbacks: Callback | None) -> list[str | None]:
    return [one.id if one else None for one in callbacks]


def test_hosts_take_turns() -> None:
    lines = Lines(slots=10, per_account=10, per_host=10, longest=10)
    for number, host in enumerate(["a", "a", "a", "b", "c"]):
        lines.add(callback(number, host))
    assert ids(*(lines.next() for _ in range(6))) == ["msg_0", "msg_3", "msg_4", "msg_1", "msg_2", None]


def test_a_host_at_its_cap_is_passed_over_until_one_of_its_sends_ends() -> None:
    lines = Lines(slots=10, per_account=10, per_host=1, longest=10)
    first, second, other = callback(1, "a"), callback(2, "A:8443"), callback(3, "b")
    for one in (first, second, other):
        lines.add(one)
    assert ids(lines.next(), lines.next(), lines.next()) == ["msg_1", "msg_3", None]
    lines.done(first)
    assert ids(lines.next()) == ["msg_2"]


def test_accounts_take_turns_and_none_has_more_than_its_share() -> None:
    lines = Lines(slots=10, per_account=3, per_host=2, longest=10)
    for number, host in enumerate("abcdef"):
        lines.add(callback(number, host, "with many hosts"))
    for number in (7, 8):
        lines.add(callback(number, "a", "another"))
    assert ids(*(lines.next() for _ in range(5))) == ["msg_0", "msg_7", "msg_1", "msg_2", None]
    lines.done(callback(0, "a", "with many hosts"))
    assert ids(*(lines.next() for _ in range(3))) == ["msg_8", "msg_3", None], "the host is shared"


def test_a_full_line_takes_no_more() -> None:
    lines = Lines(slots=1, per_account=1, per_host=1, longest=2)
    assert [lines.add(callback(number, "a")) for number in range(3)] == [True, True, False]
    assert lines.add(callback(9, "b"))
    assert len(lines) == 3


def test_a_callback_stands_in_line_once_and_keeps_its_place_with_its_new_lease() -> None:
    lines = Lines(slots=3, per_account=3, per_host=3, longest=2)
    first, second = callback(1, "a"), callback(2, "a")
    again = replace(first, next_at_ms=99)
    assert [lines.add(one) for one in (first, second, again)] == [True, True, True]
    assert len(lines) == 2
    assert [lines.next(), lines.next(), lines.next()] == [again, second, None]


def test_a_callback_that_is_being_sent_is_not_put_in_line_again() -> None:
    lines = Lines(slots=3, per_account=3, per_host=3, longest=2)
    one = callback(1, "a")
    lines.add(one)
    assert lines.next() == one
    assert lines.add(replace(one, next_at_ms=99))
    assert (len(lines), lines.sending) == (0, 1)
    lines.done(one)
    assert lines.add(one)
    assert lines.next() == one


def test_those_whose_lease_ends_too_early_leave_and_the_others_stay() -> None:
    lines = Lines(slots=9, per_account=9, per_host=9, longest=9)
    for number, host in enumerate(["a", "b", "a", "b", "c"]):
        lines.add(callback(number, host))
    assert sorted(one.id for one in lines.leave(3)) == ["msg_0", "msg_1", "msg_2"]
    assert ids(*(lines.next() for _ in range(3))) == ["msg_3", "msg_4", None]
    lines.add(callback(7, "a"))
    assert ids(*lines.leave()) == ["msg_7"]
    assert len(lines) == 0


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://Hooks.Example.org:8443/x", "hooks.example.org"), ("http://[::1", "http://[::1"), ("nothing", "nothing")],
)
def test_sends_are_counted_by_host_name(url: str, host: str) -> None:
    assert host_of(url) == host


CALLS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["one", "two"])), max_size=40)


@given(CALLS, st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.data())
def test_all_are_sent_in_order_and_no_cap_is_passed(
    calls: list[tuple[str, str]], slots: int, per_account: int, per_host: int, data: st.DataObject
) -> None:
    lines = Lines(slots, per_account, per_host, longest=40)
    for number, (host, account) in enumerate(calls):
        lines.add(callback(number, host, account))
    sent: list[Callback] = []
    under_way: list[Callback] = []
    while len(lines) or under_way:
        while (one := lines.next()) is not None:
            sent.append(one)
            under_way.append(one)
        assert len(under_way) == lines.sending <= slots
        assert all(sum(host_of(one.url) == host for one in under_way) <= per_host for host in "abc")
        assert all(sum(one.account_id == name for one in under_way) <= per_account for name in ("one", "two"))
        lines.done(under_way.pop(data.draw(st.integers(0, len(under_way) - 1))))
    assert sorted(one.created_ms for one in sent) == list(range(len(calls)))
    for call in set(calls):
        numbers = [one.created_ms for one in sent if (host_of(one.url), one.account_id) == call]
        assert numbers == sorted(numbers)
