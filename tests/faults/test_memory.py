"""An engine that runs out of memory, by a real allocation."""

from __future__ import annotations

import resource
from pathlib import Path

from support.faults import slot_of
from support.server import serving


def test_an_engine_out_of_memory_says_so_and_the_next_film_is_made(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        slot = slot_of(server)
        pages = int(Path(f"/proc/{slot}/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + 900 * 2**20
        resource.prlimit(slot, resource.RLIMIT_AS, (most, most))
        record = server.ended(server.create("gorge 4000", duration=4))
        assert record["successFlag"] == 3
        assert "ran out of memory" in record["errorMessage"]
        assert server.ended(server.create("a dog", duration=4))["successFlag"] == 1
