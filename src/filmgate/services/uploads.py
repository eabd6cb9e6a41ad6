"""Files that clients send, to be used as images of orders: named, typed by content, stored, and gone after a while."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

from ..domain.errors import StorageUnavailable, TaskNotFound, UploadRefused
from ..ports import Clock, Storage, TaskStore, Upload, UploadStore
from .content import HEAD, content_of

MAX_PATH = 200  #: characters of uploadPath
MAX_NAME = 200  #: characters of fileName

_SAFE = re.compile(r"[^a-z0-9_-]+")
_SAFE_LENGTH = 60
_FOLDER = "uploads"
_LONGEST_PAUSE_S = 3600.0
_MIB = 1024 * 1024


class Uploads:
    """Takes files in. ``folder`` is where they lie until they are stored; private.

    ``most_bytes``: what an account may have stored; 0 is no limit. ``check_room`` raises UploadRefused where the disk
    is too full for any.
    """

    def __init__(
        self,
        store: UploadStore,
        storage: Storage,
        clock: Clock,
        new_id: Callable[[], str],
        *,
        keep_ms: int,
        folder: Path,
        most_bytes: int = 0,
        check_room: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._storage = storage
        self._clock = clock
        self._new_id = new_id
        self._keep_ms = keep_ms
        self._folder = folder
        self._most_bytes = most_bytes
        self._check_room = check_room

    @asynccontextmanager
    async def incoming(self) -> AsyncIterator[Path]:
        """A path for a file that is on its way; whatever is there at the end is removed.

        Raises UploadRefused where the disk is nearly full, and StorageUnavailable where it does not take it.
        """
        path = self._folder / self._new_id()
        try:
            await asyncio.to_thread(_make_ready, self._folder)
            await asyncio.to_thread(self._check_room)
            try:
                yield path
            finally:
                await asyncio.to_thread(path.unlink, missing_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"The file could not be stored: {error.strerror or error}.") from error

    async def keep(self, account_id: str, source: Path, *, path: str, name: str | None, original: str = "") -> Upload:
        """Take over a local file. The same path and name again replace what was there.

        ``name`` is None where the client has said none: then it is made up, and replaces nothing. Raises UploadRefused
        for a path or name that cannot be one, an empty file, or one for which the account has no room left, and
        StorageUnavailable.
        """
        folder, said = checked_path(path), None if name is None else checked_name(name)
        size, (mime, suffix) = await asyncio.to_thread(_look_at, source)
        if size == 0:
            raise UploadRefused("The file is empty: send one with something in it.")
        await self._check_share(account_id, size)
        upload_id, now = self._new_id(), self._clock.now_ms()
        called = said or f"{upload_id}{suffix}"
        upload = Upload(
            id=upload_id,
            account_id=account_id,
            key=_key(account_id, folder, called, suffix),
            name=called,
            original_name=_base(original) or called,
            path=folder,
            mime=mime,
            bytes=size,
            created_ms=now,
            expires_ms=now + self._keep_ms,
        )
        await self._storage.put(upload.key, source)
        replaced = await self._store.put(upload)
        if replaced is not None and replaced != upload.key:
            await self._storage.delete(replaced)
        return upload

    async def _check_share(self, account_id: str, size: int) -> None:
        """What is replaced counts until it is; of several at once each may think that it is the last to fit."""
        if self._most_bytes and await self._store.stored_bytes(account_id) + size > self._most_bytes:
            raise UploadRefused(
                f"The uploads of this account may take up {self._most_bytes / _MIB:g} MiB together, and with this file "
                "they would take up more: wait until older ones have expired, or send smaller files."
            )


async def belongs(tasks: TaskStore, key: str, account_id: str) -> bool:
    """Whether a stored file is an account's own: one that it has sent, or of a task of its own."""
    first, _, rest = key.partition("/")
    if first == _FOLDER:
        return rest.startswith(f"{account_id}/")
    try:
        await tasks.get(first, account_id)
    except TaskNotFound:
        return False
    return True


def checked_path(path: str) -> str:
    """uploadPath without slashes at its ends. Raises UploadRefused."""
    segments = [segment.strip() for segment in path.split("/") if segment.strip()]
    if len(path) > MAX_PATH:
        raise UploadRefused(f"uploadPath must not be longer than {MAX_PATH} characters; this one has {len(path)}.")
    if any(segment in (".", "..") for segment in segments) or "\\" in path or not _plain(path):
        raise UploadRefused("uploadPath must be a plain path such as images/cats: no '..', backslash or control signs.")
    return "/".join(segments)


def checked_name(name: str) -> str:
    """fileName, stripped. Raises UploadRefused."""
    name = name.strip()
    if len(name) > MAX_NAME:
        raise UploadRefused(f"fileName must not be longer than {MAX_NAME} characters; this one has {len(name)}.")
    if name in ("", ".", "..") or "/" in name or "\\" in name or not _plain(name):
        raise UploadRefused("fileName must be a plain name such as cat.png: no slash, backslash or control signs.")
    return name


def _make_ready(folder: Path) -> None:
    """Have the folder, without what a killed process has left in it: nothing has been added to that for an hour."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.iterdir():
        with suppress(FileNotFoundError):  # it has just come to its end
            if time.time() - left.stat().st_mtime > _LONGEST_PAUSE_S:
                left.unlink()


def _base(name: str) -> str:
    """The last part of what another machine calls the file, fit to be shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if _plain(character)).strip()[:MAX_NAME]


def _plain(name: str) -> bool:
    """Nothing in it moves a cursor, turns the direction of writing or hides; what joins emoji and letters may."""
    return name.replace("\u200d", "").replace("\u200c", "").isprintable()


def _key(account_id: str, folder: str, name: str, suffix: str) -> str:
    """The suffix is that of the content, since by the suffix the file is served."""
    place = sha256(f"{folder}/{name}".encode()).hexdigest()[:16]
    stem = _SAFE.sub("-", name.rpartition(".")[0].lower() or name.lower()).strip("-")[:_SAFE_LENGTH]
    return f"{_FOLDER}/{account_id}/{place}/{stem or 'file'}{suffix}"


def _look_at(path: Path) -> tuple[int, tuple[str, str]]:
    with path.open("rb") as file:
        return path.stat().st_size, content_of(file.read(HEAD))
