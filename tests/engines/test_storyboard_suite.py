"""The storyboard engine keeps to what every engine keeps to."""

from __future__ import annotations

import pytest

from support.engine_suite import WAYS, EngineSuite, House, LocalHouse


class TestStoryboard(EngineSuite):
    @pytest.fixture
    def house(self) -> House:
        return LocalHouse("storyboard", promised=frozenset(WAYS))
