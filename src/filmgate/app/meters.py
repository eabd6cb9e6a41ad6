"""What Prometheus is told. The API's process answers for all of them: what is in the database is counted when somebody
asks, and what the runner has measured it writes to a file every few seconds, which is read then."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from ..domain.breaker import BreakerState
from ..domain.callback import Callback, Delivery
from ..domain.task import Task
from ..ports import Slots
from ..settings import Settings
from ..store.counts import Counts, SqlCounts
from .place import films_folder
from .private import private_folder

log = logging.getLogger("filmgate.metrics")

FOLDER, WRITE_EVERY_S = "metrics", 5.0
_WAITS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
_RUNS = (0.05, 0.25, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 900)
_COMMITS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 30)


@dataclass
class Meters:
    """The measurements of one process."""

    process: str
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        words = "Seconds that a transaction of the database took, its flush to the disk included."
        self._commits = self._histogram("filmgate_database_commit_seconds", words, ("process",), _COMMITS)
        words = "Requests that shared one transaction."
        self._batches = self._histogram(
            "filmgate_database_batch_size", words, ("process",), (1, 2, 4, 8, 16, 32, 64, 128)
        )

    def _histogram(self, name: str, words: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, words, labels, buckets=buckets, registry=self.registry)

    def committed(self, pieces: int, seconds: float) -> None:
        """For ``Database(observe=...)``."""
        self._commits.labels(self.process).observe(seconds)
        self._batches.labels(self.process).observe(pieces)


class RunnerMeters(Meters):
    """And what a runner does (``ports.Watch``)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        by = ("model", "engine")
        self._waits = self._histogram("filmgate_task_wait_seconds", "Seconds from the order to its claim.", by, _WAITS)
        words = "Seconds that an attempt took, by how it ended."
        self._attempts = self._histogram("filmgate_attempt_seconds", words, (*by, "outcome"), _RUNS)
        words = "Seconds that a part of an attempt took: inputs, render, finish, publish."
        self._stages = self._histogram("filmgate_stage_seconds", words, (*by, "stage"), _RUNS)
        words = "Whether a remote engine is asked: 1 for the state that its breaker is in."
        self._breakers = Gauge("filmgate_engine_breaker", words, ("engine", "state"), registry=self.registry)
        words = "Slots of this runner, by what they hold and what they do."
        self._slots = Gauge("filmgate_slots", words, ("kind", "state"), registry=self.registry)

    def claimed(self, task: Task, engine: str, waited_s: float) -> None:
        self._waits.labels(task.spec.model, engine).observe(waited_s)

    def stage(self, task: Task, engine: str, stage: str, seconds: float) -> None:
        self._stages.labels(task.spec.model, engine, stage).observe(seconds)

    def ended(self, task: Task, engine: str, outcome: str, seconds: float) -> None:
        self._attempts.labels(task.spec.model, engine, outcome).observe(seconds)

    def breaker(self, engine: str, state: BreakerState) -> None:
        for each in BreakerState:
            self._breakers.labels(engine, each.value).set(float(each is state))

    def told(self, callback: Callback, delivery: Delivery) -> None:
        """The deliveries are counted in the database, so that they are those of all workers."""

    async def publish(self, file: Path, slots: Slots) -> None:
        """Write it all down every few seconds, until cancelled."""
        private_folder(file.parent)
        while True:
            self._slots.clear()
            for each in slots.health():
                self._slots.labels(each.kind, each.state).inc()
            try:
                await asyncio.to_thread(_replace, file, generate_latest(self.registry))
            except OSError as error:  # the next ones are newer anyway, and their age is told
                log.warning("event=metrics_not_written %s", error.strerror)
            await asyncio.sleep(WRITE_EVERY_S)


def runner_file(settings: Settings) -> Path:
    return settings.data / FOLDER / "runner.prom"


def _replace(file: Path, text: bytes) -> None:
    """Not flushed: after a crash of the machine nobody wants it."""
    unfinished = file.with_suffix(".new")
    unfinished.write_bytes(text)
    os.replace(unfinished, file)


# ---------------------------------------------------------------- for whoever asks --------------------------------


@dataclass(frozen=True)
class Report:
    """Everything that /metrics says."""

    meters: Meters
    counts: SqlCounts
    settings: Settings
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        ProcessCollector(registry=self.meters.registry)

    async def text(self) -> bytes:
        async with self._one_at_a_time:
            counts = await self.counts.counts()
        return await asyncio.to_thread(generate_latest, _Merged(self._families(counts)))

    def _families(self, counts: Counts) -> Iterator[Metric]:
        yield from _of_database(counts)
        yield from _of_disks(self.settings)
        yield from self.meters.registry.collect()
        yield from _of_runner(runner_file(self.settings))


@dataclass(frozen=True)
class _Merged(CollectorRegistry):
    """Families of several processes: samples of one name stand together."""

    families: Iterable[Metric]

    def collect(self) -> Iterator[Metric]:
        merged: dict[str, Metric] = {}
        for family in self.families:
            if family.name in merged:
                merged[family.name].samples.extend(family.samples)
            else:
                merged[family.name] = family
        return iter(merged.values())


def _of_database(counts: Counts) -> Iterator[Metric]:
    tasks = GaugeMetricFamily("filmgate_tasks", "Tasks that have not ended.", labels=("model", "status"))
    for (model, status), count in counts.tasks.items():
        tasks.add_metric((model, status), count)
    yield tasks
    yield GaugeMetricFamily(
        "filmgate_queue_oldest_seconds", "Seconds since the oldest queued task was ordered.", counts.oldest_s
    )
    yield GaugeMetricFamily("filmgate_callbacks_pending", "Callbacks that are still to be told.", counts.owed)
    yield GaugeMetricFamily("filmgate_workers", "Workers that were heard of in time.", counts.workers)
    credits = CounterMetricFamily(
        "filmgate_credits", "Credits of the ledger: granted, held, charged, refunded.", labels=("kind",)
    )
    for kind, amount in counts.credits.items():
        credits.add_metric((kind,), amount)
    yield credits
    deliveries = CounterMetricFamily("filmgate_deliveries", "Deliveries on record, by the answer.", labels=("outcome",))
    for outcome, count in counts.deliveries.items():
        deliveries.add_metric((outcome,), count)
    yield deliveries


def _of_disks(settings: Settings) -> Iterator[Metric]:
    free = GaugeMetricFamily("filmgate_disk_free_bytes", "Free bytes where data and films are kept.", labels=("place",))
    for place, folder in (("data", settings.data), ("films", films_folder(settings))):
        if folder.exists():
            free.add_metric((place,), shutil.disk_usage(folder).free)
    yield free


def _of_runner(file: Path) -> Iterator[Metric]:
    if not file.exists():
        return
    age = max(0.0, time.time() - file.stat().st_mtime)
    yield GaugeMetricFamily(
        "filmgate_runner_metrics_age_seconds", "Seconds since the runner has written its figures.", age
    )
    yield from text_string_to_metric_families(file.read_text())
