"""What is drawn by lot: the names of tasks, and the seeds of films whose orders name none."""

from __future__ import annotations

import os
import random
import time

from ..domain.spec import SEEDS

_BYTES, _STORE = 10, 4000  #: of one name; taken from the system at once


class TaskIds:
    """Call it for a UUIDv7 without dashes: 32 lowercase hex digits that sort by time, 74 bits of them by chance.

    The chance is the system's, fetched for 400 names at a time: at each call of the system the thread lets others of
    its process go first, and under load the wait for its next turn is as long as all of the rest of an order.
    """

    def __init__(self) -> None:
        self._store = b""

    def __call__(self) -> str:
        ms, chance = time.time_ns() // 1_000_000, self._bits()
        value = (ms << 80) | (0x7 << 76) | (chance >> 62 << 64) | (0b10 << 62) | (chance & (1 << 62) - 1)
        return f"{value:032x}"

    def _bits(self) -> int:
        """74 of them."""
        if not self._store:
            self._store = os.urandom(_STORE)
        drawn, self._store = self._store[:_BYTES], self._store[_BYTES:]
        return int.from_bytes(drawn) >> 6


class Seeds:
    """Call it for a seed. Nobody minds if one can be guessed."""

    def __init__(self) -> None:
        self._random = random.Random()

    def __call__(self) -> int:
        return self._random.choice(SEEDS)
