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
from pathlib import Path

import msgspec

from ..domain.backoff import doubling
from ..domain.errors import EngineCrashed, EngineFailed, EngineTimeout, EngineUnavailable, TaskError
from ..ports import Clip, Finished, Order, SlotHealth
from . import wire
from .registry import Registry
from .slot import MEDIA

log = logging.getLogger("filmgate.slots")

Reporter = Callable[[float, str], None]

#: What a slot inherits of the environment. Keys, tokens and database addresses stay out.
_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONPATH"),
    *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "HF_HOME", "HF_HUB_CACHE", "OMP_NUM_THREADS"),  # GPUs and weights
)
_LEVELS = {name: level for name, level in logging.getLevelNamesMapping().items() if level >= logging.INFO}
_LONGEST_RESTART_S = 60.0  #: between two tries to start a slot again
_LINE_LIMIT = 16 * 1024 * 1024  #: bytes of one message; a clip's state is the largest thing in it


@dataclass(frozen=True)
class SlotLimits:
    """Seconds; each is a setting."""

    start: float = 300.0  #: to load an engine
    order: float = 900.0  #: for one order
    silence: float = 300.0  #: between two reports: longer means that the slot hangs


class LocalSlots:
    """Slots on this machine (``ports.Slots``). Each has a place; when it dies, busy or idle, a fresh one is put there.

    Cancelling ``render`` or ``media`` kills the slot that works on it, unless its engine leaves its work in the time
    that it says it needs.
    """

    def __init__(
        self,
        limits: SlotLimits,
        *,
        engines: Registry | None = None,
        log_to: int | None = None,
        workroot: Path | None = None,
        graphics: bool = False,
    ) -> None:
        self._limits = limits
        self._engines = engines or Registry()
        self._graphics = graphics  #: whether the media slot may use GPUs
        self._workroot = workroot  #: where all orders have their folders; the media slot is kept in it
        self._log_to = log_to  #: a file descriptor for what slots print; None: our own standard error
        self._slots: dict[str, list[_Slot]] = {}
        self._freed = asyncio.Condition()
        self._on_free: Callable[[], None] = lambda: None
        self._keepers: list[asyncio.Task[None]] = []

    async def open(self, kind: str, count: int) -> None:
        place = self._slots.setdefault(kind, [])
        starts = (self._start(kind) for _ in range(count))
        started = await asyncio.gather(*starts, return_exceptions=True)
        for slot in started:
            if isinstance(slot, _Slot):
                place.append(slot)
                self._keepers.append(asyncio.create_task(self._keep(slot), name=f"keeper of a slot {kind}"))
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
            raise EngineFailed(f"The engine {kind!r} answered with something that is not a clip.")
        if not answer.clip.path.is_relative_to(order.workdir):
            raise EngineFailed(f"The engine {kind!r} left its film outside the folder that it was given.")
        return answer.clip

    async def media(self, order: Order, report: Reporter) -> Sequence[Finished]:
        answer = await self._run(MEDIA, order, report)
        if not isinstance(answer, wire.Done):
            raise EngineFailed("The media slot answered with something that is not a list of files.")
        return answer.files

    def health(self) -> Sequence[SlotHealth]:
        return [slot.health() for slot in self._all()]

    async def close(self) -> None:
        """End all slots at once; work in progress raises EngineCrashed."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(slot.end() for slot in self._all()))
        self._slots.clear()

    def _all(self) -> list[_Slot]:
        return [slot for slots in self._slots.values() for slot in slots]

    async def _start(self, kind: str) -> _Slot:
        if kind == MEDIA:
            kept_in = [str(self._workroot), *(["graphics"] if self._graphics else [])] if self._workroot else []
            return await _Slot.start((kind, *kept_in), self._limits, self._log_to, 0.0)
        leaves_s = self._engines.capabilities(kind).leaves_within_s
        load = wire.load_of(self._engines.declared(kind))
        return await _Slot.start((kind,), self._limits, self._log_to, leaves_s, load)

    async def _run(self, kind: str, order: Order, report: Reporter) -> wire.Message:
        slot = await self._take(kind, order.task_id)
        try:
            return await slot.run(order, report)
        finally:
            slot.task_id = None
            await self._tell()

    async def _take(self, kind: str, task_id: str) -> _Slot:
        """An idle slot, waiting for one if need be. Raises EngineUnavailable after the time that an order may take."""
        try:
            async with asyncio.timeout(self._limits.order), self._freed:
                await self._freed.wait_for(lambda: self.free(kind) > 0)
                slot = next(slot for slot in self._slots[kind] if slot.idle)
                slot.task_id = task_id
                return slot
        except TimeoutError:
            raise EngineUnavailable(
                f"No slot of kind {kind!r} became free within {self._limits.order:.0f} s; the log says why."
            ) from None

    async def _tell(self) -> None:
        """Whoever waits for a slot looks again."""
        async with self._freed:
            self._freed.notify_all()
        self._on_free()

    async def _keep(self, slot: _Slot) -> None:
        """Look after one place for ever: when its slot dies, put a fresh one there."""
        while True:
            code = await slot.gone()
            log.warning("slot=%s event=died %s", slot.kind, _cause(code))
            self._slots[slot.kind].remove(slot)
            await slot.end()
            slot = await self._replacement(slot.kind)
            self._slots[slot.kind].append(slot)
            await self._tell()

    async def _replacement(self, kind: str) -> _Slot:
        """A fresh slot, tried ever less often until one starts."""
        for failures in itertools.count(1):
            try:
                return await self._start(kind)
            except Exception as error:
                wait = doubling(1.0, failures, _LONGEST_RESTART_S)
                log.error("slot=%s event=not_restarted next_try_in_s=%s %s", kind, wait, error)
                await asyncio.sleep(wait)
        raise AssertionError("count() does not end")


class _Slot:
    """One child process. Everything it starts is in its process group, so that one signal ends it all."""

    def __init__(self, kind: str, limits: SlotLimits, process: asyncio.subprocess.Process, leaves_s: float) -> None:
        self.kind = kind
        self._leaves_s = leaves_s  #: a cancelled order gets so long to end by itself
        self.task_id: str | None = None
        self._limits = limits
        self._process = process
        self._ready = False
        self._words = asyncio.create_task(_pass_on(kind, process.stderr)) if process.stderr else None
        self._ended = False  #: the group has been killed: from then on its id may be somebody else's

    @classmethod
    async def start(
        cls,
        words: Sequence[str],
        limits: SlotLimits,
        log_to: int | None,
        leaves_s: float,
        load: wire.Load | None = None,
    ) -> _Slot:
        """A loaded slot; ``words`` are what ``slot.main`` takes; ``load`` says which engine it is to be.

        Raises EngineUnavailable, EngineCrashed, EngineTimeout; then nothing is left running.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "filmgate.engines.slot", *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if log_to is None else log_to,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,
            limit=_LINE_LIMIT,
        )
        slot = cls(words[0], limits, process, leaves_s)
        try:
            if load is not None:
                slot._write(load)
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
        """Feed one order and follow its reports. Raises what the engine raised.

        Whatever else goes wrong, the process may be in the middle of the order: then it is ended. Where the order is
        cancelled that is so unless the engine leaves it in time.
        """
        try:
            async with asyncio.timeout(self._limits.order):
                self._write(wire.Do(order))
                answer = await self._answer(wire.name_of(order), report)
        except TimeoutError:
            await self.end()
            raise EngineTimeout(
                f"The engine {self.kind!r} took longer than {self._limits.order:.0f} s and was stopped."
            ) from None
        except asyncio.CancelledError:
            await self._leave(wire.name_of(order))
            raise
        except BaseException:
            await self.end()
            raise
        if isinstance(answer, wire.Broken):
            raise wire.error_from(answer)
        return answer

    async def _leave(self, name: str) -> None:
        """Tell the engine that nobody wants this any more; the process is ended where it does not leave in time."""
        has_left = False
        try:
            if self._leaves_s:
                async with asyncio.timeout(self._leaves_s):
                    self._write(wire.Stop(name))
                    await self._answer(name, lambda fraction, stage: None)
                    has_left = True
        except (TimeoutError, TaskError) as error:
            log.info("slot=%s event=not_left order=%s %s", self.kind, name, error)
        finally:
            if not has_left:
                await self.end()

    async def _answer(self, name: str, report: Reporter) -> wire.Made | wire.Done | wire.Broken:
        """The last message about an order; reports are passed on."""
        while True:
            try:
                async with asyncio.timeout(self._limits.silence):
                    message = await self._next()
            except TimeoutError:
                raise EngineTimeout(
                    f"The engine {self.kind!r} gave no sign of life for {self._limits.silence:.0f} s and was stopped."
                ) from None
            if isinstance(message, wire.Ready) or message.order != name:
                raise EngineCrashed(f"The slot {self.kind!r} spoke of something that it was not asked for.")
            if not isinstance(message, wire.Report):
                return message
            report(message.fraction, message.stage)

    def _write(self, asked: wire.Asked) -> None:
        assert self._process.stdin is not None  # a pipe, as asked for
        # No drain: an order is far smaller than the pipe's buffer, and a slot that does not read is found by silence.
        self._process.stdin.write(wire.encode(asked))

    async def _next(self) -> wire.Message:
        assert self._process.stdout is not None  # a pipe, as asked for
        try:
            line = await self._process.stdout.readline()
        except ValueError as error:
            raise EngineCrashed(f"The slot {self.kind!r} sent a message that is too long.") from error
        if not line.endswith(b"\n"):
            raise EngineCrashed(f"The process of the engine {self.kind!r} died ({_cause(await self.gone())}).")
        try:
            return wire.decode_message(line)
        except msgspec.MsgspecError as error:
            raise EngineCrashed(f"The slot {self.kind!r} sent something that is not a message: {error}.") from error

    async def gone(self) -> int:
        """The exit code, once the process is dead."""
        return await self._process.wait()

    async def end(self) -> None:
        """Kill the whole process group, also what a process that is dead already has left behind, and wait."""
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self.gone()
        self._ended = True
        if self._words is not None:  # somebody outside the group may still hold the pipe
            await asyncio.wait([self._words], timeout=1)
            self._words.cancel()
        if self._process.stdin is not None:
            self._process.stdin.close()


async def _pass_on(kind: str, words: asyncio.StreamReader) -> None:
    """What a slot prints becomes lines of our log; those that it logs keep their level and their fields."""
    while True:
        try:
            line = await words.readline()
        except ValueError:  # of a line without an end, the rest is as good
            continue
        if not line:
            return
        level, _, logged = (text := line.decode("utf-8", "replace").rstrip()).partition(" ")
        if level in _LEVELS and " event=" in f" {logged}":
            log.log(_LEVELS[level], "slot=%s %s", kind, logged)  # "task=... event=...", as the slot has put it
        elif text:
            log.info("slot=%s event=said %s", kind, text)


def _cause(code: int) -> str:
    """An exit code in words, for the owner of a task and for the log."""
    if code == -signal.SIGKILL:
        return "killed: cancelled, or out of memory"
    if code == -signal.SIGXCPU:
        return "it used up the processor time that it may have"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
