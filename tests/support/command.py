"""``filmgate COMMAND``, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any


def filmgate(environment: Mapping[str, str], *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command with these settings alone; it must end with ``code``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FILMGATE_")}
    ended = subprocess.run(
        [sys.executable, "-m", "filmgate", *words],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


def printed(environment: Mapping[str, str], *words: str) -> Any:
    """The JSON document that a command prints."""
    return json.loads(filmgate(environment, *words, "--json").stdout)
