"""What the client does, without doing it: every call is a generator of effects.

A flow yields an effect (``_effects.py``) and is sent its outcome, or has an error thrown in; what it returns is the
result of the call. Retrying, polling and reading answers are written here once; the two clients differ only in how they
carry an effect out.
"""

from __future__ import annotations

import os
import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ._answers import (
    Larger,
    Page,
    data_of,
    larger_of,
    models_of,
    number_of,
    page_of,
    retry_after,
    task_of,
    task_of_4k,
    text_of,
)
from ._effects import Effect, Fetch, Flow, Reply, Send, SendFile, Sleep
from ._errors import (
    ConnectionFailed,
    FilmgateAPIError,
    InvalidRequest,
    RateLimited,
    ServerError,
    TaskFailed,
    Timeout,
    UnexpectedAnswer,
)
from ._models import Film, Model, Record, TaskRef, Upload, record_from, upload_from

__all__ = ["Effect", "Fetch", "Flow", "Flows", "OnProgress", "Reply", "Send", "SendFile", "Sleep"]

T = TypeVar("T")
Found = TypeVar("Found")

File = str | os.PathLike[str] | bytes
OnProgress = Callable[[Record], None]

_PASSING = (RateLimited, ServerError, ConnectionFailed, Timeout)
_FAILED_POLLS = 10  #: in a row: a server that restarts is back before
_UNAVAILABLE = (503, 455)
KEY_HEADER = "idempotency-key"
_NO_TEXT = "The request holds half a character (a surrogate), which cannot be sent as UTF-8."


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How to wait for a task: for how many seconds (None: for ever), how often to ask, and whom to tell."""

    timeout: float | None = None
    on_progress: OnProgress | None = None
    poll_interval: float | None = None


@dataclass(frozen=True, slots=True)
class Flows:
    """The calls of the API against one server with one key."""

    base_url: str  #: without a slash at the end
    api_key: str = field(repr=False)
    user_agent: str
    max_retries: int
    now: Callable[[], float] = time.monotonic  #: seconds; deadlines are measured with it
    jitter: Callable[[], float] = random.random  #: 0 to 1; spreads the retries of many clients
    upload_url: str | None = None  #: where files go, if not to ``base_url``
    new_key: Callable[[], str] = lambda: secrets.token_hex(16)  #: stands for one order, however often it is sent

    # ------------------------------------------------------------ orders

    def generate(self, order: Mapping[str, Any], images: Sequence[File] = (), key: str | None = None) -> Flow[TaskRef]:
        """Create a task, its local images uploaded before. ``key`` is the order's own, as in all that create."""
        if images:
            if "imageUrls" in order:
                raise InvalidRequest("Name the images in images or in image_urls, not in both.")
            order = {**order, "imageUrls": (yield from self._addresses_of(images))}
        return (yield from self._again(self._order("veo/generate", order, key), task_of))

    def extend(self, order: Mapping[str, Any], key: str | None = None) -> Flow[TaskRef]:
        return (yield from self._again(self._order("veo/extend", order, key), task_of))

    def upgrade_4k(self, order: Mapping[str, Any], key: str | None = None) -> Flow[TaskRef]:
        return (yield from self._again(self._order("veo/get-4k-video", order, key), task_of_4k))

    def upgrade_1080p(self, task_id: str, index: int, patience: Patience) -> Flow[Film]:
        """Ask until the 1080p version is there. Where it is a task of its own, that task is waited for."""
        ends = self._deadline(patience)
        request = self._get("veo/get-1080p-video", taskId=task_id, index=str(index))

        def look(now: Larger) -> Larger | None:
            return now if now.url or now.task_id not in (None, task_id) else None

        larger = yield from self._until(lambda: self._again(request, larger_of, 0), look, patience, task_id)
        if larger.url is None:
            task_id = str(larger.task_id)
            left_s = None if patience.timeout is None else ends - self.now()
            rest = Patience(timeout=left_s, on_progress=patience.on_progress, poll_interval=patience.poll_interval)
            record = yield from self.wait(task_id, rest)
            if record.film_url is None:
                raise UnexpectedAnswer("The server made the 1080p version but named no address.")
            return Film(record.film_url, task_id)
        return Film(larger.url, larger.task_id)

    # ------------------------------------------------------------ tasks

    def retrieve(self, task_id: str) -> Flow[Record]:
        """Ask about a task once."""
        record, _ = yield from self._poll(task_id, self.max_retries)
        return record

    def wait(self, task_id: str, patience: Patience) -> Flow[Record]:
        """Ask until the task has ended."""

        def look(record: Record) -> Record | None:
            if patience.on_progress is not None:
                patience.on_progress(record)
            return record if record.ended else None

        # Not retried one by one: the next poll is the retry.
        record = yield from self._until(lambda: self._poll(task_id, max_retries=0), look, patience, task_id)
        if not record.succeeded:
            raise TaskFailed(record)
        return record

    def cancel(self, task_id: str) -> Flow[None]:
        request = self._post("veo/cancel", {"taskId": task_id})
        yield from self._again(replace(request, harmless=True), data_of)

    def delete_media(self, task_id: str) -> Flow[None]:
        request = replace(self._get("veo/media", taskId=task_id), method="DELETE")
        yield from self._again(request, data_of)

    def page(self, filters: Mapping[str, str], cursor: str | None) -> Flow[Page]:
        """Some of the account's tasks, and where the next ones are."""
        place = {} if cursor is None else {"cursor": cursor}
        return (yield from self._again(self._get("veo/tasks", **filters, **place), page_of))

    def download(self, fetch: Fetch) -> Flow[Path]:
        """Download; from the start again where the connection breaks."""
        return (yield from self._again(fetch, Path))

    # ------------------------------------------------------------ files and credits

    def upload(self, file: File, name: str | None, upload_path: str) -> Flow[Upload]:
        """Send a file. Repeated at will: at worst there are two of them until they expire."""
        said = {} if name is None else {"fileName": _sendable(name)}
        headers = {key: value for key, value in self._headers().items() if key != "content-type"}
        content = file if isinstance(file, bytes) else Path(file)
        called = name or (content.name if isinstance(content, Path) else "file")
        fields = {"uploadPath": _sendable(upload_path), **said}
        url = f"{self.upload_url or self.base_url}/api/file-stream-upload"
        data = yield from self._again(SendFile(url, headers, content, _sendable(called), fields), data_of)
        upload = upload_from(data) if isinstance(data, Mapping) else None
        if upload is None:
            raise UnexpectedAnswer("The server took the file but named no address of it.")
        return upload

    def models(self) -> Flow[tuple[Model, ...]]:
        return (yield from self._again(self._get("veo/models"), models_of))

    def credits(self) -> Flow[float]:
        return (yield from self._again(self._get("chat/credit"), number_of))

    def download_url(self, url: str) -> Flow[str]:
        return (yield from self._again(self._post("common/download-url", {"url": url}), text_of))

    # ------------------------------------------------------------ how

    def _addresses_of(self, images: Sequence[File]) -> Flow[list[str]]:
        """Those that are files of this machine are uploaded, in their order."""
        urls: list[str] = []
        for image in images:
            if isinstance(image, str) and image.lower().startswith(("http://", "https://")):
                urls.append(image)
            else:
                upload = yield from self.upload(image, None, "filmgate")
                urls.append(upload.url)
        return urls

    def _poll(self, task_id: str, max_retries: int) -> Flow[tuple[Record, float | None]]:
        """The record, and after how many seconds the server would like to be asked again, if it said so."""
        return (yield from self._again(self._get("veo/record-info", taskId=task_id), _record_of, max_retries))

    def _until(
        self,
        ask: Callable[[], Flow[tuple[Found, float | None]]],
        look: Callable[[Found], T | None],
        patience: Patience,
        task_id: str,
    ) -> Flow[T]:
        """Ask, ever less often, until ``look`` sees something in what was found. Passing faults are waited out."""
        ends = self._deadline(patience)
        polls = failures = 0
        while True:
            try:
                found, suggested_s = yield from ask()
            except _PASSING as error:
                failures += 1
                if failures == _FAILED_POLLS:
                    raise
                suggested_s = error.retry_after
            else:
                failures = 0
                if (seen := look(found)) is not None:
                    return seen
            polls += 1
            pause_s = suggested_s or patience.poll_interval or _pause_after_poll(polls)
            yield Sleep(self._within(ends, pause_s, task_id))

    def _again(
        self, effect: Send | SendFile | Fetch, read: Callable[[Any], T], max_retries: int | None = None
    ) -> Flow[T]:
        """Carry out an effect, repeatedly where the fault may pass and repeating does no harm."""
        most = self.max_retries if max_retries is None else max_retries
        tries = 0
        while True:
            try:
                return read((yield effect))
            except _PASSING as error:
                tries += 1
                if tries > most or not (_may_repeat(effect, error) or (yield from self._is_taken_once(effect))):
                    raise
                wait_s = self._pause_before_retry(tries) if error.retry_after is None else error.retry_after
            yield Sleep(wait_s)

    def _is_taken_once(self, effect: Send | SendFile | Fetch) -> Flow[bool]:
        """Whether the server takes this order once, however often it comes. That is so of one with a key of its own
        where the server knows such keys; those that do not have no list of tasks either."""
        if not isinstance(effect, Send) or KEY_HEADER not in effect.headers:
            return False
        try:
            yield from self._again(self._get("veo/tasks", limit="1"), page_of)
        except FilmgateAPIError:
            return False
        return True

    def _order(self, path: str, order: Mapping[str, Any], key: str | None) -> Send:
        """With a key of its own, so that it can be repeated: see ``_is_taken_once``."""
        post = self._post(path, order)
        return replace(post, headers={**post.headers, KEY_HEADER: self.new_key() if key is None else checked_key(key)})

    def _get(self, path: str, **params: str) -> Send:
        said = {name: _sendable(value) for name, value in params.items()}
        return Send("GET", f"{self.base_url}/api/v1/{path}", self._headers(), params=said, harmless=True)

    def _post(self, path: str, body: Mapping[str, Any]) -> Send:
        return Send("POST", f"{self.base_url}/api/v1/{path}", self._headers(), _encoded(body))

    def _pause_before_retry(self, tries: int) -> float:
        """0.5, 1, 2 ... 8 seconds, each up to a quarter shorter."""
        return float(min(8.0, 0.5 * 2 ** (tries - 1)) * (1 - self.jitter() / 4))

    def _deadline(self, patience: Patience) -> float:
        return float("inf") if patience.timeout is None else self.now() + patience.timeout

    def _within(self, deadline: float, pause_s: float, task_id: str) -> float:
        left_s = deadline - self.now()
        if left_s <= 0:
            raise Timeout(f"Task {task_id} has not ended in time; it goes on, so ask again later.")
        return min(pause_s, left_s)

    def _headers(self) -> Mapping[str, str]:
        return {
            "authorization": f"Bearer {self.api_key}",
            "content-type": "application/json",
            "user-agent": self.user_agent,
        }


