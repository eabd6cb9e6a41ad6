"""The outside of the slots: child processes of the runner, started, fed, watched and, when need be, killed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..domain.backoff import doubling
from ..domain.errors import EngineCrashed, EngineTimeout, EngineUnavailable, TaskError
from ..ports import Clip, Finished, Order, SlotHealth
from . import wire
from .slot import MEDIA

log = logging.getLogger("filmgate.slots")

Reporter = Callable[[float, str], None]

#: What a slot inherits of the environment. Keys, tokens and database addresses stay out.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH")
_LONGEST_RESTART_S = 60.0  #: between two tries to start a slot again
_LINE_LIMIT = 16 * 1024 * 1024  #: bytes of one message; a clip's state is the largest thing in it


@dataclass(frozen=True)
class SlotLimits:
    """Seconds; each is a setting."""

    start: float = 300.0  #: to load an engine
    order: float = 900.0  #: for one order
    silence: float = 300.0  #: between two reports: longer means that the slot hangs


class LocalSlots:
    """Slots on this machine (``ports.Slots``). A slot that died or was killed is replaced by a fresh one."""

    def __init__(self, limits: SlotLimits, *, log_to: int | None = None) -> None:
        self._limits = limits
        self._log_to = log_to  #: a file descriptor for what slots print; None: our own standard error
        self._slots: dict[str, list[_Slot]] = {}
        self._freed = asyncio.Condition()
        self._on_free: Callable[[], None] = lambda: None
        self._replacing: set[asyncio.Task[None]] = set()
        self._closing = False

    async def open(self, kind: str, count: int) -> None:
        starts = (_Slot.start(kind, self._limits, self._log_to) for _ in range(count))
        started = await asyncio.gather(*starts, return_exceptions=True)
        self._slots.setdefault(kind, []).extend(slot for slot in started if isinstance(slot, _Slot))
        for failure in started:
            if isinstance(failure, BaseException):
                raise failure

    def on_free(self, tell: Callable[[], None]) -> None:
        self._on_free = tell

    def free(self, kind: str) -> int:
        return sum(slot.idle for slot in self._slots.get(kind, ()))

    async def render(self, kind: str, order: Order, report: Reporter) -> Clip:
        answer = await self._run(kind, order, report)
        if not isinstance(answer, wire.Made):
            raise EngineCrashed(f"The slot {kind!r} answered with something that is not a clip.")
        return answer.clip

    async def finish(self, order: Order, report: Reporter) -> Sequence[Finished]:
        answer = await self._run(MEDIA, order, report)
        if not isinstance(answer, wire.Done):
            raise EngineCrashed("The media slot answered with something that is not a list of files.")
        return answer.files

    async def kill(self, task_id: str) -> None:
        for slot in self._all():
            if slot.task_id == task_id:
                slot.kill()

    def health(self) -> Sequence[SlotHealth]:
        return [slot.health() for slot in self._all()]

    async def close(self) -> None:
        """End all slots at once; work in progress raises EngineCrashed."""
        self._closing = True
        for task in self._replacing:
            task.cancel()
        await asyncio.gather(*self._replacing, return_exceptions=True)
        await asyncio.gather(*(slot.end() for slot in self._all()))
        self._slots.clear()

    def _all(self) -> list[_Slot]:
        return [slot for slots in self._slots.values() for slot in slots]

    async def _run(self, kind: str, order: Order, report: Reporter) -> wire.Message:
        slot = await self._take(kind, order.task_id)
        try:
            return await slot.run(order, report)
        finally:
            if slot.alive:
                slot.task_id = None
            else:
                self._replace(slot)
            await self._tell()

    async def _take(self, kind: str, task_id: str) -> _Slot:
        """An idle slot, waiting for one if need be."""
        if kind not in self._slots:
            raise EngineUnavailable(f"This worker has no slot of kind {kind!r}.")
        async with self._freed:
            await self._freed.wait_for(lambda: self.free(kind) > 0)
            slot = next(slot for slot in self._slots[kind] if slot.idle)
            slot.task_id = task_id
            return slot

    def _replace(self, dead: _Slot) -> None:
        if self._closing or dead not in self._slots.get(dead.kind, ()):
            return
        self._slots[dead.kind].remove(dead)
        task = asyncio.create_task(self._restart(dead.kind))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _restart(self, kind: str) -> None:
        """Put a fresh slot in the place of a dead one, trying again until one starts."""
        for failures in itertools.count(1):
            try:
                slot = await _Slot.start(kind, self._limits, self._log_to)
            except (TaskError, OSError) as error:
                wait = doubling(1.0, failures, _LONGEST_RESTART_S)
                log.error("slot=%s event=not_restarted next_try_in_s=%s %s", kind, wait, error)
                await asyncio.sleep(wait)
                continue
            self._slots[kind].append(slot)
            await self._tell()
            return

    async def _tell(self) -> None:
        """Whoever waits for a slot looks again."""
        async with self._freed:
            self._freed.notify_all()
        self._on_free()


class _Slot:
    """One child process. Everything it starts is in its process group, so that one signal ends it all."""

    def __init__(self, kind: str, limits: SlotLimits, process: asyncio.subprocess.Process) -> None:
        self.kind = kind
        self.task_id: str | None = None
        self._limits = limits
        self._process = process
        self._ready = False
        self._ended: int | None = None  #: the exit code, once the group has been killed: its id may be somebody else's

    @classmethod
    async def start(cls, kind: str, limits: SlotLimits, log_to: int | None) -> _Slot:
        """A loaded slot. Raises EngineUnavailable, EngineCrashed, EngineTimeout; then nothing is left running."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "filmgate.engines.slot", kind),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log_to,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,
            limit=_LINE_LIMIT,
        )
        slot = cls(kind, limits, process)
        try:
            await slot._load()
        except BaseException:
            await slot.end()
            raise
        return slot

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def idle(self) -> bool:
        return self._ready and self.alive and self.task_id is None

    def health(self) -> SlotHealth:
        state = "dead" if not self.alive else "starting" if not self._ready else "busy" if self.task_id else "idle"
        return SlotHealth(self.kind, self._process.pid, state, self.task_id)

    async def _load(self) -> None:
        try:
            async with asyncio.timeout(self._limits.start):
                message = await self._next()
        except TimeoutError:
            raise EngineTimeout(f"The engine {self.kind!r} did not load within {self._limits.start:.0f} s.") from None
        if isinstance(message, wire.Broken):
            raise wire.error_from(message)
        self._ready = True

    async def run(self, order: Order, report: Reporter) -> wire.Message:
        """Feed one order and follow its reports. On anything but a proper end the process is dead afterwards."""
        try:
            async with asyncio.timeout(self._limits.order):
                self._write(order)
                return await self._follow(report)
        except TimeoutError:
            await self.end()
            raise EngineTimeout(
                f"The engine {self.kind!r} took longer than {self._limits.order:.0f} s and was stopped."
            ) from None
        except (EngineCrashed, EngineTimeout, asyncio.CancelledError):
            await self.end()
            raise

    async def _follow(self, report: Reporter) -> wire.Message:
        while True:
            try:
                async with asyncio.timeout(self._limits.silence):
                    message = await self._next()
            except TimeoutError:
                raise EngineTimeout(
                    f"The engine {self.kind!r} gave no sign of life for {self._limits.silence:.0f} s and was stopped."
                ) from None
            if isinstance(message, wire.Report):
                report(message.fraction, message.stage)
            elif isinstance(message, wire.Broken):
                raise wire.error_from(message)
            else:
                return message

    def _write(self, order: Order) -> None:
        assert self._process.stdin is not None  # a pipe, as asked for
        # No drain: an order is far smaller than the pipe's buffer, and a slot that does not read is found by silence.
        self._process.stdin.write(wire.encode(order))

    async def _next(self) -> wire.Message:
        assert self._process.stdout is not None  # a pipe, as asked for
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            code = await self._process.wait()
            raise EngineCrashed(f"The process of the engine {self.kind!r} died ({_cause(code)}).")
        return wire.decode_message(line)

    def kill(self) -> None:
        """End the whole process group: also what a slot that is dead already has left behind."""
        if self._ended is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kill, and wait until the process is gone."""
        self.kill()
        self._ended = await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _cause(code: int) -> str:
    """An exit code in words, for the owner of a task and for the log."""
    if code == -signal.SIGKILL:
        return "killed: cancelled, or out of memory"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
