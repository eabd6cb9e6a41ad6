"""Who may send next: callbacks wait in lines, one for each host of each account; accounts take turns, and so do hosts.

A slow host fills its own line and its own few slots, and an account with many slow hosts its own share of the slots;
those of the others stay free. A callback is here once at most, in a line or in a slot. Pure: no clock, no network.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from urllib.parse import urlsplit

from ..domain.callback import Callback

Line = OrderedDict[str, Callback]  #: by callback id


class Lines:
    """``slots`` sends at a time in all, ``per_account`` of them of one account and ``per_host`` to one host; a line is
    at most ``longest`` long.

    Callbacks come as they were taken from the outbox: ``next_at_ms`` is the end of their lease.
    """

    def __init__(self, slots: int, per_account: int, per_host: int, longest: int) -> None:
        self._slots = slots
        self._per_account = per_account
        self._per_host = per_host
        self._longest = longest
        self._waiting: OrderedDict[str, OrderedDict[str, Line]] = OrderedDict()  #: account -> host -> its line
        self._sending: dict[str, tuple[str, str]] = {}  #: callback id -> account and host

    def __len__(self) -> int:
        """How many wait; those that are being sent are not among them."""
        return sum(len(line) for lines in self._waiting.values() for line in lines.values())

    @property
    def sending(self) -> int:
        return len(self._sending)

    def add(self, callback: Callback) -> bool:
        """Put it at the end of its line. False, and nothing done, where that line is full.

        One that waits already keeps its place and has the new lease from now on. One that is being sent is not put in
        line again: that send decides what becomes of it.
        """
        if callback.id in self._sending:
            return True
        lines = self._waiting.get(callback.account_id, OrderedDict())
        host = host_of(callback.url)
        line = lines.get(host, OrderedDict())
        if len(line) >= self._longest and callback.id not in line:
            return False
        line[callback.id] = callback
        lines[host] = line
        self._waiting[callback.account_id] = lines
        return True

    def leave(self, ending_before_ms: float = math.inf) -> list[Callback]:
        """Take all those out of their lines whose lease ends before this time; without a time, all."""
        leaving = [
            callback
            for lines in self._waiting.values()
            for line in lines.values()
            for callback in line.values()
            if callback.next_at_ms < ending_before_ms
        ]
        for callback in leaving:
            self._take(callback.account_id, host_of(callback.url), callback.id)
        return leaving

    def next(self) -> Callback | None:
        """Take the next callback that may be sent now, or None. Its slot is taken until ``done``."""
        if len(self._sending) >= self._slots:
            return None
        of_accounts = Counter(account for account, _ in self._sending.values())
        of_hosts = Counter(host for _, host in self._sending.values())
        for account, lines in self._waiting.items():
            if of_accounts[account] >= self._per_account:
                continue
            host = next((host for host in lines if of_hosts[host] < self._per_host), None)
            if host is not None:
                callback = self._take(account, host, next(iter(lines[host])))
                self._to_the_end(account, host)
                self._sending[callback.id] = (account, host)
                return callback
        return None

    def done(self, callback: Callback) -> None:
        """The send has ended, however it ended."""
        del self._sending[callback.id]

    def _take(self, account: str, host: str, callback_id: str) -> Callback:
        lines = self._waiting[account]
        callback = lines[host].pop(callback_id)
        if not lines[host]:
            del lines[host]
        if not lines:
            del self._waiting[account]
        return callback

    def _to_the_end(self, account: str, host: str) -> None:
        """The other accounts come first now, and of this one the other hosts."""
        if account in self._waiting:
            self._waiting.move_to_end(account)
            if host in self._waiting[account]:
                self._waiting[account].move_to_end(host)


def host_of(url: str) -> str:
    """What sends are counted by: the host name, or the whole text where there is none to be found."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
