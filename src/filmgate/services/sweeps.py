"""What is done again and again, in batches, by any number of processes at once: deadlines, and keys of old orders."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from ..ports import Clock, TaskStore
from .submit import Nudge

log = logging.getLogger("filmgate.sweeps")

_BATCH = 100  #: in one transaction, so that nobody else waits long
_SOON_S = 0.1  #: between batches while there are more

Sweep = Callable[[], Awaitable[int]]  #: does one batch; how many there were


async def sweeping(name: str, sweep: Sweep, clock: Clock, every_s: float) -> NoReturn:
    """Sweep until cancelled. A sweep that fails is logged, and the next one takes it up again."""
    while True:
        found = 0
        try:
            found = await sweep()
        except Exception:
            log.exception("event=sweep_failed of=%s; the next one is in %g s", name, every_s)
        if found:
            log.info("event=swept of=%s count=%s", name, found)
        await clock.sleep(_SOON_S if found >= _BATCH else every_s)


def deadlines(store: TaskStore, clock: Clock, nudge: Nudge, *, start_within_s: float, end_within_s: float) -> Sweep:
    """Ends tasks that were not begun, or have not ended, in these times after they were ordered; 0 is any time."""

    async def sweep() -> int:
        now = clock.now_ms()
        begun_by, ended_by = (round(now - s * 1000) if s else None for s in (start_within_s, end_within_s))
        ended = await store.expire(begun_by_ms=begun_by, ended_by_ms=ended_by, limit=_BATCH)
        if ended:
            nudge()  # somebody may be working on them
        for task in ended:
            log.warning("task=%s event=expired", task.id)
        return len(ended)

    return sweep


def old_order_keys(store: TaskStore, clock: Clock, keep_s: float) -> Sweep:
    """Forgets the keys of orders after this time."""

    async def sweep() -> int:
        return await store.forget_order_keys(round(clock.now_ms() - keep_s * 1000), _BATCH)

    return sweep
