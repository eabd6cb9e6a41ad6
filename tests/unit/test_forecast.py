"""The queue played through in advance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.forecast import Outlook, Queue, Running, Share, Size, Waiting, forecast, mean_paces, pace_of

SHORT: Size = ("veo3_fast", "generate", "720p", 4)
LONG: Size = ("veo3_fast", "generate", "720p", 8)
OTHER: Size = ("veo3", "generate", "720p", 8)
NOW = 1_000_000


def waiting(*ids: str, size: Size = LONG) -> list[Waiting]:
    """ "a1": the first task of account a."""
    return [Waiting(task_id, task_id[0], size) for task_id in ids]


def order(outlooks: dict[str, Outlook]) -> list[str]:
    placed = [(each.position, task_id) for task_id, each in outlooks.items() if each.position is not None]
    return [task_id for _, task_id in sorted(placed)]


def test_accounts_take_turns_the_one_that_waited_longest_first() -> None:
    shares = {"a": Share(served=9), "b": Share(served=4), "c": Share(served=7)}
    made = forecast(Queue(NOW, waiting("a1", "a2", "a3", "b1", "c1"), shares=shares))
    assert order(made) == ["b1", "c1", "a1", "a2", "a3"]


def test_who_has_something_running_comes_later_but_for_its_weight() -> None:
    running = [Running("a", "a0", LONG, NOW), Running("b", "b0", LONG, NOW), Running("b", "b9", LONG, NOW)]
    shares = {"a": Share(1.0, 1), "b": Share(4.0, 2)}
    made = forecast(Queue(NOW, waiting("a1", "b1"), running, shares, {LONG: 1000.0}))
    assert order(made) == ["a1", "b1"], "the first place that is free is that of a"
    made = forecast(Queue(NOW, waiting("a1", "b1"), running[1:] + running[:1], {**shares, "a": Share(0.1, 1)}))
    assert order(made)[0] in ("a1", "b1")


def test_times_follow_from_what_such_tasks_have_taken() -> None:
    running = [Running("a", "a0", LONG, NOW - 400)]
    made = forecast(Queue(NOW, waiting("a1", "a2"), running, paces={LONG: 1000.0}))
    assert made == {
        "a0": Outlook(None, NOW + 600),
        "a1": Outlook(1, NOW + 1600),
        "a2": Outlook(2, NOW + 2600),
    }


def test_two_places_halve_the_wait() -> None:
    running = [Running("a", "a0", LONG, NOW), Running("a", "a9", LONG, NOW - 500)]
    made = forecast(Queue(NOW, waiting("a1", "a2"), running, paces={LONG: 1000.0}))
    assert [made[each].finish_ms for each in ("a1", "a2")] == [NOW + 1500, NOW + 2000]


def test_a_task_tells_by_its_own_progress_how_long_it_takes() -> None:
    running = [Running("a", "a0", LONG, NOW - 3000, progress=0.75)]
    assert forecast(Queue(NOW, running=running, paces={LONG: 1.0}))["a0"].finish_ms == NOW + 1000


def test_nothing_is_foretold_from_nothing() -> None:
    made = forecast(Queue(NOW, waiting("a1"), [Running("a", "a0", LONG, NOW)]))
    assert made == {"a0": Outlook(None, None), "a1": Outlook(1, None)}


def test_a_late_task_is_expected_at_any_moment_and_a_held_back_one_not_before_its_time() -> None:
    late = forecast(Queue(NOW, running=[Running("a", "a0", LONG, NOW - 9000)], paces={LONG: 1000.0}))
    assert late["a0"].finish_ms == NOW
    held = forecast(Queue(NOW, [Waiting("a1", "a", LONG, NOW + 5000)], paces={LONG: 1000.0}))
    assert held["a1"].finish_ms == NOW + 6000


def test_paces_are_means_and_stand_in_for_sizes_that_nobody_has_seen() -> None:
    paces = mean_paces([(SHORT, 100), (SHORT, 300), (OTHER, 900)])
    assert paces == {SHORT: 200.0, OTHER: 900.0}
    assert [pace_of(size, paces) for size in (SHORT, LONG)] == [200.0, 200.0]
    assert pace_of(("veo3_lite", "generate", "4k", 8), paces) == pytest.approx(550.0)
    assert pace_of(LONG, {}) is None


ACCOUNTS = st.sampled_from("abcd")


@given(st.lists(ACCOUNTS, max_size=30), st.lists(ACCOUNTS, max_size=5), st.booleans())
def test_everybody_has_one_place_and_nobody_passes_an_older_task_of_the_same_account(
    queued: list[str], busy: list[str], paced: bool
) -> None:
    line = [Waiting(f"{account}{number}", account, LONG) for number, account in enumerate(queued)]
    running = [Running(account, f"r{number}", LONG, NOW) for number, account in enumerate(busy)]
    made = forecast(Queue(NOW, line, running, paces={LONG: 1000.0} if paced else {}))
    assert made.keys() == {each.task_id for each in line} | {each.task_id for each in running}
    assert [made[each].position for each in order(made)] == list(range(1, len(line) + 1))
    for account in set(queued):
        of_account = [each for each in order(made) if each.startswith(account)]
        assert of_account == sorted(of_account, key=lambda task_id: int(task_id[1:]))
