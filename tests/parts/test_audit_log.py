"""Whatever an operator does to accounts, keys, credits, secrets and tasks is noted, with it or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from filmgate.domain.credits import Entry, EntryKind
from filmgate.domain.errors import EngineFailed, FilmgateError, TaskEnded
from filmgate.services.accounts import (
    create_account,
    create_key,
    digest,
    first_start,
    grant,
    replace_secret,
    revoke_key,
)
from filmgate.services.cancel import Cancel
from filmgate.services.remove import RemoveMedia
from filmgate.services.retry import Retry
from filmgate.storage.local import LocalStorage
from filmgate.store.audit import SqlAuditLog
from filmgate.store.sealing import Seal
from filmgate.store.webhooks import SqlWebhookStore
from support.storing import NOON, Shelf, shelf

pytestmark = pytest.mark.anyio

ANNA = "cli:anna"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def noted(s: Shelf, account_id: str | None = None) -> list[tuple[str, str, str, str | None]]:
    """(actor, action, subject, account), the oldest first."""
    notes = await SqlAuditLog(s.database).list(account_id=account_id, limit=100)
    return [(each.actor, each.action, each.subject, each.account_id) for each in reversed(notes)]


async def test_every_change_is_noted_with_who_did_it(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await create_account(s.accounts, "acme", "Acme", credits=5, weight=2.0, by=ANNA)
        await s.accounts.change_account("acme", lambda each: replace(each, max_running=3), by=ANNA)
        await grant(s.accounts, s.clock, "acme", -2, "oops", by=ANNA)
        made = await create_key(s.accounts, s.clock, "k", account_id="acme", by=ANNA)
        await s.accounts.change_key(made.key.id, lambda each: replace(each, label="l"), by=ANNA)
        await replace_secret(s.accounts, made.key.id, "the-second-secret", 1000, by=ANNA)
        await revoke_key(s.accounts, made.key.id, by=ANNA)
        await s.webhooks.rotate("acme", "vendor", "the-webhook-secret", 1000, by=ANNA)
        await s.webhooks.remove("acme", "vendor", by=ANNA)
        await s.account("other", credits=0)
        subjects = [
            ("account.create", "acme"),
            ("credits.grant", "acme"),
            ("account.change", "acme"),
            ("credits.grant", "acme"),
            *((f"key.{verb}", made.key.id) for verb in ("create", "change", "rotate", "revoke")),
            ("webhook.rotate", "vendor"),
            ("webhook.remove", "vendor"),
        ]
        assert await noted(s, "acme") == [(ANNA, action, subject, "acme") for action, subject in subjects]
        assert (await noted(s))[-1] == ("server", "account.create", "other", "other")
        newest = await SqlAuditLog(s.database).list(account_id="acme", limit=9)
        assert len(newest) == 9
        assert newest[-2].details == {"max_running": "none -> 3"}
        assert newest[-3].details == {"credits": -2, "note": "oops"}
        assert {each.at_ms for each in newest} == {NOON}


async def test_what_an_operator_does_to_tasks_is_noted_and_what_owners_do_is_not(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        cancel = Cancel(s.tasks, lambda: None)
        retry = Retry(s.tasks, s.clock, lambda: "n" * 32, lambda: None)
        remove = RemoveMedia(s.tasks, s.media, LocalStorage(tmp_path / "media"))
        before = await noted(s)
        own = await s.submitted(price=0)
        await cancel(own.id, own.origin.account_id)
        await remove(own.id, own.origin.account_id)
        assert await noted(s) == before
        other, failed = await s.submitted(price=0), await s.submitted(price=0, model="veo3_lite")
        await cancel(other.id, by=ANNA)
        await remove(other.id, by=ANNA)
        lease = await s.tasks.claim("w", 1000, ["veo3_lite"])
        assert lease is not None
        await s.tasks.end(lease, EngineFailed())
        new = await retry(failed.id, by=ANNA)
        account = own.origin.account_id
        done = [("task.cancel", other.id), ("task.delete_media", other.id), ("task.retry", new.id)]
        assert (await noted(s))[len(before) :] == [(ANNA, action, subject, account) for action, subject in done]
        assert (await SqlAuditLog(s.database).list(limit=1))[0].details == {"retry_of": failed.id, "credits": 0}
        with pytest.raises(TaskEnded):
            await cancel(failed.id, by=ANNA)
        assert len(await noted(s)) == len(before) + len(done)


async def test_a_first_start_is_noted_as_the_server_s(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await first_start(s.accounts, s.clock)
        assert [(actor, action) for actor, action, _, _ in await noted(s)] == [
            ("server", "account.create"),
            ("server", "credits.grant"),
            ("server", "key.create"),
        ]


async def test_no_note_holds_a_secret_or_its_digest(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        sealing = SqlWebhookStore(s.database, s.clock, Seal("k" * 32))
        made = await create_key(s.accounts, s.clock, "k")
        await replace_secret(s.accounts, made.key.id, "fg_the-second-secret-of-it", 1000)
        await s.webhooks.rotate("default", "vendor", "the-vendors-secret", 0)
        await sealing.seal()
        await sealing.rotate("default", "standard", "whsec_dGhlLXN0YW5kYXJkLXNlY3JldC1vZi1pdA==", 0)
        log = str(s.rows("SELECT * FROM audit"))
        stored = [value for (value,) in s.rows("SELECT secret FROM webhook_secrets")]
        secrets = [made.secret, "second-secret", "vendors-secret", "whsec_", digest(made.secret), "k" * 32, *stored]
        assert [secret for secret in secrets if secret in log] == []
        assert "webhook.seal" in log


async def test_what_is_refused_is_not_noted(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        refused: list[Callable[[], Awaitable[object]]] = [
            lambda: create_account(s.accounts, "default"),
            lambda: grant(s.accounts, s.clock, "default", -10_001),
            lambda: grant(s.accounts, s.clock, "nobody", 1),
            lambda: grant(s.accounts, s.clock, "default", 0),
            lambda: revoke_key(s.accounts, "key_unknown"),
            lambda: s.webhooks.rotate("nobody", "vendor", "x", 0),
            lambda: s.accounts.change_account("nobody", lambda each: each, by=ANNA),
            lambda: create_account(s.accounts, "Not an id"),
        ]
        before = s.dump()
        for refusal in refused:
            with pytest.raises(FilmgateError):
                await refusal()
        await s.webhooks.remove("default", "vendor")  # there was none
        assert s.dump() == before


@pytest.mark.parametrize("table", ["ledger", "audit"])
async def test_neither_ledger_nor_log_can_be_rewritten(tmp_path: Path, table: str) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.accounts.post(Entry("default", EntryKind.GRANT, 1, NOON))
        before = s.dump()
        for statement in (f"UPDATE {table} SET at_ms = 0", f"DELETE FROM {table}"):
            with pytest.raises(
                (sqlite3.IntegrityError, psycopg.IntegrityError), match=f"rows of {table} stay as they are"
            ):
                s.write(statement)
        assert s.dump() == before
