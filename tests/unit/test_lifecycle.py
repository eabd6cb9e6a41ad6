"""The transition table: what it allows, what it refuses, and what must hold of any such table."""

from __future__ import annotations

from itertools import product

import pytest

from filmgate.domain.errors import IllegalTransition
from filmgate.domain.lifecycle import TRANSITIONS, Event, after, sources
from filmgate.domain.task import Status

REFUSED = sorted(set(product(Status, Event)) - set(TRANSITIONS))


@pytest.mark.parametrize(("status", "event"), TRANSITIONS)
def test_a_row_of_the_table_leads_to_its_target(status: Status, event: Event) -> None:
    assert after(status, event) is TRANSITIONS[status, event]


@pytest.mark.parametrize(("status", "event"), REFUSED)
def test_everything_else_is_refused_in_words(status: Status, event: Event) -> None:
    with pytest.raises(IllegalTransition, match=f"A task that is {status} cannot {event.replace('_', ' ')}"):
        after(status, event)


def test_what_has_ended_stays_as_it_is() -> None:
    assert [status for status, _ in TRANSITIONS if status.ended] == []


def test_every_unfinished_task_can_end_well_and_can_be_cancelled() -> None:
    unfinished = [status for status in Status if not status.ended]
    assert all(after(status, Event.CANCEL) is Status.REJECTED for status in unfinished)
    assert all(Status.SUCCEEDED in reachable(status) for status in unfinished)


def test_every_status_can_be_reached() -> None:
    assert reachable(Status.QUEUED) | {Status.QUEUED} == set(Status)


@pytest.mark.parametrize("event", Event)
def test_an_event_happens_somewhere_and_has_one_target(event: Event) -> None:
    assert len({after(status, event) for status in sources(event)}) == 1


def reachable(start: Status) -> set[Status]:
    found: set[Status] = set()
    open_ends = {start}
    while open_ends:
        status = open_ends.pop()
        following = {target for (source, _), target in TRANSITIONS.items() if source is status}
        open_ends |= following - found
        found |= following
    return found
