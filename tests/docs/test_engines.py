"""The engine of the page: built, installed and run from exactly what stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from filmgate.domain.routing import Capabilities
from filmgate.media.probe import probe
from filmgate.ports import Job
from support.command import filmgate, printed

SECTION = (
    (Path(__file__).parents[2] / "docs" / "engines.md")
    .read_text(encoding="utf-8")
    .split("\n## An engine of your own\n")[1]
    .split("\n## ")[0]
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.+?)^```$", SECTION, re.M | re.S)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the package of the page is installed, and named as it says."""
    folder = tmp_path_factory.mktemp("dawn")
    (module,), (project, model) = blocks("python"), blocks("toml")
    (folder / "project").mkdir()
    (folder / "project" / "filmgate_dawn.py").write_text(module)
    (folder / "project" / "pyproject.toml").write_text(project)
    (folder / "filmgate.toml").write_text(model)
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(folder / "site"), "."]
    ended = subprocess.run(command, cwd=folder / "project", env=os.environ, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return {
        "HOME": str(folder),
        "PYTHONPATH": str(folder / "site"),
        "FILMGATE_DATA": str(folder / "data"),
        "FILMGATE_CONFIG": str(folder / "filmgate.toml"),
    }


def test_its_class_has_ten_lines() -> None:
    assert len(blocks("python")[0].split("class Dawn:\n")[1].replace("\n\n", "\n").splitlines()) == 10


def test_it_is_listed(installed: dict[str, str]) -> None:
    found = {each["name"]: each for each in printed(installed, "engines", "list")}
    assert found["dawn"]["models"] == ["veo3_fast"]
    assert found["dawn"]["kinds"] == ["generate"]
    assert "storyboard" in found


def test_it_makes_the_film_of_the_page(installed: dict[str, str]) -> None:
    command = re.search(r'^filmgate (generate) "(.+)" -o (dawn\.mp4)$', SECTION, re.M)
    assert command
    film = Path(installed["HOME"]) / command[3]
    filmgate(installed, command[1], command[2], "-o", str(film), "--quiet")
    found = probe(film)
    assert (found.width, found.height, found.seconds, found.has_audio) == (1280, 720, 8.0, False)
    assert printed(installed, "verify", str(film))["label"]["tool"].endswith(", engine dawn 1.0")


def test_what_the_page_names_is_there() -> None:
    for word in ("source_type", "leaves_within_s"):
        assert word in Capabilities.__slots__
    for word in re.findall(r"`job\.(\w+)", SECTION):
        assert word in Job.__dataclass_fields__
