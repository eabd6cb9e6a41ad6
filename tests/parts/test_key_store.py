"""Keys over a real file: what may be changed, how a secret is replaced, what has been spent, when a key was used."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.credits import Caps, Spent
from filmgate.domain.errors import InvalidRequest
from filmgate.domain.limits import HOUR_MS
from filmgate.ports import Caller, Key
from filmgate.services.accounts import create_key, digest, networks, replace_secret
from filmgate.services.uses import Uses
from support.storing import NOON, Shelf, shelf

DAY_MS = 24 * HOUR_MS
BOUNDED = {
    "expires_ms": NOON + DAY_MS,
    "caps": Caps(10, 20, 30),
    "max_running": 2,
    "addresses": ("10.0.0.0/8", "2001:db8::7/128"),
    "edition": {"times": "iso"},
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def bounded(s: Shelf) -> tuple[Key, str]:
    made = await create_key(
        s.accounts,
        s.clock,
        "build",
        edition={"times": "iso"},
        expires_ms=NOON + DAY_MS,
        caps=Caps(10, 20, 30),
        max_running=2,
        addresses=["10.0.0.0/8", "2001:db8::7"],
    )
    return made.key, made.secret


@pytest.mark.anyio
async def test_what_is_said_of_a_key_is_kept_and_reaches_the_caller(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        key, secret = await bounded(s)
        assert {name: getattr(key, name) for name in BOUNDED} == BOUNDED
        assert await s.accounts.keys() == [key]
        assert await s.accounts.authenticate(digest(secret)) == Caller(
            "default", key.id, {"times": "iso"}, Caps(10, 20, 30), ("10.0.0.0/8", "2001:db8::7/128")
        )


@pytest.mark.anyio
async def test_a_key_is_changed_and_everything_can_be_taken_away(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        key, secret = await bounded(s)
        bare = Key(key.id, "default", "", key.hint, NOON)
        changed = await s.accounts.change_key(key.id, lambda each: bare, by="cli:anna")
        assert changed == bare
        assert await s.accounts.keys() == [bare]
        assert await s.accounts.authenticate(digest(secret)) == Caller("default", key.id)


@pytest.mark.anyio
async def test_an_expired_key_opens_nothing_until_it_is_given_more_time(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        key, secret = await bounded(s)
        s.clock.ms += DAY_MS - 1
        assert await s.accounts.authenticate(digest(secret)) is not None
        s.clock.ms += 1
        assert await s.accounts.authenticate(digest(secret)) is None
        await s.accounts.change_key(key.id, lambda each: replace(each, expires_ms=None), by="cli:anna")
        assert await s.accounts.authenticate(digest(secret)) is not None


@pytest.mark.anyio
async def test_a_revoked_or_unknown_key_is_not_changed(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        key, _ = await bounded(s)
        assert await s.accounts.revoke_key(key.id)
        before = s.dump()
        for key_id in (key.id, "key_unknown"):
            with pytest.raises(InvalidRequest, match="no live key"):
                await s.accounts.change_key(key_id, lambda each: each, by="cli:anna")
            with pytest.raises(InvalidRequest, match="no live key"):
                await replace_secret(s.accounts, key_id, "a new secret", 0)
        assert s.dump() == before


# ------------------------------------------------------------ secrets -------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6))
def test_a_secret_is_good_until_an_overlap_has_ended(steps: list[tuple[int, int]]) -> None:
    """Each is good until the end of the shortest overlap that was said since it was replaced."""

    async def check(folder: Path) -> None:
        async with shelf(folder) as s:
            await s.account()
            made = await create_key(s.accounts, s.clock, "")
            until: dict[str, int | None] = {made.secret: None}
            for number, (wait_ms, overlap_ms) in enumerate(steps):
                s.clock.ms += wait_ms
                end = s.clock.ms + overlap_ms
                until = {secret: end if last is None else min(last, end) for secret, last in until.items()}
                until[f"secret {number}"] = None
                changed = await replace_secret(s.accounts, made.key.id, f"secret {number}", overlap_ms)
                assert (changed.id, changed.hint) == (made.key.id, "secret ")
                for secret, last in until.items():
                    caller = await s.accounts.authenticate(digest(secret))
                    assert (caller is not None) is (last is None or last > s.clock.ms)
            kept = s.rows("SELECT count(*) FROM key_secrets")[0][0]
            assert kept == sum(last is None or last > s.clock.ms for last in until.values())

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))


# ------------------------------------------------------------ spending and use ----------------------------------------


@pytest.mark.anyio
async def test_what_was_spent_is_told_for_the_hour_the_day_and_in_all(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        s.clock.ms = 20_000 * DAY_MS + 5 * HOUR_MS + 17
        hour = s.clock.ms - 17
        spent = [(hour, 1), (hour - HOUR_MS, 10), (hour - 5 * HOUR_MS, 100), (hour - 6 * HOUR_MS, 1000)]
        add = "INSERT INTO key_spending VALUES ('key_1', ?, ?)"
        await s.database.write(lambda c: c.exec_driver_sql(add, spent).close())
        assert await s.accounts.spent() == {"key_1": Spent(hour=1, day=111, total=1111)}


@pytest.mark.anyio
async def test_uses_are_noted_together_and_requests_write_nothing(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        keys = [(await create_key(s.accounts, s.clock, "")).key for _ in range(3)]
        uses = Uses(s.accounts, s.clock)
        before = s.dump()
        for key in keys[:2]:
            s.clock.ms += 1000
            uses.saw(key.id)
        assert s.dump() == before
        await uses.flush()
        noted = {key.id: key.last_used_ms for key in await s.accounts.keys()}
        assert [noted[key.id] for key in keys] == [NOON + 1000, NOON + 2000, None]
        before = s.dump()
        await uses.flush()  # nothing was used since
        assert s.dump() == before


@pytest.mark.anyio
async def test_uses_that_cannot_be_noted_are_noted_later_and_fail_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        made = await create_key(s.accounts, s.clock, "")
        uses = Uses(s.accounts, s.clock)
        await s.database.write(lambda c: c.exec_driver_sql("ALTER TABLE keys RENAME TO hidden").close())
        uses.saw(made.key.id)
        await uses.flush()
        assert "uses_not_noted keys=1" in caplog.text
        await s.database.write(lambda c: c.exec_driver_sql("ALTER TABLE hidden RENAME TO keys").close())
        await uses.flush()
        assert [key.last_used_ms for key in await s.accounts.keys()] == [NOON]


# ------------------------------------------------------------ networks ------------------------------------------------


def test_an_allow_list_has_one_spelling() -> None:
    said = ["10.0.0.7", "10.0.0.0/8", "2001:DB8::1", "::ffff:192.0.2.1", "::ffff:10.0.0.0/104"]
    assert networks(said) == ("10.0.0.7/32", "10.0.0.0/8", "2001:db8::1/128", "192.0.2.1/32", "10.0.0.0/8")


@pytest.mark.parametrize("text", ["", "anywhere", "10.0.0.1/8", "10.0.0.0/33", "300.1.1.1", "films.example.org"])
def test_what_is_no_network_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidRequest, match="neither an address nor a network"):
        networks([text])


def test_details_of_notes_are_plain(tmp_path: Path) -> None:
    async def check() -> None:
        async with shelf(tmp_path) as s:
            await s.account()
            key, _ = await bounded(s)
            await s.accounts.change_key(key.id, lambda each: replace(each, label="x", caps=Caps()), by="cli:anna")
            [(details,)] = s.rows("SELECT details FROM audit WHERE action = 'key.change'")
            assert json.loads(details) == {
                "label": "build -> x",
                "hourly_cap": "10 -> none",
                "daily_cap": "20 -> none",
                "total_cap": "30 -> none",
            }

    asyncio.run(check())
