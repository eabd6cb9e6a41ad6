"""The three orders (a film, its continuation, its larger version) as every dialect reads them.

A dialect picks the values out of its documents and says, in ``Names``, what it calls them; what is allowed in them, and
the sentences about what is not, are the same everywhere. Which models there are, and what follows from Auto, is for the
services to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.errors import InvalidRequest, MissingPrompt, UnsupportedModel
from ..domain.spec import DURATIONS, SEEDS, AspectRatio, Mode, Resolution, Spec
from .fields import CheckAddress, absent, address, flag, text, whole

MAX_PROMPT = 20_000  #: characters
MAX_WATERMARK = 200
MAX_MODEL = 100
MAX_IMAGES = 3

_MODES = {
    "TEXT_2_VIDEO": Mode.TEXT,
    "FIRST_AND_LAST_FRAMES_2_VIDEO": Mode.FRAMES,
    "IMAGE_2_VIDEO": Mode.FRAMES,  # in no documentation, but clients send it
    "REFERENCE_2_VIDEO": Mode.REFERENCE,
}
_IMAGES = {Mode.TEXT: range(0, 1), Mode.FRAMES: range(1, 3), Mode.REFERENCE: range(1, 4)}
NOT_FOR_REFERENCES = "veo3"

#: What an extension may call the models beside their own names.
_TIERS = {"fast": "veo3_fast", "quality": "veo3", "lite": "veo3_lite"}


@dataclass(frozen=True, slots=True)
class Names:
    """What a dialect calls the fields, for the sentences about them."""

    task_id: str = "taskId"
    images: str = "imageUrls"
    mode: str = "generationType"
    translate: str = "enableTranslation"
    fallback: str = "enableFallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The values of a generation as they came, of any type; None is "not said"."""

    prompt: object
    model: object
    images: object
    mode: object
    ratio: object
    resolution: object
    duration: object
    seed: object
    watermark: object
    translate: object
    fallback: object
    callback: object


@dataclass(frozen=True, slots=True)
class Checks:
    """Which addresses may stand in an order; each raises AddressRefused. None is called by them."""

    callback: CheckAddress = lambda url: None
    image: CheckAddress = lambda url: None


@dataclass(frozen=True, slots=True)
class Extension:
    """The continuation of a film."""

    source_id: str
    prompt: str
    model: str
    seed: int | None
    watermark: str | None
    callback_url: str | None


@dataclass(frozen=True, slots=True)
class Enlargement:
    """A larger version of a film: of the ``index``-th that the task has made."""

    source_id: str
    index: int = 0
    callback_url: str | None = None


def read_generation(asked: Asked, names: Names, *, default_model: str, checks: Checks) -> Spec:
    """Raises MissingPrompt, UnsupportedModel, InvalidRequest or AddressRefused for the first field that is wrong."""
    images = _images(names.images, asked.images)
    mode = _mode(names.mode, asked.mode, images)
    spec = Spec(
        prompt=prompt_of(asked.prompt),
        model=_model(asked.model, default_model),
        mode=mode,
        aspect_ratio=_ratio(asked.ratio),
        resolution=_resolution(asked.resolution),
        seconds=_duration(asked.duration),
        seed=_seed(asked.seed),
        images=images,
        watermark=text("watermark", asked.watermark, MAX_WATERMARK),
        translate=flag(names.translate, asked.translate) is not False,
        fallback=flag(names.fallback, asked.fallback),
        callback_url=_callback(asked.callback, checks.callback),
    )
    _fit(spec, names)
    for url in images:
        checks.image(url)
    return spec


def read_extension(
    *,
    task_id: object,
    prompt: object,
    model: object,
    seed: object,
    watermark: object,
    callback: object,
    names: Names,
    checks: Checks,
) -> Extension:
    """Raises as ``read_generation`` does. ``model`` may be fast, quality or lite too; fast where it is not said."""
    asked = _model(model, "fast")
    return Extension(
        source_id=task_id_of(names.task_id, task_id),
        prompt=prompt_of(prompt),
        model=_TIERS.get(asked.strip().lower(), asked),
        seed=_seed(seed),
        watermark=text("watermark", watermark, MAX_WATERMARK),
        callback_url=_callback(callback, checks.callback),
    )


def read_enlargement(
    *, task_id: object, index: object, callback: object = None, names: Names, checks: Checks
) -> Enlargement:
    """Raises InvalidRequest or AddressRefused."""
    return Enlargement(
        source_id=task_id_of(names.task_id, task_id),
        index=_index(index),
        callback_url=_callback(callback, checks.callback),
    )


