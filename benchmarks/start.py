"""How soon things answer: --help, /healthz and /readyz from a cold start, and an idle server's slot after a POST."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from measure import RUNS, Row, calibration, median, show

KEY = "benchmark-key-that-is-long-enough-for-it"
PLUGIN = Path(__file__).parents[1] / "tests" / "plugin"
TRIAL = "".join(f'[models.{name}]\nengine = "trial"\n' for name in ("veo3", "veo3_fast", "veo3_lite"))
PORT = 18437


def help_s() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "filmgate", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


@contextlib.contextmanager
def server(folder: Path, toml: str, log: Path) -> Iterator[None]:
    config = folder / "filmgate.toml"
    config.write_text(toml)
    command = [sys.executable, "-m", "filmgate", "serve", "--port", str(PORT), "--config", str(config)]
    environment = os.environ | {"PYTHONPATH": str(PLUGIN), "FILMGATE_INITIAL_API_KEY": KEY}
    with (
        log.open("w") as output,
        subprocess.Popen(
            [*command, "--data", str(folder / "data")], env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def answers(path: str, start: float) -> float:
    """Seconds from ``start`` until the address answers 200."""
    while time.perf_counter() - start < 60:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"http://127.0.0.1:{PORT}{path}", timeout=2).status_code == 200:
                return time.perf_counter() - start
        time.sleep(0.01)
    raise SystemExit(f"{path} did not answer within 60 s")


def first_answers() -> tuple[float, float]:
    """(/healthz, /readyz) of a server with the storyboard engine on an empty data directory."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with server(Path(folder), "", Path(folder) / "log"):
            return answers("/healthz", start), answers("/readyz", start)


def dispatch_ms() -> list[float]:
    """From sending a POST to the slot's having the job, on an idle server, one after the other."""
    waits = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with server(Path(folder), TRIAL, log), httpx2.Client(headers={"Authorization": f"Bearer {KEY}"}) as http:
            answers("/readyz", time.perf_counter())
            for _ in range(4 * RUNS):
                sent = time.time()
                body = {"prompt": "stamp", "duration": 4}
                answer = http.post(f"http://127.0.0.1:{PORT}/api/v1/veo/generate", json=body).json()
                time.sleep(1.5)  # the film is made and stored: idle again
                stamp = re.search(rf"stamp {answer['data']['taskId']} ([\d.]+)", log.read_text())
                if stamp is None:
                    raise SystemExit("the job did not reach its slot within 1.5 s")
                waits.append((float(stamp[1]) - sent) * 1000)
    return waits


def main() -> int:
    calibrations = [calibration() for _ in range(RUNS)]
    starts = [first_answers() for _ in range(RUNS)]
    rows = [
        Row("filmgate --help", median(help_s), 0.3, "s"),
        Row("/healthz from the start of the process", statistics.median(health for health, _ in starts), 1.5, "s"),
        Row("/readyz from the start of the process", statistics.median(ready for _, ready in starts), 4.0, "s"),
        Row("POST to the job's being in its slot", statistics.median(dispatch_ms()), 50.0, "ms"),
    ]
    return 0 if show("Starting", rows, calibrations) else 1


if __name__ == "__main__":
    sys.exit(main())
