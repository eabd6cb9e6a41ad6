"""Slots are real child processes: they load, render, report, die, hang, are killed and are replaced."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from filmgate.domain.errors import (
    ContentRejected,
    EngineCrashed,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    OutputUnusable,
)
from filmgate.domain.spec import Spec
from filmgate.engines.slot import MEDIA
from filmgate.engines.slots import LocalSlots, SlotLimits
from filmgate.ports import Order, Work
from support.server import PLUGIN


@pytest.fixture(autouse=True)
def _plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))
    monkeypatch.setenv("FILMGATE_SECRET_KEY", "must not reach a child")


@asynccontextmanager
async def opened(*kinds: str, limits: SlotLimits | None = None) -> AsyncIterator[LocalSlots]:
    slots = LocalSlots(limits or SlotLimits())
    try:
        await asyncio.gather(*(slots.open(kind, 1) for kind in kinds))
        yield slots
    finally:
        await slots.close()


def order(folder: Path, prompt: str = "a dog", **fields: object) -> Order:
    spec = Spec(prompt=prompt, model="veo3", seconds=4, seed=12345)
    return replace(Order("task", 1, spec, folder.resolve()), **fields)  # type: ignore[arg-type]


def ignore(fraction: float, stage: str) -> None:
    """For renders whose progress is not looked at."""


async def freed(slots: LocalSlots, kind: str) -> None:
    async with asyncio.timeout(20):
        while not slots.free(kind):
            await asyncio.sleep(0.02)


def test_a_clip_is_rendered_and_finished(tmp_path: Path) -> None:
    reports: list[tuple[float, str]] = []

    async def job() -> None:
        async with opened("trial", MEDIA) as slots:
            placed = order(tmp_path, "slow 0.3")
            clip = await slots.render("trial", placed, lambda fraction, stage: reports.append((fraction, stage)))
            assert clip.state == b"trial"
            film, poster = await slots.media(replace(placed, work=Work.FINISH, clip=clip.path), ignore)
        assert (film.mime, film.width, film.height, film.has_audio) == ("video/mp4", 1280, 720, True)
        assert film.seconds == pytest.approx(4, abs=0.001)
        assert film.path.read_bytes()[4:8] == b"ftyp"
        assert poster.path.read_bytes()[:2] == b"\xff\xd8"

    asyncio.run(job())
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions)
    assert len(fractions) > 3


def test_an_error_comes_through_as_what_it_was(tmp_path: Path) -> None:
    async def job() -> None:
        async with opened("trial", MEDIA) as slots:
            with pytest.raises(ContentRejected, match="flagged"):
                await slots.render("trial", order(tmp_path, "reject"), ignore)
            clip = await slots.render("trial", order(tmp_path, "small"), ignore)
            with pytest.raises(OutputUnusable, match="1280x720"):
                await slots.media(order(tmp_path, work=Work.FINISH, clip=clip.path), ignore)
            assert slots.free("trial") == slots.free(MEDIA) == 1

    asyncio.run(job())


def test_a_crash_is_told_and_the_slot_replaced(tmp_path: Path) -> None:
    async def job() -> None:
        async with opened("trial") as slots:
            before = slots.health()[0].pid
            with pytest.raises(EngineCrashed, match="SIGSEGV"):
                await slots.render("trial", order(tmp_path, "crash"), ignore)
            await freed(slots, "trial")
            assert slots.health()[0].pid != before
            assert (await slots.render("trial", order(tmp_path), ignore)).path.exists()

    asyncio.run(job())


def test_a_cancelled_render_ends_its_process_at_once(tmp_path: Path) -> None:
    async def job() -> None:
        async with opened("trial") as slots:
            rendering = asyncio.create_task(slots.render("trial", order(tmp_path, "slow 60"), ignore))
            async with asyncio.timeout(10):
                while slots.health()[0].state != "busy":
                    await asyncio.sleep(0.01)
            pid = slots.health()[0].pid
            assert pid is not None
            rendering.cancel()
            async with asyncio.timeout(5):
                with pytest.raises(asyncio.CancelledError):
                    await rendering
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
            await freed(slots, "trial")

    asyncio.run(job())


def test_a_slot_that_dies_while_idle_is_replaced(tmp_path: Path) -> None:
    """As the out-of-memory killer does it."""

    async def job() -> None:
        freed_again = asyncio.Event()
        async with opened("trial") as slots:
            slots.on_free(freed_again.set)
            before = slots.health()[0].pid
            assert before is not None
            os.kill(before, signal.SIGKILL)
            async with asyncio.timeout(20):
                await freed_again.wait()
            assert slots.free("trial") == 1
            assert slots.health()[0].pid != before
            assert (await slots.render("trial", order(tmp_path), ignore)).path.exists()

    asyncio.run(job())


@pytest.mark.parametrize(
    ("prompt", "text"), [("babble", "not a message"), ("echo", "not asked for"), ("elsewhere", "outside the folder")]
)
def test_a_film_never_goes_to_the_wrong_order(tmp_path: Path, prompt: str, text: str) -> None:
    """A slot that says what it should not is ended, and what it says later is not taken for the next order's answer."""

    async def job() -> None:
        async with opened("trial") as slots:
            with pytest.raises((EngineCrashed, EngineFailed), match=text):
                await slots.render("trial", order(tmp_path, prompt), ignore)
            folder = tmp_path / "next"
            folder.mkdir()
            placed = replace(order(folder), task_id="next")
            clip = await slots.render("trial", placed, ignore)
            assert clip.path.parent == folder

    asyncio.run(job())


