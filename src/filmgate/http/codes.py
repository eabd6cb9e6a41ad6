"""The one table from what went wrong to the code and the words for it. Dialects change single rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ..domain.errors import FilmgateError
from ..domain.policy import TRIGGERS
from ..domain.spec import Kind
from ..domain.task import Task

#: slug -> (code, text); ``{sentence}`` stands for what the error itself says. Programs match the fixed words.
CODES: Final[Mapping[str, tuple[int, str]]] = {
    "error": (500, "{sentence}"),
    # refused requests
    "request_error": (400, "{sentence}"),
    "malformed_request": (400, "{sentence}"),
    "too_large": (413, "{sentence}"),
    "invalid_request": (422, "{sentence}"),
    "unsupported_model": (422, "The model name you specified is not supported. {sentence}"),
    "missing_prompt": (422, "Please enter prompt"),
    "unauthenticated": (401, "{sentence}"),
    "insufficient_credits": (402, "Credits insufficient. {sentence}"),
    "key_spent": (433, "{sentence}"),
    "too_many_requests": (429, "Your call frequency is too high. Please try again later."),
    "queue_full": (429, "{sentence}"),
    "under_maintenance": (455, "Service Unavailable - System is currently undergoing maintenance"),
    "feature_off": (505, "Feature Disabled - The requested feature is currently disabled"),
    "unknown_address": (404, "{sentence}"),
    "wrong_method": (405, "{sentence}"),
    "conflict": (409, "{sentence}"),
    "key_reused": (409, "{sentence}"),
    "task_ended": (409, "{sentence}"),
    "task_not_ended": (409, "{sentence}"),
    "task_not_found": (422, "record is null."),
    "source_not_found": (404, "Original video or task does not exist"),
    "source_unusable": (422, "{sentence}"),
    "source_not_ready": (422, "record status is not success. {sentence}"),
    "no_such_result": (422, "record result data not exist. {sentence}"),
    "already_there": (422, "{sentence}"),
    "upload_refused": (400, "{sentence}"),
    "link_forged": (404, "{sentence}"),
    "link_expired": (410, "{sentence}"),
    "address_refused": (422, "{sentence}"),
    "unreachable": (422, "{sentence}"),
    # how tasks end
    "task_error": (501, "{sentence}"),
    "rejected": (400, "{sentence}"),
    "content_rejected": (400, "Your prompt was flagged by Website as violating content policies. {sentence}"),
    "language_rejected": (400, "Only English prompts are supported at this time. {sentence}"),
    "image_rejected": (400, "public error unsafe image upload. {sentence}"),
    "person_rejected": (400, "public error prominent people upload. {sentence}"),
    "minor_rejected": (400, "public error minor upload. {sentence}"),
    "input_unreachable": (451, "{sentence}"),
    "input_unusable": (400, "{sentence}"),
    "unsupported": (422, "{sentence}"),
    "cancelled": (400, "{sentence}"),
    "breakdown": (501, "{sentence}"),
    "engine_unavailable": (500, "{sentence}"),
    "engine_failed": (501, "{sentence}"),
    "engine_crashed": (501, "{sentence}"),
    "engine_timeout": (408, "{sentence}"),
    "deadline_passed": (408, "{sentence}"),
    "output_unusable": (501, "{sentence}"),
    "storage_unavailable": (500, "{sentence}"),
    "internal_fault": (500, "Internal Error, Please try again later. {sentence}"),
    "order_unclear": (501, "{sentence}"),
    "attempts_used_up": (501, "{sentence}"),
    # races and bugs
    "state_error": (409, "{sentence}"),
    "illegal_transition": (409, "{sentence}"),
    "lease_lost": (409, "{sentence}"),
}

_NOTHING: Mapping[str, tuple[int, str]] = MappingProxyType({})

#: An engine of somebody else's may end a task with a slug that this table has never heard of.
_UNHEARD_OF = (501, "{sentence}")

_FLOW = (
    "Your request was rejected by Flow({sentence}). You may consider using our other fallback channels, "
    "which are likely to succeed. Please refer to the documentation."
)


#: Begins what is said when an image of the order cannot be had or read.
_IMAGE = "Failed to fetch the image. Kindly verify any access limits set by you or your service provider."

_IMAGE_SLUGS = ("input_unreachable", "input_unusable")

#: All that is said, in a callback, when a 4K version could not be made.
NO_4K = "The 4K version of this video is unavailable. Please try a different video."


def code_of(error: FilmgateError, changed: Mapping[str, tuple[int, str]] = _NOTHING) -> tuple[int, str]:
    """(code, msg) of an error that ends a request; ``changed`` holds the rows of a dialect's own."""
    code, text = changed.get(error.slug) or CODES.get(error.slug, CODES["error"])
    return code, text.format(sentence=error)


def failure_of(task: Task) -> tuple[int, str] | None:
    """(errorCode, errorMessage) of a task that was rejected or failed, else None.

    Who said anything about fallbacks is told of them when the content rules refuse the prompt.
    """
    if task.failure is None:
        return None
    slug, sentence = task.failure.slug, task.failure.sentence
    code, text = CODES.get(slug, _UNHEARD_OF)
    message = text.format(sentence=sentence)
    if slug in TRIGGERS and task.spec.fallback is not None:
        return 422, _FLOW.format(sentence=message)
    if slug in _IMAGE_SLUGS and task.spec.images and _IMAGE not in message:
        return code, f"{_IMAGE} {message}"
    if task.spec.kind is Kind.UPGRADE_4K:
        return 500, f"{NO_4K} {message}"
    return code, message
