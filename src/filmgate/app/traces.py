"""Whether there are traces at all: where there are none, nothing of OpenTelemetry is imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..settings import Settings
from .refusal import CannotStart

if TYPE_CHECKING:
    from .tracing import Tracer


def check_libraries(settings: Settings) -> None:
    """Raises CannotStart where traces are wanted and cannot be made."""
    if settings.otel.endpoint is not None and find_spec("opentelemetry") is None:
        raise CannotStart("Traces need more libraries: pip install 'filmgate[otel]'.", machine=True)


@contextmanager
def tracing(settings: Settings, process: str) -> Iterator[list[Tracer]]:
    """The one tracer of this process, or none."""
    if settings.otel.endpoint is None:
        yield []
        return
    from .tracing import tracer

    with tracer(settings.otel.endpoint, process) as traces:
        yield [traces]
