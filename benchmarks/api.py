"""How many durable orders and looks at tasks the API answers, beside a bare application on the same machine.

    python benchmarks/api.py                    SQLite: rates, dispatch, claims from a long queue
    python benchmarks/api.py --rows 1000000     the same rates with a full table beside those with an empty one
    python benchmarks/api.py --memory           memory at task 10,000 and at task 100,000
    python benchmarks/api.py --postgres URL     any of these on PostgreSQL, in a database of its own

Everything is on: authentication, validation, the limits (set high), the hold of credits, group commit and fsync. The
API has no worker beside it while rates are measured.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import wrk
from filmgate.app.parts import opened
from hello import hello
from measure import RUNS, Row, calibration, own_mib, process_tree, show
from rates import GENERATE, KINDS, ORDER, Bound, Figures, Place, answering, looks, measure_round, place, show_rates
from serving import Server, server
from start import dispatch_ms
from tables import count_ended, count_tasks, fill

CLAIMS = 200
MODELS = ("veo3", "veo3_fast", "veo3_lite")
SQLITE = {"creates": Bound(0.12, 60), "live": Bound(0.40, 15), "ended": Bound(0.40, 15)}
POSTGRES = {"creates": Bound(0.05, None), "live": Bound(0.08, None), "ended": Bound(0.25, None)}


def rates(postgres: str | None) -> bool:
    figures = Figures()
    with place(postgres) as at, hello() as bare, answering(at) as measured:
        for _ in range(RUNS):
            measure_round(figures, bare, measured, at)
    return show_rates("Rates", figures, POSTGRES if postgres else SQLITE)


# ---------------------------------------------------------------- claims ------------------------------------------


async def _claim_ms(at: Place, claims: int) -> list[float]:
    """Milliseconds of each of so many claims, one after the other, each durable."""
    took = []
    async with opened(at.settings()) as parts:
        for _ in range(claims):
            start = time.perf_counter()
            if await parts.tasks.claim("benchmark", 3_600_000, MODELS) is None:
                raise SystemExit("the queue was empty before the measurement was over")
            took.append((time.perf_counter() - start) * 1000)
    return took


def queue(postgres: str | None) -> list[Row]:
    """Dispatch on an idle server, and claims from 100,000 queued tasks of 1,000 accounts."""
    rows = []
    if postgres is None:
        rows.append(Row("idle: POST to the job in its slot, p50", statistics.median(dispatch_ms()), 15, "ms"))
    with place(postgres) as at:
        fill(at.database, finished=0, queued=100_000, of_accounts=1_000)
        took = [_p99(asyncio.run(_claim_ms(at, CLAIMS))) for _ in range(RUNS)]
    return [*rows, Row("claim from 100,000 queued tasks, p99", statistics.median(took), 10, "ms")]


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def full_table(postgres: str | None, finished: int) -> bool:
    """The same measurements over an empty and over a full table, in turn."""
    empty_figures, full_figures = Figures(), Figures()
    with place(postgres) as empty, place(postgres) as full:
        fill(empty.database, finished=0, queued=CLAIMS * RUNS)
        fill(full.database, finished=finished, queued=10_000)
        claims = [(_median_claim(empty), _median_claim(full)) for _ in range(RUNS)]  # before others fill the queues
        with hello() as bare, answering(empty) as little, answering(full) as much:
            for _ in range(RUNS):
                measure_round(empty_figures, bare, little, empty)
                measure_round(full_figures, bare, much, full)
    bounds = POSTGRES if postgres else SQLITE
    show_rates("Rates with an empty table", empty_figures, bounds)
    show_rates(f"Rates with {finished:,} finished and 10,000 queued tasks", full_figures, bounds)
    kept = statistics.median(few / many for few, many in claims)
    return show(
        "Full over empty",
        [
            *(
                Row(words, _kept_share(empty_figures, full_figures, kind), 0.8, "x", at_least=True)
                for kind, words in KINDS.items()
            ),
            Row("claims a second", kept, 0.8, "x", at_least=True),
        ],
    )


def _median_claim(at: Place) -> float:
    return statistics.median(asyncio.run(_claim_ms(at, CLAIMS)))


def _kept_share(empty: Figures, full: Figures, kind: str) -> float:
    """By their shares, so that a machine that was busy during one of the two does not count."""
    pairs = zip(empty.pairs[kind], full.pairs[kind], strict=True)
    return statistics.median(much.share / little.share for little, much in pairs)


# ---------------------------------------------------------------- memory ------------------------------------------


def memory(postgres: str | None) -> list[Row]:
    """Of the API and of the runner, at task 10,000 and at task 100,000. The engine refuses each order at once, so that
    a task goes all the way, claim, slot, refund and record, and nothing is encoded."""
    with place(postgres) as at, server(at.folder, "--drain-timeout", "5", **at.environment, **_FOUR_SLOTS) as measured:
        measured.answers("/readyz")
        api, runner = _processes(measured)
        early = _mib_at(measured, at, 10_000, api, runner)
        late = _mib_at(measured, at, 100_000, api, runner)
    names = ("memory of the API", "memory of the runner")
    for name, before, after in zip(names, early, late, strict=True):
        print(f"  {name}: {before:.1f} MiB at task 10,000, {after:.1f} MiB at task 100,000", file=sys.stderr)
    return [
        Row(f"{name} at task 100,000 over 10,000", after / before, 1.05, "x")
        for name, before, after in zip(names, early, late, strict=True)
    ]


_FOUR_SLOTS = {"FILMGATE_WORKER__SLOTS": "4"}


def _processes(measured: Server) -> tuple[int, int]:
    """API and runner: of the server's two children, the one without slots and the one with them."""
    children = [int(pid) for pid in Path(f"/proc/{measured.pid}/task/{measured.pid}/children").read_text().split()]
    api, runner = sorted(children, key=lambda pid: len(process_tree(pid)))
    return api, runner


def _mib_at(measured: Server, at: Place, ended: int, api: int, runner: int) -> tuple[float, float]:
    """Orders at the pace at which they end, with a look at each, until so many have ended."""
    while (done := count_ended(at.database)) < ended:
        if count_tasks(at.database, "queued") < 2_000:
            wrk.posts(measured.url, GENERATE, ORDER | {"prompt": "reject"}, 1)
        wrk.gets(measured.url, looks(measured, at, ended=True), 1)
        print(f"  {done:,} tasks have ended", file=sys.stderr)
        time.sleep(5.0)
    return own_mib(api), own_mib(runner)


# ---------------------------------------------------------------- together ----------------------------------------


def main() -> int:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--postgres", metavar="URL", help="a server on which the run may make databases of its own")
    asked.add_argument("--rows", type=int, metavar="N", help="compare a table of N finished tasks with an empty one")
    asked.add_argument("--memory", action="store_true", help="measure the memory after 10,000 and 100,000 tasks")
    options = asked.parse_args()
    wrk.check_installed()
    print(f"calibration loop: {statistics.median(calibration() for _ in range(RUNS)):.2f} s; medians of {RUNS} runs")
    if options.memory:
        kept = show("Memory", memory(options.postgres))
    elif options.rows:
        kept = full_table(options.postgres, options.rows)
    else:
        kept = rates(options.postgres)
        kept &= show("Queue", queue(options.postgres))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
