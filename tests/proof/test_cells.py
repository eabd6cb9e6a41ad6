"""The contract's table of what causes each code: every cause that there is yet is brought about, at its address."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from filmgate.storage.local import MARK
from support.asking import generate, made
from support.server import TRIAL, Server, serving

from . import callback_causes, http_causes
from .causing import Cell, Ground
from .tables import rows

CELLS = [*http_causes.CELLS, *callback_causes.CELLS]

#: What the first account begins with, and has no longer once there is a film.
DEAR = 'prices = { "1080p" = 1000000, "extend" = 1000000 }\n'


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    data = tmp_path_factory.mktemp("cells") / "data"
    with serving(data) as fine:
        film = made(fine)
        failed_id = generate(fine, prompt="fail")["data"]["taskId"]
        fine.ended(failed_id)
        with (
            _dear(_copied(data, "dear")) as dear,
            _broken(_copied(data, "broken")) as broken,
            _strict(_copied(data, "strict")) as strict,
            serving(_copied(data, "full"), "--no-worker", FILMGATE_LIMITS__QUEUE="1") as full,
            serving(_capped(_copied(data, "capped")), "--no-worker") as capped,
        ):
            yield Ground(fine, dear, broken, strict, full, capped, film["taskId"], film["resultUrl"], failed_id)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell(ground: Ground, tmp_path: Path, cell: Cell) -> None:
    codes = list(cell.cause(ground, tmp_path))
    assert codes
    assert set(codes) == {cell.code}, codes


def test_the_table_names_what_is_brought_about_and_nothing_else() -> None:
    told = {
        (endpoint, int(code), words)
        for endpoint, code, causes in rows("contract.md", "cells")
        if not causes.startswith(("later:", "nothing:"))
        for words in causes.split("; ")
    }
    assert told == {(cell.endpoint, cell.code, cell.words) for cell in CELLS}


def test_what_does_not_happen_has_a_reason() -> None:
    causes = [causes for _, _, causes in rows("contract.md", "cells")]
    assert all(len(said.partition(": ")[2]) > 10 for said in causes if said.startswith(("later", "nothing")))


def _copied(data: Path, name: str) -> Path:
    """The data of a running server as they are now, with no film in them: nobody is to fetch it."""
    copy = data.parent / name
    (copy / "media").mkdir(mode=0o700, parents=True)
    (copy / "media" / MARK).touch()
    with closing(sqlite3.connect(data / "filmgate.db")) as source, closing(sqlite3.connect(copy / "filmgate.db")) as to:
        source.backup(to)
    return copy


def _dear(data: Path) -> AbstractContextManager[Server]:
    toml = "".join(line + "\n" + (DEAR if line.startswith("engine") else "") for line in TRIAL.splitlines())
    upgrades = "[upgrades]\nprice_1080p = 1000000\nprice_4k = 1000000\n"
    return serving(data, "--no-worker", toml=toml + upgrades)


def _strict(data: Path) -> AbstractContextManager[Server]:
    return serving(data, "--no-worker", FILMGATE_LIMITS__CREATES_PER_10S="1", FILMGATE_LIMITS__QUERIES_PER_S="1")


def _capped(data: Path) -> Path:
    with closing(sqlite3.connect(data / "filmgate.db")) as connection:
        connection.execute("UPDATE keys SET hourly_cap = 1")
        connection.commit()
    return data


@contextmanager
def _broken(data: Path) -> Iterator[Server]:
    with serving(data, "--no-worker") as server:
        with closing(sqlite3.connect(data / "filmgate.db")) as connection:
            for table in ("tasks", "uploads"):
                connection.execute(f"ALTER TABLE {table} RENAME TO {table}_no_more")
            connection.commit()
        yield server
