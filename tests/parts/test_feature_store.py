"""Features as rows: switched by one process, seen by another at once, and noted."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.features import Feature
from filmgate.store.features import SqlFeatureStore
from support.storing import NOON, opened, shelf


def test_everything_is_on_at_first_but_maintenance(tmp_path: Path) -> None:
    async def job() -> None:
        async with shelf(tmp_path) as s:
            assert await SqlFeatureStore(s.database, s.clock).all() == {
                each: each is not Feature.MAINTENANCE for each in Feature
            }

    asyncio.run(job())


def test_a_change_is_seen_by_another_process_at_once_and_noted_in_the_audit_log(tmp_path: Path) -> None:
    async def job() -> None:
        async with shelf(tmp_path) as s, opened(s.address) as other:
            ours, theirs = SqlFeatureStore(s.database, s.clock), SqlFeatureStore(other, s.clock)
            assert await ours.is_on(Feature.EXTEND)
            await theirs.set(Feature.EXTEND, False, "cli:anna")
            assert not await ours.is_on(Feature.EXTEND)
            assert not await theirs.is_on(Feature.EXTEND)
            await theirs.set(Feature.MAINTENANCE, True, "cli:anna")
            assert await ours.is_on(Feature.MAINTENANCE)
            notes = s.rows("SELECT at_ms, actor, action, subject, account_id, details FROM audit ORDER BY id")
            assert notes == [
                (NOON, "cli:anna", "feature.off", "extend", None, json.dumps({})),
                (NOON, "cli:anna", "feature.on", "maintenance", None, json.dumps({})),
            ]

    asyncio.run(job())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Feature), st.booleans(), st.booleans()), max_size=12))
def test_the_last_word_counts_whoever_said_it(changes: list[tuple[Feature, bool, bool]]) -> None:
    """Two stores over one file, each with its own memory of it."""
    from tempfile import TemporaryDirectory

    async def job(folder: Path) -> None:
        async with shelf(folder) as s, opened(s.address) as other:
            stores = SqlFeatureStore(s.database, s.clock), SqlFeatureStore(other, s.clock)
            expected = dict(await stores[0].all())
            for feature, is_on, first in changes:
                await stores[first].set(feature, is_on, "test")
                expected[feature] = is_on
                assert await stores[0].all() == await stores[1].all() == expected

    with TemporaryDirectory() as folder:
        asyncio.run(job(Path(folder)))


def test_what_an_older_or_newer_version_knew_is_left_alone(tmp_path: Path) -> None:
    async def job() -> None:
        async with shelf(tmp_path) as s:
            row = "INSERT INTO features (name, is_on, changed_ms) VALUES ('of_tomorrow', 0, 1)"
            await s.database.write(lambda c: c.exec_driver_sql(row).close())
            assert set(await SqlFeatureStore(s.database, s.clock).all()) == set(Feature)

    asyncio.run(job())
