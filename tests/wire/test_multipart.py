"""Forms in whatever pieces they come."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from filmgate.domain.errors import TooLarge
from filmgate.http.multipart import Form, _parameters, read_form

BOUNDARY = b"b-42"

#: What looks like a boundary, or begins one, is part of the file all the same.
contents = st.lists(
    st.binary(max_size=40) | st.sampled_from([b"\r\n--b-4", b"\r\n--", b"\r", b"\n", b"--b-42", b"\r\n--b-43", b""])
).map(b"".join)


def request(body: bytes, cuts: list[int]) -> Request:
    """A request whose body comes in pieces that end at these places."""
    ends = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    pieces = iter([body[start:end] for start, end in pairwise(ends)])

    async def receive() -> Message:
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    kind = b'multipart/form-data; boundary="' + BOUNDARY + b'"'
    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind)]}, receive)


def form_of(content: bytes, name: str) -> bytes:
    disposition = b"Content-Disposition: form-data; name="
    return b"\r\n".join(
        [
            b"a preamble\r\n--" + BOUNDARY + b"  ",
            disposition + b'"uploadPath"',
            b"",
            name.encode(),
            b"--" + BOUNDARY,
            b"Content-Type: image/png",
            disposition + b'"file"; filename="a cat.png"',
            b"",
            content,
            b"--" + BOUNDARY + b"--",
            b"an epilogue",
        ]
    )


def read(body: bytes, cuts: list[int], cap: int = 10**6) -> tuple[Form, bytes]:
    with TemporaryDirectory() as folder:
        into = Path(folder) / "file"
        form = asyncio.run(read_form(request(body, cuts), into, file="file", cap=cap))
        return form, into.read_bytes()


@given(
    content=contents.filter(lambda made: b"\r\n--b-42" not in b"\r\n" + made),
    name=st.text(st.characters(codec="utf-8", exclude_characters="\r\n")),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
)
def test_a_form_arrives_whole_however_it_is_cut(content: bytes, name: str, cuts: list[int]) -> None:
    form, file = read(form_of(content, name), cuts)
    assert file == content
    assert form == Form({"uploadPath": name}, has_file=True, filename="a cat.png")


def test_a_file_is_refused_when_more_than_its_share_has_come() -> None:
    read(form_of(b"x" * 100, ""), [], cap=100)
    with pytest.raises(TooLarge):
        read(form_of(b"x" * 101, ""), [50, 120, 200], cap=100)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('form-data; name="file"; filename="a \\"b\\" c.png"', {"name": "file", "filename": 'a "b" c.png'}),
        ("form-data; name=file;filename=a.png", {"name": "file", "filename": "a.png"}),
        ('form-data; NAME="file"; name="second"', {"name": "file"}),
        ('form-data; name="never closed; filename=x', {"name": "never closed; filename=x"}),
        ("form-data; name=file; filename*=undefined''x", {"name": "file", "filename*": "undefined''x"}),
        ("form-data; name=file; filename*=a\0b''x", {"name": "file", "filename*": "a\0b''x"}),
        ("form-data", {}),
        ("; ; ;;=", {}),
    ],
)
def test_parameters_of_a_header(header: str, said: dict[str, str]) -> None:
    assert _parameters(header) == said


@given(st.text(alphabet=';="\\ ax*', max_size=400))
def test_any_header_has_parameters(header: str) -> None:
    assert all(name and name == name.lower() for name in _parameters(header))
