"""Every field of every address is sent what it does not expect, and the answer is always one that is documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Still
from .tables import UNREAD, documented

FILM = "the film"  #: stands for the task that has succeeded
LINK = "the link"  #: stands for the address of its film

LONGEST = 15_000  #: bytes of a value in a query: what the client can send
BOUNDARY = "a-boundary-of-the-tests"
QUICK = settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Asked:
    """A request that would go well, and one field of it. ``inside`` names the object that holds the field."""

    method: str
    path: str
    field: str
    valid: dict[str, Any]
    form: str = "json"  #: or query, or multipart
    inside: str | None = None

    def __str__(self) -> str:
        model = f"-{self.valid['model']}" if "jobs" in self.path and "model" in self.valid else ""
        return f"{self.method}-{self.path.rpartition('/')[2]}{model}-{self.field}"


def _each(method: str, path: str, fields: str, valid: dict[str, Any], form: str = "json") -> Iterator[Asked]:
    return (Asked(method, path, field, valid, form) for field in fields.split())


def _of_market(model: str, fields: str, **given: Any) -> Iterator[Asked]:
    valid = {"model": model, "input": given}
    return (Asked("POST", "/api/v1/jobs/createTask", field, valid, inside="input") for field in fields.split())


VEO = "/api/v1/veo/"
IMAGE = {"base64Data": "iVBORw0KGgo=", "uploadPath": "images", "fileName": "a.png"}
FIELDS = [
    *_each(
        "POST",
        VEO + "generate",
        "prompt model imageUrls generationType aspect_ratio aspectRatio resolution duration seeds watermark waterMark "
        "enableTranslation enableFallback callBackUrl",
        {"prompt": "a dog"},
    ),
    *_each(
        "POST",
        VEO + "extend",
        "taskId prompt model seeds watermark waterMark callBackUrl",
        {"taskId": FILM, "prompt": "on"},
    ),
    *_each("POST", VEO + "get-4k-video", "taskId index callBackUrl", {"taskId": FILM}),
    *_each("GET", VEO + "get-4k-video", "taskId index", {"taskId": FILM}, "query"),
    *_each("GET", VEO + "get-1080p-video", "taskId index", {"taskId": FILM}, "query"),
    *_each("GET", VEO + "record-info", "taskId", {"taskId": FILM}, "query"),
    *_each("POST", VEO + "cancel", "taskId", {"taskId": FILM}),
    *_each("GET", VEO + "tasks", "limit cursor state model kind since until", {}, "query"),
    *_each("DELETE", VEO + "media", "taskId", {"taskId": FILM}, "query"),
    *_each("GET", "/api/v1/jobs/recordInfo", "taskId", {"taskId": FILM}, "query"),
    *_each(
        "POST", "/api/v1/jobs/createTask", "model input callBackUrl", {"model": "veo-3-1", "input": {"prompt": "a dog"}}
    ),
    *_of_market(
        "veo-3-1",
        "prompt model image_urls generation_type aspect_ratio resolution duration seeds watermark enable_translation "
        "enable_fallback",
        prompt="a dog",
    ),
    *_of_market("veo/extend", "task_id prompt model seeds watermark", task_id=FILM, prompt="on"),
    *_of_market("veo/get-1080p-video", "taskId index", taskId=FILM),
    *_of_market("veo/get-4k-video", "task_id index", task_id=FILM),
    *_each("POST", "/api/v1/common/download-url", "url", {"url": LINK}),
    *_each("POST", "/api/file-base64-upload", "base64Data uploadPath fileName", IMAGE),
    *_each("POST", "/api/file-url-upload", "fileUrl uploadPath fileName", {"fileUrl": LINK, "uploadPath": "images"}),
    *_each("POST", "/api/file-stream-upload", "file uploadPath fileName", {"file": "x"}, "multipart"),
]
IN_JSON = [asked for asked in FIELDS if asked.form == "json"]
every_field = pytest.mark.parametrize("asked", FIELDS, ids=str)

#: Values as they stand in a body or in a query: of other types, huge, empty, in all alphabets, and broken.
AWKWARD = [
    *("null", "true", "0", "-1", "4.0", "1e308", "1e999", "NaN", "Infinity", "9" * 400, "-" + "9" * 30, "", "'a'"),
    *('""', '" "', '"\u2800"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\u202e\u200f"', '"4"', '"٤"', '"1e3"'),
    *("[]", "[null]", '[""]', '["a", 7]', "[[]]", "{}", '{"a": 1}', "[" * 3000 + "]" * 3000, '{"a":' * 600 + "1"),
    *(
        '"' + "x" * 30_000 + '"',
        '"' + "🐕" * 20_001 + '"',
        "[" + '"a",' * 5000 + '"a"]',
        '"' + "e\u0301" * 10_000 + '"',
    ),
    *('"../../etc/passwd"', '"a/../b"', '"C:\\\\a"', '"\'; DROP TABLE tasks; --"', '"{sentence} {0} %s"'),
    *('"http://"', '"http://[::1"', '"http://a:99999/"', '"javascript:1"', '"http://ünï.example:0/"', '"//host/a"'),
    *('"data:image/png,a"', '"data:;base64,@"', '"AAAA\\nAA=="', '"=="', '"é"'),
]
BROKEN = [b'"\xff\xfe"', b"\xc3", b'"\xed\xa0\x80"', b"\x00"]

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**60), max_value=10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)
short = st.sampled_from([text.encode() for text in AWKWARD if len(text) < 1000])
written = _values.map(lambda value: json.dumps(value, ensure_ascii=False).encode())


@every_field
def test_known_awkward_values(still: Still, asked: Asked) -> None:
    for value in [*(text.encode() for text in AWKWARD), *BROKEN]:
        judge(asked, ask(still, asked, value))


@every_field
@QUICK
@given(value=written)
def test_any_value(still: Still, asked: Asked, value: bytes) -> None:
    judge(asked, ask(still, asked, value))


@every_field
@QUICK
@given(values=st.lists(written | short, min_size=2, max_size=3))
def test_a_field_that_comes_twice(still: Still, asked: Asked, values: list[bytes]) -> None:
    judge(asked, ask(still, asked, *values))


@every_field
def test_a_field_that_does_not_come(still: Still, asked: Asked) -> None:
    judge(asked, ask(still, asked))


@pytest.mark.parametrize("asked", IN_JSON, ids=str)
def test_a_value_of_another_type_is_refused_by_name(still: Still, asked: Asked) -> None:
    """No field is a list of lists, and only the market's input is an object."""
    for value in [b'[["a"]]'] if asked.field == "input" else [b'[["a"]]', b'{"a": 1}']:
        said = judge(asked, ask(still, asked, value))
        assert said["code"] == (400 if "file" in asked.path else 422)
        assert asked.field.lower().replace("_", "") in said["msg"].lower().replace("_", "")


