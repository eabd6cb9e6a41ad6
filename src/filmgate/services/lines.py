"""Who may send next: callbacks wait in one line per host, and the hosts take turns.

A slow host fills its own line and its own few slots; the slots of the others stay free. Pure: no clock, no network.
"""

from __future__ import annotations

from collections import Counter, deque
from urllib.parse import urlsplit

from ..domain.callback import Callback


class Lines:
    """``slots`` sends at a time in all, ``per_host`` of them to one host; a line is at most ``longest`` long."""

    def __init__(self, slots: int, per_host: int, longest: int) -> None:
        self._slots = slots
        self._per_host = per_host
        self._longest = longest
        self._waiting: dict[str, deque[Callback]] = {}
        self._sending: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many wait; those that are being sent are not among them."""
        return sum(len(line) for line in self._waiting.values())

    @property
    def sending(self) -> int:
        return self._sending.total()

    def add(self, callback: Callback) -> bool:
        """Put it at the end of its host's line. False, and nothing done, where that line is full."""
        line = self._waiting.setdefault(host_of(callback.url), deque())
        if len(line) >= self._longest:
            return False
        line.append(callback)
        return True

    def next(self) -> Callback | None:
        """Take the next callback that may be sent now, or None. Its slot is taken until ``done``."""
        if self.sending >= self._slots:
            return None
        host = next((host for host in self._waiting if self._sending[host] < self._per_host), None)
        if host is None:
            return None
        line = self._waiting.pop(host)
        callback = line.popleft()
        if line:
            self._waiting[host] = line  # goes to the end: the other hosts come first now
        self._sending[host] += 1
        return callback

    def done(self, callback: Callback) -> None:
        """The send has ended, however it ended."""
        self._sending[host_of(callback.url)] -= 1
        self._sending += Counter()  # forgets hosts with none left


def host_of(url: str) -> str:
    """What sends are counted by: the host name, or the whole text where there is none to be found."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
