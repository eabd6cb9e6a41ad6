"""Unfriendly texts: stored and told as they were sent, lettered as far as there are letters, or refused.

The rule is the table in docs/security.md.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.cli.output import LONGEST_NAME, slug
from filmgate.cli.saying import plain
from filmgate.domain.errors import InvalidRequest, Unsupported, UploadRefused
from filmgate.domain.spec import Spec
from filmgate.engines.storyboard.engine import StoryboardEngine
from filmgate.engines.storyboard.lettering import Face, fit, script_of, showable
from filmgate.http.fields import absent, text
from filmgate.http.orders import MAX_PROMPT, MAX_WATERMARK
from filmgate.media.probe import probe
from filmgate.media.watermark import watermark
from filmgate.ports import Job
from filmgate.services.uploads import checked_name, checked_path
from support.server import Server, serving
from support.unfriendly import TEXTS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("names") / "data") as made:
        yield made


# ------------------------------------------------------------ over HTTP -----------------------------------------------


@pytest.mark.parametrize("prompt", TEXTS.values(), ids=TEXTS)
def test_a_prompt_is_told_as_it_was_sent(server: Server, prompt: str) -> None:
    """Code point by code point: nothing is normalised, turned or left out."""
    record = server.record(server.create(prompt, duration=4))
    assert json.loads(record["paramJson"])["prompt"] == prompt


def test_two_spellings_of_one_word_stay_two(server: Server) -> None:
    told = [server.record(server.create(TEXTS[form], duration=4))["paramJson"] for form in ("composed", "decomposed")]
    assert [json.loads(each)["prompt"] for each in told] == ["Caf\u00e9", "Cafe\u0301"]


REFUSED: dict[str, tuple[bytes, int]] = {
    "NUL": (rb'{"prompt":"a\u0000b"}', 422),
    "NUL in a watermark": (rb'{"prompt":"a","watermark":"\u0000b"}', 422),
    "half a character": (rb'{"prompt":"a\ud800b"}', 400),
    "the other half": (rb'{"prompt":"a\udc00b"}', 400),
    "halves in the wrong order": (rb'{"prompt":"a\udc00\ud800b"}', 400),
    "half a character in UTF-8": (b'{"prompt":"a\xed\xa0\x80b"}', 400),
    "no UTF-8": (b'{"prompt":"a\xff\xfeb"}', 400),
    "a NUL as it is": (b'{"prompt":"a\x00b"}', 400),
    "a control as it is": (b'{"prompt":"a\x1bb"}', 400),
    "nothing to see": ('{"prompt":"\u200b\u2060\u3164\ufeff\u0301"}'.encode(), 422),
    "too long": (b'{"prompt":"' + b"a" * (MAX_PROMPT + 1) + b'"}', 422),
    "too long a watermark": (b'{"prompt":"a","watermark":"' + b"a" * (MAX_WATERMARK + 1) + b'"}', 422),
    "a megabyte and more": (b'{"prompt":"' + b"a" * 1_100_000 + b'"}', 413),
    "an unknown model": ('{"prompt":"a","model":"\u202e3oev\u001b"}'.encode().replace(b"\x1b", rb"\u001b"), 422),
    "a long model": (b'{"prompt":"a","model":"' + b"a" * 1000 + b'"}', 422),
    "an address with a line in it": (rb'{"prompt":"a","callBackUrl":"http://a.example/\r\nX: y"}', 422),
    "an address that is turned": ('{"prompt":"a","callBackUrl":"http://a.example/\u202e"}'.encode(), 422),
    "an address with a blank": (b'{"prompt":"a","callBackUrl":"http://a.example/ b"}', 422),
    "too long an address": (b'{"prompt":"a","callBackUrl":"http://a.example/' + b"a" * 9000 + b'"}', 422),
}


@pytest.mark.parametrize(("body", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_refused_in_words(server: Server, body: bytes, code: int) -> None:
    answer = server.http.post("/api/v1/veo/generate", content=body).json()
    assert answer["code"] == code, answer
    assert answer["msg"]
    assert plain(answer["msg"]) == answer["msg"]


@pytest.mark.parametrize("task_id", TEXTS.values(), ids=TEXTS)
def test_whatever_is_asked_for_there_is_no_such_task(server: Server, task_id: str) -> None:
    said = task_id[:1000]
    asked = server.http.get("/api/v1/veo/record-info", params={"taskId": said}).json()
    extended = server.http.post("/api/v1/veo/extend", json={"taskId": said, "prompt": "x"}).json()
    assert (asked["code"], extended["code"]) == (422, 404)


@pytest.mark.parametrize("name", TEXTS.values(), ids=TEXTS)
def test_a_file_keeps_its_name_or_is_refused(server: Server, name: str) -> None:
    """What would hide, turn around or lead elsewhere is refused; the rest comes back as it was sent."""
    send: dict[str, Any] = {"base64Data": "iVBORw0KGgo=", "fileName": name, "uploadPath": name.replace("/", "")}
    answer = server.http.post("/api/file-base64-upload", json=send).json()
    try:
        checked = checked_name(name), checked_path(name.replace("/", ""))
    except UploadRefused:
        assert answer["code"] in (400, 422), answer
        return
    assert answer["code"] == 200, answer
    assert (answer["data"]["fileName"], answer["data"]["uploadPath"]) == checked == (name, name.replace("/", ""))
    link = urlsplit(answer["data"]["downloadUrl"])
    assert link.geturl().isascii()
    assert server.http.get(link.path).content == b"\x89PNG\r\n\x1a\n"


def test_the_rule_for_names() -> None:
    for taken in ("Chinese", "Arabic", "Persian with joiners", "family", "skin tones", "composed", "markup", "quotes"):
        kept = TEXTS[taken].replace("/", "").replace("\\", "")
        assert checked_name(kept) == kept
    for refused in ("direction turned", "terminal", "lines", "controls", "byte order mark", "tags", "paths", "zalgo"):
        with pytest.raises(UploadRefused):
            checked_name(TEXTS[refused])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_taken_as_it_is_or_refused(said: str) -> None:
    """The rule itself, for prompts: blank is not said, NUL is refused, everything else stays as it is."""
    if "\0" in said and not absent(said):
        with pytest.raises(InvalidRequest):
            text("prompt", said, 60)
    else:
        assert text("prompt", said, 60) == (None if absent(said) else said)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_name_is_one_plain_line_or_refused(said: str) -> None:
    try:
        name = checked_name(said)
    except UploadRefused:
        return
    assert name == said.strip()
    assert not {unicodedata.category(c) for c in name} & {"Cc", "Cs", "Zl", "Zp", "Cn", "Co"}
    assert not set(name) & set("/\\\0\u202e\u2066\ufeff")


# ------------------------------------------------------------ on a terminal -------------------------------------------


def test_the_operator_s_commands_print_no_control_signs(server: Server) -> None:
    for prompt in TEXTS.values():
        server.create(prompt, duration=4)
    server.cli("keys", "create", "--label", TEXTS["terminal"] + TEXTS["direction turned"])
    for command in (("tasks", "list"), ("keys", "list"), ("callbacks", "list")):
        printed = server.cli(*command)
        assert {c for c in printed if c != "\n" and plain(c) != c} == set(), command


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_is_one_harmless_line_on_a_terminal(said: str) -> None:
    shown = plain(said)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


@settings(max_examples=200, deadline=None)
@given(st.text() | st.sampled_from(list(TEXTS.values())))
def test_any_prompt_gives_a_file_name(prompt: str) -> None:
    name = slug(prompt)
    assert name.isascii()
    assert 0 < len(name) <= LONGEST_NAME
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


# ------------------------------------------------------------ on paper ------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80) | st.sampled_from([each[:200] for each in TEXTS.values()]))
def test_any_text_is_set_without_boxes_or_marks_of_its_own(said: str) -> None:
    shown = showable(said)
    assert all(c.isprintable() for c in shown)
    assert showable(shown) == shown
    if shown:
        setting = fit(shown, 8.0, 3.0, 1.2, Face.BOLD)
        assert np.isfinite(setting.width)
        assert setting.height <= 3.5


@pytest.mark.parametrize(
    ("said", "script"),
    [
        (TEXTS["Chinese"], "Chinese letters"),
        (TEXTS["Arabic"], "Arabic letters"),
        (TEXTS["Korean"], "Korean letters"),
        (TEXTS["Thai"], "Thai letters"),
        (TEXTS["cuneiform"], "Cuneiform letters"),
        ("\u0301\ue000", "…"),
        ("", "…"),
    ],
)
def test_a_script_without_letters_here_is_named(said: str, script: str) -> None:
    assert script_of(said) == script
    assert showable(f"({script})") == f"({script})"


@pytest.mark.parametrize(
    "name",
    ["Chinese", "Arabic", "cuneiform", "zalgo", "controls", "terminal", "family", "no characters", "a long word"],
)
def test_a_film_is_made_of_every_prompt(tmp_path: Path, name: str) -> None:
    engine = StoryboardEngine()
    engine.load()
    spec = Spec(prompt=TEXTS[name], model="veo3_fast", seconds=4, seed=12345)
    made = engine.render(Job("task", 1, spec, tmp_path, lambda fraction, stage: None, lambda: False))
    found = probe(made.path)
    assert (found.width, found.height, round(found.seconds)) == (1280, 720, 4)


NO_LETTERS = {"Chinese", "Japanese", "Korean", "Arabic", "Hebrew", "Persian with joiners", "Devanagari", "Thai"}
NO_LETTERS |= {"Amharic", "cuneiform", "flags", "skin tones", "many emoji"}


@pytest.mark.parametrize("name", TEXTS)
def test_a_watermark_is_set_as_far_as_there_are_letters_or_refused(name: str) -> None:
    mark = TEXTS[name][:MAX_WATERMARK]
    if name in NO_LETTERS:
        with pytest.raises(Unsupported, match="no letters"):
            watermark(mark, 1280, 720)
        return
    made = watermark(mark, 1280, 720)
    assert made.text.max() > 0.5
    assert made.left >= 0
    assert made.left + made.text.shape[1] <= 1280
    assert made.top + made.text.shape[0] <= 720
