"""This dialect's documents as types, for the OpenAPI description. Nothing is parsed with them: ``schema.py`` does that,
and is more lenient; tests hold that the two speak of the same fields, and that every record fits ``Record``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ...domain.spec import SEEDS
from ...http.openapi import Operation
from .schema import MAX_PROMPT, MAX_WATERMARK

Ratio = Literal["16:9", "9:16", "Auto"]


class GenerateRequest(Struct):
    """The order of a film. Fields that are null, blank or not there are left to the server."""

    prompt: Annotated[str, Meta(min_length=1, max_length=MAX_PROMPT, examples=["A dog playing in a park"])]
    model: Annotated[str, Meta(description="veo3, veo3_fast or veo3_lite; default veo3_fast.")] = "veo3_fast"
    imageUrls: Annotated[list[str], Meta(description="One or two frames, or up to three references.")] = []
    generationType: Annotated[
        Literal["TEXT_2_VIDEO", "FIRST_AND_LAST_FRAMES_2_VIDEO", "REFERENCE_2_VIDEO"] | None,
        Meta(description="What the film starts from; told by the number of images where it is not said."),
    ] = None
    aspect_ratio: Ratio = "16:9"
    aspectRatio: Annotated[Ratio | None, Meta(description="The same under its older name.")] = None
    resolution: Literal["720p", "1080p", "4k"] = "720p"
    duration: Annotated[Literal[4, 6, 8], Meta(description="Seconds.")] = 8
    seeds: Annotated[
        int | None,
        Meta(description=f"{SEEDS[0]} to {SEEDS[-1]}; where the engine can, the same seed gives the same film."),
    ] = None
    watermark: Annotated[str | None, Meta(description=f"Text in the picture, up to {MAX_WATERMARK} characters.")] = None
    waterMark: Annotated[str | None, Meta(description="The same under its other name.")] = None
    enableTranslation: bool = True
    enableFallback: bool | None = None
    callBackUrl: Annotated[str | None, Meta(description="Is told, by POST, how the task ended.")] = None


class Created(Struct):
    """The task has been accepted, and is on disk."""

    taskId: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class Films(Struct):
    """What came of a task that succeeded. The lists are as long as ``resultUrls``."""

    taskId: str
    resolution: Literal["720p", "1080p", "4k"]
    originUrls: Annotated[list[str] | None, Meta(description="Only where the film is not 16:9.")]
    resultUrls: list[str]
    fullResultUrls: Annotated[list[str] | None, Meta(description="Only of extensions.")]
    hasAudioList: list[bool]
    seeds: list[int]


class Record(Struct):
    """Where a task stands. Some fields say the same thing twice, for programs of different years."""

    taskId: str
    paramJson: Annotated[str, Meta(description="The order as it took effect, as JSON.")]
    successFlag: Annotated[
        Literal[0, 1, 2, 3], Meta(description="0 under way, 1 succeeded, 2 refused, 3 could not be made.")
    ]
    status: Annotated[Literal[0, 1, 2, 3], Meta(description="As successFlag.")]
    state: Literal["waiting", "generating", "success", "fail"]
    response: Films | None
    resultJson: Annotated[str, Meta(description='{"resultUrls": [...]} as JSON; empty before success.')]
    fallbackFlag: bool
    errorCode: int | None
    errorMessage: str
    failCode: int | None
    failMsg: str | None
    createTime: Annotated[int | str, Meta(description="UTC milliseconds, or text where the edition says so.")]
    completeTime: int | str | None
    creditsConsumed: int
    progress: Annotated[float, Meta(ge=0, le=1)]
    stage: Annotated[str, Meta(description="What is being done, in plain words.")]
    resultUrls: Annotated[
        str | list[str] | UnsetType, Meta(description="The addresses as JSON, or a list where the edition says so.")
    ] = UNSET
    resultUrl: str | UnsetType = UNSET
    videoUrl: str | UnsetType = UNSET


OPERATIONS = (
    Operation("POST", "/api/v1/veo/generate", "generate", "Order a film", Created, GenerateRequest),
    Operation(
        "GET",
        "/api/v1/veo/record-info",
        "recordInfo",
        "Ask where a task stands",
        Record,
        query=(("taskId", "The task, as generate named it."),),
    ),
)
