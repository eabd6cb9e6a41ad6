"""The media slot is a real child process: it does what an order says, within limits, and survives hostile files."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from filmgate.domain.errors import EngineFailed, EngineUnavailable, InputUnreachable, OutputUnusable
from filmgate.domain.spec import Kind, Resolution, Spec
from filmgate.domain.task import Role
from filmgate.engines.slot import MEDIA
from filmgate.engines.slots import LocalSlots, SlotLimits
from filmgate.media.encode import Encoder
from filmgate.media.probe import probe
from filmgate.ports import Finished, Order, Work

pytestmark = pytest.mark.anyio

SPEC = Spec(prompt="x", model="veo3", seconds=4, seed=12345)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def media_slot() -> AsyncIterator[LocalSlots]:
    slots = LocalSlots(SlotLimits())
    try:
        await slots.open(MEDIA, 1)
        yield slots
    finally:
        await slots.close()


async def done(slots: LocalSlots, folder: Path, work: Work, **fields: object) -> Sequence[Finished]:
    order = replace(Order("task", 1, SPEC, folder), work=work, **fields)  # type: ignore[arg-type]
    return await slots.media(order, lambda fraction, stage: None)


def film(path: Path, frames: int = 96, width: int = 1280, height: int = 720) -> Path:
    with Encoder(path, width, height) as encoder:
        encoder.audio(np.zeros((frames * 2000, 2), np.float32))
        for number in range(frames):
            encoder.frame_bgra(np.full((height, width, 4), number, np.uint8))
    return path


async def test_it_does_what_the_order_says(tmp_path: Path) -> None:
    clip, source = film(tmp_path / "clip.mp4"), film(tmp_path / "source.mp4", 24)
    Image.new("RGB", (64, 48), "red").save(tmp_path / "one.raw", "JPEG")
    Image.new("RGBA", (48, 64)).save(tmp_path / "two.raw", "WEBP")
    raw = tuple(tmp_path / name for name in ("one.raw", "two.raw"))
    larger = replace(SPEC, kind=Kind.UPGRADE_1080P, resolution=Resolution.P1080)
    async with media_slot() as slots:
        images = await done(slots, tmp_path, Work.IMAGES, images=raw)
        (upgrade,) = await done(slots, tmp_path, Work.UPSCALE, source=source, spec=larger)
        (full,) = await done(slots, tmp_path, Work.JOIN, source=source, clip=clip)
        finished = await done(slots, tmp_path, Work.FINISH, clip=clip)
    assert [(each.path.name, each.role, each.width, each.height) for each in images] == [
        ("image-1.png", Role.INPUT, 64, 48),
        ("image-2.png", Role.INPUT, 48, 64),
    ]
    assert (upgrade.role, upgrade.width, upgrade.height, upgrade.seconds) == (Role.RESULT, 1920, 1080, 1.0)
    assert (full.role, full.seconds) == (Role.FULL, 5.0)
    assert [each.role for each in finished] == [Role.RESULT, Role.POSTER]
    for each in (upgrade, full, finished[0]):
        assert each.path.parent == tmp_path
        assert probe(each.path).seconds == pytest.approx(each.seconds, abs=0.001)


async def test_how_a_film_is_enlarged_is_part_of_the_order(tmp_path: Path) -> None:
    source, spec = (
        film(tmp_path / "source.mp4", 24),
        replace(SPEC, kind=Kind.UPGRADE_1080P, resolution=Resolution.P1080),
    )
    async with media_slot() as slots:
        with pytest.raises(EngineUnavailable, match=r"media\.upscale is best, which needs"):
            await done(slots, tmp_path, Work.UPSCALE, source=source, spec=spec, options={"way": "best"})


async def test_one_that_may_use_gpus_has_all_other_limits(tmp_path: Path) -> None:
    slots = LocalSlots(SlotLimits(), workroot=tmp_path, graphics=True)
    try:
        await slots.open(MEDIA, 1)
        await done(slots, tmp_path, Work.FINISH, clip=film(tmp_path / "clip.mp4"))
        [slot] = slots.health()
        assert slot.pid is not None
        assert resource.prlimit(slot.pid, resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
        for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
            assert resource.prlimit(slot.pid, kind)[1] != resource.RLIM_INFINITY
    finally:
        await slots.close()


async def test_an_order_without_its_film_is_refused(tmp_path: Path) -> None:
    async with media_slot() as slots:
        for work in (Work.FINISH, Work.UPSCALE, Work.JOIN):
            with pytest.raises(EngineFailed, match="no film"):
                await done(slots, tmp_path, work)
        with pytest.raises(EngineFailed, match="for engines"):
            await done(slots, tmp_path, Work.RENDER)


async def test_it_is_bounded_and_survives_what_is_hostile(tmp_path: Path) -> None:
    for name, content in (("page", b"<html>"), ("bomb", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\x7f\xff\xff\xff" * 4)):
        (tmp_path / name).write_bytes(content)
    async with media_slot() as slots:
        [before] = slots.health()
        assert before.pid is not None
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
            assert resource.prlimit(before.pid, kind)[1] != resource.RLIM_INFINITY
        for name in ("page", "bomb"):
            with pytest.raises(InputUnreachable):
                await done(slots, tmp_path, Work.IMAGES, images=(tmp_path / name,))
            with pytest.raises(OutputUnusable):
                await done(slots, tmp_path, Work.UPSCALE, source=tmp_path / name)
        assert slots.health() == [before]
