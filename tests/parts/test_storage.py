"""The folder of finished films."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from filmgate.domain.errors import StorageUnavailable
from filmgate.storage.local import LocalStorage

KEY = "0199a0b1/1/result.mp4"
FILM = bytes(range(256)) * 4096  #: a megabyte: several chunks


def source(tmp_path: Path, content: bytes = FILM) -> Path:
    path = tmp_path / "made.mp4"
    path.write_bytes(content)
    return path


async def content(storage: LocalStorage, key: str, start: int = 0, end: int | None = None) -> bytes:
    stored = await storage.open(key)
    assert stored is not None
    return b"".join([chunk async for chunk in stored.read(start, stored.size if end is None else end)])


def put(tmp_path: Path, key: str = KEY, film: bytes = FILM) -> LocalStorage:
    storage = LocalStorage(tmp_path / "media")
    asyncio.run(storage.put(key, source(tmp_path, film)))
    return storage


def files(tmp_path: Path) -> list[str]:
    return sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())


def test_a_file_comes_back_as_it_was_put_and_its_source_is_gone(tmp_path: Path) -> None:
    storage = put(tmp_path)
    assert asyncio.run(content(storage, KEY)) == FILM
    assert files(tmp_path) == [f"media/{KEY}"]


@pytest.mark.parametrize(("start", "end"), [(0, 1), (5, 300_000), (262_143, 262_145), (1_048_575, 1_048_576), (7, 7)])
def test_any_part_can_be_read(tmp_path: Path, start: int, end: int) -> None:
    assert asyncio.run(content(put(tmp_path), KEY, start, end)) == FILM[start:end]


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    made = tmp_path / "media"
    put(tmp_path)
    assert (made / KEY).stat().st_mode & 0o777 == 0o600
    assert {p.stat().st_mode & 0o777 for p in [made, *made.rglob("*")] if p.is_dir()} == {0o700}


def test_a_second_put_replaces_the_file_whole(tmp_path: Path) -> None:
    put(tmp_path)
    assert asyncio.run(content(put(tmp_path, film=b"another"), KEY)) == b"another"


def test_a_reader_keeps_the_file_that_it_opened(tmp_path: Path) -> None:
    storage = put(tmp_path)

    async def read_through_a_replacement() -> bytes:
        stored = await storage.open(KEY)
        assert stored is not None
        chunks = stored.read(0, stored.size)
        first = await anext(chunks)
        await storage.put(KEY, source(tmp_path, b"another"))
        return first + b"".join([chunk async for chunk in chunks])

    assert asyncio.run(read_through_a_replacement()) == FILM


def test_size_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    stored = asyncio.run(put(tmp_path).open(KEY))
    assert stored is not None
    assert stored.size == len(FILM)
    assert stored.modified_ms == (tmp_path / "media" / KEY).stat().st_mtime_ns // 1_000_000


def test_what_was_deleted_is_gone_and_so_are_its_empty_folders(tmp_path: Path) -> None:
    storage = put(tmp_path)
    asyncio.run(storage.delete(KEY))
    asyncio.run(storage.delete(KEY))
    assert asyncio.run(storage.open(KEY)) is None
    assert list((tmp_path / "media").iterdir()) == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../outside.mp4",
        "a/../../outside.mp4",
        "/etc/passwd",
        "a//b.mp4",
        "a/./b.mp4",
        "a/.hidden",
        "A/b.mp4",
        "a\0b",
        "a\nb",
        "a/b.mp4\n",
        "ü.mp4",
        "x" * 200,
        "a/" * 300 + "b",
    ],
)
def test_what_is_no_key_names_no_file(tmp_path: Path, key: str) -> None:
    (tmp_path / "outside.mp4").write_bytes(b"secret")
    storage = LocalStorage(tmp_path / "media")
    assert asyncio.run(storage.open(key)) is None
    asyncio.run(storage.delete(key))
    with pytest.raises(StorageUnavailable, match="storage key"):
        asyncio.run(storage.put(key, source(tmp_path)))
    assert files(tmp_path) == ["made.mp4", "outside.mp4"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    storage = put(tmp_path)
    assert asyncio.run(storage.open("0199a0b1/1")) is None
    assert asyncio.run(storage.open(KEY + "/deeper")) is None


def test_keys_are_listed_by_prefix(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "media")
    assert asyncio.run(storage.keys("")) == []
    for key in ("a1/1/result.mp4", "a1/2/result.mp4", "a11/1/result.mp4", "b/1/poster.jpg"):
        asyncio.run(storage.put(key, source(tmp_path, b"x")))
    (tmp_path / "media/a1/1/.incoming-0123").write_bytes(b"half")
    assert asyncio.run(storage.keys("a1/")) == ["a1/1/result.mp4", "a1/2/result.mp4"]
    assert asyncio.run(storage.keys("a1")) == ["a1/1/result.mp4", "a1/2/result.mp4", "a11/1/result.mp4"]
    assert asyncio.run(storage.keys("a1/2/re")) == ["a1/2/result.mp4"]
    assert len(asyncio.run(storage.keys(""))) == 4
    assert asyncio.run(storage.keys("../")) == []


def test_keys_are_listed_while_folders_come_and_go(tmp_path: Path) -> None:
    storage = put(tmp_path)

    async def come_and_go() -> None:
        for number in range(60):
            await storage.put(f"a/{number}/b/c/result.mp4", source(tmp_path, b"x"))
            await storage.delete(f"a/{number}/b/c/result.mp4")

    async def list_meanwhile() -> None:
        moving = asyncio.create_task(come_and_go())
        while not moving.done():
            assert KEY in await storage.keys("")
            await storage.sweep(older_than_ms=60_000)
        await moving

    asyncio.run(list_meanwhile())


PUT_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from filmgate.storage.local import LocalStorage

def die(source, target):
    os.kill(os.getpid(), signal.SIGKILL)

os.replace = die
asyncio.run(LocalStorage(Path(sys.argv[1])).put(sys.argv[2], Path(sys.argv[3])))
"""


