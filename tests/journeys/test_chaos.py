"""The crash laboratory: a short run of it finds nothing, and it does find what is planted behind the server's back.

How soon tasks are resumed is measured by the long run, on a machine that does nothing else: `make chaos`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from support import postgres

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

#: A planted fault, and what the laboratory calls that.
FOUND_AS = {
    "lost": "lost",
    "stuck": "lost",
    "charged": "charged",
    "double": "double",
    "film": "double",
    "callback": "callback",
    "litter": "left",
}


def _run(evidence: Path, *flags: str) -> tuple[int, str]:
    """(exit code, everything that it printed) of a short run, in which only what is lost counts, not time."""
    command = [sys.executable, "-m", "chaos", "--resume-within", "0", "--keep", str(evidence), *flags]
    ended = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, timeout=240)
    return ended.returncode, ended.stdout + ended.stderr


def _figures(said: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", said))


def test_nothing_is_lost_doubled_or_left_behind_under_kills_and_freezes(tmp_path: Path) -> None:
    code, said = _run(tmp_path / "evidence", "--rounds", "20", "--seed", "11")
    assert code == 0, said
    figures = _figures(said)
    assert int(figures["acknowledged"]) >= 10
    assert int(figures["kills"]) >= 4
    assert (tmp_path / "evidence" / "journal.jsonl").stat().st_size > 0


def test_the_same_holds_for_servers_and_workers_on_one_postgresql(tmp_path: Path) -> None:
    flags = ("--rounds", "16", "--seed", "11", "--postgres", postgres.server())
    code, said = _run(tmp_path / "evidence", *flags)
    assert code == 0, said
    figures = _figures(said)
    assert figures["database"] == "postgresql"
    assert int(figures["acknowledged"]) >= 5
    assert int(figures["kills"]) >= 4


def test_the_laboratory_finds_every_planted_fault(tmp_path: Path) -> None:
    plants = [word for kind in FOUND_AS for word in ("--plant", kind)]
    code, said = _run(tmp_path / "evidence", "--rounds", "3", "--seed", "5", *plants)
    assert code == 1, said
    planted = dict(re.findall(r"planted (\w+): task (\w+)", said))
    assert planted.keys() == FOUND_AS.keys(), said
    for kind, task_id in planted.items():
        assert f"{FOUND_AS[kind]}: task {task_id}: " in said, (kind, said)
