"""Secrets of callbacks: a new one signs at once, an old one for a while, a removed one never."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.errors import InvalidRequest
from filmgate.ports import WebhookSecrets
from support.storing import shelf

HOUR_MS = 3_600_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_without_secrets_nothing_is_signed(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        assert await s.webhooks.secrets("default") == WebhookSecrets()


@pytest.mark.anyio
async def test_the_newest_is_first_and_the_old_one_signs_until_it_has_run_out(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.account("other")
        await s.webhooks.rotate("default", "vendor", "first", HOUR_MS)
        await s.webhooks.rotate("default", "vendor", "second", HOUR_MS)
        await s.webhooks.rotate("default", "standard", "whsec_1", HOUR_MS)
        assert await s.webhooks.secrets("default") == WebhookSecrets(("second", "first"), ("whsec_1",))
        assert await s.webhooks.secrets("other") == WebhookSecrets()
        s.clock.ms += HOUR_MS - 1
        assert (await s.webhooks.secrets("default")).vendor == ("second", "first")
        s.clock.ms += 1
        assert await s.webhooks.secrets("default") == WebhookSecrets(("second",), ("whsec_1",))


@pytest.mark.anyio
async def test_without_an_overlap_the_old_one_signs_no_more_and_is_not_kept(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.webhooks.rotate("default", "vendor", "leaked", HOUR_MS)
        await s.webhooks.rotate("default", "vendor", "second", 0)
        assert (await s.webhooks.secrets("default")).vendor == ("second",)
        assert "leaked" not in s.dump()


@pytest.mark.anyio
async def test_a_removed_kind_signs_no_more_and_is_not_kept(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        for kind in ("vendor", "standard"):
            for number in range(2):
                await s.webhooks.rotate("default", kind, f"{kind} {number}", HOUR_MS)
        await s.webhooks.remove("default", "vendor")
        assert await s.webhooks.secrets("default") == WebhookSecrets((), ("standard 1", "standard 0"))
        assert s.rows("SELECT count(*) FROM webhook_secrets WHERE kind = 'vendor'") == [(0,)]
        await s.webhooks.remove("default", "vendor")


@pytest.mark.anyio
async def test_what_there_is_not_is_named_and_nothing_changes(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        before = s.dump()
        with pytest.raises(
            InvalidRequest, match="no webhook secret of kind 'other': the kinds are vendor and standard"
        ):
            await s.webhooks.rotate("default", "other", "x", 0)
        with pytest.raises(InvalidRequest, match="kind 'other'"):
            await s.webhooks.remove("default", "other")
        with pytest.raises(InvalidRequest, match="no account 'nobody'"):
            await s.webhooks.rotate("nobody", "vendor", "x", 0)
        assert s.dump() == before


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_a_secret_signs_for_the_overlap_of_the_rotation_that_replaced_it(steps: list[tuple[int, int]]) -> None:
    async def check(folder: Path) -> None:
        async with shelf(folder) as s:
            await s.account()
            newest, until = "", {}  # the model: when each older secret runs out
            for number, (wait_ms, overlap_ms) in enumerate(steps):
                s.clock.ms += wait_ms
                await s.webhooks.rotate("default", "vendor", f"secret {number}", overlap_ms)
                if newest:
                    until[newest] = s.clock.ms + overlap_ms
                newest = f"secret {number}"
                good = [secret for secret, end_ms in until.items() if end_ms > s.clock.ms]
                assert (await s.webhooks.secrets("default")).vendor == (newest, *reversed(good))

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))
