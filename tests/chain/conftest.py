"""Two servers: the one that is asked has its films made by the other, which has the trial engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.server import KEY, Server, serving

MODELS = "".join(f'[models.{name}]\nengine = "there"\n' for name in ("veo3", "veo3_fast", "veo3_lite"))


@contextmanager
def chain(folder: Path, **edition: Any) -> Iterator[Server]:
    """The first of the two; ``edition`` is the other one's."""
    with serving(folder / "behind", **edition) as behind:
        table = (
            f'[engines.there]\nkind = "veo3_upstream"\nbase_url = "{behind.url}"\napi_key = "{KEY}"\n'
            "takes_once = true\npoll_s = 0.1\nconcurrency = 1\n"
        )
        with serving(folder / "data", toml=table + MODELS, FILMGATE_CALLBACKS__SCHEDULE_S="0.2,0.2,0.2") as front:
            yield front


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with chain(tmp_path_factory.mktemp("chain")) as front:
        yield front


def pytest_configure(config: pytest.Config) -> None:
    """The tests that are taken over from the contract say which statements they prove; here nobody counts them."""
    config.addinivalue_line("markers", "statement(*numbers): the statements of docs/contract.md that the test proves")
