"""This dialect's documents as types, for the OpenAPI description. Nothing is parsed with them: ``schema.py`` does that,
and is more lenient; tests hold that the two speak of the same fields, and that every record fits ``Record``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ...domain.spec import SEEDS, Kind
from ...domain.task import STATES
from ...http import order_keys
from ...http.listing import MOST, USUAL
from ...http.openapi import Operation, Parameter
from ...http.orders import MAX_PROMPT, MAX_WATERMARK

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


class ExtendRequest(Struct):
    """The order of a film that goes on where another one ends."""

    taskId: Annotated[str, Meta(min_length=1, description="The task whose film goes on.")]
    prompt: Annotated[str, Meta(min_length=1, max_length=MAX_PROMPT, examples=["The dog finds a ball"])]
    model: Annotated[str, Meta(description="fast, quality, lite, or a model's own name.")] = "fast"
    seeds: Annotated[int | None, Meta(description=f"{SEEDS[0]} to {SEEDS[-1]}; that of the source if not said.")] = None
    watermark: Annotated[str | None, Meta(description=f"Text in the picture, up to {MAX_WATERMARK} characters.")] = None
    waterMark: Annotated[str | None, Meta(description="The same under its other name.")] = None
    callBackUrl: Annotated[str | None, Meta(description="Is told, by POST, how the task ended.")] = None


class UpgradeRequest(Struct):
    """The order of a film's 4K version."""

    taskId: Annotated[str, Meta(min_length=1, description="The task that made the film.")]
    index: Annotated[int, Meta(ge=0, description="Which of its films.")] = 0
    callBackUrl: Annotated[str | None, Meta(description="Is told, by POST, how the task ended.")] = None


class Created(Struct):
    """The task has been accepted, and is on disk."""

    taskId: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class CancelRequest(Struct):
    """Which task is not wanted any more."""

    taskId: Annotated[str, Meta(min_length=1, description="The task, queued or being made.")]


class Ended(Struct):
    """The task that it was done to."""

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
    mediaIds: Annotated[list[str] | UnsetType, Meta(description="Only of 4K versions.")] = UNSET
    imageUrls: Annotated[list[str] | UnsetType, Meta(description="Only of 4K versions: stills.")] = UNSET


class Video1080p(Struct):
    """The 1080p version; ``resultUrl`` is null, and the code 400, while it is being made."""

    taskId: Annotated[str, Meta(description="The task that makes it.")]
    resultUrl: str | None


class Video4k(Struct):
    """The 4K version; the lists are null while it is being made."""

    taskId: Annotated[str, Meta(description="The task that makes it.")]
    resultUrls: list[str] | None
    imageUrls: list[str] | None


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
    errorCode: int | None
    errorMessage: str
    failCode: int | None
    failMsg: str | None
    createTime: Annotated[int | str, Meta(description="UTC milliseconds, or text where the edition says so.")]
    completeTime: int | str | None
    creditsConsumed: int
    progress: Annotated[float, Meta(ge=0, le=1)]
    stage: Annotated[str, Meta(description="What is being done, in plain words.")]
    queuePosition: Annotated[int | None, Meta(description="1 is next; null once it has been begun.")]
    estimatedFinishTime: Annotated[int | str | None, Meta(description="As it looks now; null where nobody can tell.")]
    eventsUrl: Annotated[str, Meta(description="Server-sent events of the task; needs no key.")]
    fallbackFlag: Annotated[bool | UnsetType, Meta(description="Not of 4K versions.")] = UNSET
    resultUrls: Annotated[
        str | list[str] | UnsetType, Meta(description="The addresses as JSON, or a list where the edition says so.")
    ] = UNSET
    retryOf: Annotated[
        str | UnsetType, Meta(description="The task that failed, where the operator has ordered it once more by this.")
    ] = UNSET
    resultUrl: str | UnsetType = UNSET
    videoUrl: str | UnsetType = UNSET


class WatchedEvent(Struct):
    """What the data of an event says."""

    taskId: str
    successFlag: Annotated[Literal[0, 1, 2, 3], Meta(description="As in the record.")]
    state: Literal["waiting", "generating", "success", "fail"]
    progress: Annotated[float, Meta(ge=0, le=1)]
    stage: Annotated[str, Meta(description="What is being done, in plain words.")]
    time: Annotated[int | str, Meta(description="UTC milliseconds, or text where the edition says so.")]


