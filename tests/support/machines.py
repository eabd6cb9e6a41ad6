"""Servers and workers as on several machines: each with a data folder of its own, on one PostgreSQL and one storage."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .server import PLUGIN, TRIAL, Server, serving, tree, until

SHORT_LEASES = {"FILMGATE_WORKER__LEASE_S": "2", "FILMGATE_WORKER__HEARTBEAT_S": "0.5"}


@dataclass
class Worker:
    """A running ``filmgate worker``."""

    data: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def owner(self) -> str | None:
        said = re.search(r"^Filmgate works as (\S+)", self.log.read_text(), re.MULTILINE)
        return said[1] if said else None

    def kill(self) -> None:
        """kill -9, every process at once."""
        pids = tree(self.process.pid)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(30)


@dataclass(frozen=True)
class Site:
    """One database and one storage."""

    folder: Path
    database: str

    @property
    def environment(self) -> dict[str, str]:
        storage = f"file://{self.folder / 'storage'}"
        return {"FILMGATE_DATABASE_URL": self.database, "FILMGATE_STORAGE_URL": storage, **SHORT_LEASES}

    @contextmanager
    def server(self, name: str, *flags: str, ready: bool = False) -> Iterator[Server]:
        """An API without a worker."""
        with serving(self.folder / name, "--no-worker", *flags, ready=ready, **self.environment) as server:
            yield server

    @contextmanager
    def worker(self, name: str, *flags: str) -> Iterator[Worker]:
        config, log = self.folder / f"{name}.toml", self.folder / f"{name}.log"
        config.write_text(TRIAL)
        command = [sys.executable, "-m", "filmgate", "worker", "--data", str(self.folder / name)]
        told = {"PYTHONPATH": str(PLUGIN), "FILMGATE_NET__ALLOW_PRIVATE": "true", "FILMGATE_POLICY__IMAGES": "off"}
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*command, "--config", str(config), *flags],
                env=os.environ | told | self.environment,
                stdout=output,
                stderr=output,
            )
        worker = Worker(self.folder / name, process, log)
        try:
            until(lambda: worker.owner or process.poll() is not None, "the worker says its name", 30)
            yield worker
        finally:
            if process.poll() is None:
                worker.kill()
