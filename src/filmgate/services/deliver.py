"""Tells the outside world how tasks ended: outbox -> POST, again by schedule, then give up.

Sends have slots of their own and never touch a task. A callback is taken from the outbox under a lease and handed back
together with the record of the try, or unsent: where it has waited too long for a slot, and at a drain. If this process
dies between sending and recording, the lease runs out and the callback is sent again with the same ``webhook-id``:
receivers see it at least once, and drop repeats by that id.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import NoReturn
from urllib.parse import urlsplit

from .. import __version__
from ..domain.backoff import doubling, wait_before_retry
from ..domain.callback import Callback, Delivery
from ..domain.errors import AddressRefused, FilmgateError, TaskNotFound
from ..domain.task import Task
from ..net.outbound import Outbound
from ..ports import Clock, Outbox, TaskStore, Watch
from .lines import Lines
from .watching import Watches

log = logging.getLogger(__name__)

DEFAULT_SCHEDULE_S = (10.0, 60.0, 300.0)

_ANSWER_CHARS = 200  #: of an answer's body, kept with the try
_HELD = 2000  #: so many callbacks wait here at most; the others wait in the outbox
_LINE = 500  #: so many of them for one host of one account
_SHORTEST_REST_S = 0.05
_LONGEST_REST_S = 1.0  #: another process may have put something into the outbox, and its nudge is not heard here
_LONGEST_TROUBLE_S = 30.0  #: between looks into an outbox that fails


_UNWATCHED = Watches()

Sign = Callable[[Callback, bytes], Awaitable[Mapping[str, str]]]  #: the headers that sign a body


class Deliver:
    """The deliverer: ``run`` it as one task, ``nudge`` it after commits, ``drain`` it at the end.

    ``compose`` makes the body from the ended task at the time of sending, and ``sign`` the headers that sign it.
    ``schedule_s`` are the waits before the retries. A slot is one send under way: ``slots`` in all, ``per_account``
    of one account, ``per_host`` to one host; a callback waits ``line_s`` at most for its slot, so that a send of
    ``timeout_s`` ends within its lease.
    """

    def __init__(
        self,
        outbox: Outbox,
        tasks: TaskStore,
        compose: Callable[[Task], bytes],
        outbound: Outbound,
        clock: Clock,
        *,
        sign: Sign | None = None,
        schedule_s: Sequence[float] = DEFAULT_SCHEDULE_S,
        timeout_s: float = 15.0,
        line_s: float = 15.0,
        slots: int = 64,
        per_account: int = 16,
        watch: Watch = _UNWATCHED,
        per_host: int = 4,
    ) -> None:
        self._outbox = outbox
        self._tasks = tasks
        self._compose = compose
        self._outbound = outbound
        self._clock = clock
        self._sign = sign
        self._watch = watch
        self._schedule_s = tuple(schedule_s)
        self._timeout_s = timeout_s
        self._lines = Lines(slots, per_account, per_host, _LINE)
        self._lease_ms = round((line_s + timeout_s) * 1000)
        self._left_out: deque[Callback] = deque(maxlen=_HELD)  #: taken, with no room in their lines
        self._taking: asyncio.Task[None] | None = None
        self._sends: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._draining = False
        self._seen_ms: int | None = None  #: the clock at the last look

    def nudge(self) -> None:
        """Look into the outbox now: something was put there."""
        self._woken.set()

    async def run(self) -> NoReturn:
        """Deliver until cancelled. A failing outbox is logged and looked at again, ever less often."""
        failures = 0
        while True:
            self._woken.clear()
            try:
                failures, wait_s = 0, await self._round()
            except Exception:
                failures += 1
                wait_s = doubling(1.0, failures, _LONGEST_TROUBLE_S)
                log.exception("event=outbox_unreadable looking again in %.0f s", wait_s)
            await self._rest(wait_s)

    async def drain(self) -> None:
        """Begin no other sends, and wait for those under way to end and be recorded.

        What waits for a slot is handed back first, so that whoever looks into the outbox next sends it at once.
        """
        self._draining = True
        if self._taking is not None:
            await asyncio.wait([self._taking])  # it goes on where ``run`` is cancelled; what it takes is handed back
        try:
            await self._hand_back([*self._lines.leave(), *self._left_out])
        except Exception:
            log.exception("event=callbacks_not_handed_back they are due again when their leases end")
        while self._sends:
            await asyncio.wait(self._sends)

    async def _round(self) -> float:
        """Take what is due and begin to send it. Returns how many seconds may pass before the next look."""
        if self._draining:
            return _LONGEST_REST_S
        await self._mind_the_clock()
        if await self._seconds_to_next() <= 0:
            await self._take()
        # Sending these could outlast their lease. They are due at once and come with a new one.
        late = self._lines.leave(self._clock.now_ms() + self._timeout_s * 1000)
        self._start_sends()
        await self._hand_back(late)
        # Not at once again: where all lines are full, what is due has to wait for a send to end anyway.
        return max(_SHORTEST_REST_S, await self._seconds_to_next())

    async def _mind_the_clock(self) -> None:
        """At the start, and where it has gone back: nothing may wait for a time that only the old clock would reach."""
        now = self._clock.now_ms()
        if self._seen_ms is None or now < self._seen_ms:
            await self._outbox.bring_forward(max([self._lease_ms, *(round(wait * 1000) for wait in self._schedule_s)]))
        self._seen_ms = now

    async def _seconds_to_next(self) -> float:
        waiting_s = await self._outbox.waiting_time()
        return _LONGEST_REST_S if waiting_s is None else min(waiting_s, _LONGEST_REST_S)

    async def _take(self) -> None:
        room = _HELD - len(self._lines)
        if room <= 0 or self._draining:
            return
        # Shielded: a lease that was taken while ``run`` is cancelled would be known to nobody.
        self._taking = asyncio.create_task(self._fill_lines(room), name="callbacks due")
        await asyncio.shield(self._taking)

    async def _fill_lines(self, room: int) -> None:
        for callback in await self._outbox.due(room, self._lease_ms):
            # Where its line is full it is left alone, and due again when its lease ends.
            if not self._lines.add(callback):
                self._left_out.append(callback)

    async def _hand_back(self, callbacks: Sequence[Callback]) -> None:
        if callbacks:
            await self._outbox.give_back(callbacks)

    def _start_sends(self) -> None:
        while not self._draining and (callback := self._lines.next()) is not None:
            send = asyncio.create_task(self._send(callback), name=f"callback {callback.id}")
            self._sends.add(send)
            # A task that is cancelled before its first step runs no ``finally``, but it does run this.
            send.add_done_callback(partial(self._ended, callback))

    def _ended(self, callback: Callback, send: asyncio.Task[None]) -> None:
        self._sends.discard(send)
        self._lines.done(callback)
        self._woken.set()

    async def _rest(self, wait_s: float) -> None:
        """Until nudged, a send has ended, or the time is up."""
        waits = [asyncio.create_task(wait) for wait in (self._nudged(), self._clock.sleep(wait_s))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _nudged(self) -> None:
        await self._woken.wait()

    async def _send(self, callback: Callback) -> None:
        try:
            await self._try_once(callback)
        except Exception:
            # Not recorded, so its lease runs out and it is due again: nothing is lost.
            log.exception("task=%s event=callback_not_recorded callback=%s", callback.task_id, callback.id)

    async def _try_once(self, callback: Callback) -> None:
        started_ms = self._clock.now_ms()
        try:
            delivery = await self._post(callback, started_ms)
        except (AddressRefused, TaskNotFound) as error:
            refused = isinstance(error, AddressRefused)
            await self._give_up(callback, self._failed(callback, started_ms, str(error)), refused=refused)
            return
        except FilmgateError as error:
            delivery = self._failed(callback, started_ms, str(error))
        except Exception:
            log.exception("task=%s event=callback_not_sent callback=%s", callback.task_id, callback.id)
            delivery = self._failed(callback, started_ms, "The server failed while sending; its log has the details.")
        await self._record(callback, delivery)

    async def _post(self, callback: Callback, started_ms: int) -> Delivery:
        body = self._compose(await self._tasks.get(callback.task_id))
        answer = await self._outbound.post(
            callback.url,
            body,
            await self._headers(callback, body),
            timeout_s=self._timeout_s,
            answer_cap=_ANSWER_CHARS * 4,  # bytes: no character of UTF-8 has more than four
        )
        text = answer.body_start.decode("utf-8", "replace").replace("\0", "\ufffd")[:_ANSWER_CHARS]
        return Delivery(callback.id, callback.tries + 1, started_ms, answer.latency_ms, answer.status, answer=text)

    async def _headers(self, callback: Callback, body: bytes) -> dict[str, str]:
        signed = await self._sign(callback, body) if self._sign else {}
        return {
            "content-type": "application/json",
            "user-agent": f"filmgate/{__version__}",
            "webhook-id": callback.id,
            **signed,
        }

    def _failed(self, callback: Callback, started_ms: int, error: str) -> Delivery:
        latency_ms = self._clock.now_ms() - started_ms
        return Delivery(callback.id, callback.tries + 1, started_ms, latency_ms, None, error=error)

    async def _record(self, callback: Callback, delivery: Delivery) -> None:
        wait_s = wait_before_retry(self._schedule_s, delivery.number)
        self._watch.told(callback, delivery)
        if delivery.accepted:
            await self._outbox.delivered(callback, delivery)
            _tell(logging.INFO, "delivered", callback, delivery, f"in {delivery.latency_ms} ms")
        elif wait_s is None:
            await self._give_up(callback, delivery)
        else:
            await self._outbox.retry_at(callback, delivery, self._clock.now_ms() + round(wait_s * 1000))
            _tell(logging.INFO, "failed", callback, delivery, f"again in {wait_s:g} s: {_why(delivery)}")

    async def _give_up(self, callback: Callback, delivery: Delivery, *, refused: bool = False) -> None:
        await self._outbox.gave_up(callback, delivery, refused=refused)
        _tell(logging.WARNING, "gave_up", callback, delivery, f"{'refused: ' * refused}{_why(delivery)}")


def _tell(level: int, event: str, callback: Callback, delivery: Delivery, words: str) -> None:
    """To the operator. Paths and queries of addresses, and bodies, may hold secrets: none of them is logged."""
    fields = (callback.task_id, event, callback.id, _host_to_show(callback.url), delivery.number)
    log.log(level, "task=%s event=callback_%s callback=%s host=%s try=%s %s", *fields, words)


def _host_to_show(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return host if host and host.isprintable() else "?"


def _why(delivery: Delivery) -> str:
    return delivery.error or f"The receiver answered with status {delivery.status}."
