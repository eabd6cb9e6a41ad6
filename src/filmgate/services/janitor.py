"""Removes what has expired: uploads, the stored files of tasks, and later their records. The ledger stays.

A file goes before the note that it is there, where the note can wait. Uploads are forgotten first, so what a killed
sweep leaves of them is found later, and so is what an attempt stored that died before it could publish or tidy up:
files that no row knows, and that nobody is just putting there.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import NoReturn, Protocol

from ..domain.errors import StorageUnavailable
from ..ports import Clock, Storage, Upload, UploadStore

log = logging.getLogger(__name__)

UPLOADS = "uploads/"  #: where the storage keys of uploads begin: uploads/<account id>/...
_OF_TASK = re.compile("[a-z0-9]{32}/[0-9]+/")  #: how those of an attempt begin

_BATCH = 100  #: of each kind in a sweep, so that a large heap never holds up the other work for long
_FORGOTTEN_AT_ONCE = 50  #: records in one transaction, which is as long as everybody else who writes has to wait
_SOON_S = 1.0  #: between sweeps while there is a heap
_STRAYS_EVERY_MS = 3_600_000  #: listing all files is the one thing here that grows with what is stored
_JAMMED_FOR_MS = 3_600_000  #: what cannot be removed goes to the end of the line, or it would hold up all behind it
_PUT_TAKES_MS = 3_600_000  #: a file younger than this may belong to an upload or a film that is not noted yet


class MediaStore(Protocol):
    """Which tasks have files in the storage, below ``<task id>/``, whose time is over."""

    async def expired(self, limit: int) -> Sequence[str]:
        """Ids of such tasks, the oldest end first."""

    async def discard(self, task_id: str, *, by: str | None = None) -> None:
        """Nobody is told of the files of this ended task any more; ``expired`` names it until they are ``removed``.
        ``by``: the operator who wants it so, for the audit log."""

    async def wants(self, task_id: str, key: str) -> bool:
        """Whether the task names this stored file, or has not ended and may still come to name it."""

    async def newest(self, limit: int) -> Sequence[str]:
        """Keys of stored files whose time is not over, those that are kept longest first."""

    async def removed(self, task_ids: Sequence[str]) -> None:
        """The files of these tasks are gone."""

    async def postpone(self, task_ids: Sequence[str], until_ms: int) -> None:
        """The files of these tasks would not go: they are not ``expired`` again before that time."""

    async def outdated(self, until_ms: int, limit: int) -> Sequence[str]:
        """Ids of tasks that ended until then, have no files any more, and have been told of; the oldest end first."""

    async def forget(self, task_ids: Sequence[str], until_ms: int) -> int:
        """Remove the records of those that still are so; how many there were."""


class Janitor:
    """``run`` it as one task beside the runner, or ``sweep_once`` by hand. Several at once do no harm."""

    def __init__(
        self,
        uploads: UploadStore,
        media: MediaStore,
        storage: Storage,
        clock: Clock,
        *,
        records_kept_ms: int,
        batch: int = _BATCH,
        every_s: float = 60.0,
    ) -> None:
        self._uploads = uploads
        self._media = media
        self._storage = storage
        self._clock = clock
        self._records_kept_ms = records_kept_ms
        self._batch = batch
        self._every_s = every_s
        self._listed_ms: int | None = None
        self._unseen: list[str] = []  #: keys of the last listing that are still to be looked at

    async def run(self) -> NoReturn:
        """Sweep until cancelled. A sweep that fails is logged, and the next one takes it up again."""
        while True:
            try:
                more = await self.sweep_once()
            except Exception:
                log.exception("event=sweep_failed the next sweep is in %.0f s", self._every_s)
                more = False
            await self._clock.sleep(_SOON_S if more else self._every_s)

    async def sweep_once(self) -> bool:
        """One batch of each kind. True where there is more to be removed at once."""
        uploads = await self._sweep_uploads()
        tasks = await self._sweep_media()
        records = await self._sweep_records()
        strays = await self._sweep_strays()
        if uploads or tasks or records or strays:
            log.info("event=swept uploads=%s tasks=%s records=%s strays=%s", uploads, tasks, records, strays)
        return self._batch in (uploads, tasks, records)

    async def _sweep_uploads(self) -> int:
        expired = await self._uploads.expired(self._batch)
        for upload in expired:
            if await self._is_left_by(upload):
                await self._removed([upload.key])
        return len(expired)

    async def _is_left_by(self, upload: Upload) -> bool:
        """Not where the same path and name was uploaded again just now: that has the same key, whether it is noted
        already or only stored so far, and then it is younger than the end of this one."""
        if await self._uploads.get(upload.account_id, upload.key) is not None:
            return False
        stored = await self._storage.open(upload.key)
        return stored is not None and stored.modified_ms < upload.expires_ms

    async def _sweep_media(self) -> int:
        expired = await self._media.expired(self._batch)
        emptied = [task_id for task_id in expired if await self._removed(await self._storage.keys(f"{task_id}/"))]
        await self._media.removed(emptied)
        jammed = [task_id for task_id in expired if task_id not in emptied]
        await self._media.postpone(jammed, self._clock.now_ms() + _JAMMED_FOR_MS)
        return len(emptied)

    async def _sweep_records(self) -> int:
        """Nobody can ask about these tasks any more; what they cost stays in the ledger."""
        until = self._clock.now_ms() - self._records_kept_ms
        outdated = await self._media.outdated(until, self._batch)
        for start in range(0, len(outdated), _FORGOTTEN_AT_ONCE):
            await self._media.forget(outdated[start : start + _FORGOTTEN_AT_ONCE], until)
        return len(outdated)

    async def _removed(self, keys: Sequence[str]) -> bool:
        """False where the storage would not: one jammed file must not keep the others from being swept."""
        done = True
        for key in keys:
            try:
                await self._storage.delete(key)
            except (OSError, StorageUnavailable):
                log.exception("key=%s event=not_removed it is tried again", key)
                done = False
        return done

    async def _sweep_strays(self) -> int:
        """Look at the next few of the stored files. Returns how many were strays."""
        now = self._clock.now_ms()
        if not self._unseen and (self._listed_ms is None or now - self._listed_ms >= _STRAYS_EVERY_MS):
            self._listed_ms = now
            self._unseen = [*await self._storage.keys("")]
        looked_at, self._unseen = self._unseen[: self._batch], self._unseen[self._batch :]
        strays = [key for key in looked_at if await self._is_stray(key)]
        await self._removed(strays)
        return len(strays)

    async def _is_stray(self, key: str) -> bool:
        if await self._is_wanted(key):
            return False
        stored = await self._storage.open(key)
        return stored is not None and stored.modified_ms <= self._clock.now_ms() - _PUT_TAKES_MS

    async def _is_wanted(self, key: str) -> bool:
        """What is neither an upload nor of an attempt is not ours to judge."""
        if key.startswith(UPLOADS):
            account_id = key.removeprefix(UPLOADS).partition("/")[0]
            return await self._uploads.get(account_id, key) is not None
        if _OF_TASK.match(key):
            return await self._media.wants(key.partition("/")[0], key)
        return True
