"""Whether this server can do its work, found out by doing a little of it."""

from __future__ import annotations

import asyncio
import shutil
import time

from ..domain.errors import FilmgateError
from ..settings import Settings
from .parts import Parts
from .place import films_folder

_KEPT_S = 1.0  #: an answer is good for so long, however many ask: each one costs a flush of the disk
_PATIENCE_S = 5.0
_TRIAL = "readiness"  #: a worker that has no engines and no time


class Readiness:
    """Call it: why the server is not ready, or None. ``worker``: a runner belongs to it, and it needs one."""

    def __init__(self, parts: Parts, *, worker: bool) -> None:
        self._parts = parts
        self._worker = worker
        self._one_at_a_time = asyncio.Lock()
        self._until = 0.0
        self._reason: str | None = None

    async def __call__(self) -> str | None:
        async with self._one_at_a_time:
            if time.monotonic() >= self._until:
                self._reason = await self._look()
                self._until = time.monotonic() + _KEPT_S
            return self._reason

    async def _look(self) -> str | None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._parts.workers.announce(_TRIAL, (), self._parts.clock.now_ms())
                await self._parts.storage.check()
                return short_of_room(self._parts.settings) or (await self._lacking() if self._worker else None)
        except TimeoutError:
            return f"The database or the storage has not answered for {_PATIENCE_S:g} s."
        except FilmgateError as error:
            return str(error)

    async def _lacking(self) -> str | None:
        live = await self._parts.workers.live()
        loaded = {engine for engines in live.values() for engine in engines}
        missing = sorted(name for name, route in self._parts.routes.items() if not loaded & set(route.engines))
        return f"no worker has loaded an engine for {', '.join(missing)} yet" if missing else None


def short_of_room(settings: Settings) -> str | None:
    """Where less is free than there must be, or None."""
    least = settings.worker.free_disk_mib
    for folder in (settings.data, films_folder(settings)):
        free = shutil.disk_usage(folder).free / 2**20 if folder.exists() else least
        if free < least:
            return f"Only {free:.0f} MiB are free where {folder.name} lies, of the {least} that there must be."
    return None
