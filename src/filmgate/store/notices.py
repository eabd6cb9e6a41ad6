"""Hears what other processes tell through the database (LISTEN), in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .database import Heard, Notice

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger("filmgate.store")

_LOOK_S = 1.0  #: between two looks whether it is time to go
_PAUSE_S = 1.0  #: until another try to connect


class Listener:
    """Connects, and connects anew whenever the connection is lost. Nobody relies on it: whoever is told here looks
    again by himself after a while."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], channel: str) -> None:
        self._connect = connect
        self._channel = channel
        self._told: list[tuple[asyncio.AbstractEventLoop, Heard]] = []
        self._changes: Counter[Notice] = Counter()
        self._hears = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="filmgate-notices", daemon=True)
        self._thread.start()

    def version(self, of: Notice) -> int | None:
        """How often these were changed, as far as was heard; None while nothing can be heard."""
        return self._changes[of] if self._hears else None

    def tell(self, loop: asyncio.AbstractEventLoop, heard: Heard) -> None:
        self._told.append((loop, heard))

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._connect() as session:
                    session.execute(f"LISTEN {self._channel}")
                    self._changes.update((Notice.FEATURES, Notice.KEYS))  # what was told before is not known
                    self._hears = True
                    self._wake()
                    self._follow(session)
            except Exception as error:
                self._hears = False
                log.warning("event=not_listening %s", " ".join(str(error).split()))
                self._closing.wait(_PAUSE_S)

    def _follow(self, session: psycopg.Connection[Any]) -> None:
        while not self._closing.is_set():
            for notify in session.notifies(timeout=_LOOK_S, stop_after=1):
                if notify.payload == Notice.QUEUE.value:
                    self._wake()
                else:
                    self._changes[Notice(notify.payload)] += 1

    def _wake(self) -> None:
        for loop, heard in list(self._told):
            with contextlib.suppress(RuntimeError):  # a closed loop: nobody is there any more
                loop.call_soon_threadsafe(heard)
