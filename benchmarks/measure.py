"""What the measurements share: a calibration loop, a sampler of memory, medians, and one way to print.

The machines that this runs on are shared and noisy. Every figure is printed beside the time of a fixed piece of
arithmetic in the same run: when that is slow, everything else is too.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RUNS = 5


def calibration() -> float:
    """Seconds for a fixed piece of arithmetic in one thread: about 0.25 on an idle core of 2024."""
    start = time.perf_counter()
    total = 0
    for number in range(4_000_000):
        total += number * number % 7
    return time.perf_counter() - start


def process_tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(deeper for child in below for deeper in process_tree(int(child)))]


def tree_mib(pid: int) -> float:
    """The memory of a process tree: each page counted once, shared ones in parts (PSS)."""
    return sum(map(_pss_kib, process_tree(pid))) / 1024


def own_mib(pid: int) -> float:
    """Of one process alone, all that is resident (RSS): its PSS changes with who else runs the same Python."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def _pss_kib(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)


@dataclass
class Peak:
    mib: float = 0.0


@contextmanager
def peak_of(pid: int) -> Iterator[Peak]:
    """The highest memory of a process tree while the block runs, looked at ten times a second."""
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            peak.mib = max(peak.mib, tree_mib(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def median(measure: Callable[[], float], runs: int = RUNS) -> float:
    return statistics.median(measure() for _ in range(runs))


@dataclass(frozen=True)
class Row:
    """One figure and the bound that it has to keep."""

    what: str
    value: float
    bound: float
    unit: str
    at_least: bool = False  #: the bound is one from below

    @property
    def kept(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def verdict(self) -> str:
        return "ok" if self.kept else "TOO LITTLE" if self.at_least else "TOO MUCH"


def show(title: str, rows: Sequence[Row], calibrations: Sequence[float] = ()) -> bool:
    """Print a table; whether every bound was kept."""
    calibrated = f"; calibration loop: {statistics.median(calibrations):.2f} s" if calibrations else ""
    print(f"\n{title} (median of {RUNS}{calibrated})")
    for row in rows:
        print(f"  {row.what:<44} {row.value:>9.3f} {row.unit:<4} of {row.bound:g} {row.unit:<4} {row.verdict}")
    return all(row.kept for row in rows)
