"""The generate request: what may lie on the wire, and the one Spec it means.

Lenient where clients of all years differ: both spellings of the ratio, "8" for 8, "auto" for Auto, null, blank strings
and empty lists for "not said", unknown fields. Strict about everything else, with a sentence per field. Which models
there are, and what follows from Auto, is for the service to say: it is the same in every dialect.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import category
from urllib.parse import SplitResult, urlsplit

import msgspec

from ...domain.errors import InvalidRequest, MalformedRequest, MissingPrompt, UnsupportedModel
from ...domain.spec import DURATIONS, SEEDS, AspectRatio, Mode, Resolution, Spec

CheckAddress = Callable[[str], None]  #: raises AddressRefused for a literal address that may not be called

MAX_PROMPT = 20_000  #: characters
MAX_WATERMARK = 200
MAX_ADDRESS = 8_192
MAX_MODEL = 100
MAX_IMAGES = 3

_MODES = {
    "TEXT_2_VIDEO": Mode.TEXT,
    "FIRST_AND_LAST_FRAMES_2_VIDEO": Mode.FRAMES,
    "IMAGE_2_VIDEO": Mode.FRAMES,  # in no documentation, but clients send it
    "REFERENCE_2_VIDEO": Mode.REFERENCE,
}
_IMAGES = {Mode.TEXT: range(0, 1), Mode.FRAMES: range(1, 3), Mode.REFERENCE: range(1, 4)}
_NOT_FOR_REFERENCES = "veo3"
_REFERENCES = "REFERENCE_2_VIDEO (which three imageUrls mean too)"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: An escape in a JSON string; ``lone`` is half a surrogate pair without its other half.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me"})  #: spaces, controls, marks without a letter
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  #: letters and symbols in which there is nothing to see


class GenerateBody(msgspec.Struct):
    """The fields as they come, of any type: each is judged by its own rule, with its own sentence."""

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


def parse_generate(body: bytes, *, default_model: str, check_address: CheckAddress = lambda url: None) -> Spec:
    """The order in a request's body.

    Raises MalformedRequest for what is no JSON object, and for a field MissingPrompt, UnsupportedModel, InvalidRequest
    or AddressRefused.
    """
    sent = _decode(body)
    images = _images(sent.imageUrls)
    mode = _mode(sent.generationType, images)
    spec = Spec(
        prompt=_prompt(sent.prompt),
        model=_model(sent.model, default_model),
        mode=mode,
        aspect_ratio=_ratio(_first(sent.aspect_ratio, sent.aspectRatio)),
        resolution=_resolution(sent.resolution),
        seconds=_duration(sent.duration),
        seed=_seed(sent.seeds),
        images=images,
        watermark=_text("watermark", _first(sent.watermark, sent.waterMark), MAX_WATERMARK),
        translate=_flag("enableTranslation", sent.enableTranslation) is not False,
        fallback=_flag("enableFallback", sent.enableFallback),
        callback_url=_callback(sent.callBackUrl, check_address),
    )
    return _fitting(spec)


def _decode(body: bytes) -> GenerateBody:
    try:
        return msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK), type=GenerateBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRequest(_unreadable(body, error)) from error
    except RecursionError as error:
        raise MalformedRequest("The body is nested too deeply: send one flat JSON object.") from error


def _unreadable(body: bytes, error: Exception) -> str:
    if not body.strip():
        return 'The body is empty: send a JSON object, such as {"prompt": "A dog playing in a park"}.'
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8 text: encode the JSON object as UTF-8."
    if any(escape["lone"] for escape in _ESCAPE.finditer(body)):
        return "The JSON of the body has half a character in it: a \\ud800 to \\udfff without its other half."
    return f"The body is not a JSON object that can be read: {str(error).rstrip('.')}."


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and _is_blank(value))


def _is_blank(text: str) -> bool:
    """Whether there is nothing to see in it."""
    return all(category(character) in _INVISIBLE or character in _FILLERS for character in text)


def _first(*values: object) -> object:
    return next((value for value in values if not _absent(value)), None)


def _text(field: str, value: object, longest: int) -> str | None:
    if _absent(value):
        return None
    if not isinstance(value, str):
        raise InvalidRequest(f"{field} must be a string.")
    if "\0" in value:
        raise InvalidRequest(f"{field} must not contain NUL characters.")
    if len(value) > longest:
        raise InvalidRequest(f"{field} must not be longer than {longest} characters; this one has {len(value)}.")
    return value


def _prompt(value: object) -> str:
    prompt = _text("prompt", value, MAX_PROMPT)
    if prompt is None:
        raise MissingPrompt("Please enter prompt")
    return prompt


def _model(value: object, default: str) -> str:
    model = default if _absent(value) else value
    if not isinstance(model, str) or len(model) > MAX_MODEL:
        raise UnsupportedModel(f"model must be a string of up to {MAX_MODEL} characters, such as {default}.")
    return model


def _images(value: object) -> tuple[str, ...]:
    if _absent(value):
        return ()
    if not isinstance(value, list):
        raise InvalidRequest("imageUrls must be a list of addresses.")
    said = [item for item in value if not _absent(item)]
    if not all(isinstance(item, str) for item in said):
        raise InvalidRequest("every entry of imageUrls must be a string.")
    if len(said) > MAX_IMAGES:
        raise InvalidRequest(f"imageUrls takes one, two or three addresses; here are {len(said)}.")
    return tuple(_address("imageUrls", item) for item in said)


def _mode(value: object, images: tuple[str, ...]) -> Mode:
    mode = _inferred(images) if _absent(value) else _MODES.get(value) if isinstance(value, str) else None
    if mode is None:
        raise InvalidRequest("generationType must be TEXT_2_VIDEO, FIRST_AND_LAST_FRAMES_2_VIDEO or REFERENCE_2_VIDEO.")
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
    said = Resolution.P720.value if _absent(value) else value
    found = next((r for r in Resolution if isinstance(said, str) and r == said.strip().lower()), None)
    if found is None:
        raise InvalidRequest("resolution must be 720p, 1080p or 4k.")
    return found


def _duration(value: object) -> int:
    seconds = 8 if _absent(value) else _whole(value)
    if seconds not in DURATIONS:
        raise InvalidRequest("duration must be 4, 6 or 8 (seconds).")
    return seconds


def _seed(value: object) -> int | None:
    if _absent(value):
        return None
    seed = _whole(value)
    if seed is None or seed not in SEEDS:
        raise InvalidRequest(f"seeds must be a whole number from {SEEDS[0]} to {SEEDS[-1]}.")
    return seed


def _whole(value: object) -> int | None:
    """8, 8.0 and "8" are 8; None for anything that is no whole number, true and false included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def _flag(field: str, value: object) -> bool | None:
    if _absent(value):
        return None
    if not isinstance(value, bool):
        raise InvalidRequest(f"{field} must be true or false, without quotation marks.")
    return value


