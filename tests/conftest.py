"""Counts what a run has shown: see ``support/counting.py``. And no test fails because the machine is slow."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from support.counting import Guarantees, Statements

settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # a worker runs its share of the tests; who leads the run counts
        config.pluginmanager.register(Guarantees(ci=os.environ.get("CI") == "true"))
        config.pluginmanager.register(Statements())
