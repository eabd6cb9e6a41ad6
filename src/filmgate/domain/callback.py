"""A Callback is an event to be told to an address; a Delivery is one try to tell it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CallbackState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    GAVE_UP = "gave_up"  #: the whole schedule was used up
    REFUSED = "refused"  #: the address may not be called


@dataclass(frozen=True, slots=True)
class Callback:
    """One event of one task for one address. ``id`` is the same in every try: receivers drop repeats by it."""

    id: str  #: "msg_" + 32 hex digits
    task_id: str
    account_id: str
    url: str
    created_ms: int
    next_at_ms: int
    tries: int = 0
    state: CallbackState = CallbackState.PENDING


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try. ``status`` is the HTTP status, or None where there was no answer; then ``error`` says why."""

    callback_id: str
    number: int  #: 1 is the first try
    at_ms: int
    latency_ms: int
    status: int | None
    answer: str = ""  #: the start of the answer's body
    error: str = ""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300
