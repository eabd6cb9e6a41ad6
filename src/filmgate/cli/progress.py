"""Progress on standard error: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .saying import plain, say

Report = Callable[[float, str], None]  #: fraction 0 to 1, and the stage in plain words

STEP = 0.25  #: the lines of a stage are at least this far apart


@contextmanager
def reporting(*, quiet: bool) -> Iterator[Report]:
    """A function to report progress to, while the block runs."""
    if quiet:
        yield lambda fraction, stage: None
    elif sys.stderr.isatty():
        with _bar() as report:
            yield report
    else:
        yield Lines(lambda line: say(line, err=True))


class Lines:
    """Says every new stage, and every quarter of a long one."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: tuple[float, str] = (-1.0, "")

    def __call__(self, fraction: float, stage: str) -> None:
        before, last = self._said
        if stage != last or fraction >= before + STEP:
            self._said = (fraction, stage)
            self._say(f"{fraction:4.0%} {stage}")


@contextmanager
def _bar() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(style="yellow"),
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(complete_style="yellow", finished_style="green"),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        film = progress.add_task("starting", total=1.0)
        yield lambda fraction, stage: progress.update(film, completed=fraction, description=plain(stage))
