"""Films made from films: what is ordered, what is given at once, and what costs nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from filmgate.domain.credits import DEFAULT_PRICES
from filmgate.domain.errors import (
    AlreadyThere,
    EngineFailed,
    FilmgateError,
    InsufficientCredits,
    InvalidRequest,
    NoSuchResult,
    SourceNotFound,
    SourceNotReady,
    SourceUnusable,
    TaskNotFound,
    UnsupportedModel,
)
from filmgate.domain.routing import Capabilities, Route
from filmgate.domain.spec import AspectRatio, Kind, Mode, Resolution, Spec
from filmgate.domain.task import Artifact, Origin, Role, Status, Task
from filmgate.ports import Caller
from filmgate.services.derive import FAILURE_TOLD_MS, Derive, Upgrade
from filmgate.store.schema import tasks
from support.storing import FILM, MODELS, NOON, Shelf, shelf

pytestmark = pytest.mark.anyio

LATER = NOON + 1_000_000
SOON_GONE = replace(FILM, expires_ms=LATER)
UPRIGHT = replace(SOON_GONE, width=720, height=1280)
LARGE = replace(SOON_GONE, width=1920, height=1080)
HUGE = replace(SOON_GONE, width=3840, height=2160)
CALLER = Caller("default", "key_2", {"times": "string"})
BASE = "https://films.example"

CONTINUES = Capabilities(kinds=frozenset(Kind))
BEGINS = Capabilities()
ENGINES = {"continues": CONTINUES, "begins": BEGINS}
ROUTES = {
    "veo3": Route("veo3", ("begins",)),
    "veo3_fast": Route("veo3_fast", ("begins", "continues")),
    "veo3_lite": Route("veo3_lite", ("begins",)),
}
UPGRADES = [Kind.UPGRADE_1080P, Kind.UPGRADE_4K]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Desk:
    """The service over a shelf; ``nudges`` counts what it has put into the queue."""

    def __init__(self, s: Shelf) -> None:
        self.nudges = 0
        self.shelf = s
        ids = count(1)
        self.derive = Derive(
            store=s.tasks,
            clock=s.clock,
            new_id=lambda: f"{next(ids):f>32x}",
            new_seed=lambda: 54321,
            routes=ROUTES,
            capabilities=ENGINES.__getitem__,
            prices=DEFAULT_PRICES,
            nudge=self._nudged,
        )

    def _nudged(self) -> None:
        self.nudges += 1

    async def extend(self, source_id: str, caller: Caller = CALLER, **changes: Any) -> Task:
        return await self.derive.extend(caller, source_id, "It runs on", dialect="veo3", public_base=BASE, **changes)

    async def upgrade(self, source_id: str, kind: Kind, index: int = 0, caller: Caller = CALLER) -> Upgrade:
        return await self.derive.upgrade(
            caller, source_id, kind, index, callback_url="https://r.example/", dialect="market", public_base=BASE
        )


async def made(
    s: Shelf,
    *films: Artifact,
    engine: str = "begins",
    spec: Spec | None = None,
    fallback_used: bool = False,
    **changes: Any,
) -> Task:
    """A task that has succeeded with these films."""
    task = await s.submitted(**({"spec": spec} if spec else {}), **changes)
    return await finished(s, task, *films, engine=engine, fallback_used=fallback_used)


async def finished(s: Shelf, task: Task, *films: Artifact, engine: str = "begins", fallback_used: bool = False) -> Task:
    lease = await s.tasks.claim("w1", 1000, [*MODELS, "veo3_gone"])
    assert lease is not None
    assert lease.task.id == task.id
    return await s.tasks.succeed(
        lease, films or (SOON_GONE,), engine=engine, state=b"plan", fallback_used=fallback_used
    )


async def failed(s: Shelf, task: Task) -> None:
    lease = await s.tasks.claim("w1", 1000, MODELS)
    assert lease is not None
    assert lease.task.id == task.id
    await s.tasks.end(lease, EngineFailed())


# ------------------------------------------------------------ upgrades ------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "resolution", "credits"),
    [(Kind.UPGRADE_1080P, Resolution.P1080, 5), (Kind.UPGRADE_4K, Resolution.K4, 120)],
)
async def test_an_upgrade_is_the_same_order_at_another_size(
    tmp_path: Path, kind: Kind, resolution: Resolution, credits: int
) -> None:
    asked = Spec(
        "A dog", "veo3", mode=Mode.FRAMES, aspect_ratio=AspectRatio.AUTO, seconds=6, seed=23456, images=("https://a/1",)
    )
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s, UPRIGHT, spec=asked), Desk(s)
        before = await s.accounts.balance("default")
        upgrade = await desk.upgrade(source.id, kind)
        assert upgrade == Upgrade(
            Task(
                id="f" * 31 + "1",
                origin=Origin("default", "key_2", "market", BASE, {"times": "string"}),
                spec=replace(
                    asked,
                    kind=kind,
                    aspect_ratio=AspectRatio.PORTRAIT,
                    resolution=resolution,
                    callback_url="https://r.example/",
                    source_id=source.id,
                ),
                created_ms=NOON,
                run_at_ms=NOON,
                price=credits,
            ),
            fresh=True,
        )
        assert await s.tasks.get("f" * 31 + "1") == upgrade.task
        assert await s.accounts.balance("default") == before - credits
        assert desk.nudges == 1


@pytest.mark.parametrize("kind", UPGRADES)
async def test_asking_again_gives_the_same_task_and_charges_nothing(tmp_path: Path, kind: Kind) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s), Desk(s)
        first = await desk.upgrade(source.id, kind)
        assert first.task is not None
        held = await s.accounts.balance("default")
        assert await desk.upgrade(source.id, kind) == Upgrade(first.task)
        done = await finished(s, first.task, HUGE)
        s.clock.ms = LATER + 1  # what was made once is given for as long as it can be asked about
        for _ in range(10):
            assert await desk.upgrade(source.id, kind) == Upgrade(done)
        assert await s.accounts.balance("default") == held
        assert desk.nudges == 1


async def test_an_upgrade_that_failed_may_be_asked_for_again(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s), Desk(s)
        first = await desk.upgrade(source.id, Kind.UPGRADE_4K)
        assert first.task is not None
        await failed(s, first.task)
        assert await desk.derive.find_upgrade(CALLER, source.id, Kind.UPGRADE_4K) == Upgrade(None)
        again = await desk.upgrade(source.id, Kind.UPGRADE_4K)
        assert again.fresh
        assert again.task is not None
        assert again.task.id != first.task.id


async def test_a_1080p_version_that_failed_is_told_for_a_minute(tmp_path: Path) -> None:
    """Each look at it is an order too: without this a client that polls would order it anew for ever."""
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s), Desk(s)
        first = (await desk.upgrade(source.id, Kind.UPGRADE_1080P)).task
        assert first is not None
        await failed(s, first)
        s.clock.ms += FAILURE_TOLD_MS
        told = await desk.upgrade(source.id, Kind.UPGRADE_1080P)
        assert (told.task.id if told.task else None, told.fresh) == (first.id, False)
        s.clock.ms += 1
        anew = await desk.upgrade(source.id, Kind.UPGRADE_1080P)
        assert anew.fresh


async def test_each_film_and_each_size_has_an_upgrade_of_its_own(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, other, desk = await made(s, SOON_GONE, SOON_GONE), await made(s), Desk(s)
        wanted = [(source.id, 0), (source.id, 1), (other.id, 0)]
        made_now = [await desk.upgrade(task_id, kind, index) for task_id, index in wanted for kind in UPGRADES]
        assert [upgrade.fresh for upgrade in made_now] == [True] * 6
        assert [upgrade.task.spec.index for upgrade in made_now if upgrade.task] == [0, 0, 1, 1, 0, 0]
        assert len({upgrade.task.id for upgrade in made_now if upgrade.task}) == 6


@pytest.mark.parametrize(
    ("film", "kind"), [(LARGE, Kind.UPGRADE_1080P), (HUGE, Kind.UPGRADE_1080P), (HUGE, Kind.UPGRADE_4K)]
)
async def test_a_film_that_is_large_enough_is_given_as_it_is(tmp_path: Path, film: Artifact, kind: Kind) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk, before = await made(s, film), Desk(s), s.dump()
        assert await desk.upgrade(source.id, kind) == Upgrade(source)
        assert await desk.derive.find_upgrade(CALLER, source.id, kind) == Upgrade(source)
        assert s.dump() == before
        assert desk.nudges == 0


async def test_looking_for_an_upgrade_makes_none(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s), Desk(s)
        assert await desk.derive.find_upgrade(CALLER, source.id, Kind.UPGRADE_4K) == Upgrade(None)
        assert (await desk.upgrade(source.id, Kind.UPGRADE_4K)).fresh
        assert (await desk.derive.find_upgrade(CALLER, source.id, Kind.UPGRADE_4K)).task is not None
        assert await desk.derive.find_upgrade(CALLER, source.id, Kind.UPGRADE_1080P) == Upgrade(None)


async def test_an_enlarged_film_is_enlarged_from_what_it_was_made_from(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s), Desk(s)
        upgrade = (await desk.upgrade(source.id, Kind.UPGRADE_1080P)).task
        assert upgrade is not None
        larger = await finished(s, upgrade, LARGE)
        assert await desk.upgrade(larger.id, Kind.UPGRADE_1080P) == Upgrade(larger)
        largest = await desk.upgrade(larger.id, Kind.UPGRADE_4K)
        assert largest.task is not None
        assert largest.task.spec.source_id == source.id
        assert await desk.upgrade(source.id, Kind.UPGRADE_4K) == Upgrade(largest.task)


async def test_of_many_who_ask_at_once_one_makes_the_upgrade_and_all_are_given_it(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s), Desk(s)
        before = await s.accounts.balance("default")
        all_asked = await asyncio.gather(*(desk.upgrade(source.id, Kind.UPGRADE_4K) for _ in range(10)))
        assert sorted(upgrade.fresh for upgrade in all_asked) == [False] * 9 + [True]
        assert len({upgrade.task.id for upgrade in all_asked if upgrade.task}) == 1
        assert await s.accounts.balance("default") == before - 120
        assert desk.nudges == 1


async def test_an_enlarged_film_whose_source_is_forgotten_is_enlarged_itself(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s), Desk(s)
        upgrade = (await desk.upgrade(source.id, Kind.UPGRADE_1080P)).task
        assert upgrade is not None
        larger = await finished(s, upgrade, LARGE)
        await s.database.write(lambda c: c.execute(delete(tasks).where(tasks.c.id == source.id)).close())
        largest = (await desk.upgrade(larger.id, Kind.UPGRADE_4K)).task
        assert largest is not None
        assert (largest.spec.source_id, largest.spec.kind) == (larger.id, Kind.UPGRADE_4K)


@pytest.mark.parametrize("kind", UPGRADES)
async def test_what_cannot_be_enlarged_is_refused_and_leaves_no_trace(tmp_path: Path, kind: Kind) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.account("other")
        fine = await made(s)
        foreign = await made(s, account="other", price=0)
        gone = await made(s, replace(FILM, expires_ms=NOON))
        unserved = await made(s, spec=Spec("A dog", "veo3_gone", seed=1))
        waiting = await s.submitted()
        desk, before = Desk(s), s.dump()
        refused: list[tuple[str, int, type[FilmgateError], str]] = [
            ("0" * 32, 0, TaskNotFound, "no such task"),
            (foreign.id, 0, TaskNotFound, "no such task"),
            (waiting.id, 0, SourceNotReady, "has not succeeded"),
            (fine.id, 1, NoSuchResult, "no film of this index"),
            (fine.id, -1, NoSuchResult, "no film of this index"),
            (gone.id, 0, NoSuchResult, "has expired"),
            (unserved.id, 0, UnsupportedModel, "no model 'veo3_gone'"),
        ]
        for task_id, index, error, sentence in refused:
            with pytest.raises(error, match=sentence):
                await desk.upgrade(task_id, kind, index)
        assert s.dump() == before
        assert desk.nudges == 0


async def test_a_fallbacks_film_cannot_be_enlarged_to_1080p(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s, fallback_used=True), Desk(s)
        with pytest.raises(AlreadyThere):
            await desk.upgrade(source.id, Kind.UPGRADE_1080P)
        assert (await desk.upgrade(source.id, Kind.UPGRADE_4K)).fresh


async def test_an_upgrade_that_the_balance_does_not_cover_leaves_no_trace(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=60)
        source, desk = await made(s), Desk(s)
        before = s.dump()
        with pytest.raises(InsufficientCredits, match="needs 5 credits"):
            await desk.upgrade(source.id, Kind.UPGRADE_1080P)
        assert s.dump() == before


# ------------------------------------------------------------ extensions ----------------------------------------------


async def test_an_extension_continues_the_film_as_it_is(tmp_path: Path) -> None:
    asked = Spec("A dog", "veo3_fast", aspect_ratio=AspectRatio.AUTO, seconds=4, seed=23456, watermark="Mine")
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s, replace(UPRIGHT, width=1080, height=1920), spec=asked), Desk(s)
        task = await desk.extend(source.id, callback_url="https://r.example/")
        assert task == Task(
            id="f" * 31 + "1",
            origin=Origin("default", "key_2", "veo3", BASE, {"times": "string"}),
            spec=Spec(
                "It runs on",
                "veo3_fast",
                kind=Kind.EXTEND,
                aspect_ratio=AspectRatio.PORTRAIT,
                resolution=Resolution.P1080,
                seconds=4,
                seed=23456,
                callback_url="https://r.example/",
                source_id=source.id,
            ),
            created_ms=NOON,
            run_at_ms=NOON,
            price=60,
        )
        assert await s.tasks.get(task.id) == task
        assert desk.nudges == 1


async def test_an_extension_has_its_own_model_seed_and_watermark_and_may_be_ordered_twice(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s, engine="continues"), Desk(s)
        both = [await desk.extend(source.id, model="veo3", seed=11111, watermark="Ours") for _ in range(2)]
        for task in both:
            assert (task.spec.model, task.spec.seed, task.spec.watermark, task.price) == ("veo3", 11111, "Ours", 250)
            assert task.status is Status.QUEUED
        assert both[0].id != both[1].id


async def test_an_extension_can_be_extended_and_enlarged(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        desk = Desk(s)
        first = await desk.extend((await made(s)).id)
        longer = await finished(s, first, SOON_GONE, replace(SOON_GONE, role=Role.FULL, seconds=16.0))
        assert (await desk.extend(longer.id)).spec.source_id == longer.id
        upgrade = await desk.upgrade(longer.id, Kind.UPGRADE_1080P)
        assert upgrade.task is not None
        assert (upgrade.task.spec.source_id, upgrade.task.spec.prompt) == (longer.id, "It runs on")


@pytest.mark.parametrize("engine", ["begins", "gone"])
async def test_an_extension_needs_an_engine_that_can_continue(tmp_path: Path, engine: str) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        source, desk = await made(s, engine=engine), Desk(s)
        with pytest.raises(InvalidRequest, match="begins cannot make tasks of kind extend"):
            await desk.extend(source.id, model="veo3_lite")
        assert (await desk.extend(source.id, model="veo3_fast")).spec.model == "veo3_fast"


async def test_what_cannot_be_extended_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.account("other")
        await s.account("poor", credits=0)
        desk, fine = Desk(s), await made(s)
        foreign = await made(s, account="other", price=0)
        poor = await made(s, account="poor", price=0)
        gone = await made(s, replace(FILM, expires_ms=NOON))
        empty = await made(s, replace(SOON_GONE, role=Role.POSTER))
        upgrade = (await desk.upgrade(fine.id, Kind.UPGRADE_1080P)).task
        assert upgrade is not None
        larger = await finished(s, upgrade, LARGE)
        waiting = await s.submitted()
        before = s.dump()
        refused: list[tuple[str, str, Caller, type[FilmgateError]]] = [
            ("0" * 32, "veo3_fast", CALLER, SourceNotFound),
            (foreign.id, "veo3_fast", CALLER, SourceNotFound),
            (waiting.id, "veo3_fast", CALLER, SourceNotReady),
            (gone.id, "veo3_fast", CALLER, NoSuchResult),
            (empty.id, "veo3_fast", CALLER, NoSuchResult),
            (larger.id, "veo3_fast", CALLER, SourceUnusable),
            (fine.id, "veo9", CALLER, UnsupportedModel),
            (poor.id, "veo3_fast", Caller("poor", "key_3"), InsufficientCredits),
        ]
        for task_id, model, caller, error in refused:
            with pytest.raises(error):
                await desk.extend(task_id, caller, model=model)
        assert s.dump() == before
