"""Which sweeps a process runs beside its work."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NoReturn

from ..services.sweeps import deadlines, old_order_keys, sweeping
from .parts import Parts

_DEADLINES_S = 1.0

Sweeping = Coroutine[Any, Any, NoReturn]


def deadline_sweeps(parts: Parts, nudge: Callable[[], None]) -> Sequence[Sweeping]:
    """One, or none where there are no deadlines. The API's process runs it too: there may be no worker alive."""
    limits = parts.settings.limits
    if not (limits.start_within_s or limits.end_within_s):
        return ()
    sweep = deadlines(
        parts.tasks,
        parts.clock,
        nudge,
        start_within_s=limits.start_within_s,
        end_within_s=limits.end_within_s,
    )
    return (sweeping("deadlines", sweep, parts.clock, _DEADLINES_S),)


def key_sweep(parts: Parts) -> Sweeping:
    retention = parts.settings.retention
    sweep = old_order_keys(parts.tasks, parts.clock, retention.order_keys_s)
    return sweeping("order keys", sweep, parts.clock, retention.sweep_s)
