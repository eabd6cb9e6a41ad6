"""The statements of docs/contract.md, each tested under its number against a real server over HTTP.

A test says which statements it proves: ``@pytest.mark.statement(7)``. When the whole folder is run, the numbers are
counted from the outcomes of that same run: a statement that no test has proved fails the run.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from support.server import Server, serving

#: C1 to C66, by their numbers, and F1 to F16, what goes beyond the hosted API.
STATEMENTS: frozenset[int | str] = frozenset(range(1, 67)) | {f"F{number}" for number in range(1, 17)}

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with the trial engine for all statements that are not about pixels."""
    with serving(tmp_path_factory.mktemp("contract") / "data", FILMGATE_CALLBACKS__SCHEDULE_S="0.2,0.2,0.2") as running:
        yield running


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "statement(*numbers): the statements of docs/contract.md that the test proves")
    config.stash[PROVED] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in _ours(items):
        if not _numbers(item):
            raise pytest.UsageError(f"{item.nodeid} does not say which statement it proves")
        if isinstance(item, pytest.Function) and not _asserts(item):
            raise pytest.UsageError(f"{item.nodeid} asserts nothing")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if HERE in item.path.parents and (report.when == "call" or not report.passed):
        for number in _numbers(item):
            item.config.stash[PROVED].setdefault(number, []).append(report.passed)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not _whole_folder(session):
        return
    proved = {number for number, outcomes in session.config.stash[PROVED].items() if outcomes and all(outcomes)}
    missing = sorted(STATEMENTS - proved, key=str)
    session.config.stash[MISSING] = missing
    if missing and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    missing = config.stash.get(MISSING, None)
    if missing is None:
        return
    count = len(STATEMENTS) - len(missing)
    terminalreporter.write_line(f"contract: {count} statements proved")
    for number in missing:
        name = number if isinstance(number, str) else f"C{number}"
        terminalreporter.write_line(f"contract: {name} was not proved in this run", red=True)


PROVED = pytest.StashKey[dict[int | str, list[bool]]]()
MISSING = pytest.StashKey[list[int | str]]()


def _ours(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    return (item for item in items if HERE in item.path.parents)


def _numbers(item: pytest.Item) -> set[int | str]:
    return {number for mark in item.iter_markers("statement") for number in mark.args}


def _asserts(item: pytest.Function) -> bool:
    tree = ast.parse(textwrap.dedent(inspect.getsource(item.function)))
    return any(isinstance(node, ast.Assert) for node in ast.walk(tree))


def _whole_folder(session: pytest.Session) -> bool:
    """Whether every test file of this folder took part, with nothing deselected."""
    if session.config.option.keyword or session.config.option.collectonly or session.testscollected == 0:
        return False
    files = {item.path for item in _ours(session.items)}
    return files == set(HERE.glob("test_*.py"))
