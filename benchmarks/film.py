"""How long one 8 s 720p film takes from the command line, and how much memory its processes need at most."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import RUNS, Row, calibration, peak_of, show

PROMPT = "A dog playing in a park"


def one_film(out: Path) -> tuple[float, float]:
    """(seconds, MiB) of one `filmgate generate`."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "filmgate", "generate", PROMPT, "-q", "-o", str(out)]
    with subprocess.Popen(command) as process, peak_of(process.pid) as peak:
        code = process.wait(timeout=300)
    if code:
        raise SystemExit(f"filmgate generate ended with code {code}")
    return time.perf_counter() - start, peak.mib


def main() -> int:
    calibrations, seconds, memory = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(RUNS):
            calibrations.append(calibration())
            took, mib = one_film(Path(folder) / f"{number}.mp4")
            seconds.append(took)
            memory.append(mib)
    rows = [
        Row("an 8 s 720p film, wall", statistics.median(seconds), 16.0, "s"),
        Row(
            "the same over the calibration loop", statistics.median(seconds) / statistics.median(calibrations), 64, "x"
        ),
        Row("memory of all its processes at the peak", statistics.median(memory), 900.0, "MiB"),
    ]
    return 0 if show("One film", rows, calibrations) else 1


if __name__ == "__main__":
    sys.exit(main())
