"""The life of a task: one table.

Two rules. Whatever is known about the order of states is in TRANSITIONS: the stores build their statements from it.
An event that does not fit the state changes nothing and is an error.
"""

from __future__ import annotations

from enum import StrEnum

from .errors import IllegalTransition
from .task import Status


class Event(StrEnum):
    """What can happen to a task."""

    CLAIM = "claim"  #: a worker takes it under a lease; an attempt begins
    SUCCEED = "succeed"  #: the film is stored
    REJECT = "reject"  #: refused: policy, unusable input
    FAIL = "fail"  #: the engine could not, or the attempts are used up
    RETRY = "retry"  #: a passing fault: again, at a later time
    LOSE_LEASE = "lose_lease"  #: the worker has gone silent: again, at once
    GIVE_UP = "give_up"  #: the worker has gone silent once too often
    DRAIN = "drain"  #: the worker stops and hands the task back; the attempt does not count
    HAND_OVER = "hand_over"  #: a remote engine has accepted it
    COLLECT = "collect"  #: a remote engine has finished it; a worker takes it up again
    CANCEL = "cancel"  #: by its owner
    EXPIRE = "expire"  #: a deadline has passed


TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (Status.QUEUED, Event.CLAIM): Status.RUNNING,
    (Status.QUEUED, Event.CANCEL): Status.REJECTED,
    (Status.QUEUED, Event.EXPIRE): Status.FAILED,
    (Status.RUNNING, Event.SUCCEED): Status.SUCCEEDED,
    (Status.RUNNING, Event.REJECT): Status.REJECTED,
    (Status.RUNNING, Event.FAIL): Status.FAILED,
    (Status.RUNNING, Event.RETRY): Status.QUEUED,
    (Status.RUNNING, Event.LOSE_LEASE): Status.QUEUED,
    (Status.RUNNING, Event.GIVE_UP): Status.FAILED,
    (Status.RUNNING, Event.DRAIN): Status.QUEUED,
    (Status.RUNNING, Event.HAND_OVER): Status.WAITING,
    (Status.RUNNING, Event.CANCEL): Status.REJECTED,
    (Status.RUNNING, Event.EXPIRE): Status.FAILED,
    (Status.WAITING, Event.COLLECT): Status.RUNNING,
    (Status.WAITING, Event.REJECT): Status.REJECTED,
    (Status.WAITING, Event.FAIL): Status.FAILED,
    (Status.WAITING, Event.CANCEL): Status.REJECTED,
    (Status.WAITING, Event.EXPIRE): Status.FAILED,
}

MAX_LOST_LEASES = 3  #: a task that takes its worker down with it must not go round for ever
MAX_FAULTS = 3  #: attempts that ended in a passing fault


def after(status: Status, event: Event) -> Status:
    """The state after the event. Raises IllegalTransition where the table has no such row."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransition(f"A task that is {status} cannot {event.replace('_', ' ')}.") from None


def sources(event: Event) -> tuple[Status, ...]:
    """The states in which the event may happen."""
    return tuple(status for status, happening in TRANSITIONS if happening is event)
