"""The processes of a run: started, found, killed, frozen, thawed, and started again."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from measure import process_tree

from .journal import now_ms
from .plan import CALLBACK_TIMEOUT_S, KEY, SCHEDULE_S, Plan

_PLUGIN = Path(__file__).parents[2] / "tests" / "plugin"
_TOML = "".join(f'[models.{name}]\nengine = "trial"\n' for name in ("veo3", "veo3_fast", "veo3_lite"))
_SLOT = "filmgate.engines.slot"


@dataclass
class Member:
    """One command of the layout, and the process tree that it is at the moment."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    works: bool  #: it makes films
    url: str | None = None  #: where it answers, if it does
    process: subprocess.Popen[bytes] | None = None
    started_ms: int = 0
    blows: int = 0  #: since it was started
    frozen: set[int] = field(default_factory=set)
    leaving: bool = False  #: it was asked to go

    def start(self) -> None:
        self.started_ms, self.blows, self.frozen, self.leaving = now_ms(), 0, set(), False
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def pids(self) -> list[int]:
        return process_tree(self.process.pid) if self.process is not None and self.alive else []

    def slots(self, kind: str) -> list[int]:
        return [pid for pid in self.pids() if f"{_SLOT}\0{kind}\0" in _command_of(pid)]

    def runner(self) -> int | None:
        """Whoever has slots."""
        parents = {_parent_of(pid) for pid in self.pids() if f"{_SLOT}\0" in _command_of(pid)}
        return next(iter(parents - {0}), None)

    def api(self) -> int | None:
        """A child of `serve` that is no runner; early in its life the one that prepares the database."""
        pids = self.pids()
        children = [pid for pid in pids[1:] if _parent_of(pid) == pids[0]]
        others = [pid for pid in children if pid != self.runner()]
        return others[0] if self.url is not None and others else None

    def kill_all(self) -> None:
        """All at once: nobody can tidy up or take over."""
        pids = self.pids()
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def kill(self, pid: int) -> None:
        self.blows += 1
        self.frozen.discard(pid)
        _signal(pid, signal.SIGKILL)

    def freeze(self, pid: int) -> None:
        self.frozen.add(pid)
        _signal(pid, signal.SIGSTOP)

    def thaw(self, pid: int) -> None:
        if pid in self.frozen:  # killed meanwhile, its number may be somebody else's
            self.frozen.discard(pid)
            _signal(pid, signal.SIGCONT)

    def terminate(self) -> None:
        for pid in list(self.frozen):
            self.thaw(pid)
        if self.process is not None and self.alive:
            self.leaving = True
            self.process.terminate()

    def owns(self, owner: str) -> bool:
        """Whether tasks of this owner are ours: `serve` has one runner, and a worker says under which name it works."""
        if self.url is not None:
            return self.works and owner.partition("@")[0] == "serve"
        said = re.findall(r"^Filmgate works as (\S+)", self.log.read_text(errors="replace"), re.MULTILINE)
        return bool(said) and said[-1] == owner


def members(plan: Plan) -> list[Member]:
    """The layout, not started yet."""
    for folder in (plan.temporary, plan.storage):
        folder.mkdir(parents=True, mode=0o700)
    config = plan.folder / "filmgate.toml"
    config.write_text(_TOML)
    beside = plan.layout.workers > 0
    servers = [_server(plan, config, f"server{number}", beside) for number in range(plan.layout.servers)]
    return servers + [_worker(plan, config, f"worker{number}") for number in range(plan.layout.workers)]


def _server(plan: Plan, config: Path, name: str, beside: bool) -> Member:
    port = _free_port()
    flags = ["serve", "--port", str(port), "--data", str(plan.folder / name), "--config", str(config)]
    flags += ["--no-worker"] if beside else []
    return _member(plan, name, flags, works=not beside, url=f"http://127.0.0.1:{port}")


def _worker(plan: Plan, config: Path, name: str) -> Member:
    flags = ["worker", "--engines", "trial", "--slots", "2", "--data", str(plan.folder / name)]
    return _member(plan, name, [*flags, "--config", str(config)], works=True, url=None)


def _member(plan: Plan, name: str, flags: list[str], *, works: bool, url: str | None) -> Member:
    command = [sys.executable, "-m", "filmgate", *flags]
    return Member(name, command, _environment(plan), plan.folder / f"{name}.log", works, url)


def _environment(plan: Plan) -> dict[str, str]:
    database = {} if plan.database is None else {"FILMGATE_DATABASE_URL": plan.database}
    return {
        **os.environ,
        **database,
        "PYTHONPATH": str(_PLUGIN),
        "TMPDIR": str(plan.temporary),
        "FILMGATE_INITIAL_API_KEY": KEY,
        "FILMGATE_STORAGE_URL": f"file://{plan.storage}",
        "FILMGATE_NET__ALLOW_PRIVATE": "true",
        "FILMGATE_LIMITS__CREATES_PER_10S": "100000",
        "FILMGATE_WORKER__LEASE_S": str(plan.lease_s),
        "FILMGATE_WORKER__HEARTBEAT_S": str(plan.heartbeat_s),
        "FILMGATE_WORKER__SLOTS": "2",
        "FILMGATE_WORKER__DRAIN_TIMEOUT_S": "2",
        "FILMGATE_CALLBACKS__SCHEDULE_S": ",".join(map(str, SCHEDULE_S)),
        "FILMGATE_CALLBACKS__TIMEOUT_S": str(CALLBACK_TIMEOUT_S),
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def _signal(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
