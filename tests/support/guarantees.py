"""Which tests docs/guarantees.md rests on."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "guarantees.md"
_NAMED = re.compile(r"`(\w+/test_\w+\.py::test_\w+)`")


def rows() -> list[str]:
    """Those of the table of failures."""
    table = PAGE.read_text(encoding="utf-8").partition("\n## Failures\n")[2]
    return [line for line in table.splitlines() if line.startswith("| ")][1:]


def named(text: str) -> set[str]:
    """ "faults/test_x.py::test_y" for each test that is named."""
    return set(_NAMED.findall(text))
