"""The page of guarantees rests on tests that there are. That they have passed in the same run is seen to by
``tests/conftest.py``, which counts outcomes when the whole suite is run."""

from __future__ import annotations

import ast

import pytest

from support.guarantees import PAGE, TESTS, named, rows


def test_there_are_many_kinds_of_failure() -> None:
    assert len(rows()) >= 25


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("|")[1].strip())
def test_every_failure_says_what_happens_and_names_its_tests(row: str) -> None:
    _, fault, happens, shown, _ = (cell.strip() for cell in row.split("|"))
    assert fault
    assert happens.endswith(".")
    assert named(shown)


@pytest.mark.parametrize("test", sorted(named(PAGE.read_text(encoding="utf-8"))))
def test_every_named_test_exists(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions
