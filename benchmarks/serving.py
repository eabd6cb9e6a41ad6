"""A server to be measured: `filmgate serve` over a folder, with the tests' trivial engine behind every model."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

KEY = "benchmark-key-that-is-long-enough-for-it"
PLUGIN = Path(__file__).parents[1] / "tests" / "plugin"
TRIAL = "".join(f'[models.{name}]\nengine = "trial"\n' for name in ("veo3", "veo3_fast", "veo3_lite"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@contextlib.contextmanager
def server(folder: Path, *flags: str, toml: str = TRIAL, **environment: str) -> Iterator[Server]:
    """A server that has just been started; what it prints goes to ``folder/log``. Stopped at the end."""
    config, port = folder / "filmgate.toml", free_port()
    config.write_text(toml)
    command = [sys.executable, "-m", "filmgate", "serve", "--port", str(port), "--config", str(config)]
    told = os.environ | {"PYTHONPATH": str(PLUGIN), "FILMGATE_INITIAL_API_KEY": KEY} | environment
    with (
        (folder / "log").open("a") as output,
        subprocess.Popen(
            [*command, "--data", str(folder / "data"), *flags], env=told, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield Server(f"http://127.0.0.1:{port}", process.pid, folder / "log")
        finally:
            process.terminate()
            process.wait(60)


class Server:
    """``http`` asks it with the key of its first account."""

    def __init__(self, url: str, pid: int, log: Path) -> None:
        self.url = url
        self.pid = pid
        self.log = log
        self.http = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30)

    def answers(self, path: str, start: float | None = None) -> float:
        """Seconds from ``start``, or from now, until the address answers 200."""
        start = time.perf_counter() if start is None else start
        while time.perf_counter() - start < 60:
            with contextlib.suppress(httpx2.TransportError):
                if httpx2.get(f"{self.url}{path}", timeout=2).status_code == 200:
                    return time.perf_counter() - start
            time.sleep(0.01)
        raise SystemExit(f"{path} did not answer within 60 s; {self.log} has what the server said")

    def create(self, prompt: str) -> str:
        """Order a short film; its task id."""
        body = {"prompt": prompt, "model": "veo3_lite", "duration": 4}
        answer = self.http.post("/api/v1/veo/generate", json=body).json()
        if answer["code"] != 200:
            raise SystemExit(f"The server refused an order: {answer['msg']}")
        return str(answer["data"]["taskId"])

    def record(self, task_id: str) -> dict[str, Any]:
        """What the server says of a task."""
        told: dict[str, Any] = self.http.get("/api/v1/veo/record-info", params={"taskId": task_id}).json()["data"]
        return told

    def cancel(self, task_id: str) -> None:
        self.http.post("/api/v1/veo/cancel", json={"taskId": task_id})

    def ended(self, task_id: str) -> None:
        """Wait until a task has ended."""
        for _ in range(600):
            if self.record(task_id)["successFlag"]:
                return
            time.sleep(0.1)
        raise SystemExit(f"Task {task_id} did not end within 60 s; {self.log} has what the server said")
