"""What every engine has to keep to, local or remote. An engine is run through it by a subclass of ``EngineSuite`` whose
fixture ``house`` gives a ``House``: ``LocalHouse`` for engines that live in slots, ``RemoteHouse`` for the others.

Films are stored as the runner stores them, and what is stored is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filmgate.app.parts import SystemClock
from filmgate.domain.errors import EngineCrashed, TaskError
from filmgate.domain.routing import Capabilities
from filmgate.domain.spec import AspectRatio, Kind, Mode, Spec
from filmgate.domain.task import Lease, Origin, Role, Task
from filmgate.engines.registry import Registry
from filmgate.engines.slot import MEDIA
from filmgate.engines.slots import LocalSlots, SlotLimits
from filmgate.media.probe import Probed, probe
from filmgate.ports import Clip, Order, RemoteEngine, RemoteJob
from filmgate.services.postprocess import Postprocess
from filmgate.storage.local import LocalStorage

from . import remote_steps

_TEXT = Spec(prompt="A dog playing in a park", model="veo3", seconds=4, seed=12345)
_EXTENSION = replace(_TEXT, prompt="The dog jumps over a hedge", kind=Kind.EXTEND, source_id="0" * 32)
#: What may be ordered of an engine: the order, without what it starts from.
WAYS: Mapping[str, Spec] = {
    "text": _TEXT,
    "portrait": replace(_TEXT, aspect_ratio=AspectRatio.PORTRAIT),
    "a first frame": replace(_TEXT, mode=Mode.FRAMES, images=("1",)),
    "a first and a last frame": replace(_TEXT, mode=Mode.FRAMES, images=("1", "2")),
    "references": replace(_TEXT, model="veo3_fast", mode=Mode.REFERENCE, seconds=8, images=("1", "2", "3")),
    "an extension": _EXTENSION,
}
_WITHIN_S = 0.25  #: of the ordered length


@dataclass
class Shot:
    """An order with the files that it starts from."""

    spec: Spec
    folder: Path
    images: tuple[Path, ...] = ()
    source: Path | None = None
    state: bytes = b""


@dataclass
class Taken:
    """What an engine made of an order, and what it told on the way."""

    clip: Clip
    told: list[float] = field(default_factory=list)


class House(ABC):
    """An engine as the suite sees it."""

    promised: frozenset[str]  #: of ``WAYS``, what it must be able to make
    refusals: Mapping[str, tuple[type[TaskError], str]] = {}  #: prompt -> the error and words of it
    added_s: float | None = None  #: how long its extensions are; None: as long as ordered

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities: ...

    @abstractmethod
    async def take(self, shot: Shot) -> Taken:
        """Make a film. Raises what the engine raises."""

    @abstractmethod
    async def leave(self, shot: Shot) -> None:
        """Begin a film, and cancel it; fails where the engine does not let go of it."""

    @abstractmethod
    async def survive(self, shot: Shot) -> Clip:
        """Begin a film in another process, kill that with -9, and have the film all the same."""


class LocalHouse(House):
    """Renders in a slot. A killed slot is replaced, and the order is given anew."""

    def __init__(
        self,
        name: str,
        promised: frozenset[str],
        options: Mapping[str, Any] | None = None,
        engines: Registry | None = None,
    ) -> None:
        self._name, self.promised, self._options = name, promised, options or {}
        self._engines = engines or Registry()  #: where the engine has settings, they are in there

    @property
    def capabilities(self) -> Capabilities:
        return self._engines.capabilities(self._name)

    async def take(self, shot: Shot) -> Taken:
        async with _slots(self._name, self._engines) as slots:
            told: list[float] = []
            clip = await slots.render(self._name, self._order(shot), lambda done, stage: told.append(done))
            return Taken(clip, told)

    async def leave(self, shot: Shot) -> None:
        async with _slots(self._name, self._engines) as slots:
            begun = asyncio.Event()
            order = self._order(shot)
            rendering = asyncio.create_task(slots.render(self._name, order, lambda done, stage: begun.set()))
            await begun.wait()
            rendering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await rendering
            async with asyncio.timeout(30):
                while not slots.free(self._name):
                    await asyncio.sleep(0.02)

    async def survive(self, shot: Shot) -> Clip:
        async with _slots(self._name, self._engines) as slots:
            begun = asyncio.Event()
            order = self._order(shot)
            rendering = asyncio.create_task(slots.render(self._name, order, lambda done, stage: begun.set()))
            await begun.wait()
            (pid,) = (slot.pid for slot in slots.health() if slot.kind == self._name)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(EngineCrashed):
                await rendering
            return await slots.render(self._name, order, lambda done, stage: None)

    def _order(self, shot: Shot) -> Order:
        order = Order("0" * 32, 1, shot.spec, shot.folder, images=shot.images, options=self._options)
        return replace(order, source=shot.source, state=shot.state)


class RemoteHouse(House):
    """Renders elsewhere. Another process takes up the film by the id that the first one has printed."""

    def __init__(
        self,
        engine: str,
        config: Mapping[str, Any],
        promised: frozenset[str],
        *,
        stopped: Callable[[str], bool] | None,
        paid: Callable[[], int],
    ) -> None:
        """``engine`` is "module:class"; ``stopped`` asks the peer whether a film was cancelled there, None where it
        cannot be; ``paid`` how many orders it has taken."""
        self._engine, self._config, self.promised, self._stopped, self._paid = engine, config, promised, stopped, paid

    @property
    def capabilities(self) -> Capabilities:
        return self._made().capabilities()

    def _made(self) -> RemoteEngine:
        return remote_steps.made(self._engine, self._config)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[RemoteEngine]:
        engine = self._made()
        await engine.open()
        try:
            yield engine
        finally:
            await engine.close()

    async def take(self, shot: Shot) -> Taken:
        async with self.opened() as engine:
            upstream_id = await engine.start(_job(shot))
            told = []
            while not (look := await engine.poll(upstream_id)).done:
                told.append(look.progress.fraction)
                await asyncio.sleep(min(look.again_s or 0.1, 0.2))
            return Taken(await engine.collect(upstream_id, shot.folder), [*told, look.progress.fraction])

    async def leave(self, shot: Shot) -> None:
        async with self.opened() as engine:
            upstream_id = await engine.start(_job(shot))
            await engine.cancel(upstream_id)
            assert self._stopped is None or self._stopped(upstream_id)

    async def survive(self, shot: Shot) -> Clip:
        file, before = shot.folder / "steps.json", self._paid()
        remote_steps.write(file, self._engine, self._config, _job(shot))
        upstream_id = await asyncio.to_thread(_killed_after_start, str(file))
        told = await asyncio.to_thread(_finished, str(file), upstream_id)
        assert self._paid() == before + 1
        return Clip(Path(told["path"]), rough=told["rough"], whole=told["whole"])


def _job(shot: Shot) -> RemoteJob:
    return RemoteJob("0" * 32, 1, shot.spec, images=shot.images, source=shot.source, state=shot.state)


def _killed_after_start(file: str) -> str:
    with remote_steps.begun("start", file) as process:
        assert process.stdout is not None
        upstream_id = process.stdout.readline().strip()
        process.kill()
    assert upstream_id
    return upstream_id


def _finished(file: str, upstream_id: str) -> dict[str, Any]:
    with remote_steps.begun("finish", file, upstream_id) as process:
        told, _ = process.communicate(timeout=60)
    found: dict[str, Any] = json.loads(told)
    return found


@asynccontextmanager
async def _slots(kind: str, engines: Registry | None = None) -> AsyncIterator[LocalSlots]:
    slots = LocalSlots(SlotLimits(), engines=engines)
    try:
        await slots.open(kind, 1)
        yield slots
    finally:
        await slots.close()


def shot_of(spec: Spec, folder: Path, source: Shot | None = None, taken: Taken | None = None) -> Shot:
    """An order with its images; an extension goes on from ``source``."""
    folder.mkdir(parents=True)
    images = [_image(folder / f"image-{number}.png", number) for number in range(len(spec.images))]
    made = Shot(spec, folder, tuple(images))
    if source is not None and taken is not None:
        made.source, made.state = taken.clip.path, taken.clip.state
    return made


def _image(path: Path, number: int) -> Path:
    picture = np.zeros((720, 1280, 3), dtype=np.uint8)
    picture[:, :, number] = np.linspace(40, 220, 1280).astype(np.uint8)
    Image.fromarray(picture).save(path)
    return path


async def stored(shot: Shot, clip: Clip) -> tuple[dict[Role, Path], Probed]:
    """The film as the runner stores it, and what it is."""
    clock, storage = SystemClock(), LocalStorage(shot.folder / "media")
    task = Task("0" * 32, Origin("default", "key", "veo3", "http://localhost"), shot.spec, clock.now_ms())
    order = Order(task.id, 1, shot.spec, shot.folder, images=(), source=shot.source)
    async with _slots(MEDIA) as slots:
        kept = await Postprocess(slots, storage, clock, 3_600_000)(Lease(task, "suite", 1), order, clip, _quiet)
    paths = {artifact.role: shot.folder / "media" / artifact.key for artifact in kept}
    return paths, probe(paths[Role.RESULT])


def _quiet(fraction: float, stage: str) -> None:
    """Progress is looked at where the engine tells it."""


class EngineSuite:
    """A subclass has a fixture ``house``."""

    def test_it_declares_what_it_promises(self, house: House) -> None:
        lacking = {way: house.capabilities.lacks(WAYS[way]) for way in house.promised}
        assert lacking == dict.fromkeys(house.promised)

    @pytest.mark.parametrize("way", WAYS)
    def test_it_makes_what_it_declares(self, house: House, way: str, tmp_path: Path) -> None:
        if house.capabilities.lacks(WAYS[way]) is not None:
            assert way not in house.promised
            return
        asyncio.run(self._makes(house, way, tmp_path))

    async def _makes(self, house: House, way: str, folder: Path) -> None:
        spec, before, source = WAYS[way], None, None
        if spec.kind is Kind.EXTEND:
            source = shot_of(_TEXT, folder / "source")
            before = await house.take(source)
        shot = shot_of(spec, folder / "film", source, before)
        taken = await house.take(shot)
        paths, found = await stored(shot, taken.clip)
        seconds = house.added_s if house.added_s and spec.kind is Kind.EXTEND else spec.seconds
        assert (found.width, found.height) == spec.size
        assert found.seconds == pytest.approx(seconds, abs=_WITHIN_S)
        assert 8 <= found.fps <= 60
        assert found.has_audio is house.capabilities.audio
        assert found.plays_everywhere
        if spec.kind is Kind.EXTEND:
            assert probe(paths[Role.FULL]).seconds == pytest.approx(_TEXT.seconds + seconds, abs=2 * _WITHIN_S)
        assert taken.told == sorted(taken.told)
        assert all(0 <= each <= 1 for each in taken.told)

    def test_it_lets_go_of_a_cancelled_film(self, house: House, tmp_path: Path) -> None:
        began = time.monotonic()
        asyncio.run(house.leave(shot_of(_TEXT, tmp_path / "film")))
        assert time.monotonic() - began < 60  # an engine that goes on would take its film's time for ever

    def test_a_kill_costs_no_film(self, house: House, tmp_path: Path) -> None:
        async def survive() -> Probed:
            shot = shot_of(_TEXT, tmp_path / "film")
            return (await stored(shot, await house.survive(shot)))[1]

        found = asyncio.run(survive())
        assert (found.width, found.height) == _TEXT.size

    def test_it_refuses_in_words_that_its_owner_understands(self, house: House, tmp_path: Path) -> None:
        for number, (prompt, (kind, words)) in enumerate(house.refusals.items()):
            shot = shot_of(replace(_TEXT, prompt=prompt), tmp_path / str(number))
            with pytest.raises(kind) as refused:
                asyncio.run(house.take(shot))
            assert type(refused.value) is kind
            assert words in str(refused.value)


Houses = Iterator[House]
