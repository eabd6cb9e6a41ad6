"""docs/engines.md names every word of an engine's table, with its default."""

from __future__ import annotations

import re
import runpy
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import pytest

from filmgate.engines.veo3_upstream import Veo3UpstreamEngine
from filmgate.settings import EngineSettings

PAGE = (Path(__file__).parents[2] / "docs" / "engines.md").read_text(encoding="utf-8")
OURS = {each.name: each.default for each in fields(EngineSettings) if each.name not in ("kind", "config", "slots")}
UPSTREAM = msgspec.structs.fields(Veo3UpstreamEngine.Config)


def row_of(word: str, section: str) -> list[str]:
    line = next(line for line in section.splitlines() if line.startswith(f"| `{word}` |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(("word", "default"), OURS.items())
def test_every_word_that_any_table_may_have(word: str, default: Any) -> None:
    _, _, told, meaning = row_of(word, PAGE.split("\n## Who makes")[0])
    assert float(told) == default
    assert meaning


@pytest.mark.parametrize("field", UPSTREAM, ids=lambda field: field.name)
def test_every_word_of_veo3_upstream(field: msgspec.structs.FieldInfo) -> None:
    _, told, meaning = row_of(field.name, PAGE.split("\n## veo3_upstream\n")[1].split("\n## ")[0])
    assert meaning
    if field.required:
        assert told == ""
    elif isinstance(field.default, float):
        assert float(told) == field.default


def test_the_table_of_capabilities_is_up_to_date() -> None:
    script: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "document_engines.py"))
    assert script["written"](PAGE) == PAGE


def test_the_anchors_that_other_pages_use() -> None:
    for anchor in ("who-makes-a-film",):
        assert anchor in {re.sub(r"[^a-z0-9]+", "-", title.lower()) for title in re.findall(r"^## (.+)$", PAGE, re.M)}
