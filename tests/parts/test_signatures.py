"""Callbacks carry the signatures of their account's secrets, and receivers can check them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from filmgate.app.callbacks import compose
from filmgate.app.parts import SystemClock
from filmgate.client import SignatureInvalid, webhooks
from filmgate.domain.callback import Callback
from filmgate.net.outbound import Outbound, Policy
from filmgate.net.signing import standard_headers, vendor_signature
from filmgate.services.deliver import Deliver
from filmgate.services.signatures import Signatures
from filmgate.storage.links import Links
from filmgate.store.outbox import SqlOutbox
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


async def delivered(shelves: Shelf) -> Received:
    """The callback of a cancelled task, as it comes to its receiver; every secret is signed with."""
    clock = SystemClock()
    tasks, outbox = SqlTaskStore(shelves.database, clock), SqlOutbox(shelves.database, clock)
    secrets = SqlWebhookStore(shelves.database, clock)
    await secrets.rotate("default", "vendor", "a key", 0)
    await secrets.rotate("default", "standard", OLD, 0)
    await secrets.rotate("default", "standard", NEW, DAY_MS)
    links = Links([b"a key"])
    async with receiving(answer(200)) as receiver:
        task = order(callback=receiver.url, created_ms=clock.now_ms())
        await tasks.submit(task)
        await tasks.cancel(task.id)
        deliver = Deliver(
            outbox,
            tasks,
            lambda ended: compose(ended, links, {}),
            Outbound(Policy(allow_private=True)),
            clock,
            sign=Signatures(secrets, clock),
        )
        running = asyncio.create_task(deliver.run())

        async def arrived() -> bool:
            return bool(receiver.requests)

        await until(arrived)
        running.cancel()
        await deliver.drain()
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