@pytest.mark.parametrize(
    ("limits", "prompt", "text"),
    [
        (SlotLimits(silence=0.5), "hang", "no sign of life"),
        (SlotLimits(order=0.5), "slow 60", "longer than"),
    ],
)
def test_a_slot_that_hangs_or_dawdles_is_ended(tmp_path: Path, limits: SlotLimits, prompt: str, text: str) -> None:
    async def job() -> None:
        async with opened("trial", limits=limits) as slots:
            pid = slots.health()[0].pid
            assert pid is not None
            with pytest.raises(EngineTimeout, match=text):
                await slots.render("trial", order(tmp_path, prompt), ignore)
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    asyncio.run(job())


def test_an_engine_that_is_not_there_is_named() -> None:
    async def job() -> None:
        async with opened() as slots:
            with pytest.raises(EngineUnavailable, match="no engine named 'nonsense'"):
                await slots.open("nonsense", 1)

    asyncio.run(job())


def test_secrets_do_not_reach_a_slot() -> None:
    async def job() -> bytes:
        async with opened("trial") as slots:
            pid = slots.health()[0].pid
            return await asyncio.to_thread(Path(f"/proc/{pid}/environ").read_bytes)

    environment = asyncio.run(job())
    assert b"PATH=" in environment
    assert b"must not reach" not in environment


def test_closing_leaves_no_process() -> None:
    async def job() -> list[int]:
        async with opened("trial", MEDIA) as slots:
            return [health.pid for health in slots.health() if health.pid]

    pids = asyncio.run(job())
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def begun(slots: LocalSlots, placed: Order) -> asyncio.Task[object]:
    """A render by the gentle engine that has told of its progress."""
    told = asyncio.Event()
    work = asyncio.create_task(slots.render("gentle", placed, lambda fraction, stage: told.set()))
    async with asyncio.timeout(20):
        await told.wait()
    return work


@pytest.mark.parametrize(
    ("prompt", "stays"), [("patient 60", True), ("slow 60", False)], ids=["leaves", "does not leave"]
)
def test_an_engine_that_leaves_its_work_keeps_its_process(tmp_path: Path, prompt: str, stays: bool) -> None:
    """One that says so and does not is ended when its time is over."""

    async def job() -> None:
        async with opened("gentle") as slots:
            (before,) = slots.health()
            work = await begun(slots, order(tmp_path, prompt))
            work.cancel()
            assert isinstance((await asyncio.gather(work, return_exceptions=True))[0], asyncio.CancelledError)
            await freed(slots, "gentle")
            (after,) = slots.health()
            assert (after.pid == before.pid) is stays
            assert (await slots.render("gentle", order(tmp_path), ignore)).state == b"trial"

    asyncio.run(job())


def test_who_is_out_of_patience_ends_the_process_at_once(tmp_path: Path) -> None:
    async def job() -> None:
        async with opened("gentle") as slots:
            (before,) = slots.health()
            work = await begun(slots, order(tmp_path, "slow 60"))
            work.cancel()
            await asyncio.sleep(0.05)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            assert before.pid is not None
            with pytest.raises(ProcessLookupError):
                os.kill(before.pid, 0)

    asyncio.run(job())
