"""wrk, a load tool: one thread, 32 connections, told what to send by a small Lua script."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from serving import KEY

CONNECTIONS = 32

_SCRIPT = """
wrk.headers["Authorization"] = "Bearer {key}"
wrk.headers["Content-Type"] = "application/json"
local asked, turn = {{}}, 0
init = function(args)
  for _, path in ipairs({{{paths}}}) do
    asked[#asked + 1] = wrk.format({method}, path, nil, {body})
  end
end
request = function()
  turn = turn % #asked + 1
  return asked[turn]
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nfigures {{"requests": %d, "us": %d, "p50_us": %d, "p99_us": %d, "errors": %d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of wrk has found."""

    requests: int
    rate: float  #: requests a second
    p50_ms: float
    p99_ms: float


def check_installed() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("This needs wrk, a load tool: apt-get install wrk")


def gets(url: str, paths: Sequence[str], seconds: int) -> Load:
    return _run(url, seconds, method='"GET"', paths=_lua(paths), body="nil")


def posts(url: str, path: str, body: dict[str, object], seconds: int) -> Load:
    return _run(url, seconds, method='"POST"', paths=_lua([path]), body=json.dumps(json.dumps(body)))


def _lua(texts: Sequence[str]) -> str:
    return ", ".join(map(json.dumps, texts))


def _run(url: str, seconds: int, **asked: str) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT.format(key=KEY, **asked))
        script.flush()
        flags = ("-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", script.name)
        said = subprocess.run(["wrk", *flags, url], check=True, capture_output=True, text=True).stdout
    found = json.loads(next(line for line in said.splitlines() if line.startswith("figures ")).partition(" ")[2])
    if found["errors"]:
        raise SystemExit(f"wrk met {found['errors']} errors at {url}:\n{said}")
    rate = found["requests"] / (found["us"] / 1e6)
    return Load(found["requests"], rate, found["p50_us"] / 1000, found["p99_us"] / 1000)
