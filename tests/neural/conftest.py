"""Pipelines of the real kinds with a few thousand random weights each, saved once per run, loaded as real ones are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.tools import package

if TYPE_CHECKING:
    from support.neural import Studio

TORCH = ("torch", "diffusers", "transformers", "accelerate")


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a pipeline; made when it is asked for first. The tests are counted as skipped without torch."""
    for name in TORCH:
        package(name)
    import torch

    from support import tiny

    torch.set_num_threads(1)  # the machines of the tests have other things to do
    folder = tmp_path_factory.mktemp("weights")

    def saved(name: str) -> Path:
        at = folder / name
        return at if at.exists() else tiny.save(name, at)

    return saved


@pytest.fixture
def studio(weights: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """Engines over tiny pipelines, with no network."""
    from support.neural import Studio

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return Studio(weights, tmp_path)
