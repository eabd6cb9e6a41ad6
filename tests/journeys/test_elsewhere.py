"""Films that are made elsewhere: real processes here, and a peer that counts what was ordered from it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from support.server import Server, serving, until
from support.veo3_peer import KEY, Fault, Peer, engine_table, models, peer, secrets_in

GENERATE = "/api/v1/veo/generate"
QUICK: dict[str, Any] = {"FILMGATE_WORKER__LEASE_S": "3", "FILMGATE_WORKER__HEARTBEAT_S": "1"}


def balance(server: Server) -> int:
    return int(server.http.get("/api/v1/chat/credit").json()["data"])


def runs(server: Server, task_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(server.cli("tasks", "show", task_id, "--json"))["runs"]
    return found


def used_up(there: Peer, path: str) -> bool:
    return not there.faults.get(path)


def test_a_film_is_ordered_elsewhere_and_served_from_here(tmp_path: Path) -> None:
    with peer() as there, serving(tmp_path / "data", toml=engine_table(there) + models("house")) as server:
        task_id = server.create("a dog", duration=4, seeds=12345)
        record = server.ended(task_id)
        assert record["successFlag"] == 1, record
        assert record["response"]["seeds"] == [12345]
        (link,) = record["response"]["resultUrls"]
        assert link.startswith(server.url)
        assert server.http.get(link).content[4:8] == b"ftyp"
        (order,) = there.orders
        assert (order["prompt"], order["duration"], order["seeds"]) == ("a dog", 4, 12345)
        assert "callBackUrl" not in order
        (run,) = runs(server, task_id)
        assert (run["engine"], run["outcome"], run["upstreamId"]) == ("house", "succeeded", "film veo_task_1")
        assert run["parameters"]["seed"] == 12345
        assert run["version"].startswith("filmgate ")
        assert KEY not in "\n".join(server.log)
        assert secrets_in(server.data) == []


def test_kill_9_between_all_the_steps_and_nothing_is_paid_for_twice(tmp_path: Path) -> None:
    """Six orders, each in another step when everything dies; two of them with a peer that takes an order once."""
    with peer(knows_keys=True) as there:
        house = engine_table(there, timeout_s=60.0)
        once = engine_table(there, timeout_s=60.0, takes_once=True).replace("engines.house", "engines.once")
        toml = house + once + models("house") + models("once").replace("models.veo3", "models.once")
        toml = toml.replace("\nfallback", "\nprices = { 720p = 60, 1080p = 60, 4k = 60, extend = 60 }\nfallback")
        with serving(tmp_path / "data", toml=toml, **QUICK) as server:
            before = balance(server)
            ids = _six_orders(server, there)
            server.kill()
        there.make_s = 0.0
        with serving(tmp_path / "data", toml=toml, **QUICK) as server:
            ends = {step: server.ended(task_id) for step, task_id in ids.items()}
            assert balance(server) == before - 4 * 60
    unclear = {step for step, end in ends.items() if end["successFlag"] != 1}
    assert unclear == {"taken, not told", "not taken, not told"}
    for step in unclear:
        assert ends[step]["successFlag"] == 3
        assert "so that nothing is paid for twice" in ends[step]["errorMessage"]
    prompts = sorted(order["prompt"] for order in there.orders)
    assert prompts == sorted(set(ids) - {"not taken, not told"})  # each once, though some were sent again


def _six_orders(server: Server, there: Peer) -> dict[str, str]:
    ids = {}

    def order(step: str, model: str = "veo3", *, fault: Fault | None = None, path: str = GENERATE) -> None:
        if fault is not None:
            there.fails(path, fault)
        ids[step] = server.create(step, duration=4, model=model)
        if fault is not None:
            until(lambda: used_up(there, path), f"the peer is asked in step {step}", 20)

    order("being fetched", fault=Fault(hang_s=60), path="/film")
    there.make_s = 3600
    order("being made")
    until(lambda: there.looks["veo_task_2"] > 1, "the second is looked after", 20)
    order("taken, not told", fault=Fault(hang_s=60, taken=True))
    order("not taken, not told", fault=Fault(hang_s=60))
    order("taken once, not told", "once", fault=Fault(hang_s=60, taken=True))
    order("not taken once, not told", "once", fault=Fault(hang_s=60))
    return ids


def test_where_one_breaks_down_the_next_one_makes_it_and_that_is_no_fallback(tmp_path: Path) -> None:
    """And after so many faults in a row the first is left alone, until one order has shown that it is well again."""
    with peer() as there:
        toml = engine_table(there, faults_to_rest=2, rest_s=8.0) + models("house", "trial")
        with serving(tmp_path / "data", toml=toml) as server:
            there.fails(GENERATE, *[Fault(503, b"<html>busy</html>") for _ in range(2)])
            ids = [server.create("a dog", duration=4)]
            for _ in range(2):
                record = server.ended(ids[-1])
                assert (record["successFlag"], record["fallbackFlag"]) == (1, False)
                ids.append(server.create("a dog", duration=4))
            opened = time.monotonic()
            server.ended(ids[-1])
            assert there.orders == []  # it rests: the third was not even sent there
            assert _engines(server, ids[0]) == [("house", "engine_unavailable"), ("trial", "succeeded")]
            assert _engines(server, ids[2]) == [("trial", "succeeded")]
            assert any("engine=house event=breaker state=open" in line for line in server.log)
            time.sleep(max(0.0, opened + 8.0 - time.monotonic()))
            well = server.create("a cat", duration=4)
            assert server.ended(well)["successFlag"] == 1
            assert [order["prompt"] for order in there.orders] == ["a cat"]
            assert any("engine=house event=breaker state=closed" in line for line in server.log)


def _engines(server: Server, task_id: str) -> list[tuple[str, str]]:
    return [(run["engine"], run["outcome"]) for run in runs(server, task_id)]


def test_a_refusal_there_is_a_case_for_a_fallback_here_where_the_order_says_so(tmp_path: Path) -> None:
    refused = {"successFlag": 2, "errorCode": 400, "errorMessage": "public error prominent people upload"}
    with (
        peer(failing=refused) as there,
        serving(tmp_path / "data", toml=engine_table(there) + models("house", "trial")) as server,
    ):
        allowed = server.create("a dog", duration=4, enableFallback=True)
        not_allowed = server.create("a dog", duration=4)
        record = server.ended(allowed)
        assert (record["successFlag"], record["fallbackFlag"]) == (1, True), record
        record = server.ended(not_allowed)
        assert (record["successFlag"], record["errorCode"]) == (2, 400)
        assert "public error prominent people upload" in record["errorMessage"]


def test_who_cancels_here_cancels_there(tmp_path: Path) -> None:
    with peer(make_s=3600) as there, serving(tmp_path / "data", toml=engine_table(there) + models("house")) as server:
        before = balance(server)
        task_id = server.create("a dog", duration=4)
        until(lambda: there.looks["veo_task_1"], "it is looked after")
        assert server.record(task_id)["state"] == "generating"
        assert server.http.post("/api/v1/veo/cancel", json={"taskId": task_id}).json()["code"] == 200
        until(lambda: there.cancelled == ["veo_task_1"], "it is cancelled there", 20)
        assert balance(server) == before


def test_without_a_server_too_and_what_is_interrupted_is_cancelled_there(tmp_path: Path) -> None:
    with peer() as there:
        config = tmp_path / "filmgate.toml"
        config.write_text(engine_table(there) + models("house"))
        command = [sys.executable, "-m", "filmgate", "generate", "a dog", "--duration", "4", "--config", str(config)]
        bare = {name: value for name, value in os.environ.items() if not name.startswith("FILMGATE_")}
        made = subprocess.run([*command, "-o", tmp_path / "dog.mp4"], env=bare, capture_output=True, timeout=60)
        assert made.returncode == 0, made.stderr
        assert (tmp_path / "dog.mp4").read_bytes()[4:8] == b"ftyp"
        there.make_s = 3600
        with subprocess.Popen([*command, "-o", tmp_path / "cat.mp4"], env=bare, stderr=subprocess.PIPE) as making:
            until(lambda: there.looks["veo_task_2"], "it is looked after")
            making.send_signal(signal.SIGINT)
            making.communicate(timeout=30)
        assert there.cancelled == ["veo_task_2"]
        assert len(there.orders) == 2
