"""Every figure that docs/operations.md lists is there, and moves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.receiver import receiving
from support.server import TRIAL, Server, serving, until
from support.veo3_peer import Peer, engine_table

ROOT = Path(__file__).parents[2]
NAMES = re.findall(r"^\| `(filmgate_\w+)`", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(server: Server) -> Samples:
    text = server.http.get("/metrics").text
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, f"{key} is told twice"
            found[key] = sample.value
    return found


def total(samples: Samples, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (called, carried), value in samples.items() if called == name and wanted <= carried)


#: With an engine elsewhere behind a model that nobody asks for.
ELSEWHERE = engine_table(Peer(b"", url="http://127.0.0.1:9")) + "house".join(TRIAL.rsplit("trial", 1))


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Samples, Samples]]:
    """A server, its figures when it was new, and after a film, a failure and two callbacks."""
    with (
        receiving() as receiver,
        serving(tmp_path_factory.mktemp("metrics") / "data", "--drain-timeout", "0.5", toml=ELSEWHERE) as server,
    ):
        before = samples_of(server)
        for prompt in ("a dog", "fail"):
            server.ended(server.create(prompt, duration=4, callBackUrl=receiver.url))
        until(lambda: len(receiver.bodies) == 2, "both are told")
        until(lambda: total(samples_of(server), "filmgate_attempt_seconds_count") == 2, "the runner has written", 20)
        waiting = [server.create("slow 30", duration=4), server.create("a cat", duration=4)]
        until(lambda: server.record(waiting[0])["state"] == "generating", "it is being made")
        until(lambda: total(samples_of(server), "filmgate_slots", state="busy") == 1, "the runner has written", 20)
        yield server, before, samples_of(server)


def test_the_list_is_not_empty() -> None:
    assert len(NAMES) >= 15


@pytest.mark.parametrize("name", NAMES)
def test_every_documented_figure_is_there(worked: tuple[Server, Samples, Samples], name: str) -> None:
    _, _, after = worked
    assert any(called.startswith(name) for called, _ in after)


def test_no_figure_is_undocumented(worked: tuple[Server, Samples, Samples]) -> None:
    _, _, after = worked
    ours = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name, _ in after if name.startswith("filmgate_")}
    assert ours == set(NAMES)


def test_the_figures_move(worked: tuple[Server, Samples, Samples]) -> None:
    _, before, after = worked
    assert total(after, "filmgate_tasks", status="queued") == 1
    assert total(after, "filmgate_tasks", status="running") == 1
    assert total(after, "filmgate_queue_oldest_seconds") > 0
    assert total(after, "filmgate_workers") == 1
    assert total(after, "filmgate_callbacks_pending") == 0
    assert total(after, "filmgate_deliveries_total", outcome="2xx") == 2
    assert total(after, "filmgate_task_wait_seconds_count", engine="trial") == 3
    assert total(after, "filmgate_attempt_seconds_count", outcome="succeeded") == 1
    assert total(after, "filmgate_attempt_seconds_count", outcome="engine_failed") == 1
    for stage in ("inputs", "render", "finish", "publish"):
        assert total(after, "filmgate_stage_seconds_count", stage=stage) >= 1
    for process in ("api", "runner"):
        name = "filmgate_database_commit_seconds_count"
        assert total(after, name, process=process) > total(before, name, process=process)
    assert total(after, "filmgate_disk_free_bytes", place="data") > 0
    route = {"route": "/api/v1/veo/generate", "method": "POST", "code": "200"}
    assert total(after, "filmgate_http_request_seconds_count", **route) == 4


def test_credits_add_up(worked: tuple[Server, Samples, Samples]) -> None:
    """Four were ordered: one was made, one failed, two are not over."""
    _, _, after = worked
    held = total(after, "filmgate_credits_total", kind="held")
    price = held / 4
    assert price > 0
    assert total(after, "filmgate_credits_total", kind="charged") == price
    assert total(after, "filmgate_credits_total", kind="refunded") == price
    assert total(after, "filmgate_credits_total", kind="granted") >= held


def test_what_clients_make_up_makes_no_new_figures(worked: tuple[Server, Samples, Samples]) -> None:
    server, _, _ = worked
    for number in range(5):
        server.http.get(f"/nowhere/{number}")
        server.http.request(f"VERB{number}", "/healthz")
        server.http.get(f"/f/1/signature/{number}/film.mp4")
    routes = {
        dict(labels)["route"] for name, labels in samples_of(server) if name == "filmgate_http_request_seconds_count"
    }
    methods = {
        dict(labels)["method"] for name, labels in samples_of(server) if name == "filmgate_http_request_seconds_count"
    }
    assert not [route for route in routes if re.search(r"\d/|nowhere", route.replace("/v1/", ""))]
    assert not [method for method in methods if method.startswith("VERB")]
