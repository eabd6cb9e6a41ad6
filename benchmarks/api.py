"""How many durable orders and looks at tasks the API answers, beside a bare application on the same machine.

    python benchmarks/api.py                    SQLite: rates, dispatch, claims from a long queue
    python benchmarks/api.py --rows 1000000     the same rates with a full table beside those with an empty one
    python benchmarks/api.py --memory           memory at task 10,000 and at task 100,000
    python benchmarks/api.py --postgres URL     any of these on PostgreSQL, in a database of its own

Everything is on: authentication, validation, the rate limiter (set high), the hold of credits, group commit and fsync.
The API has no worker beside it while rates are measured. Each run stands beside one of the bare application; what
counts is the median of their ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import wrk
from chaos.books import drop_database, new_database
from filmgate.app.parts import opened
from filmgate.settings import Settings
from hello import hello
from measure import RUNS, Row, calibration, own_mib, process_tree, show
from serving import Server, server
from start import dispatch_ms
from tables import count_ended, count_tasks, fill, grant, ids

ORDER: dict[str, object] = {"prompt": "A dog playing in a park", "model": "veo3_lite", "duration": 4}
GENERATE, RECORD = "/api/v1/veo/generate", "/api/v1/veo/record-info"
RUN_S = 3
FILMS = 4
CLAIMS = 200
MODELS = ("veo3", "veo3_fast", "veo3_lite")
LIMITS, HIGH = ("CREATES_PER_10S", "QUERIES_PER_S", "QUEUE", "QUEUE_PER_ACCOUNT"), 1_000_000  #: on, and out of the way


@dataclass(frozen=True, slots=True)
class Bounds:
    """Shares of the bare application's rate."""

    creates: float
    live: float
    ended: float


SQLITE, POSTGRES = Bounds(0.12, 0.40, 0.40), Bounds(0.05, 0.08, 0.25)


@dataclass(frozen=True, slots=True)
class Place:
    """A data folder with a database that the server itself has laid out, and stopped."""

    folder: Path
    url: str | None  #: of PostgreSQL

    @property
    def database(self) -> Path | str:
        return self.url or self.folder / "data" / "filmgate.db"

    @property
    def environment(self) -> dict[str, str]:
        database = {} if self.url is None else {"FILMGATE_DATABASE_URL": self.url}
        return {f"FILMGATE_LIMITS__{limit}": str(HIGH) for limit in LIMITS} | database

    def settings(self) -> Settings:
        return replace(Settings(), data=self.folder / "data", database_url=self.url)


@contextlib.contextmanager
def place(postgres: str | None) -> Iterator[Place]:
    """With a few films and a queued order in it, and credits without end."""
    name = f"bench_{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="filmgate-bench-") as folder:
        made = Place(Path(folder), new_database(postgres, name) if postgres else None)
        try:
            with server(made.folder, **made.environment) as measured:
                measured.answers("/readyz")
                for task_id in [measured.create("stock") for _ in range(FILMS)]:
                    measured.ended(task_id)
            with _answering(made) as measured:
                measured.create("stock")
            grant(made.database)
            yield made
        finally:
            if postgres:
                drop_database(postgres, name)


@contextlib.contextmanager
def _answering(at: Place) -> Iterator[Server]:
    """An API process without a worker."""
    with server(at.folder, "--no-worker", **at.environment) as measured:
        measured.answers("/healthz")
        yield measured


# ---------------------------------------------------------------- rates -------------------------------------------


@dataclass
class Figures:
    """Of the runs so far."""

    bare: list[float] = field(default_factory=list)
    creates: list[wrk.Load] = field(default_factory=list)
    live: list[wrk.Load] = field(default_factory=list)
    ended: list[wrk.Load] = field(default_factory=list)

    def share(self, what: str) -> float:
        """The median of its rate over that of the bare application in the same round."""
        return statistics.median(load.rate / bare for load, bare in zip(self.loads(what), self.bare, strict=True))

    def p99(self, what: str) -> float:
        return statistics.median(load.p99_ms for load in self.loads(what))

    def loads(self, what: str) -> list[wrk.Load]:
        return {"creates": self.creates, "live": self.live, "ended": self.ended}[what]


def measure_round(figures: Figures, bare: str, measured: Server, at: Place) -> None:
    """One of each, one after the other."""
    figures.bare.append(wrk.gets(bare, ["/"], RUN_S).rate)
    before = count_tasks(at.database)
    figures.creates.append(wrk.posts(measured.url, GENERATE, ORDER, RUN_S))
    if (made := count_tasks(at.database) - before) < figures.creates[-1].requests:
        raise SystemExit(f"{figures.creates[-1].requests} orders were answered, and {made} tasks were made")
    for loads, ended in ((figures.live, False), (figures.ended, True)):
        paths = [f"{RECORD}?taskId={task_id}" for task_id in _readable(measured, at, ended=ended)]
        loads.append(wrk.gets(measured.url, paths, RUN_S))


