"""Engines elsewhere, when the other side does not do as it should: over a real store, real slots and a real peer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from filmgate.domain.spec import Kind, Mode, Resolution
from filmgate.domain.task import Role, Status, Task
from filmgate.engines.registry import Declared
from filmgate.engines.veo3_upstream import Veo3UpstreamEngine
from filmgate.ports import Secret
from filmgate.services.remotes import RemoteLimits
from filmgate.store.runs import SqlRunStore
from support.running import SOON, Workshop, workshop
from support.server import PLUGIN
from support.veo3_peer import KEY, Fault, Peer, peer

GENERATE, RECORD, FILM = "/api/v1/veo/generate", "/api/v1/veo/record-info", "/film"
BUSY = Fault(503, b"<html>busy</html>")


@pytest.fixture(autouse=True)
def _plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))


def house(there: Peer, **words: Any) -> dict[str, Declared]:
    told: dict[str, Any] = {"base_url": there.url, "api_key": Secret(KEY), "timeout_s": 1.0, **words}
    return {"house": Declared("veo3_upstream", Veo3UpstreamEngine.Config(**told))}


def ended(
    folder: Path,
    there: Peer,
    *engines: str,
    limits: RemoteLimits = SOON,
    fields: dict[str, Any] | None = None,
    **words: Any,
) -> tuple[Task, Sequence[tuple[str, str | None]], int]:
    """What became of one order for 60 credits, what ran for it, and what it has cost."""

    async def job() -> tuple[Task, Sequence[tuple[str, str | None]], int]:
        route = engines or ("house",)
        async with workshop(folder, *route, declared=house(there, **words), elsewhere=limits) as shop:
            before = shop.shelf.rows("SELECT balance FROM accounts")[0][0]
            task = await shop.ended(await shop.submit("a dog", price=60, **(fields or {})))
            runs = await SqlRunStore(shop.shelf.database).runs(task.id)
            after = shop.shelf.rows("SELECT balance FROM accounts")[0][0]
            return task, [(run.engine, run.outcome) for run in runs], before - after

    return asyncio.run(job())


# ---------------------------------------------------------------- every edition --------------------------------


@pytest.mark.parametrize("edition", ["array", "json_string", "top_level", "status", "market"])
@pytest.mark.parametrize("mirror", [False, True])
def test_every_edition_is_understood(tmp_path: Path, edition: str, mirror: bool) -> None:
    with peer(edition=edition, mirror=mirror) as there:
        task, runs, cost = ended(tmp_path, there)
    assert (task.status, task.engine, cost) == (Status.SUCCEEDED, "house", 60)
    assert runs == [("house", "succeeded")]


def test_images_are_uploaded_there_and_not_passed_on_as_addresses(tmp_path: Path) -> None:
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.linear_gradient("L").resize((1280, 720)).convert("RGB").save(file, "PNG")
    with peer() as pictures, peer() as there:
        pictures.film = file.getvalue()
        fields = {"mode": Mode.FRAMES, "images": (f"{pictures.url}/film/first.png",)}
        task, _, _ = ended(tmp_path, there, fields=fields)
    assert task.status is Status.SUCCEEDED, task.failure
    (order,) = there.orders
    assert order["generationType"] == "FIRST_AND_LAST_FRAMES_2_VIDEO"
    assert order["imageUrls"] == [f"{there.url}/film/upload-1.png"]
    assert b"\x89PNG" in there.uploaded[0]
    assert len(task.artifacts_of(Role.INPUT)) == 1


# ---------------------------------------------------------------- orders ---------------------------------------


def test_a_passing_fault_of_an_order_is_tried_again(tmp_path: Path) -> None:
    with peer() as there:
        there.fails(GENERATE, BUSY, Fault(200, {"code": 429, "msg": "Your call frequency is too high.", "data": None}))
        task, runs, cost = ended(tmp_path, there)
    assert (task.status, task.faults, cost, len(there.orders)) == (Status.SUCCEEDED, 2, 60, 1)
    assert [outcome for _, outcome in runs] == ["engine_unavailable", "engine_unavailable", "succeeded"]


@pytest.mark.parametrize(
    ("fault", "slug", "orders"),
    [
        (Fault(200, {"code": 422, "msg": "Images size exceeds limit", "data": None}), "engine_failed", 0),
        (Fault(400, {"code": 400, "msg": "public error minor upload", "data": None}), "minor_rejected", 0),
        (Fault(200, {"code": 422, "msg": "Your request was rejected by Flow(x)."}), "content_rejected", 0),
        (Fault(401, {"code": 401, "msg": "no", "data": None}), "engine_unavailable", 0),
        (Fault(200, {"code": 402, "msg": "Credits insufficient", "data": None}), "engine_unavailable", 0),
        (Fault(200, b"\x00garbage", taken=True), "order_unclear", 1),
        (Fault(200, b"[" * 100_000, taken=True), "order_unclear", 1),
        (Fault(200, {"code": 200, "msg": "success", "data": None}, taken=True), "order_unclear", 1),
        (Fault(502, b"<html>bad gateway</html>", taken=True), "order_unclear", 1),
        (Fault(200, {"code": 200, "msg": "success"}, hang_s=3, taken=True), "order_unclear", 1),
        (Fault(200, b"{" + b" " * 100, drip_s=0.2, taken=True), "order_unclear", 1),
        (Fault(200, b"{", cut=True, taken=True), "order_unclear", 1),
    ],
)
def test_what_comes_of_an_order_that_is_not_answered_with_an_id(
    tmp_path: Path, fault: Fault, slug: str, orders: int
) -> None:
    """An order of which nobody knows whether it was taken is not sent again, and nothing is charged for it."""
    with peer() as there:
        there.fails(GENERATE, *[fault] * 3)
        task, _, cost = ended(tmp_path, there)
    assert task.failure is not None
    assert (task.failure.slug, cost, len(there.orders)) == (slug, 0, orders)
    assert KEY not in task.failure.sentence
    assert there.url not in task.failure.sentence


def test_an_order_that_the_other_side_takes_once_is_sent_again(tmp_path: Path) -> None:
    with peer(knows_keys=True) as there:
        there.fails(GENERATE, Fault(200, b"garbage", taken=True), Fault(200, {"code": 200}, hang_s=3, taken=True))
        task, _, cost = ended(tmp_path, there, takes_once=True)
    assert (task.status, cost, len(there.orders)) == (Status.SUCCEEDED, 60, 1)


def test_nobody_is_there(tmp_path: Path) -> None:
    with closing(socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = Peer(b"", url=f"http://127.0.0.1:{unused.getsockname()[1]}")
        task, runs, cost = ended(tmp_path, nobody)
    assert task.failure is not None
    assert (task.failure.slug, cost, len(runs)) == ("engine_unavailable", 0, 3)


# ---------------------------------------------------------------- looks ----------------------------------------


def test_looks_that_are_not_answered_are_repeated(tmp_path: Path) -> None:
    with peer() as there:
        there.fails(
            RECORD,
            BUSY,
            Fault(200, b"garbage"),
            Fault(200, {"code": 422, "msg": "record is null", "data": None}),
            Fault(200, {"code": 200, "msg": "success", "data": {"nothing": True}}),
            Fault(200, {"code": 200, "msg": "success", "data": {"successFlag": True, "response": 7}}),
            Fault(200, b"{", cut=True),
        )
        task, _, cost = ended(tmp_path, there, limits=replace(SOON, faults_to_rest=100))
    assert (task.status, task.faults, cost, len(there.orders)) == (Status.SUCCEEDED, 0, 60, 1)


@pytest.mark.parametrize(
    ("failing", "status", "slug"),
    [
        (
            {"successFlag": 3, "errorCode": 501, "errorMessage": f"no {KEY}: https://x/?k={KEY}"},
            "failed",
            "engine_failed",
        ),
        ({"successFlag": 2, "errorCode": "400", "errorMessage": "Only English prompts"}, "failed", "engine_failed"),
        (
            {"successFlag": 2, "errorMessage": "Your prompt was flagged by Website as violating content policies. Oh"},
            "rejected",
            "content_rejected",
        ),
        (
            {"state": "fail", "failCode": 400, "failMsg": "public error unsafe image upload"},
            "rejected",
            "image_rejected",
        ),
        ({"successFlag": 1, "response": {"resultUrls": []}}, "failed", "engine_failed"),
        ({"successFlag": 1, "response": {"resultUrls": ["http://169.254.169.254/x.mp4"]}}, "failed", "engine_failed"),
    ],
)
def test_what_comes_to_nothing_there(tmp_path: Path, failing: dict[str, Any], status: str, slug: str) -> None:
    with peer(failing=failing) as there:
        task, _, cost = ended(tmp_path, there)
    assert task.failure is not None
    assert (task.status.value, task.failure.slug, cost, len(there.orders)) == (status, slug, 0, 1)
    assert KEY not in task.failure.sentence
    assert "flagged" not in task.failure.sentence  # it is said by whoever passes it on


def test_what_takes_too_long_is_given_up_and_cancelled_there(tmp_path: Path) -> None:
    with peer(make_s=3600) as there:
        task, runs, cost = ended(tmp_path, there, limits=replace(SOON, within_s=0.5))
    assert task.failure is not None
    assert (task.failure.slug, cost, there.cancelled) == ("engine_timeout", 0, ["veo_task_1"])
    assert runs == [("house", "engine_timeout")]
    assert len(there.orders) == 1


# ---------------------------------------------------------------- films ----------------------------------------


def test_a_film_that_cannot_be_fetched_at_once_is_fetched_later_and_not_ordered_anew(tmp_path: Path) -> None:
    with peer() as there:
        there.fails(FILM, Fault(503), Fault(200, b"half a film", cut=True))
        task, _, cost = ended(tmp_path, there)
    assert (task.status, task.faults, cost, len(there.orders)) == (Status.SUCCEEDED, 2, 60, 1)


@pytest.mark.parametrize(
    ("film", "slug"), [(Fault(410, b"expired"), "engine_unavailable"), (Fault(200, b"no film"), "output_unusable")]
)
def test_a_film_that_is_none_is_not_ordered_anew_either(tmp_path: Path, film: Fault, slug: str) -> None:
    with peer() as there:
        there.fails(FILM, *[film] * 3)
        task, _, cost = ended(tmp_path, there)
    assert task.failure is not None
    assert (task.failure.slug, cost, len(there.orders)) == (slug, 0, 1)


def test_where_another_engine_can_it_makes_what_came_to_nothing_there(tmp_path: Path) -> None:
    with peer() as there:
        there.fails(FILM, Fault(200, b"no film"))
        task, runs, cost = ended(tmp_path, there, "house", "trial")
    assert (task.status, task.engine, task.fallback_used, cost) == (Status.SUCCEEDED, "trial", False, 60)
    assert runs == [("house", "output_unusable"), ("trial", "succeeded")]


def test_larger_versions_and_extensions_of_a_film_that_was_made_elsewhere_before_are_not_ordered_there(
    tmp_path: Path,
) -> None:
    """The peer knows nothing of larger versions: the sentence says so, and nothing is charged."""

    async def job() -> tuple[Task, Task]:
        async with workshop(tmp_path, "house", declared=house(there), elsewhere=SOON) as shop:
            film = await shop.submit("a dog", price=60)
            await shop.ended(film)
            larger: dict[str, Any] = {"kind": Kind.UPGRADE_1080P, "resolution": Resolution.P1080, "source_id": film}
            further: dict[str, Any] = {"kind": Kind.EXTEND, "source_id": film}
            return await shop.ended(await shop.submit("", **larger)), await shop.ended(
                await shop.submit("on", **further)
            )

    with peer() as there:
        larger, further = asyncio.run(job())
    assert larger.failure is not None
    assert "does not enlarge it" in larger.failure.sentence
    assert further.status is Status.SUCCEEDED
    assert [order.get("taskId") for order in there.orders] == [None, "veo_task_1"]


# ---------------------------------------------------------------- limits ---------------------------------------


def test_no_more_than_so_many_are_made_there_at_once(tmp_path: Path) -> None:
    async def job() -> int:
        limits = replace(SOON, concurrency=2)
        async with workshop(tmp_path, "house", declared=house(there), elsewhere=limits) as shop:
            ids = [await shop.submit(f"dog {number}") for number in range(5)]
            return await _most_waiting(shop, ids)

    with peer(make_s=0.6) as there:
        assert asyncio.run(job()) == 2


async def _most_waiting(shop: Workshop, ids: Sequence[str]) -> int:
    most, tasks = 0, [await shop.store.get(each) for each in ids]
    async with asyncio.timeout(60):
        while not all(task.status.ended for task in tasks):
            most = max(most, sum(task.status is Status.WAITING for task in tasks))
            await asyncio.sleep(0.02)
            tasks = [await shop.store.get(each) for each in ids]
    assert {task.status for task in tasks} == {Status.SUCCEEDED}
    return most


def test_no_more_than_so_many_are_ordered_in_a_minute(tmp_path: Path) -> None:
    async def job() -> list[Status]:
        limits = replace(SOON, starts_per_minute=2)
        async with workshop(tmp_path, "house", declared=house(there), elsewhere=limits) as shop:
            ids = [await shop.submit(f"dog {number}") for number in range(3)]
            for each in ids[:2]:
                await shop.ended(each)
            await asyncio.sleep(0.5)
            return [(await shop.store.get(each)).status for each in ids]

    with peer(make_s=0.0) as there:
        assert asyncio.run(job()) == [Status.SUCCEEDED, Status.SUCCEEDED, Status.QUEUED]
        assert len(there.orders) == 2


# ---------------------------------------------------------------- stops and secrets ----------------------------


def test_a_runner_that_stops_forgets_nothing_that_it_has_ordered(tmp_path: Path) -> None:
    """Stopped while the order is on its way, the next runner finds it; cancelled then, it is cancelled there."""

    async def job() -> Task:
        async with workshop(tmp_path, "house", declared=house(there, timeout_s=10.0)) as shop:
            task_id = await shop.submit("a dog", price=60)
            await _until(lambda: not there.faults.get(GENERATE))
            await shop.runner.drain(0)
            return await shop.store.get(task_id)

    async def cancelled() -> Task:
        folder = tmp_path / "second"
        folder.mkdir()
        async with workshop(folder, "house", declared=house(there, timeout_s=10.0)) as shop:
            task_id = await shop.submit("a cat", price=60)
            await _until(lambda: not there.faults.get(GENERATE))
            await shop.store.cancel(task_id)
            shop.runner.nudge()
            await _until(lambda: there.cancelled == ["veo_task_2"])
            return await shop.store.get(task_id)

    taken = {"code": 200, "msg": "success", "data": {"taskId": "veo_task_1"}}
    with peer() as there:
        there.fails(GENERATE, Fault(200, taken, hang_s=1.0, taken=True))
        task = asyncio.run(job())
        assert (task.status, task.faults) == (Status.QUEUED, 0)
        assert "film veo_task_1" in (task.checkpoint or "")
        taken["data"] = {"taskId": "veo_task_2"}
        there.fails(GENERATE, Fault(200, taken, hang_s=1.0, taken=True))
        assert asyncio.run(cancelled()).status is Status.REJECTED


def test_an_attempt_that_has_died_with_the_id_written_down_is_gone_on_with(tmp_path: Path) -> None:
    """As if its worker had died before it let go of the task: it comes back to the queue with its checkpoint."""

    async def job() -> Task:
        async with workshop(tmp_path, "house", declared=house(there)) as shop:
            task_id = await shop.submit("a dog", price=60)
            await shop.seen(task_id, lambda task: task.status is Status.WAITING)
            shop.shelf.write("UPDATE tasks SET status = 'queued', run_at_ms = 0 WHERE id = ?", task_id)
            shop.runner.nudge()
            return await shop.ended(task_id)

    with peer(make_s=1.5) as there:
        task = asyncio.run(job())
    assert (task.status, task.attempt, len(there.orders)) == (Status.SUCCEEDED, 3, 1)


async def _until(true: Any) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_no_secret_is_logged_or_stored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    leak = f"the key {KEY} of https://user:{KEY}@x/?key={KEY} is wrong"
    with peer() as there:
        there.fails(GENERATE, Fault(500, {"code": 500, "msg": leak, "data": None}), Fault(401, leak.encode()), BUSY)
        task, _, _ = ended(tmp_path, there, "house", "trial")
    assert task.status is Status.SUCCEEDED
    assert KEY not in caplog.text
    stored = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert KEY.encode() not in stored
