"""From an order to a task in the store, or to a refusal that costs nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from filmgate.domain.credits import DEFAULT_PRICES
from filmgate.domain.errors import InsufficientCredits, InvalidRequest, RequestError, Unsupported, UnsupportedModel
from filmgate.domain.routing import Capabilities, Route
from filmgate.domain.spec import AspectRatio, Mode, Resolution, Spec
from filmgate.domain.task import Origin, Status, Task
from filmgate.ports import Caller
from filmgate.services.submit import Submit
from support.storing import NOON, Shelf, shelf

pytestmark = pytest.mark.anyio

SMALL = Capabilities(resolutions=frozenset({Resolution.P720, Resolution.P1080}))
FROM_IMAGES = replace(SMALL, modes=frozenset({Mode.FRAMES}), aspect_ratios=frozenset(AspectRatio))
ENGINES = {"small": SMALL, "from_images": FROM_IMAGES}
MODELS = {name: Route(name, ("small", "from_images")) for name in ("veo3", "veo3_fast")}
CALLER = Caller("default", "key_1", {"times": "iso"})
DOG = Spec("a dog", "veo3_fast")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Desk:
    """A submit service that counts its nudges."""

    def __init__(self, s: Shelf) -> None:
        self.nudges = 0
        self._submit = Submit(
            store=s.tasks,
            clock=s.clock,
            new_id=lambda: "0" * 31 + "1",
            new_seed=lambda: 54321,
            models=MODELS,
            capabilities=ENGINES.__getitem__,
            prices=DEFAULT_PRICES,
            nudge=self._nudged,
        )

    def _nudged(self) -> None:
        self.nudges += 1

    async def order(self, spec: Spec) -> Task:
        return await self._submit(CALLER, spec, dialect="veo3", public_base="https://films.example")


async def test_an_order_becomes_a_task_that_is_due_at_once(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100)
        desk = Desk(s)
        task = await desk.order(DOG)
        assert task == Task(
            id="0" * 31 + "1",
            origin=Origin("default", "key_1", "veo3", "https://films.example", {"times": "iso"}),
            spec=replace(DOG, seed=54321),
            created_ms=NOON,
            run_at_ms=NOON,
            status=Status.QUEUED,
            price=60,
        )
        assert await s.tasks.get(task.id, "default") == task
        assert await s.accounts.balance("default") == 40
        assert desk.nudges == 1


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (DOG, replace(DOG, seed=54321)),
        (replace(DOG, seed=10000), replace(DOG, seed=10000)),
        (
            replace(DOG, seed=1, aspect_ratio=AspectRatio.AUTO),
            replace(DOG, seed=1, aspect_ratio=AspectRatio.LANDSCAPE),
        ),
        (
            replace(DOG, seed=1, aspect_ratio=AspectRatio.AUTO, mode=Mode.FRAMES, images=("https://a.example/1",)),
            replace(DOG, seed=1, aspect_ratio=AspectRatio.AUTO, mode=Mode.FRAMES, images=("https://a.example/1",)),
        ),
    ],
)
async def test_what_was_left_to_us_is_filled_in(tmp_path: Path, asked: Spec, kept: Spec) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        assert (await Desk(s).order(asked)).spec == kept


@pytest.mark.parametrize(
    ("spec", "error", "sentence"),
    [
        (replace(DOG, model="veo9"), UnsupportedModel, "There is no model 'veo9'; there are veo3, veo3_fast"),
        (replace(DOG, resolution=Resolution.K4), InvalidRequest, "small cannot make 4k films"),
        (replace(DOG, mode=Mode.REFERENCE), InvalidRequest, "reference images"),
        (replace(DOG, model="veo3"), InsufficientCredits, "needs 250 credits and the account has 100"),
    ],
)
async def test_a_refused_order_leaves_no_trace(
    tmp_path: Path, spec: Spec, error: type[RequestError], sentence: str
) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=100)
        desk, before = Desk(s), s.dump()
        with pytest.raises(error, match=sentence):
            await desk.order(spec)
        assert s.dump() == before
        assert desk.nudges == 0


async def test_what_no_engine_can_do_is_refused_in_the_engines_words(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        with pytest.raises(InvalidRequest) as refusal:
            await Desk(s).order(replace(DOG, seconds=30))
        assert isinstance(refusal.value.__cause__, Unsupported)
        assert str(refusal.value) == str(refusal.value.__cause__)
