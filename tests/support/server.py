"""`filmgate serve` as an operator starts it: a process tree over a data directory, spoken to over a socket."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

KEY = "test-key-that-is-long-enough-for-a-server"
PLUGIN = Path(__file__).parents[1] / "plugin"
TRIAL = "".join(f'[models.{name}]\nengine = "trial"\n' for name in ("veo3", "veo3_fast", "veo3_lite"))
#: The second trial engine behind the first.
FALLBACK = TRIAL.replace('"trial"\n', '"trial"\nfallback = ["trial2"]\n')

UNLIMITED = {"FILMGATE_LIMITS__CREATES_PER_10S": "0", "FILMGATE_LIMITS__QUERIES_PER_S": "0"}


class NotStarted(Exception):
    """The server ended before it listened; the message is what it printed."""


def until(true: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Wait for a condition; what it gave at last."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := true():
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s in vain until {what}")


@dataclass
class Server:
    """A running server. ``log`` is everything that it has printed."""

    data: Path
    process: subprocess.Popen[str]
    url: str
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=30)

    def create(self, prompt: str, **fields: Any) -> str:
        """Order a film; its task id."""
        answer = self.http.post("/api/v1/veo/generate", json={"prompt": prompt, **fields}).json()
        assert answer["code"] == 200, answer
        return str(answer["data"]["taskId"])

    def cli(self, *words: str) -> str:
        """An operator's command on the data of this server; what it printed."""
        command = [sys.executable, "-m", "filmgate", *words, "--data", str(self.data)]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def record(self, task_id: str) -> dict[str, Any]:
        answer = self.http.get("/api/v1/veo/record-info", params={"taskId": task_id}).json()
        assert answer["code"] == 200, answer
        data: dict[str, Any] = answer["data"]
        return data

    def ended(self, task_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """The record of a task once it has ended, well or not."""

        def look() -> dict[str, Any] | None:
            record = self.record(task_id)
            return record if record["successFlag"] else None

        ended: dict[str, Any] = until(look, f"task {task_id} ends", seconds)
        return ended

    def pids(self) -> list[int]:
        """The server's process and all that it has started."""
        return tree(self.process.pid)

    def kill(self) -> None:
        """kill -9, every process at once: nobody can tidy up or take over."""
        pids = self.pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(seconds)

    def close(self) -> None:
        self.http.close()
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()


def tree(pid: int) -> list[int]:
    """A process and its descendants, whatever sessions they are in."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        below = [int(child) for child in children.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(deeper for child in below for deeper in tree(child))]


@contextmanager
def serving(
    data: Path,
    *flags: str,
    toml: str = TRIAL,
    ready: bool = True,
    within: Any = list,  # typed for those who unpack an environment of strings
    **environment: str,
) -> Iterator[Server]:
    """A server on a free port of loopback; by default with the trial engine behind every model, and ready.

    It lets itself be asked as often as one likes: tests share one account, and look 20 times a second. Those that are
    about limits set them. ``within`` makes the command line of a place that it is started in, as ``privately``
    does.
    """
    data.parent.mkdir(parents=True, exist_ok=True)
    config = data.parent / f"{data.name}.toml"
    config.write_text(toml)
    process = subprocess.Popen(
        within(
            [
                sys.executable,
                "-m",
                "filmgate",
                "serve",
                "--port",
                "0",
                "--data",
                str(data),
                "--config",
                str(config),
                *flags,
            ]
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ
        | {"PYTHONPATH": str(PLUGIN), "FILMGATE_INITIAL_API_KEY": KEY, "FILMGATE_NET__ALLOW_PRIVATE": "true"}
        | UNLIMITED
        | {"FILMGATE_POLICY__IMAGES": "off"}  # looking at each film of flat grey takes longer than making it
        | environment,
    )
    log: list[str] = []
    reader = threading.Thread(target=_follow, args=(process, log), daemon=True)
    reader.start()
    try:
        url = until(lambda: _address(process, log), "the server says where it listens", 30)
        server = Server(data, process, url, log)
    except BaseException:
        process.kill()
        process.wait()
        reader.join(5)
        if process.stdout is not None:
            process.stdout.close()
        raise
    try:
        if ready:
            until(lambda: server.http.get("/readyz").status_code == 200, "the server is ready", 60)
        yield server
    finally:
        server.close()
        reader.join(5)


def _follow(process: subprocess.Popen[str], log: list[str]) -> None:
    assert process.stdout is not None
    log.extend(line.rstrip() for line in process.stdout)


def _address(process: subprocess.Popen[str], log: list[str]) -> str | None:
    if process.poll() is not None:
        raise NotStarted("the server ended with code {}:\n{}".format(process.returncode, "\n".join(log)))
    return next((found[0] for line in list(log) if (found := re.search(r"https?://[\w.\[\]:]+:\d+", line))), None)
