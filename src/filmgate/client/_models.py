"""What the server says about tasks, typed. Lenient: editions of the API differ in what they send and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class TaskRef:
    """A task that was accepted: keep its id."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Film:
    """A film at an address; ``download`` takes it."""

    url: str
    task_id: str | None = None  #: the task that made it, where the server says so


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that the server keeps for a while. What a server does not tell is None or empty."""

    url: str  #: to be used in ``image_urls``
    name: str = ""
    path: str = ""  #: where the server says that it lies
    size: int | None = None  #: bytes
    mime: str = ""
    expires: datetime | None = None  #: UTC
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)  #: the answer's ``data`` as it came


@dataclass(frozen=True, slots=True)
class Model:
    """What may be ordered of a model. Each of these can be had, though not every combination of them."""

    name: str
    is_default: bool = False
    kinds: tuple[str, ...] = ()
    generation_types: tuple[str, ...] = ()
    max_reference_images: int = 0
    aspect_ratios: tuple[str, ...] = ()
    resolutions: tuple[str, ...] = ()
    durations: tuple[int, ...] = ()  #: seconds
    has_audio: bool = False
    seeded: bool = False  #: the same seed gives the same film
    prices: Mapping[str, int] = field(default_factory=dict)  #: credits, by resolution or kind


@dataclass(frozen=True, slots=True)
class Record:
    """A task as the server describes it now. What a server does not tell is None or empty."""

    task_id: str
    status: int  #: 0 under way, 1 succeeded, 2 refused, 3 failed
    state: str  #: "waiting", "generating", "success" or "fail"
    progress: float | None = None  #: 0 to 1
    stage: str | None = None  #: in plain words
    result_urls: tuple[str, ...] = ()
    full_result_urls: tuple[str, ...] = ()  #: of extensions: the film that was extended and its continuation in one
    origin_urls: tuple[str, ...] = ()  #: before cropping, for films that are not 16:9
    image_urls: tuple[str, ...] = ()  #: of 4K versions: a still of each film
    media_ids: tuple[str, ...] = ()  #: of 4K versions
    resolution: str | None = None  #: "720p", "1080p" or "4k"
    seeds: tuple[int, ...] = ()
    has_audio: bool | None = None
    created: datetime | None = None  #: UTC
    completed: datetime | None = None  #: UTC
    error_code: int | None = None
    error_message: str = ""
    credits: float | None = None  #: charged
    source_id: str | None = None  #: of extensions and larger versions: the task of the film that they are made from
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)  #: the answer's ``data`` as it came

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status != 0

    @property
    def succeeded(self) -> bool:
        return self.status == 1

    @property
    def film_url(self) -> str | None:
        """The film: of an extension the whole one where the server has it, else the first result."""
        return next(iter(self.full_result_urls or self.result_urls), None)


def record_from(data: Mapping[str, Any]) -> Record:
    """Read the ``data`` of a record-info answer of any edition."""
    response = data.get("response")
    response = response if isinstance(response, Mapping) else {}
    status = _status(data)
    return Record(
        task_id=str(data.get("taskId") or ""),
        status=status,
        state=_text(data.get("state")) or ("generating", "success", "fail", "fail")[status],
        progress=_number(data.get("progress")),
        stage=_text(data.get("stage")),
        result_urls=_result_urls(data, response),
        full_result_urls=texts(response.get("fullResultUrls")),
        origin_urls=texts(response.get("originUrls")),
        image_urls=texts(response.get("imageUrls")),
        media_ids=texts(response.get("mediaIds")),
        resolution=_text(response.get("resolution")),
        seeds=_seeds(response.get("seeds")),
        has_audio=_any_audio(response.get("hasAudioList")),
        created=_moment(data.get("createTime")),
        completed=_moment(data.get("completeTime")),
        error_code=_whole(_first(data, "errorCode", "failCode")),
        error_message=_text(_first(data, "errorMessage", "failMsg")) or "",
        credits=_number(data.get("creditsConsumed")),
        source_id=_source_id(data.get("paramJson")),
        raw=data,
    )


def upload_from(data: Mapping[str, Any]) -> Upload | None:
    """Read the ``data`` of an upload's answer of any edition; None where it names no address."""
    url = _text(_first(data, "downloadUrl", "fileUrl"))
    if url is None:
        return None
    return Upload(
        url=url,
        name=_text(data.get("fileName")) or "",
        path=_text(_first(data, "filePath", "uploadPath")) or "",
        size=_whole(data.get("fileSize")),
        mime=_text(data.get("mimeType")) or "",
        expires=_moment(data.get("expiresAt")),
        raw=data,
    )


def texts(value: object) -> tuple[str, ...]:
    """A list of strings, also where it was sent as JSON inside a string."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return ()
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


_STATUS_OF_STATE = {"success": 1, "fail": 3}


def _status(data: Mapping[str, Any]) -> int:
    flag = _whole(_first(data, "successFlag", "status"))
    if flag is not None and 0 <= flag <= 3:
        return flag
    return _STATUS_OF_STATE.get(str(data.get("state")), 0)


def _result_urls(data: Mapping[str, Any], response: Mapping[str, Any]) -> tuple[str, ...]:
    """The list, wherever this edition keeps it."""
    if urls := texts(response.get("resultUrls")) or texts(data.get("resultUrls")):
        return urls
    try:
        inner = msgspec.json.decode(data.get("resultJson") or "{}")
    except (msgspec.DecodeError, TypeError, UnicodeEncodeError, RecursionError):
        return ()
    return texts(inner.get("resultUrls")) if isinstance(inner, dict) else ()


def _source_id(params: object) -> str | None:
    """The order names the task of the film that it is made from."""
    try:
        said = msgspec.json.decode(params) if isinstance(params, str) else params
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return _text(said.get("taskId")) if isinstance(said, Mapping) else None


def _first(data: Mapping[str, Any], *names: str) -> object:
    return next((data[name] for name in names if data.get(name) not in (None, "")), None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None


def _seeds(value: object) -> tuple[int, ...]:
    return tuple(item for item in value if isinstance(item, int)) if isinstance(value, list) else ()


def _any_audio(value: object) -> bool | None:
    return any(item is True for item in value) if isinstance(value, list) and value else None


def _moment(value: object) -> datetime | None:
    """Milliseconds since 1970, ISO 8601, or "2026-01-31 10:30:00", which is UTC."""
    try:
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value / 1000, UTC)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


class _Model(msgspec.Struct, rename="camel"):
    model: str
    is_default: bool = False
    kinds: tuple[str, ...] = ()
    generation_types: tuple[str, ...] = ()
    max_reference_images: int = 0
    aspect_ratios: tuple[str, ...] = ()
    resolutions: tuple[str, ...] = ()
    durations: tuple[int, ...] = ()
    has_audio: bool = False
    seeded: bool = False
    prices: dict[str, int] = {}


class _Models(msgspec.Struct):
    models: tuple[_Model, ...]


def models_from(data: Any) -> tuple[Model, ...]:
    """Raises msgspec.ValidationError for what does not say what may be ordered."""
    told = msgspec.convert(data, _Models).models
    return tuple(
        Model(**{("name" if key == "model" else key): value for key, value in msgspec.structs.asdict(each).items()})
        for each in told
    )
