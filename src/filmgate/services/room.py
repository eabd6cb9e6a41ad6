"""Room on the disk: a floor below which nothing new is taken, so that what has been taken can still be finished."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..domain.errors import QueueFull, UploadRefused
from ..ports import Clock

_AGAIN_S = 60.0  #: by then a sweep may have made room
_FRESH_MS = 1000


class Room:
    """``floor`` bytes stay free where ``folder`` lies; 0 is no floor. The disk is looked at once a second at most: in
    that time nobody fills what is left of it, and the look is a call of the system."""

    def __init__(self, folder: Path, floor: int, clock: Clock) -> None:
        self._folder = folder
        self._floor = floor
        self._clock = clock
        self._short = False
        self._looked_ms = 0

    def check_for_task(self) -> None:
        """Raises QueueFull."""
        if self._is_short():
            raise QueueFull(
                "The disk of this server is nearly full, so no new tasks are taken: try again in a while.",
                retry_after_s=_AGAIN_S,
            )

    def check_for_file(self) -> None:
        """Raises UploadRefused."""
        if self._is_short():
            raise UploadRefused("The disk of this server is nearly full, so no files are taken: try again in a while.")

    def _is_short(self) -> bool:
        now = self._clock.now_ms()
        if self._floor and not 0 <= now - self._looked_ms < _FRESH_MS:
            self._short = shutil.disk_usage(self._folder).free < self._floor
            self._looked_ms = now
        return self._short
