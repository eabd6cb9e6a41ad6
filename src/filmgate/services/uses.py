"""When keys were last used."""

from __future__ import annotations

import logging
from typing import NoReturn

from ..ports import AccountStore, Clock

log = logging.getLogger(__name__)

EVERY_S = 5.0


class Uses:
    """Collects the uses of keys, and notes them in one statement every few seconds, and when the process stops.

    Noting each one would cost a write for each read. A process that is killed forgets the last seconds: the time says
    which keys are still needed, and nothing is decided by it. A database that cannot be written delays the note, and
    neither holds up nor fails a request.
    """

    def __init__(self, store: AccountStore, clock: Clock, every_s: float = EVERY_S) -> None:
        self._store = store
        self._clock = clock
        self._every_s = every_s
        self._seen: dict[str, int] = {}

    def saw(self, key_id: str) -> None:
        """The key is used now."""
        self._seen[key_id] = self._clock.now_ms()

    async def run(self) -> NoReturn:
        while True:
            await self._clock.sleep(self._every_s)
            await self.flush()

    async def flush(self) -> None:
        """Note what has been seen since; what cannot be noted is kept for the next time."""
        seen, self._seen = self._seen, {}
        try:
            await self._store.note_uses(seen)
        except Exception:
            log.exception("event=uses_not_noted keys=%d; they are noted with the next ones", len(seen))
            self._seen = seen | self._seen
