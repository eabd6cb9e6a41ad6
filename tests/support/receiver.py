"""A callback receiver: a real HTTP server on loopback that keeps what it was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .web import Quiet, web_server


@dataclass
class Receiver:
    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)  #: the bodies as they came; the last to be noted


@contextmanager
def receiving(answer: Callable[[int], int] = lambda number: 200) -> Iterator[Receiver]:
    """``answer`` maps the number of a delivery (1, 2 ...) to the status it gets."""
    receiver = Receiver("")

    class Door(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.bodies.append(json.loads(body))
            receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
            receiver.raw.append(body)
            self.send_response(answer(len(receiver.bodies)))
            self.send_header("Content-Length", "0")
            self.end_headers()

    with web_server(Door) as url:
        receiver.url = f"{url}/callback"
        yield receiver
