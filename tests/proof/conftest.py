"""A server that is asked everything and makes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.asking import made
from support.server import Server, serving


@dataclass(frozen=True)
class Still:
    """``film_id`` is a task that has succeeded, ``film_url`` its film."""

    server: Server
    film_id: str
    film_url: str


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """It has one film, made before, and no worker: whatever is ordered now stays in the queue."""
    data = tmp_path_factory.mktemp("proof") / "data"
    with serving(data) as maker:
        film_id = made(maker, model="veo3")["taskId"]
    with serving(data, "--no-worker") as server:
        yield Still(server, film_id, server.record(film_id)["resultUrl"])
