"""Tasks as this dialect tells them: the record, and the callback. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ...domain.spec import AspectRatio, Mode, Resolution
from ...domain.task import Artifact, Role, Status, Task
from ...http.edition import Edition
from ...storage.links import Links
from .codes import failure_of

SUCCESS_FLAG: Final = {
    Status.QUEUED: 0,
    Status.RUNNING: 0,
    Status.WAITING: 0,
    Status.SUCCEEDED: 1,
    Status.REJECTED: 2,
    Status.FAILED: 3,
}
STATE: Final = {
    Status.QUEUED: "waiting",
    Status.RUNNING: "generating",
    Status.WAITING: "generating",
    Status.SUCCEEDED: "success",
    Status.REJECTED: "fail",
    Status.FAILED: "fail",
}
GENERATION_TYPE: Final = {
    Mode.TEXT: "TEXT_2_VIDEO",
    Mode.FRAMES: "FIRST_AND_LAST_FRAMES_2_VIDEO",
    Mode.REFERENCE: "REFERENCE_2_VIDEO",
}

SUCCEEDED: Final = "Veo3.1 video generated successfully."
SUCCEEDED_BY_FALLBACK: Final = "Veo3.1 video generated successfully (using fallback model)."


def render_record(task: Task, edition: Edition, links: Links) -> dict[str, Any]:
    """``data`` of record-info: the fields of all editions of the API side by side."""
    flag = SUCCESS_FLAG[task.status]
    code, message = failure_of(task) or (None, None)
    urls = result_urls(task, links)
    return {
        "taskId": task.id,
        "paramJson": _json(params(task)),
        "successFlag": flag,
        "status": flag,
        "state": STATE[task.status],
        "response": _response(task, links),
        **_shortcuts(urls, edition),
        "resultJson": _json({"resultUrls": urls}) if urls else "",
        "fallbackFlag": task.fallback_used,
        "errorCode": code,
        "errorMessage": message or "",
        "failCode": code,
        "failMsg": message,
        "createTime": _time(task.created_ms, edition),
        "completeTime": _time(task.ended_ms, edition) if task.status.ended else None,
        "creditsConsumed": _charged(task),
        "progress": 1.0 if task.status is Status.SUCCEEDED else task.progress,
        "stage": task.stage,
    }


def render_callback(task: Task, edition: Edition, links: Links) -> dict[str, Any]:
    """The body of the callback of an ended task. The id stands at each place where some receiver looks for it."""
    data: dict[str, Any] = {"taskId": task.id, "task_id": task.id, "fallbackFlag": task.fallback_used}
    failure = failure_of(task)
    if failure:
        return {"code": failure[0], "msg": failure[1], "taskId": task.id, "data": data}
    data["promptJson"] = _json(params(task)) if edition.prompt_json == "string" else params(task)
    data["info"] = _info(task, edition, links)
    data["creditsConsumed"] = _charged(task)
    msg = SUCCEEDED_BY_FALLBACK if task.fallback_used else SUCCEEDED
    return {"code": 200, "msg": msg, "taskId": task.id, "data": data}


def compose_callback(task: Task, links: Links, switches: Mapping[str, str]) -> bytes:
    """The body to send: in the server's edition, ``switches``, as changed by the key that asked for the task."""
    edition = Edition().merged(switches).merged(task.origin.edition)
    return msgspec.json.encode(render_callback(task, edition, links))


def params(task: Task) -> dict[str, Any]:
    """The order as it took effect."""
    spec = task.spec
    ratio = _ratio(task)
    return {
        "prompt": spec.prompt,
        "model": spec.model,
        "generationType": GENERATION_TYPE[spec.mode],
        "imageUrls": list(spec.images),
        "aspectRatio": ratio,
        "aspect_ratio": ratio,
        "resolution": spec.resolution,
        "duration": spec.seconds,
        "seeds": spec.seed,
        "waterMark": spec.watermark,
        "enableTranslation": spec.translate,
        "enableFallback": bool(spec.fallback),
        "callBackUrl": spec.callback_url,
    }


def result_urls(task: Task, links: Links) -> list[str]:
    """The films of a succeeded task, else none."""
    return _urls(task, task.artifacts_of(Role.RESULT), links) if task.status is Status.SUCCEEDED else []


def _response(task: Task, links: Links) -> dict[str, Any] | None:
    urls = result_urls(task, links)
    if not urls:
        return None
    return {
        "taskId": task.id,
        "resolution": _resolution(task),
        "originUrls": _origin_urls(task, links),
        "resultUrls": urls,
        "fullResultUrls": None,
        "hasAudioList": [film.has_audio for film in task.artifacts_of(Role.RESULT)],
        "seeds": [task.spec.seed] * len(urls),
    }


def _shortcuts(urls: list[str], edition: Edition) -> dict[str, Any]:
    """The same addresses at the top level, where programs written after the quickstart look; absent until success."""
    if not urls:
        return {}
    once = {"resultUrl": urls[0], "videoUrl": urls[0]}
    match edition.top_level_result_urls:
        case "json_string":
            return {"resultUrls": _json(urls), **once}
        case "array":
            return {"resultUrls": urls, **once}
        case _:
            return once


def _info(task: Task, edition: Edition, links: Links) -> dict[str, Any]:
    urls, origins = result_urls(task, links), _origin_urls(task, links)
    as_text = edition.callback_lists_as_text
    info: dict[str, Any] = {"resultUrls": _json(urls) if as_text else urls, "resolution": _resolution(task)}
    if not task.fallback_used:
        info["originUrls"] = _json(origins) if as_text and origins else origins
    return info


def _origin_urls(task: Task, links: Links) -> list[str] | None:
    """Upright films have them, wide ones do not."""
    if _ratio(task) != AspectRatio.PORTRAIT:
        return None
    return _urls(task, task.artifacts_of(Role.ORIGIN) or task.artifacts_of(Role.RESULT), links)


def _urls(task: Task, artifacts: Sequence[Artifact], links: Links) -> list[str]:
    many = len(artifacts) > 1
    names = (f"{task.id}-{number}" if many else task.id for number in range(1, len(artifacts) + 1))
    return [
        links.link(task.origin.public_base, film.key, film.expires_ms, f"{name}.mp4")
        for name, film in zip(names, artifacts, strict=True)
    ]


def _ratio(task: Task) -> AspectRatio:
    """The ratio in effect: Auto is known once there is a film."""
    film = next(iter(task.artifacts_of(Role.RESULT)), None)
    if task.spec.aspect_ratio is not AspectRatio.AUTO or film is None:
        return task.spec.aspect_ratio
    return AspectRatio.PORTRAIT if film.height > film.width else AspectRatio.LANDSCAPE


def _resolution(task: Task) -> str:
    """Of the film itself, whatever was ordered."""
    short = min((min(film.width, film.height) for film in task.artifacts_of(Role.RESULT)), default=0)
    return next((r.value for r in Resolution if r.lines == short), task.spec.resolution.value)


def _charged(task: Task) -> int:
    return task.price if task.status is Status.SUCCEEDED else 0


def _time(ms: int | None, edition: Edition) -> int | str | None:
    """UTC milliseconds, "2026-01-31 10:30:00", or "2026-01-31T10:30:00.250Z"."""
    if ms is None or edition.times == "epoch_ms":
        return ms
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if edition.times == "string" else f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