def _readable(measured: Server, at: Place, *, ended: bool) -> list[str]:
    """Tasks of the key's own account; other accounts have copies of them."""
    found = ids(at.database, ended=ended, limit=200)
    own = [task_id for task_id in found if _is_own(measured, task_id)][:50]
    if not own:
        raise SystemExit("the key has no such task")
    return own


def _is_own(measured: Server, task_id: str) -> bool:
    return bool(measured.http.get(RECORD, params={"taskId": task_id}).json()["code"] == 200)


def rates(postgres: str | None) -> tuple[str, list[Row]]:
    bounds, figures = POSTGRES if postgres else SQLITE, Figures()
    with place(postgres) as at, hello() as bare, _answering(at) as measured:
        for _ in range(RUNS):
            measure_round(figures, bare, measured, at)
    rows = [
        Row("durable creates over the bare application", figures.share("creates"), bounds.creates, "x", at_least=True),
        Row("record-info of live tasks over it", figures.share("live"), bounds.live, "x", at_least=True),
        Row("record-info of ended tasks over it", figures.share("ended"), bounds.ended, "x", at_least=True),
    ]
    if postgres is None:
        rows += [
            Row("creates, p99 at 32 connections", figures.p99("creates"), 60.0, "ms"),
            Row("record-info of live tasks, p99", figures.p99("live"), 15.0, "ms"),
            Row("record-info of ended tasks, p99", figures.p99("ended"), 15.0, "ms"),
        ]
    return _absolute(figures), rows


def _absolute(figures: Figures) -> str:
    of = {"hello": statistics.median(figures.bare)} | {
        what: statistics.median(load.rate for load in figures.loads(what)) for what in ("creates", "live", "ended")
    }
    return "requests a second: " + ", ".join(f"{what} {rate:,.0f}" for what, rate in of.items())


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


def long_queue(postgres: str | None) -> list[Row]:
    """Claims from 100,000 queued tasks of 1,000 accounts."""
    with place(postgres) as at:
        fill(at.database, finished=0, queued=100_000, of_accounts=1_000)
        took = [_p99(asyncio.run(_claim_ms(at, CLAIMS))) for _ in range(RUNS)]
    return [Row("claim from 100,000 queued tasks, p99", statistics.median(took), 10.0, "ms")]


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def full_table(postgres: str | None, finished: int) -> tuple[str, list[Row]]:
    """The same measurements over an empty and over a full table, in turn."""
    empty_figures, full_figures = Figures(), Figures()
    with place(postgres) as empty, place(postgres) as full:
        fill(empty.database, finished=0, queued=CLAIMS * RUNS)
        fill(full.database, finished=finished, queued=10_000)
        claims = [(_median_claim(empty), _median_claim(full)) for _ in range(RUNS)]  # before others fill the queues
        with hello() as bare, _answering(empty) as little, _answering(full) as much:
            for _ in range(RUNS):
                measure_round(empty_figures, bare, little, empty)
                measure_round(full_figures, bare, much, full)
    rows = [
        Row(f"{what} over an empty table's", _kept_share(empty_figures, full_figures, what), 0.8, "x", at_least=True)
        for what in ("creates", "live", "ended")
    ]
    kept = statistics.median(few / many for few, many in claims)
    rows.append(Row("claims a second over an empty table's", kept, 0.8, "x", at_least=True))
    return f"empty: {_absolute(empty_figures)}\n  full:  {_absolute(full_figures)}", rows


def _median_claim(at: Place) -> float:
    return statistics.median(asyncio.run(_claim_ms(at, CLAIMS)))


def _kept_share(empty: Figures, full: Figures, what: str) -> float:
    pairs = zip(empty.loads(what), full.loads(what), strict=True)
    return statistics.median(much.rate / little.rate for little, much in pairs)


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
        paths = [f"{RECORD}?taskId={task_id}" for task_id in _readable(measured, at, ended=True)]
        wrk.gets(measured.url, paths, 1)
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
    calibrations = [calibration() for _ in range(RUNS)]
    where = "PostgreSQL" if options.postgres else "SQLite"
    if options.memory:
        said, rows = "", memory(options.postgres)
    elif options.rows:
        said, rows = full_table(options.postgres, options.rows)
    else:
        said, rows = rates(options.postgres)
        if not options.postgres:
            rows.append(Row("idle: POST to the job's being in its slot", statistics.median(dispatch_ms()), 15.0, "ms"))
        rows += long_queue(options.postgres)
    kept = show(f"The API on {where}", rows, calibrations)
    print(f"  {said}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
