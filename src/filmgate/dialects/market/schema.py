"""What may be asked of ``createTask``: a model's name, its input, and the order that they mean.

Inputs are written in snake_case; the spelling of the Veo3 dialect is understood too, where clients mix them. Fields are
of any type here: ``http/orders.py`` judges each by its own rule, with its own sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ...domain.errors import InvalidRequest, UnsupportedModel
from ...domain.spec import Kind, Spec
from ...http.fields import absent, first, read_object
from ...http.orders import (
    MAX_MODEL,
    Asked,
    Checks,
    Enlargement,
    Extension,
    Names,
    read_enlargement,
    read_extension,
    read_generation,
)

GENERATE: Final = "veo-3-1"
EXTEND: Final = "veo/extend"
UPGRADES: Final = {"veo/get-1080p-video": Kind.UPGRADE_1080P, "veo/get-4k-video": Kind.UPGRADE_4K}
TIERS: Final = ("veo3", "veo3_fast", "veo3_lite")
MODELS: Final = (GENERATE, EXTEND, *UPGRADES, *TIERS)

_SNAKE = Names(
    task_id="task_id",
    images="image_urls",
    mode="generation_type",
    translate="enable_translation",
    fallback="enable_fallback",
)
_1080P = Names(task_id="taskId")  #: this one has always been spelt so


class CreateBody(msgspec.Struct):
    model: object = None
    input: object = None
    callBackUrl: object = None


@dataclass(frozen=True, slots=True)
class Generation:
    spec: Spec
    tier: bool  #: asked for under the name of a tier


@dataclass(frozen=True, slots=True)
class UpgradeOrder:
    kind: Kind
    order: Enlargement


def parse_create(body: bytes, *, default_model: str, checks: Checks) -> Generation | Extension | UpgradeOrder:
    """The order in a request's body.

    Raises MalformedRequest for what is no JSON object, UnsupportedModel, and for a field of the input MissingPrompt,
    InvalidRequest or AddressRefused.
    """
    sent = read_object(body, CreateBody)
    model = _model(sent.model)
    given = _input(sent.input)
    callback = first(sent.callBackUrl, given.get("callBackUrl"))
    if model == EXTEND:
        return _extension(given, callback, checks)
    if model in UPGRADES:
        return _upgrade(given, UPGRADES[model], callback, checks)
    tier = model if model in TIERS else first(given.get("model"), default_model)
    asked = _asked(given, tier, callback)
    spec = read_generation(asked, _SNAKE, default_model=default_model, checks=checks)
    return Generation(spec, tier=model in TIERS)


def _model(value: object) -> str:
    if absent(value):
        raise InvalidRequest(f"model is missing: name one of {', '.join(MODELS)}.")
    if not isinstance(value, str) or value.strip() not in MODELS:
        shown = repr(value[:MAX_MODEL]) if isinstance(value, str) else "that is not a text"
        raise UnsupportedModel(f"There is no model {shown}: name one of {', '.join(MODELS)}.")
    return value.strip()


def _input(value: object) -> Mapping[str, Any]:
    if value is None:
        raise InvalidRequest('input is missing: send an object, such as {"prompt": "A dog playing in a park"}.')
    if not isinstance(value, dict):
        raise InvalidRequest("input must be an object that holds the fields of the model.")
    return value


def _asked(given: Mapping[str, Any], model: object, callback: object) -> Asked:
    return Asked(
        prompt=given.get("prompt"),
        model=model,
        images=_either(given, "image_urls", "imageUrls"),
        mode=_either(given, "generation_type", "generationType"),
        ratio=_either(given, "aspect_ratio", "aspectRatio"),
        resolution=given.get("resolution"),
        duration=given.get("duration"),
        seed=_either(given, "seeds", "seed"),
        watermark=_either(given, "watermark", "waterMark"),
        translate=_either(given, "enable_translation", "enableTranslation"),
        fallback=_either(given, "enable_fallback", "enableFallback"),
        callback=callback,
    )


def _extension(given: Mapping[str, Any], callback: object, checks: Checks) -> Extension:
    return read_extension(
        task_id=_either(given, "task_id", "taskId"),
        prompt=given.get("prompt"),
        model=given.get("model"),
        seed=_either(given, "seeds", "seed"),
        watermark=_either(given, "watermark", "waterMark"),
        callback=callback,
        names=_SNAKE,
        checks=checks,
    )


def _upgrade(given: Mapping[str, Any], kind: Kind, callback: object, checks: Checks) -> UpgradeOrder:
    names = _1080P if kind is Kind.UPGRADE_1080P else _SNAKE
    task_id = _either(given, "task_id", "taskId")
    order = read_enlargement(task_id=task_id, index=given.get("index"), callback=callback, names=names, checks=checks)
    return UpgradeOrder(kind, order)


def _either(given: Mapping[str, Any], *names: str) -> object:
    return first(*(given.get(name) for name in names))
