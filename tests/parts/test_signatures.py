"""Callbacks carry the signatures of their account's secrets, and receivers can check them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from filmgate.app.callbacks import compose
from filmgate.app.parts import SystemClock
from filmgate.client import SignatureInvalid, webhooks
from filmgate.domain.callback import Callback
from filmgate.domain.task import Status
from filmgate.net.outbound import Outbound, Policy
from filmgate.net.signing import standard_headers, vendor_signature
from filmgate.services.deliver import Deliver
from filmgate.services.signatures import Signatures
from filmgate.storage.links import Links
from filmgate.store.outbox import SqlOutbox
from filmgate.store.sealing import Seal
from filmgate.store.tasks import SqlTaskStore
from filmgate.store.webhooks import SqlWebhookStore
from support.hostile import Received, answer, receiving, until
from support.storing import NOON, HandClock, Shelf, order, shelf

pytestmark = pytest.mark.anyio

OLD, NEW = (f"whsec_{base64.b64encode(letter * 24).decode()}" for letter in (b"o", b"n"))
BODY = b'{"taskId":"1"}'
CALLBACK = Callback("msg_1", "ee9c2715375b7837f8bb51d641ff5863", "default", "https://a.example/", NOON, NOON)
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Signing:
    clock: HandClock
    secrets: SqlWebhookStore
    sign: Signatures


@asynccontextmanager
async def signing(folder: Path) -> AsyncIterator[Signing]:
    async with shelf(folder) as shelves:
        await shelves.account()
        secrets = SqlWebhookStore(shelves.database, shelves.clock)
        yield Signing(shelves.clock, secrets, Signatures(secrets, shelves.clock))


async def test_without_secrets_there_are_no_signatures(tmp_path: Path) -> None:
    async with signing(tmp_path) as of:
        assert await of.sign(CALLBACK, BODY) == {}


async def test_each_kind_signs_by_itself(tmp_path: Path) -> None:
    at_s = NOON // 1000
    vendor = {
        "x-webhook-timestamp": str(at_s),
        "x-webhook-signature": vendor_signature("a key", CALLBACK.task_id, at_s),
    }
    standard = dict(standard_headers(NEW, "msg_1", at_s, BODY))
    async with signing(tmp_path) as of:
        await of.secrets.rotate("default", "vendor", "a key", 0)
        assert await of.sign(CALLBACK, BODY) == vendor
        await of.secrets.rotate("default", "standard", NEW, 0)
        assert await of.sign(CALLBACK, BODY) == vendor | standard
        await of.secrets.remove("default", "vendor")
        assert await of.sign(CALLBACK, BODY) == standard


async def test_while_secrets_are_replaced_both_sign_where_there_is_room(tmp_path: Path) -> None:
    async with signing(tmp_path) as of:
        for kind, old, new in (("standard", OLD, NEW), ("vendor", "old", "new")):
            await of.secrets.rotate("default", kind, old, 0)
            await of.secrets.rotate("default", kind, new, DAY_MS)
        headers = await of.sign(CALLBACK, BODY)
        of.clock.ms += DAY_MS
        later = await of.sign(CALLBACK, BODY)
    at_s, later_s = NOON // 1000, (NOON + DAY_MS) // 1000
    both = [standard_headers(secret, "msg_1", at_s, BODY)["webhook-signature"] for secret in (NEW, OLD)]
    assert headers["webhook-signature"] == " ".join(both)
    assert headers["x-webhook-signature"] == vendor_signature("new", CALLBACK.task_id, at_s)
    assert later["webhook-signature"] == standard_headers(NEW, "msg_1", later_s, BODY)["webhook-signature"]
    assert later["x-webhook-signature"] == vendor_signature("new", CALLBACK.task_id, later_s)


async def test_secrets_of_other_accounts_do_not_sign(tmp_path: Path) -> None:
    async with shelf(tmp_path) as shelves:
        await shelves.account("neighbour")
        secrets = SqlWebhookStore(shelves.database, shelves.clock)
        await secrets.rotate("neighbour", "vendor", "a key", 0)
        assert await Signatures(secrets, shelves.clock)(CALLBACK, BODY) == {}


async def test_a_secret_that_cannot_be_opened_lets_no_callback_go_unsigned(tmp_path: Path) -> None:
    """The try fails with what to do, and comes again; the task has ended as it has. With the key it is delivered."""
    clock = SystemClock()
    async with shelf(tmp_path) as shelves, receiving(answer(200)) as receiver:
        await shelves.account()
        sealed = SqlWebhookStore(shelves.database, clock, Seal("k" * 32))
        await sealed.rotate("default", "vendor", "a key", 0)
        tasks, outbox = SqlTaskStore(shelves.database, clock), SqlOutbox(shelves.database, clock)
        task = order(callback=receiver.url, created_ms=clock.now_ms())
        await tasks.submit(task)
        await tasks.cancel(task.id)
        [callback] = await outbox.of_task(task.id)
        async with delivering(shelves, clock, SqlWebhookStore(shelves.database, clock)):
            await until(partial(_tried, outbox, callback, 2))
        assert receiver.requests == []
        assert (await outbox.deliveries(callback.id))[0].error.startswith("No FILMGATE_SECRET_KEY is set.")
        assert (await tasks.get(task.id)).status is Status.REJECTED
        async with delivering(shelves, clock, sealed):
            await until(partial(_tried, outbox, callback, 3))
        assert "x-webhook-signature" in receiver.requests[0].headers


async def _tried(outbox: SqlOutbox, callback: Callback, times: int) -> bool:
    return len(await outbox.deliveries(callback.id)) >= times


@asynccontextmanager
async def delivering(shelves: Shelf, clock: SystemClock, secrets: SqlWebhookStore) -> AsyncIterator[None]:
    deliver = Deliver(
        SqlOutbox(shelves.database, clock),
        SqlTaskStore(shelves.database, clock),
        lambda ended: compose(ended, Links([b"a key"]), {}),
        Outbound(Policy(allow_private=True)),
        clock,
        sign=Signatures(secrets, clock),
        schedule_s=(0.05,) * 50,
    )
    running = asyncio.create_task(deliver.run())
    try:
        yield
    finally:
        running.cancel()
        await deliver.drain()


async def delivered(shelves: Shelf) -> Received:
    """The callback of a cancelled task, as it comes to its receiver; every secret is signed with."""
    clock = SystemClock()
    tasks, outbox = SqlTaskStore(shelves.database, clock), SqlOutbox(shelves.database, clock)
    secrets = SqlWebhookStore(shelves.database, clock)
    await secrets.rotate("default", "vendor", "a key", 0)
    await secrets.rotate("default", "standard", OLD, 0)
    await secrets.rotate("default", "standard", NEW, DAY_MS)
    async with receiving(answer(200)) as receiver:
        task = order(callback=receiver.url, created_ms=clock.now_ms())
        await tasks.submit(task)
        await tasks.cancel(task.id)
        [callback] = await outbox.of_task(task.id)
        async with delivering(shelves, clock, secrets):
            await until(partial(_tried, outbox, callback, 1))
        return receiver.requests[0]


async def test_what_is_delivered_verifies_in_every_way(tmp_path: Path) -> None:
    async with shelf(tmp_path) as shelves:
        await shelves.account()
        request = await delivered(shelves)
    for secret in (OLD, NEW):
        assert webhooks.verify_standard(request.body, request.headers, secret).id == request.headers["webhook-id"]
    event = webhooks.verify_vendor(request.body, request.headers, "a key")
    assert event.task_id in request.body.decode()
    with pytest.raises(SignatureInvalid):
        webhooks.verify_standard(request.body + b" ", request.headers, NEW)
    with pytest.raises(SignatureInvalid):
        webhooks.verify_vendor(request.body, {**request.headers, "x-webhook-timestamp": "1"}, "a key")
