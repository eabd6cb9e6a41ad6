"""The event loop of the API's and the runner's process."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from .logs import Seldom

log = logging.getLogger("filmgate.loop")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, on uvloop where there is one."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        runner.get_loop().set_exception_handler(complaints())
        runner.run(work)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def complaints() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """An exception handler that does not fill the disk while the process is out of file descriptors."""
    seldom = Seldom(log)

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            seldom.warning("event=out_of_files %s: connections wait", error.strerror)
        else:
            loop.default_exception_handler(context)

    return handle
