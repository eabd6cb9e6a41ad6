"""What is counted of a run: nothing passes for shown that failed once, was skipped, or did not take part."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from support.counting import Outcomes
from support.guarantees import TESTS

FOLDER = TESTS / "wire"
FILES = sorted(FOLDER.rglob("test_*.py"))


def report(
    file: Path,
    outcome: Literal["passed", "failed", "skipped"] = "passed",
    when: Literal["setup", "call", "teardown"] = "call",
) -> pytest.TestReport:
    nodeid = f"{file.relative_to(TESTS.parent).as_posix()}::test_it[a case]"
    return pytest.TestReport(nodeid, (nodeid, 1, "test_it"), {}, outcome, None, when)


def outcomes(*reports: pytest.TestReport) -> Outcomes:
    made = Outcomes(FOLDER)
    for each in reports:
        made.add(each, "what it shows")
    return made


def test_what_passed_every_time_is_shown() -> None:
    one = FILES[0]
    assert outcomes(report(one, when="setup"), report(one), report(one)).shown("what it shows")


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_what_did_not_pass_once_is_not_shown(
    outcome: Literal["failed", "skipped"], when: Literal["setup", "call", "teardown"]
) -> None:
    assert not outcomes(report(FILES[0]), report(FILES[0], outcome, when)).shown("what it shows")


def test_what_did_not_take_part_is_not_shown() -> None:
    assert not outcomes(report(FILES[0], when="setup")).shown("what it shows")
    assert not outcomes(report(TESTS / "unit" / "test_counting.py")).shown("what it shows")


def test_a_run_is_whole_when_every_file_took_part_and_no_words_chose_among_them() -> None:
    everything = outcomes(*map(report, FILES))
    assert everything.whole("")
    assert not everything.whole("a word")
    assert not outcomes(*map(report, FILES[1:])).whole("")
    assert not outcomes().whole("")
