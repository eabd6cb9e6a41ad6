"""The bodies of this dialect's requests, and the orders that they mean.

Each has its fields under all the names they have had. Fields are of any type here: ``http/orders.py`` judges each by
its own rule, with its own sentence.
"""

from __future__ import annotations

import msgspec

from ...domain.spec import Spec
from ...http.fields import first, read_object
from ...http.orders import (
    Asked,
    Checks,
    Enlargement,
    Extension,
    Names,
    read_enlargement,
    read_extension,
    read_generation,
    task_id_of,
)

NAMES = Names()


class GenerateBody(msgspec.Struct):
    prompt: object = None
    model: object = None
    imageUrls: object = None
    generationType: object = None
    aspect_ratio: object = None
    aspectRatio: object = None
    resolution: object = None
    duration: object = None
    seeds: object = None
    watermark: object = None
    waterMark: object = None
    enableTranslation: object = None
    enableFallback: object = None
    callBackUrl: object = None


class ExtendBody(msgspec.Struct):
    taskId: object = None
    prompt: object = None
    model: object = None
    seeds: object = None
    watermark: object = None
    waterMark: object = None
    callBackUrl: object = None


class UpgradeBody(msgspec.Struct):
    taskId: object = None
    index: object = None
    callBackUrl: object = None


class CancelBody(msgspec.Struct):
    taskId: object = None


def parse_generate(body: bytes, *, default_model: str, checks: Checks) -> Spec:
    """Raises MalformedRequest for what is no JSON object, and for a field MissingPrompt, UnsupportedModel,
    InvalidRequest or AddressRefused. The other two do so likewise."""
    sent = read_object(body, GenerateBody)
    asked = Asked(
        prompt=sent.prompt,
        model=sent.model,
        images=sent.imageUrls,
        mode=sent.generationType,
        ratio=first(sent.aspect_ratio, sent.aspectRatio),
        resolution=sent.resolution,
        duration=sent.duration,
        seed=sent.seeds,
        watermark=first(sent.watermark, sent.waterMark),
        translate=sent.enableTranslation,
        fallback=sent.enableFallback,
        callback=sent.callBackUrl,
    )
    return read_generation(asked, NAMES, default_model=default_model, checks=checks)


def parse_extend(body: bytes, *, checks: Checks) -> Extension:
    sent = read_object(body, ExtendBody)
    return read_extension(
        task_id=sent.taskId,
        prompt=sent.prompt,
        model=sent.model,
        seed=sent.seeds,
        watermark=first(sent.watermark, sent.waterMark),
        callback=sent.callBackUrl,
        names=NAMES,
        checks=checks,
    )


def parse_upgrade(body: bytes, *, checks: Checks) -> Enlargement:
    sent = read_object(body, UpgradeBody)
    return read_enlargement(
        task_id=sent.taskId, index=sent.index, callback=sent.callBackUrl, names=NAMES, checks=checks
    )


def parse_cancel(body: bytes) -> str:
    """The id of the task. Raises MalformedRequest or InvalidRequest."""
    return task_id_of(NAMES.task_id, read_object(body, CancelBody).taskId)
