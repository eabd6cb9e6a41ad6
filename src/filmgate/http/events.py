"""Server-sent events: the steps of one task as they happen, again from wherever the watcher was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ..domain.errors import TooManyRequests
from ..domain.task import Status, Task
from ..ports import EventStore, TaskEvent

MOST: Final = 1000  #: watchers in one process
_LOOK_S: Final = 0.5  #: between two looks for new events
_ALIVE_S: Final = 15.0  #: a comment after so much silence, so that nobody on the way takes the connection for dead
_BATCH: Final = 200
_HEAD: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Access-Control-Allow-Origin": "*"}

Tell = Callable[[TaskEvent], dict[str, Any]]


class Watchers:
    """Streams of events. ``closing`` is set when the server stops: then they end, and watchers come back elsewhere."""

    def __init__(self, events: EventStore, closing: asyncio.Event, most: int = MOST) -> None:
        self._events = events
        self._closing = closing
        self._most = most
        self._count = 0

    async def stream(self, request: Request, task: Task, tell: Tell) -> Response:
        """What happens to a task, until it has ended; each event with ``tell`` of it as its data.

        Who has the last event already is told by 204 to come back no more. Raises TooManyRequests.
        """
        if self._count >= self._most:
            raise TooManyRequests("Too many tasks are being watched: ask for the record instead.", retry_after_s=10)
        last = _last_seen(request)
        if task.status.ended and last is not None and not await self._events.since(task.id, last, 1):
            return Response(status_code=204, headers=_HEAD)
        return StreamingResponse(self._lines(task, last, tell), media_type="text/event-stream", headers=_HEAD)

    async def _lines(self, task: Task, last: int | None, tell: Tell) -> AsyncIterator[bytes]:
        self._count += 1
        try:
            yield b"retry: 2000\n\n"
            if last is None:
                yield _event(TaskEvent(0, task.created_ms, Status.QUEUED, 0.0, "queued"), tell)
            async for line in self._following(task, last or 0, tell):
                yield line
        finally:
            self._count -= 1

    async def _following(self, task: Task, number: int, tell: Tell) -> AsyncIterator[bytes]:
        silent_s = 0.0
        while not self._closing.is_set():
            events = await self._events.since(task.id, number, _BATCH)
            if not events and task.status.ended:  # by a program that kept no events
                events = [_end_of(task, number + 1)]
            for event in events:
                number, silent_s = event.number, 0.0
                yield _event(event, tell)
                if event.status.ended:
                    return
            if silent_s >= _ALIVE_S:
                silent_s = 0.0
                yield b": still here\n\n"
            await self._rest()
            silent_s += _LOOK_S

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_S):
                await self._closing.wait()
        except TimeoutError:
            return


def _event(event: TaskEvent, tell: Tell) -> bytes:
    name = "end" if event.status.ended else "progress"
    data = msgspec.json.encode(tell(event))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.number, name.encode(), data)


def _end_of(task: Task, number: int) -> TaskEvent:
    return TaskEvent(number, task.ended_ms or task.created_ms, task.status, task.progress, task.stage)


def _last_seen(request: Request) -> int | None:
    """The number of the last event that the watcher has, as a browser sends it when it comes back."""
    said = request.headers.get("last-event-id", "").strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None
