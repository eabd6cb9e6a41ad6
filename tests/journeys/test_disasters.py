"""Processes die, hang and are killed; no task is lost, nothing is done twice in sight, nothing is left lying about."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from support.receiver import receiving
from support.server import TRIAL, NotStarted, Server, serving, until


def _child(server: Server, word: str) -> int:
    """The one process below the server whose command line or place says that it is this one."""
    for pid in server.pids():
        if word in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
            return pid
    raise AssertionError(f"no process {word!r} below the server")


def _left(data: Path) -> list[Path]:
    """What nobody will ever read: work folders, and puts that were interrupted."""
    half_stored = (data / "media").rglob(".incoming-*")
    return [path for path in (*(data / "tmp").rglob("*"), *half_stored) if path.is_file()]


def test_kill_9_of_everything_in_mid_render(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with receiving() as receiver:
        with serving(data) as server:
            task_id = server.create("slow 4", duration=4, callBackUrl=receiver.url)
            until(lambda: server.record(task_id)["progress"] > 0.2, "it is in the middle of rendering")
            pids = server.pids()
            server.kill()
        until(lambda: not [pid for pid in pids if _runs(pid)], "all processes are gone", 10)
        with serving(data) as server:
            assert server.ended(task_id)["successFlag"] == 1
            until(lambda: receiver.bodies, "the callback arrives")
            until(lambda: not _left(data), "the temporary folder is empty")
            assert receiver.bodies[0]["data"]["taskId"] == task_id
        assert len(receiver.bodies) == 1
        assert not any("API key" in line for line in server.log)


def test_kill_9_of_the_parent_takes_the_children_along(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        task_id = server.create("slow 60", duration=4)
        until(lambda: server.record(task_id)["state"] == "generating", "it is being made")
        pids = server.pids()
        assert len(pids) >= 5  # parent, API, runner, engine slot, media slot
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        until(lambda: not [pid for pid in pids if _runs(pid)], "all processes are gone", 10)


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_render_that_crashes_three_times_fails_and_the_next_one_works(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        crashing, survivor, recovering = (
            server.create(prompt, duration=4) for prompt in ("crash", "a dog", "crash till 3")
        )
        record = server.ended(crashing)
        assert record["successFlag"] == 3
        assert record["errorCode"] == 501
        assert "3 attempts" in record["errorMessage"]
        assert "died" in record["errorMessage"]
        assert server.ended(survivor)["successFlag"] == 1
        assert server.ended(recovering)["successFlag"] == 1
        assert not _left(tmp_path / "data")


def test_a_render_that_hangs_is_killed_and_replaced(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_WORKER__SILENCE_TIMEOUT_S="4") as server:
        hanging, next_one = server.create("hang", duration=4), server.create("a dog", duration=4)
        assert server.ended(next_one)["successFlag"] == 1
        record = server.ended(hanging)
        assert record["successFlag"] == 3
        assert "no sign of life" in record["errorMessage"]


def test_a_dead_runner_is_replaced_and_its_task_taken_back(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        task_id = server.create("slow 3", duration=4)
        until(lambda: server.record(task_id)["progress"] > 0.2, "it is in the middle of rendering")
        slot = _child(server, "filmgate.engines.slot trial")
        runner = int(Path(f"/proc/{slot}/stat").read_text().split(") ")[1].split()[1])
        os.kill(runner, signal.SIGKILL)
        assert server.ended(task_id)["successFlag"] == 1
        until(lambda: not _runs(slot), "the dead runner's slot is gone")
        assert any("event=restart process=runner" in line for line in server.log)


def test_a_dead_api_process_is_replaced_and_no_connection_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        task_id = server.create("a dog", duration=4)
        runner = int(
            Path(f"/proc/{_child(server, 'filmgate.engines.slot')}/stat").read_text().split(") ")[1].split()[1]
        )
        api = next(
            int(pid)
            for pid in Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
            if int(pid) != runner
        )
        os.kill(api, signal.SIGKILL)
        server.http.close()
        server.__post_init__()  # a new connection: the old one died with its process
        assert server.ended(task_id)["successFlag"] == 1


def test_sigterm_drains(tmp_path: Path) -> None:
    """A running film ends within the time-out; then the server goes, with code 0."""
    data = tmp_path / "data"
    with serving(data) as server:
        task_id = server.create("slow 2", duration=4)
        until(lambda: server.record(task_id)["state"] == "generating", "it is being made")
        assert server.stop() == 0
    with serving(data) as server:
        assert server.record(task_id)["successFlag"] == 1


def test_what_cannot_end_in_time_goes_back_to_the_queue(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--drain-timeout", "0.5") as server:
        task_id = server.create("slow 20", duration=4)
        until(lambda: server.record(task_id)["state"] == "generating", "it is being made")
        assert server.stop() == 0
    with serving(data, "--no-worker") as server:
        assert server.record(task_id)["state"] == "waiting"
        assert not _left(data)


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with (
        serving(data, ready=False),
        pytest.raises(NotStarted, match="Another `filmgate serve` uses"),
        serving(data, ready=False),
    ):
        pass


def test_the_first_key_is_written_to_a_private_file_and_only_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for _ in range(2):
        with serving(data, ready=False, toml=TRIAL, FILMGATE_INITIAL_API_KEY="") as server:
            key_file = data / "first-api-key"
            assert key_file.stat().st_mode & 0o777 == 0o600
            key = key_file.read_text().strip()
            assert key.startswith("fg_")
            assert not any(key in line for line in server.log)
            answer = server.http.get(
                "/api/v1/veo/record-info?taskId=none", headers={"Authorization": f"Bearer {key}"}
            ).json()
            assert answer["code"] == 422
    assert data.stat().st_mode & 0o777 == 0o700
