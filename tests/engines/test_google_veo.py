"""google_veo with Google's own SDK against a Vertex AI of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from filmgate.domain.errors import (
    ContentRejected,
    EngineFailed,
    ImageRejected,
    MinorRejected,
    PersonRejected,
    Unsupported,
)
from support.engine_suite import WAYS, EngineSuite, House, RemoteHouse
from support.peer import running
from support.vertex import LOCATION, PROJECT, Vertex

ENGINE = "filmgate.engines.google_veo:GoogleVeoEngine"
REFUSALS = {
    "an underage boy": (MinorRejected, "58061214"),
    "a prominent person": (PersonRejected, "29310472"),
    "a gory scene": (ContentRejected, "could not be submitted"),
    "a badpicture": (ImageRejected, "input image"),
    "something filtered": (ContentRejected, "issue with the audio"),
    "an overload": (EngineFailed, "Quota exceeded"),
    "an internal fault": (EngineFailed, "Internal error"),
    "a toolong film": (EngineFailed, "took too long"),
    "a wrong film": (Unsupported, "Unsupported output video duration"),
}


def house_of(peer: Vertex, folder: Path, **config: object) -> RemoteHouse:
    settings = {
        "project": PROJECT,
        "location": LOCATION,
        "credentials": str(peer.credentials(folder)),
        "base_url": peer.url,
        "storage_url": peer.url,
        **config,
    }
    house = RemoteHouse(ENGINE, settings, frozenset(WAYS), stopped=None, paid=lambda: len(peer.orders))
    house.refusals, house.added_s = REFUSALS, 7.0
    return house


@pytest.fixture
def peer() -> Iterator[Vertex]:
    with running(Vertex()) as peer:
        yield peer


class TestInAnswers(EngineSuite):
    @pytest.fixture
    def house(self, peer: Vertex, tmp_path: Path) -> House:
        return house_of(peer, tmp_path)


class TestInABucket(EngineSuite):
    @pytest.fixture
    def house(self, peer: Vertex, tmp_path: Path) -> House:
        return house_of(peer, tmp_path, bucket="gs://films/veo")