def task_id_of(field: str, value: object) -> str:
    """Raises InvalidRequest. Whether there is such a task, whatever it looks like, is another matter."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise InvalidRequest(f"{field} is missing: name the task, as it was named when it was created.")
    if not isinstance(value, str):
        raise InvalidRequest(f"{field} must be a string.")
    return value.strip()


def prompt_of(value: object) -> str:
    prompt = text("prompt", value, MAX_PROMPT)
    if prompt is None:
        raise MissingPrompt("Please enter prompt")
    return prompt


def _model(value: object, default: str) -> str:
    model = default if absent(value) else value
    if not isinstance(model, str) or len(model) > MAX_MODEL:
        raise UnsupportedModel(f"model must be a string of up to {MAX_MODEL} characters, such as {default}.")
    return model


def _images(field: str, value: object) -> tuple[str, ...]:
    if absent(value):
        return ()
    if not isinstance(value, list):
        raise InvalidRequest(f"{field} must be a list of addresses.")
    said = [item for item in value if not absent(item)]
    if not all(isinstance(item, str) for item in said):
        raise InvalidRequest(f"every entry of {field} must be a string.")
    if len(said) > MAX_IMAGES:
        raise InvalidRequest(f"{field} takes one, two or three addresses; here are {len(said)}.")
    return tuple(address(field, item) for item in said)


def _mode(field: str, value: object, images: tuple[str, ...]) -> Mode:
    mode = _inferred(images) if absent(value) else _MODES.get(value) if isinstance(value, str) else None
    if mode is None:
        raise InvalidRequest(f"{field} must be TEXT_2_VIDEO, FIRST_AND_LAST_FRAMES_2_VIDEO or REFERENCE_2_VIDEO.")
    return mode


def _inferred(images: tuple[str, ...]) -> Mode:
    if not images:
        return Mode.TEXT
    return Mode.FRAMES if len(images) <= 2 else Mode.REFERENCE


def _ratio(value: object) -> AspectRatio:
    said = AspectRatio.LANDSCAPE.value if value is None else value
    ratio = next((r for r in AspectRatio if isinstance(said, str) and r.casefold() == said.strip().casefold()), None)
    if ratio is None:
        raise InvalidRequest("aspect_ratio must be 16:9, 9:16 or Auto.")
    return ratio


def _resolution(value: object) -> Resolution:
    said = Resolution.P720.value if absent(value) else value
    found = next((r for r in Resolution if isinstance(said, str) and r == said.strip().lower()), None)
    if found is None:
        raise InvalidRequest("resolution must be 720p, 1080p or 4k.")
    return found


def _duration(value: object) -> int:
    seconds = 8 if absent(value) else whole(value)
    if seconds not in DURATIONS:
        raise InvalidRequest("duration must be 4, 6 or 8 (seconds).")
    return seconds


def _seed(value: object) -> int | None:
    if absent(value):
        return None
    seed = whole(value)
    if seed is None or seed not in SEEDS:
        raise InvalidRequest(f"seeds must be a whole number from {SEEDS[0]} to {SEEDS[-1]}.")
    return seed


def _index(value: object) -> int:
    index = 0 if absent(value) else whole(value)
    if index is None or index < 0:
        raise InvalidRequest("index must be a whole number, 0 for the first film.")
    return index


def _callback(value: object, check: CheckAddress) -> str | None:
    if absent(value):
        return None
    url = address("callBackUrl", value)
    check(url)
    return url


def _fit(spec: Spec, names: Names) -> None:
    """The rules between fields."""
    references = f"REFERENCE_2_VIDEO (which three {names.images} mean too)"
    if len(spec.images) not in _IMAGES[spec.mode]:
        raise InvalidRequest(_count(spec.mode, names))
    if spec.mode is Mode.REFERENCE and spec.model == NOT_FOR_REFERENCES:
        raise InvalidRequest(f"{references} works with the models veo3_fast and veo3_lite, not with veo3.")
    if spec.mode is Mode.REFERENCE and spec.seconds != 8:
        raise InvalidRequest(f"{references} makes films of 8 seconds: leave duration out, or set it to 8.")


def _count(mode: Mode, names: Names) -> str:
    if mode is Mode.TEXT:
        return f"TEXT_2_VIDEO takes no {names.images}: leave them out, or name another {names.mode}."
    if mode is Mode.FRAMES:
        return f"FIRST_AND_LAST_FRAMES_2_VIDEO takes one or two {names.images}."
    return f"REFERENCE_2_VIDEO takes one, two or three {names.images}."