def _record_of(reply: Reply) -> tuple[Record, float | None]:
    data = data_of(reply)
    if not isinstance(data, Mapping):
        raise UnexpectedAnswer("The server's answer about the task holds no record.")
    return record_from(data), retry_after(reply.headers)


def checked_key(key: str) -> str:
    """Raises InvalidRequest for what cannot stand for an order."""
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable() and key == key.strip()):
        raise InvalidRequest("An idempotency key has 1 to 255 printable ASCII characters, and no space at its ends.")
    return key


def _encoded(order: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(order)
    except UnicodeEncodeError as error:
        raise InvalidRequest(_NO_TEXT) from error


def _sendable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(_NO_TEXT) from error
    return text


def _may_repeat(effect: Send | SendFile | Fetch, error: FilmgateAPIError) -> bool:
    """What does no harm may always be repeated; an order only where it was certainly not taken, or it would be paid
    twice."""
    if isinstance(effect, (Fetch, SendFile)) or effect.harmless:
        return True
    if isinstance(error, (ConnectionFailed, Timeout)):
        return not error.sent
    return isinstance(error, RateLimited) or error.code in _UNAVAILABLE


def _pause_after_poll(polls: int) -> float:
    """1 second, then half as much again each time, up to 10."""
    return float(min(10.0, 1.5 ** min(polls - 1, 16)))
