"""What has expired is removed, file and note; what has not is left alone, whatever else goes wrong."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from filmgate.domain.callback import Delivery
from filmgate.domain.errors import EngineFailed, TaskNotFound
from filmgate.domain.task import Role, Task
from filmgate.ports import Storage, Upload
from filmgate.services.janitor import Janitor
from filmgate.storage.local import LocalStorage
from filmgate.store.media import _OUTDATED
from support.storing import FILM, MODELS, NOON, Shelf, shelf, uploaded

pytestmark = pytest.mark.anyio

LATER = NOON + 1_000_000
HOUR_MS = 3_600_000
RECORDS_KEPT_MS = 61 * 24 * HOUR_MS


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Jammed(LocalStorage):
    """One of its files cannot be removed."""

    def __init__(self, root: Path, key: str) -> None:
        super().__init__(root)
        self._jammed = key

    async def delete(self, key: str) -> None:
        if key == self._jammed:
            raise PermissionError(key)
        await super().delete(key)


class Attic:
    """A shelf and a folder of files with a janitor between them."""

    def __init__(self, s: Shelf, folder: Path) -> None:
        self.shelf = s
        self.folder = folder
        self.storage = LocalStorage(folder / "media")
        self.janitor = self.hire(self.storage)

    def hire(self, storage: Storage, batch: int = 100) -> Janitor:
        s = self.shelf
        kept = RECORDS_KEPT_MS
        return Janitor(s.uploads, s.media, storage, s.clock, records_kept_ms=kept, batch=batch, every_s=30.0)

    async def put(self, key: str, *, modified_ms: int = NOON) -> None:
        source = self.folder / "source"
        source.write_bytes(b"xyz")
        os.utime(source, ns=(modified_ms * 1_000_000, modified_ms * 1_000_000))
        await self.storage.put(key, source)

    async def upload(self, upload: Upload) -> Upload:
        await self.put(upload.key)
        await self.shelf.uploads.put(upload)
        return upload

    async def film(self, expires_ms: int) -> Task:
        """A task that has succeeded, with two files."""
        task = await self.shelf.submitted(price=0)
        lease = await self.shelf.tasks.claim("w1", 1000, MODELS)
        assert lease is not None
        key = f"{task.id}/1/film.mp4"
        artifacts = [
            replace(FILM, key=key, expires_ms=expires_ms),
            replace(FILM, role=Role.POSTER, key=key.replace("film.mp4", "poster.jpg"), expires_ms=expires_ms),
        ]
        for artifact in artifacts:
            await self.put(artifact.key)
        return await self.shelf.tasks.succeed(lease, artifacts, engine="storyboard", state=b"")

    async def keys(self) -> Sequence[str]:
        return await self.storage.keys("")


async def test_files_and_notes_of_expired_uploads_go_and_the_others_stay(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        over = await attic.upload(uploaded(name="over.png", expires_ms=LATER))
        good = await attic.upload(uploaded(name="good.png", expires_ms=LATER + 1))
        await attic.janitor.sweep_once()
        assert await attic.keys() == [good.key, over.key]
        s.clock.ms = LATER
        assert not await attic.janitor.sweep_once()
        assert await attic.keys() == [good.key]
        assert await s.uploads.get("default", over.key) is None
        assert await s.uploads.get("default", good.key) == good


async def test_the_files_of_an_expired_film_go_and_its_record_stays(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        over, good = await attic.film(LATER), await attic.film(LATER + 1)
        s.clock.ms = LATER
        await attic.janitor.sweep_once()
        assert await attic.keys() == [artifact.key for artifact in good.artifacts]
        assert await s.tasks.get(over.id) == over
        assert await s.media.expired(10) == []
        s.clock.ms += 1
        assert await s.media.expired(10) == [good.id]


async def test_a_sweep_does_a_bounded_amount_and_says_whether_there_is_more(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        for number in range(5):
            await attic.upload(uploaded(name=f"{number}.png", expires_ms=LATER + number))
            await attic.film(LATER + number)
        s.clock.ms = LATER + 9
        janitor = attic.hire(attic.storage, batch=2)
        left = []
        for _ in range(3):
            more = await janitor.sweep_once()
            left.append((more, len(await attic.keys())))
        assert left == [(True, 9), (True, 3), (False, 0)]


async def test_a_file_that_was_uploaded_again_just_now_is_not_removed(tmp_path: Path) -> None:
    class Again(LocalStorage):
        """Where the first file is removed, the second has just been uploaded again."""

        async def delete(self, key: str) -> None:
            await super().delete(key)
            if key == first.key:
                await attic.upload(uploaded(name="b.png", expires_ms=LATER + HOUR_MS))

    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        first = await attic.upload(uploaded(name="a.png", expires_ms=LATER))
        second = await attic.upload(uploaded(name="b.png", expires_ms=LATER))
        s.clock.ms = LATER
        await attic.hire(Again(tmp_path / "media")).sweep_once()
        assert await attic.keys() == [second.key]


async def test_what_a_killed_sweep_left_is_found_but_not_what_is_just_being_uploaded(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        known = await attic.upload(uploaded(expires_ms=LATER + HOUR_MS * 9))
        await attic.put("uploads/default/x/left.png", modified_ms=NOON - HOUR_MS)
        await attic.put("uploads/default/x/under-way.png", modified_ms=NOON - HOUR_MS + 1)
        await attic.put("0123/1/film.mp4", modified_ms=NOON - 9 * HOUR_MS)
        await attic.janitor.sweep_once()
        kept = ["0123/1/film.mp4", known.key, "uploads/default/x/under-way.png"]
        assert await attic.keys() == kept
        s.clock.ms += HOUR_MS
        await attic.janitor.sweep_once()
        assert await attic.keys() == kept[:2]


async def test_files_of_attempts_that_came_to_nothing_go_and_no_others(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        film = await attic.film(expires_ms=NOON + 2 * HOUR_MS)
        running = await s.submitted(price=0)
        lost = [f"{film.id}/0/film.mp4", f"{'f' * 32}/1/film.mp4"]
        kept = [*await attic.keys(), f"{running.id}/1/film.mp4", "notes/readme.txt", f"{film.id}.txt"]
        for key in [*lost, *kept[-3:]]:
            await attic.put(key)
        await attic.hire(attic.storage).sweep_once()
        assert await attic.keys() == sorted([*kept, *lost])  # so young that they may still come to be named
        s.clock.ms += HOUR_MS
        await attic.hire(attic.storage).sweep_once()
        assert await attic.keys() == sorted(kept)


async def test_strays_are_looked_for_a_few_at_a_time_and_all_are_found(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        for number in range(5):
            await attic.put(f"uploads/default/x/{number}.png", modified_ms=0)
        janitor, left = attic.hire(attic.storage, batch=2), []
        for _ in range(4):
            await janitor.sweep_once()
            left.append(len(await attic.keys()))
        assert left == [3, 1, 0, 0]


async def test_a_film_that_cannot_be_removed_holds_up_no_other_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        bad, good = await attic.film(LATER), await attic.film(LATER)
        jammed = Jammed(tmp_path / "media", bad.artifacts[0].key)
        s.clock.ms = LATER
        with caplog.at_level(logging.ERROR):
            assert not await attic.hire(jammed, batch=2).sweep_once()
        assert f"key={bad.artifacts[0].key} event=not_removed" in caplog.text
        assert await s.media.expired(10) == [], "it has gone to the end of the line"
        s.clock.ms += HOUR_MS
        assert await s.media.expired(10) == [bad.id]
        assert not [key for key in await attic.keys() if key.startswith(good.id)]
        await attic.janitor.sweep_once()
        assert await attic.keys() == []


async def test_an_upload_that_cannot_be_removed_holds_up_no_other_and_is_found_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        bad, _ = [await attic.upload(uploaded(name=name, expires_ms=LATER)) for name in ("a.png", "b.png")]
        s.clock.ms = LATER + HOUR_MS
        with caplog.at_level(logging.ERROR):
            await attic.hire(Jammed(tmp_path / "media", bad.key)).sweep_once()
        assert f"key={bad.key} event=not_removed" in caplog.text
        assert await attic.keys() == [bad.key]
        await attic.janitor.sweep_once()
        assert await attic.keys() == []


async def test_it_goes_on_after_a_sweep_that_failed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        await attic.upload(uploaded(expires_ms=LATER))
        s.clock.ms = LATER - 20_000
        spoilt = "ALTER TABLE uploads RENAME TO away"
        await s.database.write(lambda c: c.exec_driver_sql(spoilt).close())
        running = asyncio.create_task(attic.janitor.run())
        while "event=sweep_failed" not in caplog.text:
            await asyncio.sleep(0.01)
        await s.database.write(lambda c: c.exec_driver_sql("ALTER TABLE away RENAME TO uploads").close())
        while await attic.keys():
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


# ---------------------------------------------------------------- records -----------------------------------------


async def _told(s: Shelf, task: Task, *, well: bool) -> None:
    """The callback of a task has been delivered, or was given up."""
    (callback,) = await s.outbox.of_task(task.id)
    delivery = Delivery(callback.id, 1, s.clock.ms, 5, 200 if well else 500)
    await (s.outbox.delivered if well else s.outbox.gave_up)(callback, delivery)


async def _failed(s: Shelf, *, callback: str | None = None) -> Task:
    await s.submitted(price=0, callback=callback)
    lease = await s.tasks.claim("w1", 1000, MODELS)
    assert lease is not None
    return await s.tasks.end(lease, EngineFailed())


def _rows_about(s: Shelf, task_id: str) -> int:
    """In all tables but the ledger."""
    questions = (
        "SELECT 1 FROM tasks WHERE id = ?",
        "SELECT 1 FROM task_state WHERE task_id = ?",
        "SELECT 1 FROM callbacks WHERE task_id = ?",
        "SELECT 1 FROM deliveries WHERE callback_id IN (SELECT id FROM callbacks WHERE task_id = ?)",
    )
    return sum(len(s.rows(question, task_id)) for question in questions)


async def test_a_record_goes_two_months_after_its_end_and_the_ledger_stays(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        film = await attic.film(expires_ms=LATER)
        failed = await _failed(s, callback="http://a.example/")
        await _told(s, failed, well=False)
        running = await s.submitted(price=0)
        assert _rows_about(s, film.id) == 2
        assert _rows_about(s, failed.id) == 3
        s.clock.ms += RECORDS_KEPT_MS - 1
        await attic.janitor.sweep_once()
        assert _rows_about(s, film.id) == 2
        s.clock.ms += 1
        await attic.janitor.sweep_once()
        assert _rows_about(s, film.id) == _rows_about(s, failed.id) == 0
        assert _rows_about(s, running.id) == 1
        entries = s.rows("SELECT kind FROM ledger WHERE task_id IN (?, ?)", film.id, failed.id)
        assert sorted(kind for (kind,) in entries) == ["hold", "hold", "refund", "settle"]
        with pytest.raises(TaskNotFound):
            await s.tasks.get(film.id)


async def test_a_record_stays_while_its_callback_is_still_to_be_told(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        task = await _failed(s, callback="http://a.example/")
        s.clock.ms += 2 * RECORDS_KEPT_MS
        await attic.janitor.sweep_once()
        assert _rows_about(s, task.id) == 2
        await _told(s, task, well=True)
        await attic.janitor.sweep_once()
        assert _rows_about(s, task.id) == 0


async def test_a_record_stays_while_its_files_do(tmp_path: Path) -> None:
    """A file that cannot be removed must be found again."""
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        task = await attic.film(expires_ms=LATER)
        jammed = attic.hire(Jammed(tmp_path / "media", f"{task.id}/1/film.mp4"))
        s.clock.ms += 2 * RECORDS_KEPT_MS
        await jammed.sweep_once()
        assert _rows_about(s, task.id) == 2
        s.clock.ms += HOUR_MS
        await attic.janitor.sweep_once()
        assert _rows_about(s, task.id) == 0


async def test_records_go_in_batches_the_oldest_first(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        await s.account()
        attic = Attic(s, tmp_path)
        tasks = [await _failed(s) for _ in range(5)]
        s.clock.ms += RECORDS_KEPT_MS
        janitor = attic.hire(attic.storage, batch=2)
        counts = []
        while True:
            more = await janitor.sweep_once()
            counts.append(sum(_rows_about(s, task.id) for task in tasks))
            if not more:
                break
        assert counts == [3, 1, 0]


async def test_outdated_records_are_found_by_an_index(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        question = str(_OUTDATED.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True}))
        plan = s.rows(f"EXPLAIN QUERY PLAN {question}", *([0] * question.count("?")))
        assert any("ix_tasks_ended_ms" in str(step) for step in plan), plan
