"""Tasks as this dialect tells them: the record, and the callback. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from ...domain.forecast import Outlook
from ...domain.spec import Kind
from ...domain.task import Role, Status, Task
from ...http import films
from ...http.codes import NO_4K, failure_of
from ...http.edition import Edition
from ...http.films import json_text
from ...ports import TaskEvent
from ...storage.links import Links

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
EVENTS: Final = "/api/v1/veo/events"
_WATCHABLE_MS: Final = 14 * 24 * 3600 * 1000  #: after its creation; films take minutes
_UNKNOWN: Final = Outlook()


def render_record(task: Task, edition: Edition, links: Links, outlook: Outlook = _UNKNOWN) -> dict[str, Any]:
    """``data`` of record-info: the fields of all editions of the API side by side."""
    flag = SUCCESS_FLAG[task.status]
    code, message = failure_of(task) or (None, None)
    urls = films.result_urls(task, links)
    return {
        "taskId": task.id,
        "paramJson": json_text(params(task)),
        "successFlag": flag,
        "status": flag,
        "state": STATE[task.status],
        "response": _response(task, urls, links),
        **_shortcuts(urls, edition),
        "resultJson": json_text({"resultUrls": urls}) if urls else "",
        **_fallback_flag(task),
        "errorCode": code,
        "errorMessage": message or "",
        "failCode": code,
        "failMsg": message,
        "createTime": _time(task.created_ms, edition),
        "completeTime": _time(task.ended_ms, edition) if task.status.ended else None,
        "creditsConsumed": films.charged(task),
        "progress": 1.0 if task.status is Status.SUCCEEDED else task.progress,
        "stage": task.stage,
        "queuePosition": outlook.position,
        "estimatedFinishTime": _time(outlook.finish_ms, edition),
        "eventsUrl": _events_url(task, links),
        **_retry_of(task),
    }


def render_event(task_id: str, event: TaskEvent, edition: Edition) -> dict[str, Any]:
    """The data of a server-sent event."""
    flag = SUCCESS_FLAG[event.status]
    return {
        "taskId": task_id,
        "successFlag": flag,
        "state": STATE[event.status],
        "progress": event.progress,
        "stage": event.stage,
        "time": _time(event.at_ms, edition),
    }


def render_callback(task: Task, edition: Edition, links: Links) -> dict[str, Any]:
    """The body of the callback of an ended task. The id stands at each place where some receiver looks for it."""
    data: dict[str, Any] = {"taskId": task.id, "task_id": task.id, **_fallback_flag(task), **_retry_of(task)}
    failure = failure_of(task)
    if failure:
        msg = NO_4K if task.spec.kind is Kind.UPGRADE_4K else failure[1]
        return {"code": failure[0], "msg": msg, "taskId": task.id, "data": data}
    data["promptJson"] = json_text(params(task)) if edition.prompt_json == "string" else params(task)
    data["info"] = _info(task, edition, links)
    data["creditsConsumed"] = films.charged(task)
    if task.spec.kind is Kind.UPGRADE_4K:
        data |= _second_spelling(task, links)
    return {"code": 200, "msg": _success(task), "taskId": task.id, "data": data}


def compose_callback(task: Task, links: Links, switches: Mapping[str, str]) -> bytes:
    """The body to send: in the server's edition, ``switches``, as changed by the key that asked for the task."""
    edition = Edition().merged(switches).merged(task.origin.edition)
    return msgspec.json.encode(render_callback(task, edition, links))


