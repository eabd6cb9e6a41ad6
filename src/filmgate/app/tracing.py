"""Traces for OpenTelemetry, from the order of a film to the word that it is made.

The id of a task is 32 hexadecimal digits, which is what the id of a trace is: so the trace of a task has its id,
nothing has to be stored, and whoever knows a task finds its trace. The span of the order is the root, with the last 16
digits as its id, and every process hangs its own spans below it, when they are over and their times are known.

This module is imported only where traces are wanted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from ..domain.breaker import BreakerState
from ..domain.callback import Callback, Delivery
from ..domain.task import Task
from ..http.front import route_of

_TASK_ID = re.compile(rb'"taskId":"([0-9a-f]{32})"')
_MS, _S = 1_000_000, 1_000_000_000  #: in nanoseconds


class Tracer:
    """The spans of one process (``ports.Watch``). What failed is marked as an error; nothing of a prompt is told."""

    def __init__(self, provider: TracerProvider, ids: _Ids) -> None:
        self._ids = ids
        self._tracer = provider.get_tracer("filmgate", __version__)

    def ordered(self, task_id: str, name: str, began_ns: int, links: list[Link]) -> None:
        """The root."""
        with self._ids.chosen(_trace_id(task_id), _root_id(task_id)):
            span = self._tracer.start_span(
                name, Context(), SpanKind.SERVER, {"filmgate.task": task_id}, links, start_time=began_ns
            )
        span.end()

    def claimed(self, task: Task, engine: str, waited_s: float) -> None:
        self._span(task, "wait", engine, waited_s)

    def stage(self, task: Task, engine: str, stage: str, seconds: float) -> None:
        self._span(task, stage, engine, seconds)

    def ended(self, task: Task, engine: str, outcome: str, seconds: float) -> None:
        well = outcome in ("succeeded", "handed_over")
        self._span(task, "attempt", engine, seconds, None if well else outcome)

    def breaker(self, engine: str, state: BreakerState) -> None:
        """No span: it is of no task."""

    def told(self, callback: Callback, delivery: Delivery) -> None:
        attributes: dict[str, AttributeValue] = {
            "filmgate.task": callback.task_id,
            "filmgate.callback": callback.id,
            "filmgate.try": delivery.number,
            "server.address": _host(callback.url),
        }
        if delivery.status is not None:
            attributes["http.response.status_code"] = delivery.status
        began = delivery.at_ms * _MS
        span = self._below(callback.task_id, "callback", began, attributes, SpanKind.CLIENT)
        _end(span, began + delivery.latency_ms * _MS, None if delivery.accepted else "not accepted")

    def _span(self, task: Task, name: str, engine: str, seconds: float, error: str | None = None) -> None:
        end = time.time_ns()
        attributes: dict[str, AttributeValue] = {
            "filmgate.task": task.id,
            "filmgate.attempt": task.attempt,
            "filmgate.model": task.spec.model,
            "filmgate.engine": engine,
        }
        _end(self._below(task.id, name, end - round(seconds * _S), attributes, SpanKind.INTERNAL), end, error)

    def _below(
        self, task_id: str, name: str, began_ns: int, attributes: dict[str, AttributeValue], kind: SpanKind
    ) -> Span:
        root = SpanContext(_trace_id(task_id), _root_id(task_id), True, TraceFlags(TraceFlags.SAMPLED))
        below = trace.set_span_in_context(NonRecordingSpan(root), Context())
        return self._tracer.start_span(name, below, kind, attributes, start_time=began_ns)


@contextmanager
def tracer(endpoint: str, process: str) -> Iterator[Tracer]:
    """Spans go to an OTLP receiver, over HTTP, from a thread. What is still to be sent is sent at the end."""
    about = {"service.name": "filmgate", "service.version": __version__, "service.instance.id": process}
    ids = _Ids()
    provider = TracerProvider(resource=Resource.create(about), id_generator=ids, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    try:
        yield Tracer(provider, ids)
    finally:
        provider.shutdown()


class Traced:
    """Around all routes: an order is the root of its task's trace, and linked with the caller's, where it sends one."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        began, ordered = time.time_ns(), None

        async def noting(message: Message) -> None:
            nonlocal ordered
            if found := _TASK_ID.search(message.get("body", b"")):
                ordered = found[1].decode()
            await send(message)

        await self._app(scope, receive, noting)
        if ordered is not None:
            self._tracer.ordered(ordered, f"POST {route_of(scope)}", began, _links(scope))


class _Ids(RandomIdGenerator):
    """Random ones, but for the root of a task's trace."""

    def __init__(self) -> None:
        self._chosen: tuple[int, int] | None = None

    @contextmanager
    def chosen(self, trace_id: int, span_id: int) -> Iterator[None]:
        self._chosen = trace_id, span_id
        try:
            yield
        finally:
            self._chosen = None

    def generate_trace_id(self) -> int:
        return self._chosen[0] if self._chosen else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self._chosen[1] if self._chosen else super().generate_span_id()


def _trace_id(task_id: str) -> int:
    return int(task_id, 16)


def _root_id(task_id: str) -> int:
    return int(task_id[16:], 16)


def _links(scope: Scope) -> list[Link]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    caller = trace.get_current_span(TraceContextTextMapPropagator().extract(headers, Context())).get_span_context()
    return [Link(caller)] if caller.is_valid else []


def _end(span: Span, at_ns: int, error: str | None) -> None:
    if error is not None:
        span.set_status(Status(StatusCode.ERROR, error))
    span.end(at_ns)


def _host(url: str) -> str:
    """Paths and queries may hold secrets."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
