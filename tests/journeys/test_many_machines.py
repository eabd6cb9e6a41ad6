"""Several servers and workers on one PostgreSQL and one storage: any of them answers for all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx2
import psycopg
import pytest

from support import postgres
from support.command import filmgate
from support.machines import Site
from support.receiver import receiving
from support.server import Server, until


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with postgres.database() as url:
        yield Site(tmp_path, url)


def owner_of(site: Site, task_id: str) -> str | None:
    with psycopg.connect(site.database) as connection:
        found = connection.execute("SELECT owner FROM tasks WHERE id = %s", [task_id]).fetchone()
    return None if found is None else found[0]


def film_of(server: Server, task_id: str) -> bytes:
    """Fetched through this server, whoever made it, and whoever was asked for it."""
    (link,) = server.record(task_id)["response"]["resultUrls"]
    answer = httpx2.get(server.url + httpx2.URL(link).path)
    assert answer.status_code == 200
    return answer.content


def test_a_worker_is_killed_and_another_one_makes_its_film(site: Site) -> None:
    with (
        receiving() as receiver,
        site.server("server0") as ours,
        site.server("server1") as theirs,
        site.worker("worker0", "--engines", "trial") as first,
    ):
        until(lambda: ours.http.get("/readyz").status_code == 200, "a worker is there")
        task_id = ours.create("slow 3", duration=4, callBackUrl=receiver.url)
        until(lambda: owner_of(site, task_id) == first.owner, "it is being made", 30)
        with site.worker("worker1", "--slots", "2") as second:
            until(lambda: theirs.record(task_id)["progress"] > 0.1, "the other server sees how far it is")
            first.kill()
            assert theirs.ended(task_id)["successFlag"] == 1
            until(lambda: receiver.bodies, "the callback arrives")
            assert film_of(ours, task_id) == film_of(theirs, task_id) != b""
            other = theirs.create("stock", duration=4, callBackUrl=receiver.url)
            assert ours.ended(other)["successFlag"] == 1
            until(lambda: len(receiver.bodies) == 2, "the other callback arrives")
            assert second.stop() == 0
    with psycopg.connect(site.database) as connection:
        told = connection.execute("SELECT state, tries FROM callbacks").fetchall()
        attempts = connection.execute("SELECT attempt, lost_leases FROM tasks WHERE id = %s", [task_id]).fetchall()
    assert told == [("delivered", 1), ("delivered", 1)]
    assert attempts == [(2, 1)]


def test_what_one_server_is_told_counts_for_all(site: Site) -> None:
    with site.server("server0") as ours, site.server("server1") as theirs:
        unready = ours.http.get("/readyz")
        assert (unready.status_code, "no worker has loaded" in unready.json()["msg"]) == (503, True)
        task_id = ours.create("a dog", duration=4)
        assert theirs.record(task_id)["state"] == "waiting"
        here = {"FILMGATE_DATA": str(site.folder / "operator"), **site.environment}
        filmgate(here, "features", "set", "generate", "off")
        for server in (ours, theirs):
            until(partial(_refused, server), "no films are taken any more", 10)
        filmgate(here, "features", "set", "generate", "on")
        theirs.http.post("/api/v1/veo/cancel", json={"taskId": task_id})
        assert ours.record(task_id)["successFlag"] == 2
        assert theirs.http.get("/api/v1/veo/record-info", params={"taskId": "a\0b"}).json()["code"] == 422


def _refused(server: Server) -> bool:
    answer = server.http.post("/api/v1/veo/generate", json={"prompt": "a cat", "duration": 4})
    return bool(answer.json()["code"] != 200)


def test_a_task_that_is_cancelled_anywhere_frees_its_slot_at_once(site: Site) -> None:
    with site.server("server0") as ours, site.server("server1") as theirs, site.worker("worker0") as worker:
        until(lambda: ours.http.get("/readyz").status_code == 200, "a worker is there")
        long = ours.create("slow 60", duration=4)
        until(lambda: owner_of(site, long) == worker.owner, "it is being made", 30)
        assert theirs.http.post("/api/v1/veo/cancel", json={"taskId": long}).json()["code"] == 200
        assert ours.ended(theirs.create("stock", duration=4), 20)["successFlag"] == 1


def test_an_operator_works_on_the_database_from_anywhere(site: Site) -> None:
    here = {"FILMGATE_DATA": str(site.folder / "operator"), "FILMGATE_SERVER__PORT": "0", **site.environment}
    filmgate(here, "accounts", "create", "studio", "--credits", "500")
    assert "studio" in filmgate(here, "accounts", "list").stdout
    made = filmgate(here, "keys", "create", "--account", "studio").stdout
    assert "fg_" in made
    assert "studio" in filmgate(here, "keys", "list").stdout
    assert filmgate(here, "callbacks", "list").stdout
    assert filmgate(here, "tasks", "list").stdout
    doctor = filmgate(here, "doctor").stdout
    assert "PostgreSQL 1" in doctor
    assert "SQLite" not in doctor
    refused = filmgate(here, "backup", str(site.folder / "copy"), code=1).stderr
    assert "pg_dump" in refused
    assert not (site.folder / "copy").exists()
    nobody = {**here, "FILMGATE_DATABASE_URL": "postgresql://ada:hunter22@127.0.0.1:1/films"}
    said = filmgate(nobody, "doctor", code=4).stdout
    assert "refused" in said
    assert "hunter22" not in said


def test_the_database_crashes_under_a_server_and_a_worker_and_comes_back(tmp_path: Path) -> None:
    with postgres.cluster() as own:
        site = Site(tmp_path, own.url)
        with receiving() as receiver, site.server("server0") as server, site.worker("worker0"):
            until(lambda: server.http.get("/readyz").status_code == 200, "a worker is there")
            making = server.create("slow 3", duration=4, callBackUrl=receiver.url)
            until(lambda: server.record(making)["progress"] > 0.1, "it is being made", 30)
            own.crash()
            answer = server.http.get("/api/v1/veo/record-info", params={"taskId": making}, timeout=30).json()
            assert answer["code"] == 500
            own.start()
            other = server.create("stock", duration=4, callBackUrl=receiver.url)
            assert [server.ended(task_id)["successFlag"] for task_id in (making, other)] == [1, 1]
            until(lambda: len(receiver.bodies) == 2, "both callbacks arrive")


def test_an_engine_that_no_model_names_is_told(site: Site) -> None:
    with site.worker("worker0", "--engines", "nonsense") as worker:
        assert worker.process.wait(30) == 4
        assert "No model names the engine 'nonsense'; named are trial" in worker.log.read_text()
