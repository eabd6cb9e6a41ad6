"""Who may send next: callbacks wait in one line per host, and the hosts take turns.

A slow host fills its own line and its own few slots; the slots of the others stay free. A callback is here once at
most, in a line or in a slot. Pure: no clock, no network.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from urllib.parse import urlsplit

from ..domain.callback import Callback


class Lines:
    """``slots`` sends at a time in all, ``per_host`` of them to one host; a line is at most ``longest`` long.

    Callbacks come as they were taken from the outbox: ``next_at_ms`` is the end of their lease.
    """

    def __init__(self, slots: int, per_host: int, longest: int) -> None:
        self._slots = slots
        self._per_host = per_host
        self._longest = longest
        self._waiting: dict[str, OrderedDict[str, Callback]] = {}  #: host -> its line, by callback id
        self._sending: dict[str, str] = {}  #: callback id -> host

    def __len__(self) -> int:
        """How many wait; those that are being sent are not among them."""
        return sum(len(line) for line in self._waiting.values())

    @property
    def sending(self) -> int:
        return len(self._sending)

    def add(self, callback: Callback) -> bool:
        """Put it at the end of its host's line. False, and nothing done, where that line is full.

        One that waits already keeps its place and has the new lease from now on. One that is being sent is not put in
        line again: that send decides what becomes of it.
        """
        if callback.id in self._sending:
            return True
        host = host_of(callback.url)
        line = self._waiting.get(host, OrderedDict())
        if len(line) >= self._longest and callback.id not in line:
            return False
        line[callback.id] = callback
        self._waiting[host] = line
        return True

    def leave(self, ending_before_ms: float = math.inf) -> list[Callback]:
        """Take all those out of their lines whose lease ends before this time; without a time, all."""
        leaving = [
            callback
            for line in self._waiting.values()
            for callback in line.values()
            if callback.next_at_ms < ending_before_ms
        ]
        for callback in leaving:
            host = host_of(callback.url)
            del self._waiting[host][callback.id]
            if not self._waiting[host]:
                del self._waiting[host]
        return leaving

    def next(self) -> Callback | None:
        """Take the next callback that may be sent now, or None. Its slot is taken until ``done``."""
        if len(self._sending) >= self._slots:
            return None
        busy = Counter(self._sending.values())
        host = next((host for host in self._waiting if busy[host] < self._per_host), None)
        if host is None:
            return None
        line = self._waiting.pop(host)
        _, callback = line.popitem(last=False)
        if line:
            self._waiting[host] = line  # goes to the end: the other hosts come first now
        self._sending[callback.id] = host
        return callback

    def done(self, callback: Callback) -> None:
        """The send has ended, however it ended."""
        del self._sending[callback.id]


def host_of(url: str) -> str:
    """What sends are counted by: the host name, or the whole text where there is none to be found."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
