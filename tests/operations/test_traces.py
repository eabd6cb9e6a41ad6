"""Traces go from the order of a film to its callback, to a real receiver of OTLP over HTTP."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.receiver import receiving
from support.server import serving, until
from support.web import Quiet, web_server


@contextmanager
def collecting() -> Iterator[tuple[str, list[Any]]]:
    """Its address, and the spans that came."""
    spans: list[Any] = []

    class Door(Quiet):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with web_server(Door) as url:
        yield url, spans


def test_a_trace_has_the_id_of_its_task_and_goes_from_order_to_callback(tmp_path: Path) -> None:
    caller = "4bf92f3577b34da6a3ce929d0e0e4736"
    with receiving() as receiver, collecting() as (endpoint, spans):
        with serving(tmp_path / "data", FILMGATE_OTEL__ENDPOINT=endpoint) as server:
            server.http.headers["traceparent"] = f"00-{caller}-00f067aa0ba902b7-01"
            address = f"{receiver.url}?secret=hush"
            task_id = server.create("a dog with a secret name", duration=4, callBackUrl=address)
            assert server.ended(task_id)["successFlag"] == 1
            until(lambda: receiver.bodies, "the callback arrives")
            assert server.stop() == 0
        ours = {span.name: span for span in spans if span.trace_id.hex() == task_id}
    assert set(ours) == {
        "POST /api/v1/veo/generate",
        "wait",
        "inputs",
        "render",
        "finish",
        "publish",
        "attempt",
        "callback",
    }
    root = ours.pop("POST /api/v1/veo/generate")
    assert root.span_id.hex() == task_id[16:]
    assert not root.parent_span_id
    assert [link.trace_id.hex() for link in root.links] == [caller]
    assert all(span.parent_span_id == root.span_id for span in ours.values())
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano > 0 for span in ours.values())
    order = [ours[name].end_time_unix_nano for name in ("wait", "inputs", "render", "finish", "publish", "callback")]
    assert order == sorted(order)
    assert "hush" not in str(spans)
    assert "secret name" not in str(spans)


def test_a_receiver_that_is_not_there_holds_up_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_OTEL__ENDPOINT="http://127.0.0.1:9") as server:
        assert server.ended(server.create("a dog", duration=4))["successFlag"] == 1


def test_without_an_endpoint_nothing_is_imported(tmp_path: Path) -> None:
    look = (
        "import sys; import filmgate.app.api, filmgate.app.worker, filmgate.app.supervisor; "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "[]\n"
