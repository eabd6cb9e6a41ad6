"""The examples of the documentation, run as a reader would run them, against a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import KEY, Server, serving
from support.tools import program

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


def example(page: str, language: str) -> str:
    """The first block of a language on a page, with the test's key in place of the reader's."""
    found = re.search(rf"^```{language}\n(.+?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
    assert found, f"{page} has no {language}"
    return found[1].replace("fg_...", KEY)


def output(server: Server, folder: Path, *command: str, **environment: str) -> str:
    known = {"FILMGATE_URL": server.url, "FILMGATE_API_KEY": KEY, **environment}
    ended = subprocess.run(command, env=os.environ | known, cwd=folder, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_python_of_the_readme(server: Server, tmp_path: Path) -> None:
    output(server, tmp_path, sys.executable, "-c", example("README.md", "python"))
    assert (tmp_path / "dog.mp4").read_bytes()[4:8] == b"ftyp"


def test_the_curl_of_the_quickstart(server: Server, tmp_path: Path) -> None:
    program("curl")
    block = re.search(r'^```\n(curl "\$FILMGATE_URL.+?)^```$', (ROOT / "docs/quickstart.md").read_text(), re.M | re.S)
    assert block
    answer = json.loads(output(server, tmp_path, "sh", "-c", block[1].replace("curl", "curl -sS", 1)))
    assert (answer["code"], answer["msg"]) == (200, "success")
    server.ended(answer["data"]["taskId"])
