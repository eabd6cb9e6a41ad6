"""The statements of docs/contract.md, each tested under its number against a real server over HTTP.

A test says which statements it proves: ``@pytest.mark.statement(7)``. When the whole folder is run, the numbers are
counted from the outcomes of that same run (``support/counting.py``): a statement that no test has proved fails the run.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator

import pytest

from support.counting import STATEMENT
from support.server import Server, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with the trial engine for all statements that are not about pixels."""
    with serving(tmp_path_factory.mktemp("contract") / "data", FILMGATE_CALLBACKS__SCHEDULE_S="0.2,0.2,0.2") as running:
        yield running


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "statement(*numbers): the statements of docs/contract.md that the test proves")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    numbers = _numbers(item)
    if not numbers:
        pytest.fail(f"{item.nodeid} does not say which statement it proves", pytrace=False)
    if isinstance(item, pytest.Function) and not _asserts(item):
        pytest.fail(f"{item.nodeid} asserts nothing", pytrace=False)
    item.user_properties += [(STATEMENT, number) for number in numbers]


def _numbers(item: pytest.Item) -> set[int | str]:
    return {number for mark in item.iter_markers("statement") for number in mark.args}


def _asserts(item: pytest.Function) -> bool:
    tree = ast.parse(textwrap.dedent(inspect.getsource(item.function)))
    return any(isinstance(node, ast.Assert) for node in ast.walk(tree))
