"""From an HTTP answer to what it says, whether errors come as an envelope under status 200 or as real statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from ._effects import Reply
from ._errors import UnexpectedAnswer, error_for
from ._models import Model, Record, TaskRef, models_from, record_from

_LONGEST_RETRY_AFTER_S = 120.0
_PROCESSING = {400: "processing", 422: "records are being generated"}
_KNOWN_4K = ("4k is processing", "generated successfully")


@dataclass(frozen=True, slots=True)
class Larger:
    """How far a 1080p version is: its address when it is there, and its own task where the server names one."""

    url: str | None
    task_id: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of an account's tasks, the newest first, and where the next ones are."""

    records: tuple[Record, ...]
    cursor: str | None


def data_of(reply: Reply) -> Any:
    """``data`` of a successful answer. Raises the FilmgateAPIError that any other answer means."""
    envelope = _envelope(reply)
    code = envelope.get("code")
    message = str(envelope.get("msg") or "")
    if isinstance(code, int) and code != 200:
        raise error_for(code, message, retry_after(reply.headers))
    if reply.status >= 400:
        raise error_for(reply.status, message or f"HTTP {reply.status}.", retry_after(reply.headers))
    if code != 200:
        raise UnexpectedAnswer(f"This is not an answer of the Veo3 API (HTTP {reply.status}): check the base URL.")
    return envelope.get("data")


def task_of(reply: Reply) -> TaskRef:
    """The task that an order has made."""
    task_id = _named(data_of(reply), "taskId")
    if task_id is None:
        raise UnexpectedAnswer("The server took the order but named no task.")
    return TaskRef(task_id)


def models_of(reply: Reply) -> tuple[Model, ...]:
    """What may be ordered."""
    data = data_of(reply)
    try:
        return models_from(data)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswer("The server did not say what may be ordered of it.") from error


def page_of(reply: Reply) -> Page:
    """Some of an account's tasks."""
    data = data_of(reply)
    records = data.get("tasks") if isinstance(data, Mapping) else None
    if not isinstance(records, list) or not all(isinstance(each, Mapping) for each in records):
        raise UnexpectedAnswer("The server's answer about the tasks holds no list of them.")
    return Page(tuple(record_from(each) for each in records), _named(data, "nextCursor"))


def task_of_4k(reply: Reply) -> TaskRef:
    """The task of a 4K version: who orders it again is refused, but told the task that there is."""
    envelope = _envelope(reply)
    told = str(envelope.get("msg") or "").lower()
    task_id = _named(envelope.get("data"), "taskId")
    if envelope.get("code") == 422 and task_id and any(words in told for words in _KNOWN_4K):
        return TaskRef(task_id)
    return task_of(reply)


def larger_of(reply: Reply) -> tuple[Larger, float | None]:
    """How far a 1080p version is, and after how many seconds the server would like to be asked again."""
    envelope = _envelope(reply)
    words = _PROCESSING.get(envelope.get("code", 0))
    if words and words in str(envelope.get("msg") or "").lower():
        return Larger(None, _named(envelope.get("data"), "taskId")), retry_after(reply.headers)
    data = data_of(reply)
    url = _named(data, "resultUrl")
    if url is None:
        raise UnexpectedAnswer("The server's answer about the 1080p version holds no address.")
    return Larger(url, _named(data, "taskId")), None


def number_of(reply: Reply) -> float:
    data = data_of(reply)
    if not isinstance(data, (int, float)) or isinstance(data, bool):
        raise UnexpectedAnswer("The server's answer about the credits holds no number.")
    return float(data)


def text_of(reply: Reply) -> str:
    data = data_of(reply)
    if not isinstance(data, str) or not data:
        raise UnexpectedAnswer("The server's answer about the link holds no address.")
    return data


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


def _envelope(reply: Reply) -> dict[str, Any]:
    """The answer where it is a JSON object, else nothing."""
    try:
        answer = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _named(data: object, name: str) -> str | None:
    value = data.get(name) if isinstance(data, Mapping) else None
    return value if isinstance(value, str) and value else None
