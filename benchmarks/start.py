"""How soon things answer: --help, /healthz and /readyz from a cold start, an idle server's slot after a POST, and a
slot that is busy with a storyboard film after that was cancelled."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import RUNS, Row, calibration, median, show
from serving import Server, server

_LONGEST_S = 30.0


def help_s() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "filmgate", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def first_answers() -> tuple[float, float]:
    """(/healthz, /readyz) of a server with the storyboard engine on an empty data directory."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with server(Path(folder), toml="") as measured:
            return measured.answers("/healthz", start), measured.answers("/readyz", start)


def dispatch_ms() -> list[float]:
    """From sending a POST to the slot's having the job, on an idle server, one after the other."""
    waits = []
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as measured:
        measured.answers("/readyz")
        for _ in range(4 * RUNS):
            sent = time.time()
            task_id = measured.create("stamp")
            waits.append((_stamp(measured, task_id) - sent) * 1000)
            measured.ended(task_id)
            time.sleep(0.5)  # idle again
    return waits


def _stamp(measured: Server, task_id: str) -> float:
    """When the job was in its slot, by the engine's own word."""
    for _ in range(100):
        if found := re.search(rf"stamp {task_id} ([\d.]+)", measured.log.read_text()):
            return float(found[1])
        time.sleep(0.1)
    raise SystemExit("The job did not reach its slot within 10 s.")


def cancel_s() -> list[float]:
    """From sending a cancellation of a film that the storyboard engine is drawing, in the only slot, to the next film's
    being taken up."""
    waits = []
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), toml="") as measured:
        measured.answers("/readyz")
        for _ in range(RUNS):
            drawn, waiting = (measured.create("A dog playing in a park") for _ in range(2))
            while measured.record(drawn)["progress"] < 0.1:
                time.sleep(0.2)
            sent = time.perf_counter()
            measured.cancel(drawn)
            while f"task={waiting} event=claimed" not in measured.log.read_text():
                if time.perf_counter() - sent > _LONGEST_S:
                    raise SystemExit(f"The slot was not free {_LONGEST_S:g} s after a cancellation.")
                time.sleep(0.01)
            waits.append(time.perf_counter() - sent)
            measured.cancel(waiting)
    return waits


def main() -> int:
    calibrations = [calibration() for _ in range(RUNS)]
    starts = [first_answers() for _ in range(RUNS)]
    rows = [
        Row("filmgate --help", median(help_s), 0.3, "s"),
        Row("/healthz from the start of the process", statistics.median(health for health, _ in starts), 1.5, "s"),
        Row("/readyz from the start of the process", statistics.median(ready for _, ready in starts), 4.0, "s"),
        Row("POST to the job's being in its slot", statistics.median(dispatch_ms()), 50.0, "ms"),
        Row("a storyboard film's slot, from its cancellation", statistics.median(cancel_s()), 1.0, "s"),
    ]
    return 0 if show("Starting", rows, calibrations) else 1


if __name__ == "__main__":
    sys.exit(main())
