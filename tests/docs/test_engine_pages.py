"""What the page of the engines says of their settings is what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from filmgate.engines.google_veo import GoogleVeoEngine, Options
from filmgate.engines.openai_videos import SERVERS, OpenAIVideosEngine
from filmgate.ports import Secret

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"


def section(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## )", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


def rows(text: str) -> dict[str, list[str]]:
    """Of all tables: what stands in the first column, and the further columns."""
    found = re.findall(r"^\| `(\w+)` \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in found}


def written(field: msgspec.structs.FieldInfo) -> str:
    """The default of a field, as a TOML file would have it; "" where there is none, or nothing in it."""
    if field.required or field.default in (None, "", Secret("")):
        return ""
    if isinstance(field.default, tuple):
        return json.dumps(field.default)
    return f"{field.default:g}" if isinstance(field.default, float) else json.dumps(field.default).strip('"')


@pytest.mark.parametrize(
    ("name", "config"), [("google_veo", GoogleVeoEngine.Config), ("openai_videos", OpenAIVideosEngine.Config)]
)
def test_every_word_of_an_engine_is_on_its_page_with_its_default(name: str, config: type[msgspec.Struct]) -> None:
    told = {word: cells for word, cells in rows(section(name)).items() if word not in SERVERS}
    fields = {field.encode_name: field for field in msgspec.structs.fields(config)}
    assert list(told) == list(fields)
    assert {word: cells[0].strip("`") for word, cells in told.items()} == {
        word: written(field) for word, field in fields.items()
    }


def test_the_options_of_google_are_on_its_page() -> None:
    text = section("google_veo")
    assert [name for name in Options.__struct_fields__ if f"`{name}`" not in text] == []


def test_the_servers_are_on_their_page_with_what_was_read() -> None:
    told = rows(section("openai_videos"))
    assert [name for name in SERVERS if name not in told] == []
    for name, server in SERVERS.items():
        _, frames, references, rich, *_ = told[name]
        assert frames.startswith("both" if server.frames == 2 else "the first")
        assert references.startswith(str(server.references) if server.references else "no")
        assert rich.startswith("yes" if server.rich else "no")
