"""How far a pipeline is, and how it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from ...domain.errors import Cancelled
from ...ports import Job

BEGUN, DENOISED, DEVELOPED = 0.03, 0.86, 0.9  #: of the progress bar


class Steps:
    """Stands where a pipeline has its progress bar, and calls ``tick`` with the number of steps that are done.

    Every pipeline of diffusers has one and tells it of each step; the callback for the end of a step is missing in
    HunyuanVideo-1.5, in the super-resolution of Kandinsky 6, and elsewhere. What ``tick`` raises ends the pipeline.
    """

    def __init__(self, tick: Callable[[int], None] = lambda done: None) -> None:
        self._tick = tick
        self.done = 0
        self._began = self._last = time.perf_counter()

    def __call__(self, iterable: Iterable[Any] | None = None, total: int | None = None) -> Any:
        return self if iterable is None else self._over(iterable)

    def _over(self, iterable: Iterable[Any]) -> Iterator[Any]:
        for each in iterable:
            yield each
            self.update()

    def update(self, count: int = 1) -> None:
        self.done += count
        self._last = time.perf_counter()
        self._tick(self.done)

    @property
    def seconds(self) -> float:
        """To the end of the last step."""
        return self._last - self._began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """The pipeline leaves its steps."""


def denoising(job: Job, steps: int) -> Callable[[int], None]:
    """A tick that reports each step of so many, and raises Cancelled."""

    def tick(done: int) -> None:
        check(job)
        if done < steps:
            job.report(BEGUN + (DENOISED - BEGUN) * done / steps, f"denoising, step {done} of {steps}")
        else:
            job.report(DENOISED, "developing the pictures")

    return tick


def check(job: Job) -> None:
    """Raises Cancelled where nobody wants it any more."""
    if job.cancelled():
        raise Cancelled
