"""A circuit breaker: an engine that has failed so often in a row is left alone for a while. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class BreakerState(StrEnum):
    CLOSED = "closed"  #: it is asked
    OPEN = "open"  #: it is not
    HALF_OPEN = "half-open"  #: one order is on its way to it, or may be, to see whether it is well again


@dataclass(frozen=True, slots=True)
class Breaker:
    """Of one engine, as one process sees it. Times are in seconds of a clock that only goes forward."""

    most: int = 5  #: faults in a row that open it
    rest_s: float = 30.0
    faults: int = 0
    opened: float | None = None
    probing: bool = False

    def state(self, now: float) -> BreakerState:
        if self.opened is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self.probing or now >= self.opened + self.rest_s else BreakerState.OPEN

    def rests(self, now: float) -> bool:
        """Whether nothing may be sent to it now."""
        return self.probing or self.state(now) is BreakerState.OPEN

    def sent(self, now: float) -> Breaker:
        """An order goes to it: in a half-open breaker the one that shows whether it is well."""
        return replace(self, probing=self.state(now) is BreakerState.HALF_OPEN)

    def accepted(self) -> Breaker:
        """It has taken the order, which is not yet a film: one more fault opens a breaker that was open."""
        return self if self.opened is None else replace(self, opened=None, probing=False, faults=self.most - 1)

    def good(self) -> Breaker:
        """It has done what it was asked, or has refused it as it may."""
        return replace(self, faults=0, opened=None, probing=False)

    def fault(self, now: float) -> Breaker:
        faults = self.faults + 1
        return replace(self, faults=faults, probing=False, opened=now if faults >= self.most else self.opened)

    def unsent(self) -> Breaker:
        """The order was not sent after all."""
        return replace(self, probing=False)
