"""A second engine makes what the first one, or a rule, refuses: where the order allows it, and only then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from filmgate.app.parts import SystemClock
from filmgate.domain.features import Feature
from filmgate.domain.spec import AspectRatio, Mode
from filmgate.domain.task import Failure, Status, Task
from filmgate.services.policy.judging import Policy
from filmgate.services.policy.reading import read_rules
from filmgate.store.features import SqlFeatureStore
from support.running import Workshop, workshop
from support.server import PLUGIN

BOTH = ("trial", "trial2")
RULES = Policy(read_rules())


@pytest.fixture(autouse=True)
def _plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))


def ended(
    folder: Path, *prompts: str, engines: tuple[str, ...] = BOTH, policy: Policy = RULES, **fields: Any
) -> list[Task]:
    """The tasks of these prompts, worked off by one runner."""

    async def job() -> list[Task]:
        async with workshop(folder, *engines, policy=policy) as shop:
            ids = [await shop.submit(prompt, **{"fallback": True, **fields}) for prompt in prompts]
            return [await shop.ended(task_id) for task_id in ids]

    return asyncio.run(job())


def test_each_of_the_three_refusals_is_made_by_the_next_engine(tmp_path: Path) -> None:
    for task in ended(tmp_path, "reject then go", "prominent then go", "underage then go", "a deepfake then go"):
        assert (task.status, task.engine, task.fallback_used) == (Status.SUCCEEDED, "trial2", True), task
        assert task.failure is None


def test_what_the_first_engine_makes_is_no_fallback(tmp_path: Path) -> None:
    (task,) = ended(tmp_path, "a dog then reject")
    assert (task.status, task.engine, task.fallback_used) == (Status.SUCCEEDED, "trial", False)


def test_a_fallback_that_refuses_or_breaks_down_ends_the_task_with_the_first_refusal(tmp_path: Path) -> None:
    prompts = [f"reject then {word}" for word in ("reject", "prominent", "fail", "small", "crash", "elsewhere")]
    for task in ended(tmp_path, *prompts):
        assert task.status is Status.REJECTED
        assert task.failure == Failure("content_rejected", "Your prompt was flagged as a trial of rejection.")
        assert not task.fallback_used
        assert task.faults == 0


@pytest.mark.parametrize(
    "fields",
    [{"fallback": None}, {"fallback": False}, {"aspect_ratio": AspectRatio.PORTRAIT}],
)
def test_where_the_order_does_not_allow_it_nobody_else_is_asked(tmp_path: Path, fields: dict[str, Any]) -> None:
    for task in ended(tmp_path, "reject then go", "a deepfake then go", **fields):
        assert task.status is Status.REJECTED
        assert task.failure is not None
        assert task.failure.slug in ("content_rejected", "person_rejected")


def test_without_a_second_engine_there_is_no_fallback(tmp_path: Path) -> None:
    for task in ended(tmp_path, "reject then go", "a deepfake then go", engines=("trial",)):
        assert task.status is Status.REJECTED


def test_an_engine_that_breaks_down_is_replaced_which_is_no_fallback(tmp_path: Path) -> None:
    """Whatever the order says of fallbacks: those are for what was refused."""
    for fallback in (None, False, True):
        folder = tmp_path / str(fallback)
        folder.mkdir()
        for task in ended(folder, "fail then go", "small then go", fallback=fallback):
            assert (task.status, task.engine, task.fallback_used) == (Status.SUCCEEDED, "trial2", False)
            assert task.faults == 0


def test_where_all_break_down_the_task_fails(tmp_path: Path) -> None:
    (task,) = ended(tmp_path, "fail then fail")
    assert task.failure is not None
    assert (task.failure.slug, task.fallback_used) == ("engine_failed", False)


def test_where_the_operator_wants_none_to_be_replaced_none_is(tmp_path: Path) -> None:
    """The film would be another one than was ordered; what was refused is still made by the next one."""

    async def job() -> list[Task]:
        async with workshop(tmp_path, *BOTH, failover=False) as shop:
            ids = [await shop.submit(prompt, fallback=True) for prompt in ("fail then go", "reject then go")]
            return [await shop.ended(task_id) for task_id in ids]

    broken, refused = asyncio.run(job())
    assert broken.failure is not None
    assert (broken.failure.slug, broken.fallback_used) == ("engine_failed", False)
    assert (refused.status, refused.fallback_used) == (Status.SUCCEEDED, True)


def test_an_image_that_cannot_be_had_is_no_case_for_another_engine(tmp_path: Path) -> None:
    (task,) = ended(tmp_path, "a dog then go", mode=Mode.FRAMES, images=("http://127.0.0.1:9/a.png",))
    assert task.failure is not None
    assert task.failure.slug == "input_unreachable"


def test_a_rule_that_allows_no_fallback_refuses_at_once(tmp_path: Path) -> None:
    """Before any image is fetched, and without an engine being asked."""
    (task,) = ended(tmp_path, "a nude woman then go", mode=Mode.FRAMES, images=("http://127.0.0.1:9/a.png",))
    assert task.failure is not None
    assert task.failure.slug == "content_rejected"
    assert '("nude")' in task.failure.sentence


def test_the_operator_can_switch_fallbacks_off(tmp_path: Path) -> None:
    async def job() -> None:
        async with workshop(tmp_path, *BOTH) as shop:
            features = SqlFeatureStore(shop.shelf.database, SystemClock())
            await features.set(Feature.FALLBACK, False, "test")
            assert (await shop.ended(await shop.submit("reject then go", fallback=True))).status is Status.REJECTED
            await features.set(Feature.FALLBACK, True, "test")
            assert (await shop.ended(await shop.submit("reject then go", fallback=True))).status is Status.SUCCEEDED

    asyncio.run(job())


# ---------------------------------------------------------------- slots, leases, progress -------------------------


async def _rendering_by(shop: Workshop, task_id: str, stage: str) -> None:
    async with asyncio.timeout(30):
        while (now := shop.runner.progress(task_id)) is None or now[1] != stage:
            await asyncio.sleep(0.01)


def test_the_first_engine_takes_the_next_order_while_the_fallback_works(tmp_path: Path) -> None:
    async def job() -> None:
        async with workshop(tmp_path, *BOTH) as shop:
            refused = await shop.submit("reject then slow 4", fallback=True)
            await _rendering_by(shop, refused, "dawdling")
            other = await shop.ended(await shop.submit("a dog"))
            assert other.engine == "trial"
            assert not (await shop.store.get(refused)).status.ended
            task = await shop.ended(refused)  # twice as long as a lease
            assert (task.fallback_used, task.attempt, task.lost_leases) == (True, 1, 0)

    asyncio.run(job())


def test_fallbacks_wait_for_a_slot_of_their_engine_and_the_queue_waits_behind_them(tmp_path: Path) -> None:
    """Of many refused orders never more than two are under way at the fallback: one that is made, one that waits."""

    async def job() -> None:
        async with workshop(tmp_path, *BOTH) as shop:
            ids = [await shop.submit("reject then slow 0.7", fallback=True) for _ in range(5)]
            most, tasks = 0, [await shop.store.get(each) for each in ids]
            async with asyncio.timeout(60):
                while not all(task.status.ended for task in tasks):
                    most = max(most, sum(task.status is Status.RUNNING for task in tasks))
                    await asyncio.sleep(0.02)
                    tasks = [await shop.store.get(each) for each in ids]
            assert [task.fallback_used for task in tasks] == [True] * 5
            assert {task.attempt for task in tasks} == {1}
            assert most <= 3  # and one that is being stored

    asyncio.run(job())


def test_progress_never_falls(tmp_path: Path) -> None:
    async def job() -> list[float]:
        seen: list[float] = []
        async with workshop(tmp_path, *BOTH) as shop:
            task_id = await shop.submit("slow 0.6 prominent then slow 0.6", fallback=True)
            async with asyncio.timeout(30):
                while not (await shop.store.get(task_id)).status.ended:
                    if (now := shop.runner.progress(task_id)) is not None:
                        seen.append(now[0])
                    await asyncio.sleep(0.01)
        return seen

    seen = asyncio.run(job())
    assert seen == sorted(seen)
    assert len(set(seen)) > 5


def test_a_runner_that_is_stopped_while_a_fallback_works_hands_the_task_back(tmp_path: Path) -> None:
    async def job() -> None:
        async with workshop(tmp_path, *BOTH) as shop:
            task_id = await shop.submit("reject then slow 60", fallback=True)
            await _rendering_by(shop, task_id, "dawdling")
            await shop.runner.drain(0)
            task = await shop.store.get(task_id)
            assert (task.status, task.faults) == (Status.QUEUED, 0)

    asyncio.run(job())
