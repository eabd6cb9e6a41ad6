"""Webhook secrets under the operator's key: sealed where there is one, never lost where it is another."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import FilmgateError
from filmgate.ports import HeldSecret, WebhookSecrets
from filmgate.store.sealing import Seal, SecretSealed, is_sealed
from filmgate.store.webhooks import SqlWebhookStore
from support.storing import Shelf, shelf

KEY, OTHER = Seal("k" * 32), Seal("o" * 32)
CLEAR = Seal(None)
HOUR_MS = 3_600_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@given(st.text(min_size=1), st.text())
def test_what_is_sealed_is_opened_by_the_same_key_in_the_same_place_only(secret: str, place: str) -> None:
    stored = KEY.close(secret, place)
    assert is_sealed(stored)
    assert KEY.open(stored, place) == secret
    assert KEY.close(secret, place) != stored
    for seal, where in ((OTHER, place), (KEY, place + "x"), (CLEAR, place)):
        with pytest.raises(SecretSealed, match="FILMGATE_SECRET_KEY"):
            seal.open(stored, where)


@given(st.text(), st.text())
def test_what_is_stored_in_clear_comes_back_whatever_it_looks_like(secret: str, place: str) -> None:
    stored = CLEAR.close(secret, place)
    assert not is_sealed(stored)
    assert CLEAR.open(stored, place) == KEY.open(stored, place) == secret


def test_a_sealed_secret_that_was_tampered_with_is_not_opened() -> None:
    stored = KEY.close("a secret", "default/vendor")
    head, _, sealed = stored.rpartition(":")
    raw = bytearray(base64.b64decode(sealed))
    raw[-1] ^= 1
    with pytest.raises(SecretSealed):
        KEY.open(f"{head}:{base64.b64encode(raw).decode()}", "default/vendor")


def under(s: Shelf, seal: Seal) -> SqlWebhookStore:
    return SqlWebhookStore(s.database, s.clock, seal)


@pytest.mark.anyio
async def test_a_key_that_is_set_later_seals_what_there_was(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.database.write(  # as a version without seals has stored it
            lambda c: c.exec_driver_sql(
                "INSERT INTO webhook_secrets (account_id, kind, secret, created_ms) "
                "VALUES ('default', 'vendor', 'old', 0)"
            ).close()
        )
        await s.webhooks.rotate("default", "standard", "whsec_new", 0)
        told = WebhookSecrets(("old",), ("whsec_new",))
        assert await s.webhooks.secrets("default") == told
        assert await s.webhooks.seal() == 0
        sealing = under(s, KEY)
        assert await sealing.secrets("default") == told  # also before they are sealed
        assert await sealing.seal() == 2
        assert "whsec_new" not in s.dump()
        assert await sealing.secrets("default") == told
        assert set(await sealing.held("default")) == {HeldSecret("vendor", True), HeldSecret("standard", True)}
        assert await sealing.seal() == 0


@pytest.mark.anyio
@pytest.mark.parametrize("seal", [OTHER, CLEAR])
async def test_without_the_key_a_secret_is_an_error_and_is_not_lost(tmp_path: Path, seal: Seal) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await under(s, KEY).rotate("default", "vendor", "first", HOUR_MS)
        with pytest.raises(FilmgateError, match="FILMGATE_SECRET_KEY"):
            await under(s, seal).secrets("default")
        assert await under(s, seal).held("default") == [HeldSecret("vendor", True)]
        assert await under(s, seal).seal() == 0
        assert await under(s, KEY).secrets("default") == WebhookSecrets(("first",))


@pytest.mark.anyio
async def test_a_secret_whose_key_is_gone_can_be_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The new one signs at once; the old one, which nobody can open, signs beside it no more, and is still there."""
    async with shelf(tmp_path) as s:
        await s.account()
        await under(s, KEY).rotate("default", "vendor", "first", HOUR_MS)
        await under(s, OTHER).rotate("default", "vendor", "second", HOUR_MS)
        assert await under(s, OTHER).secrets("default") == WebhookSecrets(("second",))
        assert "an older one signs no more" in caplog.text
        assert len(await under(s, OTHER).held("default")) == 2
