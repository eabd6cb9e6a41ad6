"""Counts what a run has shown: see ``support/counting.py``."""

from __future__ import annotations

import os

import pytest

from support.counting import Guarantees, Statements


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker runs its share of the tests; who leads the run counts
        config.pluginmanager.register(Guarantees(ci=os.environ.get("CI") == "true"))
        config.pluginmanager.register(Statements())
