"""The films' file system goes away and comes back: nothing is put in its place, nothing is taken for lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.server import NotStarted, Server, serving, until


@contextmanager
def unmounted(data: Path) -> Iterator[Path]:
    """An empty folder in place of the films, as where something was mounted."""
    films, away = data / "media", data / "away"
    films.rename(away)
    films.mkdir()
    try:
        yield films
    finally:
        films.rmdir()  # fails unless it is as empty as it was
        away.rename(films)


def _link(server: Server, task_id: str) -> str:
    return urlsplit(str(server.record(task_id)["response"]["resultUrls"][0])).path


def test_a_film_that_ends_while_the_storage_is_gone_is_stored_when_it_is_back(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.ended(server.create("a dog", duration=4))
        task_id = server.create("slow 1", duration=4)
        until(lambda: server.record(task_id)["progress"] > 0.1, "it is being made")
        with unmounted(tmp_path / "data"):
            until(lambda: any("event=storage_unavailable" in line for line in list(server.log)), "it cannot be stored")
            assert server.record(task_id)["successFlag"] == 0
        assert server.ended(task_id)["successFlag"] == 1
        assert server.http.get(_link(server, task_id)).status_code == 200


def test_a_link_says_that_the_storage_is_gone_and_not_that_there_is_no_film(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        task_id = server.create("a dog", duration=4)
        server.ended(task_id)
        link = _link(server, task_id)
        with unmounted(tmp_path / "data"):
            answer = server.http.get(link)
            assert answer.status_code == 503
            assert "The storage has gone" in answer.text
            until(lambda: server.http.get("/readyz").status_code == 503, "it says that it is not ready", 10)
        assert server.http.get(link).status_code == 200
        until(lambda: server.http.get("/readyz").status_code == 200, "it is ready again", 10)


def test_a_download_that_is_under_way_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        task_id = server.create("a dog", duration=4)
        server.ended(task_id)
        with server.http.stream("GET", _link(server, task_id)) as answer:
            parts = answer.iter_bytes(1000)
            got = next(parts)
            with unmounted(tmp_path / "data"):
                got += b"".join(parts)
        assert len(got) == int(answer.headers["content-length"])


def test_a_server_does_not_start_over_the_wrong_storage(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        task_id = server.create("a dog", duration=4)
        server.ended(task_id)
        link = _link(server, task_id)
    with unmounted(data), pytest.raises(NotStarted, match=r"is not where the films are: mount"):
        serving(data, ready=False).__enter__()
    with serving(data) as server:
        assert server.http.get(link).status_code == 200


def test_films_of_before_there_was_a_mark_are_recognised(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        server.ended(server.create("a dog", duration=4))
    (data / "media" / ".filmgate").unlink()
    with serving(data, ready=False):
        assert (data / "media" / ".filmgate").exists()


def test_where_films_are_lost_for_good_the_operator_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        lost = server.create("a dog", duration=4)
        server.ended(lost)
    shutil.rmtree(data / "media")
    (data / "media").mkdir()
    (data / "media" / ".filmgate").touch()
    with serving(data) as server:
        assert server.http.get(_link(server, lost)).status_code == 404
        assert server.ended(server.create("a cat", duration=4))["successFlag"] == 1
