"""Tasks as the market tells them: its record, which is also what its callbacks carry. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ...domain.spec import Kind
from ...domain.task import Role, Status, Task
from ...http import films
from ...http.codes import failure_of
from ...http.films import json_text
from ...storage.links import Links
from .schema import EXTEND, GENERATE, UPGRADES

NAME: Final = "market"  #: this dialect, in ``Origin.dialect``
TIER: Final = "market_tier"  #: the same, for an order under the name of a tier: the record gives that name back
NAMES: Final = (NAME, TIER)

SUCCESS_FLAG: Final = {
    Status.QUEUED: 0,
    Status.RUNNING: 0,
    Status.WAITING: 0,
    Status.SUCCEEDED: 1,
    Status.REJECTED: 3,
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
_UPGRADE_NAMES = {kind: name for name, kind in UPGRADES.items()}


def render_record(task: Task, links: Links) -> dict[str, Any]:
    """``data`` of recordInfo, for tasks of every dialect."""
    result = _result(task, links)
    return {
        **_told(task, result),
        "successFlag": SUCCESS_FLAG[task.status],
        "response": result,
        "progress": 100 if result else round(100 * task.progress),
    }


def render_callback(task: Task, links: Links) -> dict[str, Any]:
    """The body of the callback of an ended task. The id stands at each place where some receiver looks for it."""
    failure = failure_of(task)
    data = {**_told(task, _result(task, links)), "task_id": task.id}
    msg = failure[1] if failure else films.SUCCEEDED
    return {"code": 501 if failure else 200, "msg": msg, "taskId": task.id, "data": data}


def compose_callback(task: Task, links: Links) -> bytes:
    """The body to send. The editions of the Veo3 dialect do not touch it."""
    return msgspec.json.encode(render_callback(task, links))


def model_of(task: Task) -> str:
    """The market's name of what was ordered; tasks of other dialects are told by their tier."""
    kind = task.spec.kind
    if kind is Kind.EXTEND:
        return EXTEND
    if kind.is_upgrade:
        return _UPGRADE_NAMES[kind]
    return GENERATE if task.origin.dialect == NAME else task.spec.model


def _told(task: Task, result: dict[str, Any] | None) -> dict[str, Any]:
    """What record and callback have in common."""
    failure = failure_of(task)
    ended_ms = task.ended_ms if task.status.ended else None
    return {
        "taskId": task.id,
        "model": model_of(task),
        "state": _state(task),
        "param": json_text(_param(task)),
        "resultJson": json_text(result) if result else "",
        "failCode": str(failure[0]) if failure else None,
        "failMsg": failure[1] if failure else None,
        "costTime": None if ended_ms is None else ended_ms - task.created_ms,
        "createTime": task.created_ms,
        "completeTime": ended_ms,
        "updateTime": ended_ms or task.started_ms or task.created_ms,
        "creditsConsumed": films.charged(task),
    }


def _state(task: Task) -> str:
    """Once tried and back in the queue is "queuing"."""
    return "queuing" if task.status is Status.QUEUED and task.attempt else STATE[task.status]


def _result(task: Task, links: Links) -> dict[str, Any] | None:
    urls = films.result_urls(task, links)
    if not urls:
        return None
    result: dict[str, Any] = {"resultUrls": urls}
    if task.spec.kind is Kind.EXTEND:
        result["fullResultUrls"] = films.full_urls(task, links)
    if task.spec.kind is Kind.UPGRADE_4K:
        result |= {"mediaIds": films.media_ids(task), "imageUrls": films.urls_of(task, Role.POSTER, links)}
    return result


def _param(task: Task) -> dict[str, Any]:
    """The order as it took effect; its ``input`` is JSON in a string once more."""
    param: dict[str, Any] = {"model": model_of(task), "input": json_text(_input(task))}
    return param if task.spec.callback_url is None else {**param, "callBackUrl": task.spec.callback_url}


def _input(task: Task) -> dict[str, Any]:
    spec = task.spec
    if spec.kind is Kind.UPGRADE_1080P:
        return {"taskId": spec.source_id, "index": str(spec.index)}
    if spec.kind is Kind.UPGRADE_4K:
        return {"task_id": spec.source_id, "index": spec.index}
    common = {"prompt": spec.prompt, "model": spec.model, "seeds": spec.seed, "watermark": spec.watermark}
    if spec.kind is Kind.EXTEND:
        return {"task_id": spec.source_id, **common}
    return {
        **common,
        "image_urls": list(spec.images),
        "generation_type": films.GENERATION_TYPE[spec.mode],
        "aspect_ratio": films.ratio_of(task),
        "resolution": spec.resolution,
        "duration": spec.seconds,
        "enable_translation": spec.translate,
        "enable_fallback": bool(spec.fallback),
    }
