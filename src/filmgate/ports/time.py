"""The only way in for time."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The only way in for time. Every period is a setting; tests shorten settings or hand in a clock."""

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""

    async def sleep(self, seconds: float) -> None: ...