def interrupted(tmp_path: Path, key: str = KEY) -> LocalStorage:
    """A storage in which a put was killed in mid-work."""
    media = tmp_path / "media"
    died = subprocess.run([sys.executable, "-c", PUT_AND_DIE, media, key, source(tmp_path)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert [path.name for path in media.rglob(".incoming-*")] != []
    return LocalStorage(media)


def test_what_a_killed_put_has_left_is_swept_away_with_its_folders(tmp_path: Path) -> None:
    storage = interrupted(tmp_path)
    assert asyncio.run(storage.keys("")) == []
    asyncio.run(storage.sweep())
    assert list((tmp_path / "media").iterdir()) == []
    assert files(tmp_path) == ["made.mp4"]


def test_sweeping_leaves_what_is_whole_and_what_is_young(tmp_path: Path) -> None:
    put(tmp_path)
    storage = interrupted(tmp_path)
    os.utime(next((tmp_path / "media").rglob(".incoming-*")), (0, 0))  # as old as the film that it came from
    before = files(tmp_path)
    asyncio.run(storage.sweep(older_than_ms=3_600_000))
    assert files(tmp_path) == before
    asyncio.run(storage.sweep())
    assert files(tmp_path) == ["made.mp4", f"media/{KEY}"]


def test_a_part_of_the_storage_can_be_swept_alone(tmp_path: Path) -> None:
    storage = interrupted(tmp_path, "task/1/result.mp4")
    before = files(tmp_path)
    asyncio.run(storage.sweep(prefix="tas/"))
    asyncio.run(storage.sweep(prefix="../"))
    assert files(tmp_path) == before
    asyncio.run(storage.sweep(prefix="task/"))
    assert files(tmp_path) == ["made.mp4"]


def test_there_may_be_nothing_to_sweep(tmp_path: Path) -> None:
    asyncio.run(LocalStorage(tmp_path / "media").sweep())
    assert list(tmp_path.iterdir()) == []


def test_a_source_on_another_file_system_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*names: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert asyncio.run(content(put(tmp_path), KEY)) == FILM
    assert files(tmp_path) == [f"media/{KEY}"]


def test_a_disk_that_fails_is_told_in_a_sentence_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    storage = LocalStorage(tmp_path / "media")
    made = source(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageUnavailable, match="No space left"):
            asyncio.run(storage.put("result.mp4", made))
    assert files(tmp_path) == ["made.mp4"]
    asyncio.run(storage.put("result.mp4", made))
    assert asyncio.run(content(storage, "result.mp4")) == FILM


def test_a_source_that_does_not_exist_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="No such file"):
        asyncio.run(LocalStorage(tmp_path / "media").put(KEY, tmp_path / "nothing.mp4"))
