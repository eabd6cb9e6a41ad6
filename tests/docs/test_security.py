"""The page about security names a test for every guard; each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
THREATS = PAGE.partition("<!-- threats: begin -->\n")[2].partition("<!-- threats: end -->")[0].splitlines()[2:]


@pytest.mark.parametrize("row", THREATS)
def test_every_threat_has_a_guard_and_a_test_that_there_is(row: str) -> None:
    threat, guard, named = (cell.strip() for cell in row.strip("|").split("|"))
    assert threat
    assert guard
    found = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", named)
    assert found, named
    tree = ast.parse((ROOT / found[1]).read_text())
    tests = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert found[2] in tests


def test_every_hostile_suite_is_named() -> None:
    suites = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "hostile").glob("test_*.py")}
    assert {suite for suite in suites if suite not in PAGE} == set()
    assert len(THREATS) >= 35


def test_who_finds_a_hole_finds_where_to_report_it() -> None:
    for page in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        assert "docs/security.md" in (ROOT / page).read_text()
    assert "SECURITY.md" in PAGE