class TaskPage(Struct):
    """Some of an account's tasks, the newest first."""

    tasks: list[Record]
    nextCursor: Annotated[str | None, Meta(description="Where the next page begins; null after the last one.")]


_TASK = Parameter("taskId", "The task, as it was named when it was created.")
_FILTERS = (
    Parameter("limit", f"How many at most; {USUAL} where it is not said, up to {MOST}.", required=False),
    Parameter("cursor", "The nextCursor of the page before.", required=False),
    Parameter("state", f"Only those in this state: {', '.join(STATES)}.", required=False),
    Parameter("model", "Only those of this model.", required=False),
    Parameter("kind", f"Only those of this kind: {', '.join(Kind)}.", required=False),
    Parameter("since", "Only those created at this time or later: milliseconds, or ISO 8601.", required=False),
    Parameter("until", "Only those created before this time.", required=False),
)


class Model(Struct):
    """What may be ordered of a model. Each of these can be had, though not every combination of them."""

    model: Annotated[str, Meta(description="What an order calls it.")]
    isDefault: Annotated[bool, Meta(description="Whether an order that names none gets this one.")]
    kinds: Annotated[list[Kind], Meta(description="What can be made: films, continuations, larger versions.")]
    generationTypes: list[Literal["TEXT_2_VIDEO", "FIRST_AND_LAST_FRAMES_2_VIDEO", "REFERENCE_2_VIDEO"]]
    maxReferenceImages: Annotated[int, Meta(ge=0, le=3)]
    aspectRatios: list[Ratio]
    resolutions: list[Literal["720p", "1080p", "4k"]]
    durations: Annotated[list[int], Meta(description="Seconds.")]
    hasAudio: Annotated[bool, Meta(description="Whether films can have sound.")]
    seeded: Annotated[bool, Meta(description="Whether the same seed gives the same film.")]
    prices: Annotated[
        dict[str, int],
        Meta(description="Credits: of a film by its resolution, of extend, upgrade_1080p and upgrade_4k."),
    ]


class Models(Struct):
    """What may be ordered."""

    models: list[Model]


_KEYED = (order_keys.PARAMETER,)
_OF_FILM = (
    Parameter("taskId", "The task that made the film."),
    Parameter("index", "Which of its films; 0 where it is not said.", required=False),
)

OPERATIONS = (
    Operation("POST", "/api/v1/veo/generate", "generate", "Order a film", Created, GenerateRequest, headers=_KEYED),
    Operation(
        "POST",
        "/api/v1/veo/extend",
        "extend",
        "Order the continuation of a film",
        Created,
        ExtendRequest,
        headers=_KEYED,
    ),
    Operation(
        "GET",
        "/api/v1/veo/record-info",
        "recordInfo",
        "Ask where a task stands",
        Record,
        query=(_TASK,),
    ),
    Operation(
        "GET",
        "/api/v1/veo/events",
        "watch",
        "Watch a task",
        WatchedEvent,
        query=(
            Parameter("taskId", "The task, as it was named when it was created."),
            Parameter("expires", "As it stands in eventsUrl.", required=False),
            Parameter("signature", "As it stands in eventsUrl; without it, a key is needed.", required=False),
        ),
        streamed=True,
    ),
    Operation(
        "GET",
        "/api/v1/veo/get-1080p-video",
        "get1080pVideo",
        "Order a film's 1080p version, and get it",
        Video1080p,
        query=_OF_FILM,
    ),
    Operation(
        "POST",
        "/api/v1/veo/get-4k-video",
        "get4kVideo",
        "Order a film's 4K version",
        Video4k,
        UpgradeRequest,
        headers=_KEYED,
    ),
    Operation("GET", "/api/v1/veo/get-4k-video", "ask4kVideo", "Ask for a film's 4K version", Video4k, query=_OF_FILM),
    Operation("POST", "/api/v1/veo/cancel", "cancel", "Cancel a task", Ended, CancelRequest),
    Operation("GET", "/api/v1/veo/tasks", "listTasks", "Look through your tasks", TaskPage, query=_FILTERS),
    Operation("GET", "/api/v1/veo/models", "listModels", "See what may be ordered", Models),
    Operation("DELETE", "/api/v1/veo/media", "deleteMedia", "Delete the films of a task", Ended, query=(_TASK,)),
)
