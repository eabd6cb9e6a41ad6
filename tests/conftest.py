"""When the whole suite is run, every test that docs/guarantees.md names must have passed in that same run.

One that was skipped, because a program is missing here, is told; in CI, where nothing may be missing, it fails the run.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from support.guarantees import PAGE, TESTS, named


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OUTCOMES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or not report.passed:
        item.config.stash[OUTCOMES].setdefault(_name(item), []).append(report.outcome)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not _whole_suite(session):
        return
    outcomes = session.config.stash[OUTCOMES]
    unshown = sorted(
        test for test in named(PAGE.read_text(encoding="utf-8")) if set(outcomes.get(test, ())) != {"passed"}
    )
    session.config.stash[UNSHOWN] = unshown
    skipped = {test for test in unshown if "skipped" in outcomes.get(test, ()) and os.environ.get("CI") != "true"}
    if set(unshown) - skipped and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    unshown = config.stash.get(UNSHOWN, None)
    if unshown is None:
        return
    count = len(named(PAGE.read_text(encoding="utf-8"))) - len(unshown)
    terminalreporter.write_line(f"guarantees: {count} tests have shown what docs/guarantees.md says")
    for test in unshown:
        terminalreporter.write_line(f"guarantees: {test} has not passed in this run", red=True)


OUTCOMES = pytest.StashKey[dict[str, list[str]]]()
UNSHOWN = pytest.StashKey[list[str]]()


def _name(item: pytest.Item) -> str:
    function = item.originalname if isinstance(item, pytest.Function) else item.name
    return f"{item.path.relative_to(TESTS).as_posix()}::{function}"


def _whole_suite(session: pytest.Session) -> bool:
    """Whether every test file took part, with nothing deselected."""
    if session.config.option.keyword or session.config.option.collectonly or session.testscollected == 0:
        return False
    return {item.path for item in session.items} >= set(TESTS.rglob("test_*.py"))
