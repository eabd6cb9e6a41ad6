"""What this process may use at most. For the media slot alone, which opens files that came from elsewhere.

The walls stand for good (``bound``); within them each kind of work has a budget of its own (``within``). How long an
order may take by the clock is bounded from outside: a slot that is over its time is killed.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_GIB = 1024**3

_LIMITS = (
    (resource.RLIMIT_AS, 16 * _GIB),  # addresses, most of them never touched: enlarging to 4K takes a tenth of it
    (resource.RLIMIT_FSIZE, 4 * _GIB),  # one file
    (resource.RLIMIT_NOFILE, 256),
    (resource.RLIMIT_CORE, 0),
)


@dataclass(frozen=True, slots=True)
class Budget:
    """For one order. ``cpu_s`` counts the seconds of all threads together; ``memory`` is None where it has no limit."""

    memory: int | None
    file: int
    cpu_s: int


PICTURES = Budget(memory=3 * _GIB, file=_GIB // 4, cpu_s=60)  #: three of the largest take 12 s and half a GiB
FILMS = Budget(memory=16 * _GIB, file=4 * _GIB, cpu_s=4 * 3600)


def bound(*, graphics: bool = False) -> None:
    """From here on, for good. A limit that the machine has set lower already stays.

    ``graphics``: a driver for GPUs reserves more addresses than any machine has memory, so they are not limited.
    """
    for kind, most in _LIMITS:
        if graphics and kind == resource.RLIMIT_AS:
            continue
        hard = resource.getrlimit(kind)[1]
        lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (lower, lower))


@contextmanager
def within(budget: Budget) -> Iterator[None]:
    """What is over the memory or the size of a file fails here; what is over its processor time ends the process."""
    limits = (
        (resource.RLIMIT_AS, resource.RLIM_INFINITY if budget.memory is None else budget.memory),
        (resource.RLIMIT_FSIZE, budget.file),
        (resource.RLIMIT_CPU, _used_s() + budget.cpu_s),
    )
    for kind, most in limits:
        _allow(kind, most)
    try:
        yield
    finally:
        for kind, _ in limits:
            _allow(kind, resource.RLIM_INFINITY)


def _allow(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    within_hard = (
        hard if most == resource.RLIM_INFINITY else most if hard == resource.RLIM_INFINITY else min(most, hard)
    )
    resource.setrlimit(kind, (within_hard, hard))


def _used_s() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return int(used.ru_utime + used.ru_stime) + 1
