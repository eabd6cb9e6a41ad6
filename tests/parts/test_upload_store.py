"""What is known of uploads: one of a path and a name, forgotten once its time is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from filmgate.ports import Upload
from support.storing import NOON, shelf, uploaded


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_an_upload_is_its_accounts_own(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        await s.account("other")
        mine, theirs = uploaded(original_name="Mein Hund “🐕”.png"), uploaded(account="other")
        assert [await s.uploads.put(upload) for upload in (mine, theirs)] == [None, None]
        assert await s.uploads.get("default", mine.key) == mine
        assert await s.uploads.get("other", theirs.key) == theirs
        assert await s.uploads.get("other", mine.key) is None
        assert await s.uploads.get("default", "uploads/default/images/cat.png") is None


@pytest.mark.anyio
async def test_a_later_upload_of_the_same_path_and_name_takes_the_place_of_the_first(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        first, same_key, other_key = uploaded(), uploaded(bytes=4), uploaded(bytes=5, key="uploads/default/x/dog.png")
        assert await s.uploads.put(first) is None
        assert await s.uploads.put(same_key) == first.key
        assert await s.uploads.get("default", first.key) == same_key
        assert await s.uploads.put(other_key) == first.key
        assert await s.uploads.get("default", first.key) is None
        assert await s.uploads.get("default", other_key.key) == other_key
        assert s.rows("SELECT count(*) FROM uploads") == [(1,)]


@pytest.mark.anyio
async def test_an_upload_that_cannot_be_noted_leaves_the_earlier_one(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        first, other = uploaded(), uploaded(path="films")
        for upload in (first, other):
            await s.uploads.put(upload)
        before = s.dump()
        with pytest.raises(IntegrityError):
            await s.uploads.put(replace(uploaded(), id=other.id))
        with pytest.raises(IntegrityError):
            await s.uploads.put(uploaded(account="nobody"))
        assert s.dump() == before


@pytest.mark.anyio
async def test_expired_uploads_are_forgotten_when_returned_the_oldest_end_first(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        ends = [uploaded(name=f"{after}.png", expires_ms=NOON + after) for after in (30, 10, 20, 40)]
        for upload in ends:
            await s.uploads.put(upload)
        assert await s.uploads.expired(10) == []
        s.clock.ms = NOON + 30  # to the millisecond: from then on it is over
        assert await s.uploads.expired(2) == [ends[1], ends[2]]
        assert await s.uploads.expired(2) == [ends[0]]
        assert await s.uploads.expired(2) == []
        assert await s.uploads.get("default", ends[3].key) == ends[3]


PUTS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.integers(-2, 2), st.booleans()), max_size=12
)


@settings(max_examples=40, deadline=None)
@given(PUTS)
def test_the_store_agrees_with_a_dictionary(puts: list[tuple[str, str, int, bool]]) -> None:
    async def check(folder: Path) -> None:
        known: dict[str, Upload] = {}
        async with shelf(folder) as s:
            await s.account()
            for path, name, after, sweep in puts:
                upload = uploaded(path=path, name=name, expires_ms=NOON + after)
                before = known.get(upload.key)
                assert await s.uploads.put(upload) == (before and before.key)
                known[upload.key] = upload
                if sweep:
                    gone = {upload.id for upload in known.values() if upload.expires_ms <= NOON}
                    assert {upload.id for upload in await s.uploads.expired(100)} == gone
                    known = {key: upload for key, upload in known.items() if upload.id not in gone}
                for each in known.values():
                    assert await s.uploads.get("default", each.key) == each
            assert s.rows("SELECT count(*) FROM uploads") == [(len(known),)]

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))