def ask(still: Still, asked: Asked, *values: bytes) -> httpx2.Response:
    """Send the request with these values, as they are, in place of the field's own; with none, without the field."""
    if asked.form == "query":
        return still.server.http.request(asked.method, f"{asked.path}?{_query(still, asked, values)}")
    if asked.form == "multipart":
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return still.server.http.post(asked.path, content=_form(asked, values), headers={"Content-Type": kind})
    body = _object(still, asked.valid if asked.inside is None else asked.valid[asked.inside], asked.field, values)
    if asked.inside is not None:
        body = _object(still, asked.valid, asked.inside, (body,))
    return still.server.http.post(asked.path, content=body, headers={"Content-Type": "application/json"})


def judge(asked: Asked, answer: httpx2.Response) -> dict[str, Any]:
    """The envelope, once it has been found to be one that is documented."""
    assert answer.status_code < 500, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    said: dict[str, Any] = answer.json()
    code, msg = said["code"], said["msg"]
    assert type(code) is int
    assert code in documented(asked.path) or _is_no_json(asked, code, msg), said
    assert isinstance(msg, str)
    assert msg.strip()
    assert not any(trace in msg for trace in ("Traceback", 'File "', "Error:", "Exception")), msg
    assert (said["data"] is None) is (code != 200) or _tells_of_an_upgrade(said), said
    assert answer.status_code == (code if "file" in asked.path or code in UNREAD else 200)
    return said


def _is_no_json(asked: Asked, code: int, msg: str) -> bool:
    """What the contract says of every body that is no JSON."""
    return code == 400 and asked.form == "json" and ("body" in msg or "JSON" in msg)


def _tells_of_an_upgrade(said: dict[str, Any]) -> bool:
    return said["code"] in (400, 422) and ("processing" in said["msg"] or "successfully" in said["msg"])


def _object(still: Still, valid: dict[str, Any], field: str, values: tuple[bytes, ...]) -> bytes:
    fixed = [(name, json.dumps(_meant(still, value)).encode()) for name, value in valid.items() if name != field]
    members = [*fixed, *((field, value) for value in values)]
    return b"{" + b", ".join(json.dumps(name).encode() + b": " + value for name, value in members) + b"}"


def _query(still: Still, asked: Asked, values: tuple[bytes, ...]) -> str:
    fixed = [(name, _meant(still, value)) for name, value in asked.valid.items() if name != asked.field]
    given = [(asked.field, each[:LONGEST]) for each in values]
    return "&".join(f"{name}={quote(value)}" for name, value in [*fixed, *given])


def _form(asked: Asked, values: tuple[bytes, ...]) -> bytes:
    fixed = [(name, value.encode()) for name, value in asked.valid.items() if name != asked.field]
    parts = [*fixed, *((asked.field, value) for value in values)]
    return b"".join(_part(name, value) for name, value in parts) + f"--{BOUNDARY}--\r\n".encode()


def _part(name: str, value: bytes) -> bytes:
    filename = '; filename="a.png"' if name == "file" else ""
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode() + value + b"\r\n"


def _meant(still: Still, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _meant(still, each) for name, each in value.items()}
    return {FILM: still.film_id, LINK: still.film_url}.get(value, value)
