"""What the client does, without doing it: every call is a generator of effects.

A flow yields an effect (``Send``, ``Fetch``, ``Sleep``) and is sent its outcome, or has an error thrown in; what it
returns is the result of the call. Retrying, polling and reading answers are written here once; the two clients differ
only in how they carry an effect out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ._errors import (
    ConnectionFailed,
    FilmgateAPIError,
    InvalidRequest,
    RateLimited,
    ServerError,
    TaskFailed,
    Timeout,
    UnexpectedAnswer,
    error_for,
)
from ._models import Record, TaskRef, record_from


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read to its end. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; the outcome is a Reply."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)  #: holds the key
    body: bytes | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download an address to a path; the outcome is the path. Never carries the key: films lie on other hosts."""

    url: str
    path: Path
    on_progress: Callable[[int, int | None], None] | None = None


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait; the outcome is None."""

    seconds: float


Effect = Send | Fetch | Sleep
T = TypeVar("T")
Flow = Generator[Effect, Any, T]

OnProgress = Callable[[Record], None]

_PASSING = (RateLimited, ServerError, ConnectionFailed, Timeout)
_LONGEST_RETRY_AFTER_S = 120.0
_FAILED_POLLS = 10  #: in a row: a server that restarts is back before
_UNAVAILABLE = (503, 455)
_NO_TEXT = "The request holds half a character (a surrogate), which cannot be sent as UTF-8."


@dataclass(frozen=True, slots=True)
class Flows:
    """The calls of the API against one server with one key."""

    base_url: str  #: without a slash at the end
    api_key: str = field(repr=False)
    user_agent: str
    max_retries: int
    now: Callable[[], float] = time.monotonic  #: seconds; deadlines are measured with it
    jitter: Callable[[], float] = random.random  #: 0 to 1; spreads the retries of many clients

    def generate(self, order: Mapping[str, Any]) -> Flow[TaskRef]:
        """Create a task. Repeated only where the server has certainly not taken the order."""
        request = Send("POST", f"{self.base_url}/api/v1/veo/generate", self._headers(), _encoded(order))
        data, _ = yield from self._again(request, _read, self.max_retries)
        if not isinstance(data, Mapping) or not isinstance(data.get("taskId"), str):
            raise UnexpectedAnswer("The server took the order but named no task.")
        return TaskRef(data["taskId"])

    def retrieve(self, task_id: str) -> Flow[Record]:
        """Ask about a task once."""
        record, _ = yield from self._poll(task_id, self.max_retries)
        return record

    def wait(
        self, task_id: str, timeout: float | None, on_progress: OnProgress | None, poll_interval: float | None
    ) -> Flow[Record]:
        """Ask until the task has ended."""
        deadline = float("inf") if timeout is None else self.now() + timeout
        polls = failures = 0
        while True:
            try:
                # Not retried one by one: the next poll is the retry.
                record, suggested_s = yield from self._poll(task_id, max_retries=0)
            except _PASSING as error:
                failures += 1
                if failures == _FAILED_POLLS:
                    raise
                suggested_s = error.retry_after
            else:
                failures = 0
                if on_progress is not None:
                    on_progress(record)
                if record.ended:
                    return _film_of(record)
            polls += 1
            yield Sleep(self._within(deadline, suggested_s or poll_interval or _pause_after_poll(polls), task_id))

    def download(self, fetch: Fetch) -> Flow[Path]:
        """Download; from the start again where the connection breaks."""
        return (yield from self._again(fetch, Path, self.max_retries))

    def _poll(self, task_id: str, max_retries: int) -> Flow[tuple[Record, float | None]]:
        """The record, and after how many seconds the server would like to be asked again, if it said so."""
        url = f"{self.base_url}/api/v1/veo/record-info"
        request = Send("GET", url, self._headers(), params={"taskId": _sendable(task_id)})
        data, headers = yield from self._again(request, _read, max_retries)
        if not isinstance(data, Mapping):
            raise UnexpectedAnswer("The server's answer about the task holds no record.")
        return record_from(data), retry_after(headers)

    def _again(self, effect: Send | Fetch, read: Callable[[Any], T], max_retries: int) -> Flow[T]:
        """Carry out an effect, repeatedly where the fault may pass and repeating does no harm."""
        tries = 0
        while True:
            try:
                return read((yield effect))
            except _PASSING as error:
                tries += 1
                if tries > max_retries or not _may_repeat(effect, error):
                    raise
                wait_s = self._pause_before_retry(tries) if error.retry_after is None else error.retry_after
            yield Sleep(wait_s)

    def _pause_before_retry(self, tries: int) -> float:
        """0.5, 1, 2 ... 8 seconds, each up to a quarter shorter."""
        return float(min(8.0, 0.5 * 2 ** (tries - 1)) * (1 - self.jitter() / 4))

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


def _read(reply: Reply) -> tuple[Any, Mapping[str, str]]:
    return data_of(reply), reply.headers


def data_of(reply: Reply) -> Any:
    """``data`` of a successful answer, whether errors come as an envelope under status 200 or as real statuses."""
    try:
        answer = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = None
    envelope = answer if isinstance(answer, dict) else {}
    code = envelope.get("code")
    message = str(envelope.get("msg") or "")
    if isinstance(code, int) and code != 200:
        raise error_for(code, message, retry_after(reply.headers))
    if reply.status >= 400:
        raise error_for(reply.status, message or f"HTTP {reply.status}.", retry_after(reply.headers))
    if code != 200:
        raise UnexpectedAnswer(f"This is not an answer of the Veo3 API (HTTP {reply.status}): check the base URL.")
    return envelope.get("data")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds in a Retry-After header (a number or a date), at most two minutes; None where there is none."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_S) if seconds == seconds else None


def _may_repeat(effect: Send | Fetch, error: FilmgateAPIError) -> bool:
    """Reading may always be repeated; an order only where it was certainly not taken, or it would be paid twice."""
    if isinstance(effect, Fetch) or effect.method == "GET":
        return True
    if isinstance(error, (ConnectionFailed, Timeout)):
        return not error.sent
    return isinstance(error, RateLimited) or error.code in _UNAVAILABLE


def _pause_after_poll(polls: int) -> float:
    """1 second, then half as much again each time, up to 10."""
    return float(min(10.0, 1.5 ** min(polls - 1, 16)))


def _film_of(record: Record) -> Record:
    if not record.succeeded:
        raise TaskFailed(record)
    return record
