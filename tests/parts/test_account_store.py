"""Accounts, keys, credits and secrets over a real file, and the services that make them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from filmgate.domain.credits import Entry, EntryKind
from filmgate.domain.errors import InsufficientCredits, InvalidRequest
from filmgate.ports import Caller
from filmgate.services.accounts import create_key, digest, first_start, revoke_key
from support.storing import NOON, shelf

pytestmark = pytest.mark.anyio

OWN_KEY = "a-key-that-the-operator-chose-0123"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def grant(credits: int, account_id: str = "default") -> Entry:
    return Entry(account_id, EntryKind.GRANT, credits, NOON, note="a present")


# ------------------------------------------------------------ credits -------------------------------------------------


async def test_the_balance_is_the_sum_of_the_entries(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=0)
        entries = [grant(100), grant(-30), grant(0)]
        for entry in entries:
            await s.accounts.post(entry)
        assert await s.accounts.entries("default") == entries
        assert await s.accounts.balance("default") == 70


async def test_a_balance_never_falls_below_zero(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account(credits=10)
        with pytest.raises(InsufficientCredits, match="needs 11 credits and the account has 10"):
            await s.accounts.post(grant(-11))
        assert await s.accounts.balance("default") == 10
        assert len(await s.accounts.entries("default")) == 1


async def test_an_account_that_there_is_not_is_named(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        for refused in (s.accounts.post(grant(1, "nobody")), s.accounts.balance("nobody")):
            with pytest.raises(InvalidRequest, match="no account 'nobody'"):
                await refused


async def test_an_account_is_made_once(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        assert await s.accounts.create_account("a", "first")
        assert not await s.accounts.create_account("a", "second")
        assert s.rows("SELECT label FROM accounts") == [("first",)]


# ------------------------------------------------------------ keys ----------------------------------------------------


async def test_a_key_opens_the_account_until_it_is_revoked(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        made = await create_key(s.accounts, s.clock, "phone", edition={"times": "iso"})
        caller = await s.accounts.authenticate(hashlib.sha256(made.secret.encode()).hexdigest())
        assert caller == Caller("default", made.key.id, {"times": "iso"})
        assert await s.accounts.keys("default") == [made.key]
        s.clock.ms += 5
        await revoke_key(s.accounts, made.key.id)
        assert await s.accounts.authenticate(digest(made.secret)) is None
        assert [key.revoked_ms for key in await s.accounts.keys()] == [NOON + 5]
        with pytest.raises(InvalidRequest, match="no live key"):
            await revoke_key(s.accounts, made.key.id)


async def test_keys_are_listed_by_account(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account("a")
        await s.account("b")
        made = [(await create_key(s.accounts, s.clock, "", account_id=account)).key for account in ("a", "b")]
        assert await s.accounts.keys("b") == made[1:]
        assert {key.id for key in await s.accounts.keys()} == {key.id for key in made}


async def test_the_secret_is_shown_once_and_stored_nowhere(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        made = await create_key(s.accounts, s.clock, "phone")
        assert re.fullmatch(r"fg_[A-Za-z0-9_-]{43}", made.secret)
        assert re.fullmatch(r"key_[0-9a-f]{16}", made.key.id)
        assert made.secret.startswith(made.key.hint)
        assert made.secret[8:] not in repr(made)
        assert made.secret[8:] not in s.dump()


async def test_a_key_needs_an_account(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        with pytest.raises(InvalidRequest, match="no account 'nobody'"):
            await create_key(s.accounts, s.clock, "", account_id="nobody")


# ------------------------------------------------------------ the first start -----------------------------------------


async def test_the_first_start_makes_an_account_with_credits_and_a_key(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        secret = await first_start(s.accounts, s.clock)
        assert secret is not None
        caller = await s.accounts.authenticate(digest(secret))
        assert caller is not None
        assert caller.account_id == "default"
        assert await s.accounts.balance("default") == 1_000_000


async def test_later_starts_make_nothing(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await first_start(s.accounts, s.clock)
        (key,) = await s.accounts.keys()
        await s.accounts.revoke_key(key.id)
        before = s.dump()
        assert await first_start(s.accounts, s.clock) is None
        assert await first_start(s.accounts, s.clock, OWN_KEY) is None
        assert s.dump() == before


async def test_a_first_start_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.accounts.create_account("default", "")
        assert await first_start(s.accounts, s.clock) is not None
        assert await s.accounts.balance("default") == 1_000_000
    (tmp_path / "second").mkdir()
    async with shelf(tmp_path / "second") as s:
        await s.account(credits=1_000_000)
        assert await first_start(s.accounts, s.clock) is not None
        assert await s.accounts.balance("default") == 1_000_000


async def test_the_operator_may_choose_the_first_key(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        assert await first_start(s.accounts, s.clock, OWN_KEY) == OWN_KEY
        assert await s.accounts.authenticate(digest(OWN_KEY)) is not None


@pytest.mark.parametrize(
    ("key", "sentence"),
    [("x" * 31, "31 characters and needs at least 32"), ("x " * 16, "no spaces"), ("ü" * 32, "printable ASCII")],
)
async def test_a_poor_first_key_is_refused_before_anything_is_made(tmp_path: Path, key: str, sentence: str) -> None:
    async with shelf(tmp_path) as s:
        before = s.dump()
        with pytest.raises(InvalidRequest, match=sentence) as refusal:
            await first_start(s.accounts, s.clock, key)
        assert key not in str(refusal.value)
        assert s.dump() == before


# ------------------------------------------------------------ secrets -------------------------------------------------


async def test_the_first_secret_of_a_name_stays(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        assert await s.accounts.secret("links", "one") == "one"
        assert await s.accounts.secret("links", "two") == "one"
        assert await s.accounts.secret("other", "two") == "two"
