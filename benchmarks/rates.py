"""Orders and looks at tasks, each beside the bare application: a place for a server, rounds, and their table.

Each run stands directly behind one of the bare application, and what counts is the median of the ratios of such pairs:
whatever else the machine does slows both.
"""

from __future__ import annotations

import contextlib
import secrets
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

import wrk
from chaos.books import drop_database, new_database
from filmgate.settings import Settings
from serving import Server, server
from tables import count_tasks, grant, ids

ORDER: dict[str, object] = {"prompt": "A dog playing in a park", "model": "veo3_lite", "duration": 4}
GENERATE, RECORD = "/api/v1/veo/generate", "/api/v1/veo/record-info"
LIMITS, HIGH = ("CREATES_PER_10S", "QUERIES_PER_S", "QUEUE", "QUEUE_PER_ACCOUNT"), 1_000_000  #: on, and out of the way
RUN_S, BARE_S = 3, 2
FILMS = 4
KINDS = {"creates": "durable creates", "live": "record-info, live tasks", "ended": "record-info, ended tasks"}


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
            with answering(made) as measured:
                measured.create("stock")
            grant(made.database)
            yield made
        finally:
            if postgres:
                drop_database(postgres, name)


@contextlib.contextmanager
def answering(at: Place) -> Iterator[Server]:
    """An API process without a worker."""
    with server(at.folder, "--no-worker", **at.environment) as measured:
        measured.answers("/healthz")
        yield measured


# ---------------------------------------------------------------- rounds ------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """A run, and that of the bare application right before it."""

    load: wrk.Load
    bare: wrk.Load

    @property
    def share(self) -> float:
        return self.load.rate / self.bare.rate


@dataclass
class Figures:
    """Of the runs so far."""

    pairs: dict[str, list[Pair]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def share(self, kind: str) -> float:
        return statistics.median(pair.share for pair in self.pairs[kind])

    def rate(self, kind: str) -> float:
        return statistics.median(pair.load.rate for pair in self.pairs[kind])

    def p99(self, kind: str) -> float:
        return statistics.median(pair.load.p99_ms for pair in self.pairs[kind])

    def bare(self) -> tuple[float, float]:
        """Requests a second, and the p99 in milliseconds: what of it is the machine's."""
        loads = [pair.bare for pairs in self.pairs.values() for pair in pairs]
        return statistics.median(load.rate for load in loads), statistics.median(load.p99_ms for load in loads)


def measure_round(figures: Figures, bare: str, measured: Server, at: Place) -> None:
    """One of each, one after the other."""
    for kind in KINDS:
        paths = [] if kind == "creates" else looks(measured, at, ended=kind == "ended")
        beside = wrk.gets(bare, ["/"], BARE_S)
        stored, told = count_tasks(at.database), _answered(measured)
        if kind == "creates":
            load = wrk.posts(measured.url, GENERATE, ORDER, RUN_S)
        else:
            load = wrk.gets(measured.url, paths, RUN_S)
        if (well := _answered(measured) - told) < load.requests:
            raise SystemExit(f"Of {load.requests} answers only {well} said 200.")
        if kind == "creates" and (made := count_tasks(at.database) - stored) < load.requests:
            raise SystemExit(f"{load.requests} orders were answered, and {made} tasks were stored.")
        figures.pairs[kind].append(Pair(load, beside))


def looks(measured: Server, at: Place, *, ended: bool) -> list[str]:
    """Addresses of tasks of the key's own account; other accounts have copies of them."""
    found = ids(at.database, ended=ended, limit=200)
    paths = [f"{RECORD}?taskId={task_id}" for task_id in found]
    own = [path for path in paths if measured.http.get(path).json()["code"] == 200][:50]
    if not own:
        raise SystemExit("The key has no such task.")
    return own


def _answered(measured: Server) -> int:
    """How many orders and looks were answered well so far, by the server's own count."""
    families = text_string_to_metric_families(measured.http.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    counted = [each for each in samples if each.name == "filmgate_http_request_seconds_count"]
    wanted = [each for each in counted if each.labels["route"] in (GENERATE, RECORD) and each.labels["code"] == "200"]
    return int(sum(each.value for each in wanted))


# ---------------------------------------------------------------- table -------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    share: float  #: of the bare application's rate, at least
    p99_ms: float | None  #: at 32 connections, at most


def show_rates(title: str, figures: Figures, bounds: dict[str, Bound]) -> bool:
    """Print the table; whether every bound was kept."""
    rate, p99_ms = figures.bare()
    print(f"\n{title} (bare application: {rate:,.0f} requests/s, p99 {p99_ms:.1f} ms)")
    print(f"  {'what':<27} {'share':>6} {'bound':>6} {'requests/s':>11} {'p99':>9} {'bound':>6}")
    verdicts = [_show(kind, figures, bound) for kind, bound in bounds.items()]
    return all(verdicts)


def _show(kind: str, figures: Figures, bound: Bound) -> bool:
    share, p99 = figures.share(kind), figures.p99(kind)
    missed: Sequence[str] = [
        *(["TOO FEW"] if share < bound.share else []),
        *(["TOO SLOW"] if bound.p99_ms is not None and p99 > bound.p99_ms else []),
    ]
    asked = "" if bound.p99_ms is None else f"{bound.p99_ms:g} ms"
    print(
        f"  {KINDS[kind]:<27} {share:>6.3f} {bound.share:>6.2f} {figures.rate(kind):>11,.0f} {p99:>6.1f} ms {asked:>6}"
        f"  {', '.join(missed) or 'ok'}"
    )
    return not missed
