"""This dialect's documents as types, for the OpenAPI description. Nothing is parsed with them: ``schema.py`` does that,
and is more lenient; tests hold that the two speak of the same fields, and that every record fits ``MarketRecord``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ...http import order_keys
from ...http.openapi import Operation, Parameter


class CreateTaskRequest(Struct):
    """An order. What ``input`` holds depends on the model."""

    model: Annotated[
        Literal[
            "veo-3-1",
            "veo/extend",
            "veo/get-1080p-video",
            "veo/get-4k-video",
            "veo3",
            "veo3_fast",
            "veo3_lite",
        ],
        Meta(description="The last three are veo-3-1 with a tier of their own."),
    ]
    input: Annotated[
        dict[str, Any],
        Meta(
            description="veo-3-1: prompt, model, image_urls, generation_type, aspect_ratio, resolution, duration, "
            "seeds, watermark, enable_translation, enable_fallback. veo/extend: task_id, prompt, model, seeds, "
            "watermark. veo/get-1080p-video: taskId, index. veo/get-4k-video: task_id, index.",
            examples=[{"prompt": "A dog playing in a park"}],
        ),
    ]
    callBackUrl: Annotated[str | None, Meta(description="Is told, by POST, how the task ended.")] = None


class MarketCreated(Struct):
    """The task has been accepted, and is on disk. Both names are the same."""

    taskId: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    recordId: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class MarketRecord(Struct):
    """Where a task stands."""

    taskId: str
    model: Annotated[str, Meta(description="What was ordered.")]
    state: Literal["waiting", "queuing", "generating", "success", "fail"]
    successFlag: Annotated[Literal[0, 1, 3], Meta(description="0 under way, 1 succeeded, 3 not.")]
    param: Annotated[str, Meta(description="The order as it took effect, as JSON; its input is JSON again.")]
    resultJson: Annotated[str, Meta(description='{"resultUrls": [...]} as JSON; empty before success.')]
    response: Annotated[dict[str, Any] | None, Meta(description="resultJson as an object.")]
    failCode: str | None
    failMsg: str | None
    costTime: Annotated[int | None, Meta(description="Milliseconds from creation to end.")]
    createTime: Annotated[int, Meta(description="UTC milliseconds.")]
    completeTime: int | None
    updateTime: int
    progress: Annotated[int, Meta(ge=0, le=100, description="Per cent.")]
    creditsConsumed: int


OPERATIONS = (
    Operation(
        "POST",
        "/api/v1/jobs/createTask",
        "createTask",
        "Order anything",
        MarketCreated,
        CreateTaskRequest,
        headers=(order_keys.PARAMETER,),
    ),
    Operation(
        "GET",
        "/api/v1/jobs/recordInfo",
        "jobRecordInfo",
        "Ask where a task of any kind stands",
        MarketRecord,
        query=(Parameter("taskId", "The task, as it was named when it was created."),),
    ),
)