def _callback(value: object, check: CheckAddress) -> str | None:
    if _absent(value):
        return None
    url = _address("callBackUrl", value)
    check(url)
    return url


def _address(field: str, value: object) -> str:
    url = (_text(field, value, MAX_ADDRESS) or "").strip()
    wrong = _wrong_about(url)
    if wrong:
        raise InvalidRequest(f"{field}: the url is wrong; {wrong}.")
    return url


def _wrong_about(url: str) -> str | None:
    if any(character.isspace() or not character.isprintable() for character in url):
        return "a space is written as %20 in it, and no control character may be in it"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "its host is not one that can be called"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "give a complete address that begins with http:// or https://"
    return None if _has_usable_port(parts) else "its port must be a number from 1 to 65535"


def _has_usable_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _fitting(spec: Spec) -> Spec:
    """The rules between fields."""
    if len(spec.images) not in _IMAGES[spec.mode]:
        raise InvalidRequest(_COUNT[spec.mode])
    if spec.mode is Mode.REFERENCE and spec.model == _NOT_FOR_REFERENCES:
        raise InvalidRequest(f"{_REFERENCES} works with the models veo3_fast and veo3_lite, not with veo3.")
    if spec.mode is Mode.REFERENCE and spec.seconds != 8:
        raise InvalidRequest(f"{_REFERENCES} makes films of 8 seconds: leave duration out, or set it to 8.")
    return spec


_COUNT = {
    Mode.TEXT: "TEXT_2_VIDEO takes no imageUrls: leave them out, or name another generationType.",
    Mode.FRAMES: "FIRST_AND_LAST_FRAMES_2_VIDEO takes one or two imageUrls.",
    Mode.REFERENCE: "REFERENCE_2_VIDEO takes one, two or three imageUrls.",
}
