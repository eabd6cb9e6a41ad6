"""What the tests of a run have shown, counted by the process that leads it: it alone hears of every worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .guarantees import PAGE, TESTS, named

#: A property of a test of the contract: the number of a statement that it proves.
STATEMENT = "statement"
#: C1 to C66, by their numbers, and F1 to F16, what goes beyond the hosted API.
STATEMENTS: frozenset[int | str] = frozenset(range(1, 67)) | {f"F{number}" for number in range(1, 17)}


@dataclass
class Outcomes:
    """Of the tests below a folder, by what each is counted for. A test that was tried ten ways has ten."""

    folder: Path
    of: dict[Any, list[str]] = field(default_factory=dict)
    files: set[Path] = field(default_factory=set)

    def add(self, report: pytest.TestReport, *counted: Any) -> None:
        file = TESTS.parent / report.nodeid.partition("::")[0]
        if self.folder in file.parents and (report.when == "call" or not report.passed):
            self.files.add(file)
            for each in counted:
                self.of.setdefault(each, []).append(report.outcome)

    def shown(self, each: Any) -> bool:
        return set(self.of.get(each, ())) == {"passed"}

    def whole(self, keyword: str) -> bool:
        """Whether every test file took part, with nothing deselected by a ``-k``."""
        return not keyword and self.files >= set(self.folder.rglob("test_*.py"))


@dataclass(eq=False)  # pytest keeps its plugins in a set
class Guarantees:
    """When the whole suite is run, every test that docs/guarantees.md names must have passed in that same run.

    One that was skipped, because a program is missing here, is told; in CI, where nothing may be missing, it fails the
    run.
    """

    ci: bool
    outcomes: Outcomes = field(default_factory=lambda: Outcomes(TESTS))
    unshown: list[str] | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.outcomes.add(report, report.nodeid.removeprefix(f"{TESTS.name}/").partition("[")[0])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not self.outcomes.whole(session.config.option.keyword):
            return
        self.unshown = sorted(test for test in _guaranteed() if not self.outcomes.shown(test))
        missing = [test for test in self.unshown if self.ci or "skipped" not in self.outcomes.of.get(test, ())]
        if missing and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unshown is None:
            return
        count = len(_guaranteed()) - len(self.unshown)
        terminalreporter.write_line(f"guarantees: {count} tests have shown what docs/guarantees.md says")
        for test in self.unshown:
            terminalreporter.write_line(f"guarantees: {test} has not passed in this run", red=True)


@dataclass(eq=False)
class Statements:
    """When the whole folder of the contract is run, every statement must have been proved in that same run."""

    outcomes: Outcomes = field(default_factory=lambda: Outcomes(TESTS / "contract"))
    missing: list[int | str] | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.outcomes.add(report, *(number for name, number in report.user_properties if name == STATEMENT))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not self.outcomes.whole(session.config.option.keyword):
            return
        self.missing = sorted((each for each in STATEMENTS if not self.outcomes.shown(each)), key=str)
        if self.missing and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.missing is None:
            return
        terminalreporter.write_line(f"contract: {len(STATEMENTS) - len(self.missing)} statements proved")
        for number in self.missing:
            name = number if isinstance(number, str) else f"C{number}"
            terminalreporter.write_line(f"contract: {name} was not proved in this run", red=True)


def _guaranteed() -> set[str]:
    return named(PAGE.read_text(encoding="utf-8"))
