"""The diffusers engine keeps to what every engine keeps to.

One shape is enough here: the others differ in recipes only, and ``test_shapes.py`` has them make what they declare.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from filmgate.engines.diffusers import DiffusersEngine
from filmgate.engines.registry import Declared, Registry
from support.engine_suite import EngineSuite, House, LocalHouse


class TestDiffusers(EngineSuite):
    @pytest.fixture
    def house(self, weights: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> House:
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        repo = str(weights("wan-2.2-t2v-a14b"))
        config = DiffusersEngine.Config(repo=repo, size=(96, 64), fps=4, warm_up=False)
        engines = Registry({"tiny": Declared("diffusers", config)})
        return LocalHouse("tiny", frozenset({"text", "portrait"}), {"steps": 2}, engines)
