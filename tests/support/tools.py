"""Programs and packages that some tests need: a missing one is an error in CI and a counted skip elsewhere."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest


def program(*names: str) -> str:
    """The first of these programs that is installed."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    return found or missing(f"none of {', '.join(names)} is installed")


def node_modules(*names: str) -> Path:
    """The folder where `.ci/run` has put Node modules, if all of these are in it."""
    folder = Path(__file__).parents[2] / ".ci" / "node" / "node_modules"
    lacking = [name for name in names if not (folder / name).is_dir()]
    return Path(missing(f"Node modules are not installed: {', '.join(lacking)}")) if lacking else folder


def package(name: str) -> None:
    """A package of an extra, which `make test` installs."""
    if find_spec(name) is None:
        missing(f"{name} is not installed")


def missing(why: str) -> str:
    """Something that a test cannot do without is not there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}; in CI it must be")
    pytest.skip(why)
