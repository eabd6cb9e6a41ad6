"""Once more, by the operator: a new task that names the old one, which stays as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from filmgate.dialects.veo3.render import compose_callback, render_record
from filmgate.domain.credits import Entry, EntryKind
from filmgate.domain.errors import (
    Conflict,
    ContentRejected,
    EngineFailed,
    InsufficientCredits,
    TaskNotEnded,
    TaskNotFound,
)
from filmgate.domain.spec import Kind, Spec
from filmgate.domain.task import Status, Task
from filmgate.http.edition import Edition
from filmgate.services.retry import Retry
from filmgate.storage.links import Links
from support.storing import FILM, MODELS, Shelf, shelf

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with shelf(tmp_path) as made:
        await made.account(credits=100)
        yield made


ANNA = "cli:anna"


def retry_of(rows: Shelf) -> Retry:
    numbers = count(1)
    return Retry(rows.tasks, rows.clock, lambda: f"{next(numbers):032d}"[::-1], lambda: None)


async def failed(rows: Shelf, error: EngineFailed | ContentRejected | None = None, **changes: object) -> Task:
    await rows.submitted(**changes)
    lease = await rows.tasks.claim("w", 30_000, MODELS)
    assert lease is not None
    return await rows.tasks.end(lease, error or EngineFailed("It broke."))


async def test_the_order_is_in_the_queue_again_and_its_price_is_held(rows: Shelf) -> None:
    old = await failed(rows, callback="https://receiver.example/", priority=3)
    new = await retry_of(rows)(old.id, by=ANNA)
    assert (new.status, new.retry_of, new.attempt, new.faults) == (Status.QUEUED, old.id, 0, 0)
    assert (new.spec, new.origin, new.price, new.priority) == (old.spec, old.origin, old.price, 3)
    assert await rows.tasks.get(old.id) == old
    assert await rows.accounts.balance("default") == 40
    lease = await rows.tasks.claim("w", 30_000, MODELS)
    assert lease is not None
    done = await rows.tasks.succeed(lease, [FILM], engine="trial", state=b"")
    links = Links([b"key"])
    assert render_record(done, Edition(), links)["retryOf"] == old.id
    assert f'"retryOf":"{old.id}"'.encode() in compose_callback(done, links, {})
    assert "retryOf" not in render_record(old, Edition(), links)
    told = rows.rows("SELECT task_id, id FROM callbacks")
    assert sorted(task_id for task_id, _ in told) == sorted([old.id, new.id])
    assert len({callback_id for _, callback_id in told}) == 2
    kinds = rows.rows("SELECT task_id, kind FROM ledger WHERE task_id IS NOT NULL ORDER BY id")
    assert kinds == [(old.id, "hold"), (old.id, "refund"), (new.id, "hold"), (new.id, "settle")]


async def test_once_more_is_once_unless_it_fails_again(rows: Shelf) -> None:
    await rows.accounts.post(Entry("default", EntryKind.GRANT, 1000, rows.clock.ms))
    old = await failed(rows)
    retry = retry_of(rows)
    await retry(old.id, by=ANNA)
    before = rows.dump()
    with pytest.raises(Conflict, match="once more already"):
        await retry(old.id, by=ANNA)
    assert rows.dump() == before
    lease = await rows.tasks.claim("w", 30_000, MODELS)
    assert lease is not None
    await rows.tasks.end(lease, EngineFailed("It broke again."))
    assert (await retry(old.id, by=ANNA)).retry_of == old.id


async def test_what_was_refused_may_be_tried_again(rows: Shelf) -> None:
    """The rules may have been changed since."""
    old = await failed(rows, ContentRejected())
    assert (await retry_of(rows)(old.id, by=ANNA)).status is Status.QUEUED


async def test_what_has_not_failed_is_not_tried_again(rows: Shelf) -> None:
    retry = retry_of(rows)
    task = await rows.submitted(price=0)
    with pytest.raises(TaskNotEnded):
        await retry(task.id, by=ANNA)
    await rows.tasks.cancel(task.id)
    with pytest.raises(Conflict, match="was cancelled"):
        await retry(task.id, by=ANNA)
    await rows.submitted(price=0)
    lease = await rows.tasks.claim("w", 30_000, MODELS)
    assert lease is not None
    await rows.tasks.succeed(lease, [FILM], engine="trial", state=b"")
    with pytest.raises(Conflict, match="has succeeded"):
        await retry(lease.task.id, by=ANNA)
    with pytest.raises(TaskNotFound):
        await retry("0" * 31 + "x", by=ANNA)


async def test_what_the_account_cannot_pay_is_not_tried_again(rows: Shelf) -> None:
    old = await failed(rows)
    await rows.submitted()
    before = rows.dump()
    with pytest.raises(InsufficientCredits):
        await retry_of(rows)(old.id, by=ANNA)
    assert rows.dump() == before


async def test_a_film_is_still_enlarged_once(rows: Shelf) -> None:
    source = await rows.submitted(price=0)
    await rows.tasks.cancel(source.id)
    spec = Spec("", "veo3_fast", kind=Kind.UPGRADE_4K, source_id=source.id)
    old = await failed(rows, price=0, spec=spec)
    other = await rows.submitted(price=0, spec=spec)
    with pytest.raises(Conflict, match=other.id):
        await retry_of(rows)(old.id, by=ANNA)
