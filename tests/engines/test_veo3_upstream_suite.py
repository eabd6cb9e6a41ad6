"""veo3_upstream against a Filmgate that has the trial engine: what every engine has to keep to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from filmgate.domain.errors import ContentRejected, EngineFailed
from support.engine_suite import WAYS, EngineSuite, House, RemoteHouse
from support.server import KEY, Server, serving

ENGINE = "filmgate.engines.veo3_upstream:Veo3UpstreamEngine"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("behind") / "data") as server:
        yield server


def tasks_of(server: Server) -> int:
    with closing(sqlite3.connect(server.data / "filmgate.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM tasks").fetchone()
    return int(count)


class TestVeo3Upstream(EngineSuite):
    """It makes all that the other side does. That a cancelled film is stopped there is shown with one that takes long
    enough to be cancelled (``journeys/test_elsewhere.py``)."""

    @pytest.fixture
    def house(self, behind: Server) -> House:
        house = RemoteHouse(
            ENGINE,
            {"base_url": behind.url, "api_key": KEY, "takes_once": True},
            frozenset(WAYS),
            stopped=None,
            paid=lambda: tasks_of(behind),
        )
        house.refusals = {"reject": (ContentRejected, "flagged"), "fail": (EngineFailed, "could not make it")}
        return house
