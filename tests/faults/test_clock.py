"""The machine's clock jumps by hours while the server works; its processes see it as they would for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.receiver import receiving
from support.server import PLUGIN, Server, serving, until
from support.tools import program

#: libfaketime refuses every sleep until a time of the clock that it does not fake, which is how Python sleeps.
_SLEEPS = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"


class Clock:
    """A clock of these processes alone, and how to set it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.jump(0)
        (folder / "sitecustomize.py").write_text(_SLEEPS)
        library = Path(program("faketime")).parents[1] / "lib"
        found = next(library.rglob("libfaketimeMT.so.1"))
        self.environment: dict[str, Any] = {
            "LD_PRELOAD": str(found),
            "PYTHONPATH": f"{folder}:{PLUGIN}",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def jump(self, hours: float) -> None:
        """So many hours from the real time."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{hours:+g}h\n")
        new.replace(self._file)


def _attempts(server: Server, task_id: str) -> str:
    return next(line for line in server.cli("tasks", "show", task_id).splitlines() if line.startswith("attempt"))


@pytest.mark.parametrize("hours", [3, -3])
def test_a_jump_of_the_clock_costs_no_film_and_holds_up_nothing(tmp_path: Path, hours: int) -> None:
    clock = Clock(tmp_path)
    with receiving() as receiver, serving(tmp_path / "data", "--drain-timeout", "1", **clock.environment) as server:
        making = server.create("slow 4", duration=4, callBackUrl=receiver.url)
        queued = server.create("a cat", duration=4, callBackUrl=receiver.url)
        until(lambda: server.record(making)["progress"] > 0.1, "it is being made")
        clock.jump(hours)
        later = server.create("a fox", duration=4, callBackUrl=receiver.url)
        for task_id in (making, queued, later):
            assert server.ended(task_id)["successFlag"] == 1
            assert _attempts(server, task_id).split() == ["attempt", "1"]
        until(lambda: len(receiver.bodies) == 3, "the callbacks arrive", 30)
        assert server.http.get("/readyz").status_code == 200


def test_what_was_to_be_tried_again_does_not_wait_for_the_old_time(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    with serving(tmp_path / "data", FILMGATE_WORKER__HEARTBEAT_S="1", **clock.environment) as server:
        task_id = server.create("crash till 2", duration=4)
        until(lambda: any("event=engine_crashed" in line for line in list(server.log)), "the first attempt has failed")
        clock.jump(-5)
        assert server.ended(task_id)["successFlag"] == 1
