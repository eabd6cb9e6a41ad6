"""The rules of each field of the generate request."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.dialects.veo3.schema import GenerateBody, parse_generate
from filmgate.domain.errors import (
    AddressRefused,
    InvalidRequest,
    MalformedRequest,
    MissingPrompt,
    RequestError,
    UnsupportedModel,
)
from filmgate.domain.spec import AspectRatio, Mode, Resolution, Spec
from filmgate.http.orders import MAX_PROMPT, Checks

ONE, TWO, THREE = ([f"https://images.example.org/{n}.png" for n in range(count)] for count in (1, 2, 3))
FOUR = [*THREE, "https://images.example.org/3.png"]


def no_loopback(url: str) -> None:
    if "127.0.0.1" in url:
        raise AddressRefused("127.0.0.1 is a loopback address.")


def parse(body: bytes) -> Spec:
    return parse_generate(body, default_model="veo3_fast", checks=Checks(no_loopback, no_loopback))


def spec(**fields: Any) -> Spec:
    return parse(json.dumps({"prompt": "a dog in a park", **fields}).encode())


def test_a_prompt_is_enough() -> None:
    assert spec() == Spec(prompt="a dog in a park", model="veo3_fast")


def test_every_field_reaches_the_spec() -> None:
    assert spec(
        model="veo3_lite",
        imageUrls=TWO,
        generationType="FIRST_AND_LAST_FRAMES_2_VIDEO",
        aspect_ratio="9:16",
        resolution="1080p",
        duration=6,
        seeds=12345,
        watermark="MyBrand",
        enableTranslation=False,
        enableFallback=True,
        callBackUrl="https://hooks.example.org/veo?x=1",
    ) == Spec(
        prompt="a dog in a park",
        model="veo3_lite",
        mode=Mode.FRAMES,
        aspect_ratio=AspectRatio.PORTRAIT,
        resolution=Resolution.P1080,
        seconds=6,
        seed=12345,
        images=tuple(TWO),
        watermark="MyBrand",
        translate=False,
        fallback=True,
        callback_url="https://hooks.example.org/veo?x=1",
    )


ACCEPTED: list[tuple[dict[str, Any], str, Any]] = [
    ({"prompt": " a\tdog\n"}, "prompt", " a\tdog\n"),
    ({"prompt": "собака 🐕 \u202e犬"}, "prompt", "собака 🐕 \u202e犬"),
    ({"prompt": "x" * MAX_PROMPT}, "prompt", "x" * MAX_PROMPT),
    ({"model": "veo3"}, "model", "veo3"),
    ({"model": None}, "model", "veo3_fast"),
    ({"model": " "}, "model", "veo3_fast"),
    ({"model": "veo9"}, "model", "veo9"),
    ({"aspectRatio": "9:16"}, "aspect_ratio", AspectRatio.PORTRAIT),
    ({"aspect_ratio": "9:16", "aspectRatio": "16:9"}, "aspect_ratio", AspectRatio.PORTRAIT),
    ({"aspect_ratio": "16:9", "aspectRatio": "nonsense"}, "aspect_ratio", AspectRatio.LANDSCAPE),
    ({"aspect_ratio": "", "aspectRatio": "9:16"}, "aspect_ratio", AspectRatio.PORTRAIT),
    ({"aspect_ratio": None}, "aspect_ratio", AspectRatio.LANDSCAPE),
    ({"aspect_ratio": "Auto"}, "aspect_ratio", AspectRatio.AUTO),
    ({"aspect_ratio": "AUTO", "imageUrls": ONE}, "aspect_ratio", AspectRatio.AUTO),
    ({"aspectRatio": "auto", "imageUrls": ONE}, "aspect_ratio", AspectRatio.AUTO),
    ({"resolution": "720p"}, "resolution", Resolution.P720),
    ({"resolution": "4K"}, "resolution", Resolution.K4),
    ({"resolution": ""}, "resolution", Resolution.P720),
    ({"duration": 4}, "seconds", 4),
    ({"duration": "8"}, "seconds", 8),
    ({"duration": 6.0}, "seconds", 6),
    ({"duration": None}, "seconds", 8),
    ({"seeds": 10000}, "seed", 10000),
    ({"seeds": 99999}, "seed", 99999),
    ({"seeds": "54321"}, "seed", 54321),
    ({"seeds": None}, "seed", None),
    ({"seeds": ""}, "seed", None),
    ({"waterMark": "MyBrand"}, "watermark", "MyBrand"),
    ({"watermark": "A", "waterMark": "B"}, "watermark", "A"),
    ({"watermark": "  "}, "watermark", None),
    ({"prompt": "\u200b犬\u200b"}, "prompt", "\u200b犬\u200b"),
    ({"prompt": "🐕"}, "prompt", "🐕"),
    ({"prompt": "?"}, "prompt", "?"),
    ({"enableTranslation": None}, "translate", True),
    ({"enableTranslation": ""}, "translate", True),
    ({"enableFallback": ""}, "fallback", None),
    ({"imageUrls": ""}, "images", ()),
    ({"imageUrls": ["\u200b"]}, "images", ()),
    ({"watermark": "\u200b", "waterMark": "B"}, "watermark", "B"),
    ({"enableFallback": None}, "fallback", None),
    ({"enableFallback": False}, "fallback", False),
    ({"callBackUrl": ""}, "callback_url", None),
    ({"callBackUrl": "http://hooks.example.org:8080/a"}, "callback_url", "http://hooks.example.org:8080/a"),
    ({"imageUrls": []}, "images", ()),
    ({"imageUrls": [""]}, "images", ()),
    ({"imageUrls": ["", None, ONE[0]]}, "images", tuple(ONE)),
    ({"imageUrls": None}, "mode", Mode.TEXT),
    ({"imageUrls": [" "]}, "mode", Mode.TEXT),
    ({"imageUrls": ONE}, "mode", Mode.FRAMES),
    ({"imageUrls": TWO}, "mode", Mode.FRAMES),
    ({"imageUrls": THREE}, "mode", Mode.REFERENCE),
    ({"imageUrls": ONE, "generationType": "REFERENCE_2_VIDEO"}, "mode", Mode.REFERENCE),
    ({"imageUrls": ONE, "generationType": "IMAGE_2_VIDEO"}, "mode", Mode.FRAMES),
    ({"imageUrls": TWO, "generationType": ""}, "mode", Mode.FRAMES),
    ({"generationType": "TEXT_2_VIDEO"}, "mode", Mode.TEXT),
    ({"imageUrls": THREE, "generationType": "REFERENCE_2_VIDEO", "model": "veo3_lite"}, "model", "veo3_lite"),
    ({"imageUrls": THREE, "generationType": "REFERENCE_2_VIDEO", "duration": 8}, "seconds", 8),
    ({"nonsense": {"a": [1]}, "Prompt": 5}, "prompt", "a dog in a park"),
]


@pytest.mark.parametrize(("fields", "name", "value"), ACCEPTED)
def test_accepted(fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(spec(**fields), name) == value


REFUSED: list[tuple[dict[str, Any], type[RequestError] | type[AddressRefused], str]] = [
    ({"prompt": None}, MissingPrompt, "Please enter prompt"),
    ({"prompt": ""}, MissingPrompt, "Please enter prompt"),
    ({"prompt": " \n\t\u00a0\u3000"}, MissingPrompt, "Please enter prompt"),
    ({"prompt": 5}, InvalidRequest, "prompt must be a string"),
    ({"prompt": ["a"]}, InvalidRequest, "prompt must be a string"),
    ({"prompt": "a\0b"}, InvalidRequest, "NUL"),
    ({"prompt": "x" * (MAX_PROMPT + 1)}, InvalidRequest, "20000 characters"),
    ({"prompt": "\u200b\ufeff\u202e\u2066"}, MissingPrompt, "Please enter prompt"),
    ({"prompt": "\u0301\u20e3\ufe0f"}, MissingPrompt, "Please enter prompt"),
    ({"prompt": "\u3164 \u2800\n"}, MissingPrompt, "Please enter prompt"),
    ({"model": 3}, UnsupportedModel, "model must be a string"),
    ({"model": ["veo3"]}, UnsupportedModel, "model must be a string"),
    ({"model": "x" * 101}, UnsupportedModel, "up to 100 characters"),
    ({"aspect_ratio": "4:3"}, InvalidRequest, "aspect_ratio must be"),
    ({"aspectRatio": "1:1"}, InvalidRequest, "aspect_ratio must be"),
    ({"aspect_ratio": 1.78}, InvalidRequest, "aspect_ratio must be"),
    ({"aspect_ratio": "4:3", "aspectRatio": "16:9"}, InvalidRequest, "aspect_ratio must be"),
    ({"resolution": "480p"}, InvalidRequest, "resolution must be"),
    ({"resolution": 720}, InvalidRequest, "resolution must be"),
    ({"duration": 5}, InvalidRequest, "duration must be"),
    ({"duration": 8.5}, InvalidRequest, "duration must be"),
    ({"duration": "8s"}, InvalidRequest, "duration must be"),
    ({"duration": True}, InvalidRequest, "duration must be"),
    ({"duration": [8]}, InvalidRequest, "duration must be"),
    ({"seeds": 9999}, InvalidRequest, "seeds must be .* 10000 to 99999"),
    ({"seeds": 100000}, InvalidRequest, "seeds must be"),
    ({"seeds": "abc"}, InvalidRequest, "seeds must be"),
    ({"seeds": -12345}, InvalidRequest, "seeds must be"),
    ({"seeds": 12345.5}, InvalidRequest, "seeds must be"),
    ({"seeds": [12345]}, InvalidRequest, "seeds must be"),
    ({"seeds": "9" * 5000}, InvalidRequest, "seeds must be"),
    ({"watermark": 7}, InvalidRequest, "watermark must be a string"),
    ({"watermark": "x" * 201}, InvalidRequest, "watermark must not be longer than 200"),
    ({"watermark": "a\0"}, InvalidRequest, "watermark must not contain NUL"),
    ({"enableTranslation": "yes"}, InvalidRequest, "enableTranslation must be true or false"),
    ({"enableFallback": 1}, InvalidRequest, "enableFallback must be true or false"),
    ({"callBackUrl": "ftp://hooks.example.org/"}, InvalidRequest, "callBackUrl: the url is wrong"),
    ({"callBackUrl": "hooks.example.org"}, InvalidRequest, "callBackUrl"),
    ({"callBackUrl": "http://"}, InvalidRequest, "callBackUrl"),
    ({"callBackUrl": "http://[::1"}, InvalidRequest, "callBackUrl.*host"),
    ({"callBackUrl": "http://a:99999/"}, InvalidRequest, "callBackUrl.*port"),
    ({"callBackUrl": "http://a:0/"}, InvalidRequest, "callBackUrl.*port"),
    ({"callBackUrl": "http://a:b/"}, InvalidRequest, "callBackUrl.*port"),
    ({"callBackUrl": "http://a b/"}, InvalidRequest, "callBackUrl.*%20"),
    ({"callBackUrl": "http://a/\r\nX-Injected: 1"}, InvalidRequest, "callBackUrl"),
    ({"callBackUrl": ["http://a/"]}, InvalidRequest, "callBackUrl must be a string"),
    ({"callBackUrl": "http://127.0.0.1/hook"}, AddressRefused, "loopback"),
    ({"imageUrls": ["http://127.0.0.1/1.png"]}, AddressRefused, "loopback"),
    ({"imageUrls": "https://a.example.org/1.png"}, InvalidRequest, "imageUrls must be a list"),
    ({"imageUrls": {"0": "x"}}, InvalidRequest, "imageUrls must be a list"),
    ({"imageUrls": [1]}, InvalidRequest, "every entry of imageUrls must be a string"),
    ({"imageUrls": [[ONE[0]]]}, InvalidRequest, "every entry of imageUrls must be a string"),
    ({"imageUrls": False}, InvalidRequest, "imageUrls must be a list"),
    ({"imageUrls": ["data:image/png;base64,AAAA"]}, InvalidRequest, "imageUrls: the url is wrong"),
    ({"imageUrls": FOUR}, InvalidRequest, "imageUrls takes one, two or three addresses; here are 4"),
    ({"generationType": "IMAGE"}, InvalidRequest, "generationType must be"),
    ({"generationType": ["TEXT_2_VIDEO"]}, InvalidRequest, "generationType must be"),
    ({"generationType": "TEXT_2_VIDEO", "imageUrls": ONE}, InvalidRequest, "takes no imageUrls"),
    ({"generationType": "FIRST_AND_LAST_FRAMES_2_VIDEO"}, InvalidRequest, "one or two"),
    ({"generationType": "FIRST_AND_LAST_FRAMES_2_VIDEO", "imageUrls": THREE}, InvalidRequest, "one or two"),
    ({"generationType": "REFERENCE_2_VIDEO"}, InvalidRequest, "one, two or three"),
    ({"generationType": "REFERENCE_2_VIDEO", "imageUrls": FOUR}, InvalidRequest, "one, two or three"),
    ({"generationType": "REFERENCE_2_VIDEO", "imageUrls": ONE, "model": "veo3"}, InvalidRequest, "not with veo3"),
    ({"imageUrls": THREE, "model": "veo3"}, InvalidRequest, "not with veo3"),
    ({"generationType": "REFERENCE_2_VIDEO", "imageUrls": ONE, "duration": 4}, InvalidRequest, "8 seconds"),
    ({"generationType": "REFERENCE_2_VIDEO", "imageUrls": ONE, "duration": 6}, InvalidRequest, "8 seconds"),
]


@pytest.mark.parametrize(("fields", "error", "says"), REFUSED)
def test_refused(fields: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        spec(**fields)


BROKEN = [
    b"",
    b"null",
    b"[]",
    b'"prompt"',
    b"prompt=a+dog",
    b'{"prompt": "a dog"',
    b'{"prompt": "a dog"} {}',
    b"{'prompt': 'a dog'}",
    b'{"prompt": NaN}',
    b'{"prompt": "\xff"}',
    b'{"prompt": "\\ud800"}',
    b'{"prompt": "\\udc00 and on"}',
    b'{"prompt": "a", "seeds": 1e999}',
    b'{"prompt": "a", "seeds": ' + b"9" * 5000 + b"}",
    b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"unknown": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b"\x00",
    b"\x1f\x8b\x08\x00",
]


@pytest.mark.parametrize("body", BROKEN)
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse(body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"prompt": "\\ud800"}', "half a character"),
        (b'{"prompt": "\\udc00 and on"}', "half a character"),
        (b'{"prompt": "\\ud83d\\ud83d\\udc15"}', "half a character"),
        (b'{"prompt": "a", "other": "\\uD800"}', "half a character"),
        (b'{"prompt": "\xff"}', "not UTF-8"),
        (b'{"prompt": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"prompt": "\\\\ud800"', "truncated"),
        (b'{"prompt": "a",}', "trailing comma"),
        (b"[]", "got `array`"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_reason(body: bytes, says: str) -> None:
    with pytest.raises(MalformedRequest, match=says):
        parse(body)


def test_what_looks_like_half_a_character_may_be_text() -> None:
    assert parse(b'{"prompt": "\\\\ud800"}').prompt == "\\ud800"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b'\xef\xbb\xbf{"prompt": "a dog"}').prompt == "a dog"


def test_of_a_field_that_comes_twice_the_last_counts() -> None:
    assert parse(b'{"prompt": "a cat", "prompt": "a dog"}').prompt == "a dog"


def test_a_surrogate_pair_is_one_character() -> None:
    assert parse(b'{"prompt": "a \\ud83d\\udc15"}').prompt == "a 🐕"


def test_the_default_model_is_the_caller_s() -> None:
    assert parse_generate(b'{"prompt": "a"}', default_model="veo3", checks=Checks()).model == "veo3"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)
FIELDS = (*GenerateBody.__struct_fields__, "other")


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_whatever_the_fields_hold_is_a_spec_or_a_refusal(fields: dict[str, Any]) -> None:
    with contextlib.suppress(RequestError, AddressRefused):
        made = parse(json.dumps(fields).encode("utf-8", "replace"))
        assert made.prompt.strip()
        assert made.model.strip()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_spec_or_a_refusal(body: bytes) -> None:
    with contextlib.suppress(RequestError):
        assert parse(body).prompt.strip()