def params(task: Task) -> dict[str, Any]:
    """The order as it took effect; of what is made from another film, with that task and the index of its film."""
    spec = task.spec
    ratio = films.ratio_of(task)
    source = {} if spec.source_id is None else {"taskId": spec.source_id, "index": spec.index}
    return {
        **source,
        "prompt": spec.prompt,
        "model": spec.model,
        "generationType": films.GENERATION_TYPE[spec.mode],
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


def render_enlarged(task: Task, links: Links) -> dict[str, Any]:
    """``data`` of get-4k-video: the task that makes the larger film, and that film once it is there."""
    done = task.status is Status.SUCCEEDED
    return {
        "taskId": task.id,
        "resultUrls": films.result_urls(task, links) if done else None,
        "imageUrls": films.urls_of(task, Role.POSTER, links) if done else None,
    }


def _events_url(task: Task, links: Links) -> str:
    """Always the same one for a task, and good without a key: a browser's EventSource sends none."""
    ticket = links.ticket(task.id, task.created_ms + _WATCHABLE_MS)
    return f"{task.origin.public_base.rstrip('/')}{EVENTS}?{urlencode(ticket)}"


def _response(task: Task, urls: list[str], links: Links) -> dict[str, Any] | None:
    if not urls:
        return None
    response = {
        "taskId": task.id,
        "resolution": films.resolution_of(task),
        "originUrls": films.origin_urls(task, links),
        "resultUrls": urls,
        "fullResultUrls": films.full_urls(task, links),
        "hasAudioList": [film.has_audio for film in task.artifacts_of(Role.RESULT)],
        "seeds": [task.spec.seed] * len(urls),
    }
    return response | _pictures(task, links) if task.spec.kind is Kind.UPGRADE_4K else response


def _pictures(task: Task, links: Links) -> dict[str, list[str]]:
    return {"mediaIds": films.media_ids(task), "imageUrls": films.urls_of(task, Role.POSTER, links)}


def _second_spelling(task: Task, links: Links) -> dict[str, list[str]]:
    """What some receivers of 4K callbacks read in place of ``info``."""
    pictures = _pictures(task, links)
    urls = films.result_urls(task, links)
    return {"result_urls": urls, "image_urls": pictures["imageUrls"], "media_ids": pictures["mediaIds"]}


def _retry_of(task: Task) -> dict[str, str]:
    """Of what the operator has ordered once more: by this its owner finds it."""
    return {} if task.retry_of is None else {"retryOf": task.retry_of}


def _fallback_flag(task: Task) -> dict[str, bool]:
    """4K versions have none."""
    return {} if task.spec.kind is Kind.UPGRADE_4K else {"fallbackFlag": task.fallback_used}


def _success(task: Task) -> str:
    if task.spec.kind is Kind.UPGRADE_4K:
        return films.SUCCEEDED_4K
    return films.SUCCEEDED_BY_FALLBACK if task.fallback_used else films.SUCCEEDED


def _shortcuts(urls: list[str], edition: Edition) -> dict[str, Any]:
    """The same addresses at the top level, where programs written after the quickstart look; absent until success."""
    if not urls:
        return {}
    once = {"resultUrl": urls[0], "videoUrl": urls[0]}
    match edition.top_level_result_urls:
        case "json_string":
            return {"resultUrls": json_text(urls), **once}
        case "array":
            return {"resultUrls": urls, **once}
        case _:
            return once


def _info(task: Task, edition: Edition, links: Links) -> dict[str, Any]:
    lists: dict[str, list[str] | None] = {"resultUrls": films.result_urls(task, links)}
    if task.spec.kind is Kind.UPGRADE_4K:
        lists |= _pictures(task, links)
    else:
        lists["fullResultUrls"] = films.full_urls(task, links)
        if not task.fallback_used:
            lists["originUrls"] = films.origin_urls(task, links)
    as_text = edition.callback_lists_as_text
    told: dict[str, Any] = {name: json_text(urls) if as_text and urls else urls for name, urls in lists.items()}
    return told | {"resolution": films.resolution_of(task)}


def _time(ms: int | None, edition: Edition) -> int | str | None:
    """UTC milliseconds, "2026-01-31 10:30:00", or "2026-01-31T10:30:00.250Z"."""
    if ms is None or edition.times == "epoch_ms":
        return ms
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if edition.times == "string" else f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"
