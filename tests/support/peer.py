"""A server that another system would be: real HTTP on loopback, which can be told to behave badly."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

import msgspec
import numpy as np

from filmgate.media.encode import Encoder

from .web import Quiet, web_server


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str  #: with the query
    headers: Mapping[str, str]  #: names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass(frozen=True)
class Told:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    how: Literal["whole", "cut", "drip", "silent", "close"] = "whole"
    works: bool = False  #: what was asked is done first, although the answer does not say so


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Told:
    return Told(status, msgspec.json.encode(value), {"content-type": "application/json", **(headers or {})})


class Peer:
    """``answer`` is the system; ``route`` names what is asked, for ``faults``: those are answered first, once each."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.faults: dict[str, list[Told]] = defaultdict(list)
        self.closing = threading.Event()
        self.lock = threading.Lock()

    def route(self, asked: Asked) -> str:
        raise NotImplementedError

    def answer(self, asked: Asked) -> Told:
        raise NotImplementedError

    def count(self, route: str) -> int:
        return sum(self.route(each) == route for each in self.asked)

    def told(self, asked: Asked) -> Told:
        with self.lock:
            self.asked.append(asked)
            waiting = self.faults[self.route(asked)]
            fault = waiting.pop(0) if waiting else None
        if fault is None or fault.works:
            right = self.answer(asked)
        return fault or right


P = TypeVar("P", bound=Peer)


@contextmanager
def running(peer: P) -> Iterator[P]:
    class Door(Quiet):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            with suppress(ConnectionError):
                super().handle_one_request()

        def _all(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            self._send(peer.told(asked))

        do_GET = do_POST = do_DELETE = do_HEAD = _all

        def _send(self, told: Told) -> None:
            if told.how in ("silent", "close"):
                self.close_connection = True
                if told.how == "silent":
                    peer.closing.wait(30)
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(told.body)))
            self.end_headers()
            if told.how == "whole":
                self.wfile.write(told.body)
                return
            self.close_connection = True
            if told.how == "cut":
                self.wfile.write(told.body[: len(told.body) // 2])
                return
            for byte in told.body:
                self.wfile.write(bytes([byte]))
                if peer.closing.wait(0.05):
                    return

    with web_server(Door, peer.closing.set) as peer.url:
        yield peer


@cache
def film(width: int, height: int, seconds: float, *, audio: bool = True, fps: int = 24, grey: int = 120) -> bytes:
    """A film as a server of films makes it."""
    picture = np.full((height, width, 4), 255, dtype=np.uint8)
    picture[:, :, :3] = grey
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with Encoder(path, width, height, fps, sound=audio, preset="ultrafast") as made:
            for _ in range(round(seconds * fps)):
                made.frame_bgra(picture)
            if audio:
                made.audio(np.zeros((round(seconds * 48000), 2), dtype=np.float32))
        return path.read_bytes()


@dataclass
class Films:
    """What a server has made, by id: how often it still says that it is not done, and what became of it."""

    looks: int = 2
    left: dict[str, int] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, made: Any) -> None:
        self.left[name], self.made[name] = self.looks, made

    def done(self, name: str) -> bool:
        self.left[name] -= 1
        return self.left[name] < 0
