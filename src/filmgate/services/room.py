"""Room on the disk: a floor below which nothing new is taken, so that what has been taken can still be finished."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..domain.errors import QueueFull, UploadRefused

_AGAIN_S = 60.0  #: by then a sweep may have made room


class Room:
    """``floor`` bytes stay free where ``folder`` lies; 0 is no floor."""

    def __init__(self, folder: Path, floor: int) -> None:
        self._folder = folder
        self._floor = floor

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
        return self._floor > 0 and shutil.disk_usage(self._folder).free < self._floor
