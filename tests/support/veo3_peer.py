"""A server of the Veo3 API as others have built it: any edition, with an order book, and as ill-behaved as it is told.

It lives in the test's own process, so that it goes on while the server that is under test is killed, and knows what was
really ordered from it.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from trial_engine import trial_film

from .web import Quiet, web_server

KEY = "a-key-for-the-peer-that-nobody-is-to-see"


@dataclass
class Fault:
    """What is answered in place of an answer."""

    status: int = 200
    body: bytes | dict[str, Any] = b""
    hang_s: float = 0.0  #: before anything is said
    cut: bool = False  #: the connection ends in the middle of the body
    drip_s: float = 0.0  #: between two bytes
    taken: bool = False  #: the order is taken all the same


@dataclass
class Peer:
    """``faults`` are answered once each, by path; "/film" is where films lie."""

    film: bytes
    make_s: float = 0.3
    edition: str = "array"  #: "json_string", "top_level", "status", "market": where a record has its links
    mirror: bool = False  #: HTTP statuses are those of the envelope
    knows_keys: bool = False  #: Idempotency-Key
    url: str = ""
    orders: list[dict[str, Any]] = field(default_factory=list)
    looks: Counter[str] = field(default_factory=Counter)
    cancelled: list[str] = field(default_factory=list)
    uploaded: list[bytes] = field(default_factory=list)
    failing: dict[str, Any] | None = None  #: what a record says of every task from now on
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    _tasks: dict[str, float] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fails(self, path: str, *faults: Fault) -> None:
        with self._lock:
            self.faults.setdefault(path, deque()).extend(faults)

    def fault(self, path: str) -> Fault | None:
        with self._lock:
            waiting = self.faults.get(path)
            return waiting.popleft() if waiting else None

    def order(self, body: dict[str, Any], key: str | None) -> str:
        with self._lock:
            if self.knows_keys and key in self._keys:
                return self._keys[key]
            self.orders.append(body)
            task_id = f"veo_task_{len(self.orders)}"
            self._tasks[task_id] = time.monotonic()
            if key is not None:
                self._keys[key] = task_id
            return task_id

    def record(self, task_id: str) -> dict[str, Any] | None:
        with self._lock:
            self.looks[task_id] += 1
            begun = self._tasks.get(task_id)
        if begun is None:
            return None
        if self.failing is not None:
            return {"taskId": task_id, **self.failing}
        done = time.monotonic() - begun >= self.make_s
        return {"taskId": task_id, **_record(self.edition, f"{self.url}/film/{task_id}.mp4", done)}


def _record(edition: str, link: str, done: bool) -> dict[str, Any]:
    if edition == "market":
        return {"state": "success" if done else "generating", "resultJson": json.dumps({"resultUrls": [link]})}
    if edition == "status":
        return {"status": int(done), "resultUrls": json.dumps([link]) if done else None}
    if edition == "top_level":
        return {"successFlag": str(int(done)), "response": None, "resultUrls": [link] if done else None}
    urls = json.dumps([link]) if edition == "json_string" else [link]
    return {"successFlag": int(done), "response": {"resultUrls": urls} if done else None, "errorCode": None}


@contextmanager
def peer(**how: Any) -> Iterator[Peer]:
    """A peer on a free port of loopback; its films are those of the trial engine, 4 s in 720p."""
    made = Peer(trial_film(1280, 720, 4), **how)
    with web_server(_speaking_for(made)) as made.url:
        yield made


def engine_table(made: Peer, **words: Any) -> str:
    """[engines.house] that leads to it; numbers, texts and truths as TOML has them."""
    table = {
        "kind": "veo3_upstream",
        "base_url": made.url,
        "api_key": KEY,
        "poll_s": 0.1,
        "timeout_s": 2.0,
        "rest_s": 1.0,
        **words,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    return "\n".join(["[engines.house]", *lines, ""])


def models(*engines: str) -> str:
    first, *others = engines
    names = ("veo3", "veo3_fast", "veo3_lite")
    return "".join(f'[models.{name}]\nengine = "{first}"\nfallback = {json.dumps(others)}\n' for name in names)


def _speaking_for(peer: Peer) -> type[BaseHTTPRequestHandler]:
    class Speaking(Quiet):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            parts = urlsplit(self.path)
            path = "/film" if parts.path.startswith("/film") else parts.path
            fault = peer.fault(path)
            if fault is not None:
                if fault.taken:
                    peer.order(json.loads(body), self.headers.get("Idempotency-Key"))
                self._misbehave(fault)
            elif path == "/film":
                self._send(200, peer.film, "video/mp4")
            elif self.headers.get("Authorization") != f"Bearer {KEY}":
                self._said(401, "You do not have access permissions", None)
            else:
                self._serve(path, body, {name: values[0] for name, values in parse_qs(parts.query).items()})

        def _serve(self, path: str, body: bytes, query: dict[str, str]) -> None:
            if path in ("/api/v1/veo/generate", "/api/v1/veo/extend"):
                task_id = peer.order(json.loads(body), self.headers.get("Idempotency-Key"))
                self._said(200, "success", {"taskId": task_id})
            elif path == "/api/v1/veo/record-info":
                found = peer.record(query.get("taskId", ""))
                self._said(200 if found else 422, "success" if found else "record is null", found)
            elif path == "/api/v1/veo/cancel":
                peer.cancelled.append(json.loads(body)["taskId"])
                self._said(200, "success", {})
            elif path == "/api/file-stream-upload":
                peer.uploaded.append(body)
                self._said(200, "success", {"downloadUrl": f"{peer.url}/film/upload-{len(peer.uploaded)}.png"})
            elif path == "/api/v1/chat/credit":
                self._said(200, "success", 5916.25)
            else:
                self._said(404, "no such address", None)

        def _said(self, code: int, msg: str, data: Any) -> None:
            body = json.dumps({"code": code, "msg": msg, "data": data}).encode()
            self._send(code if peer.mirror else 200, body, "application/json;charset=UTF-8")

        def _misbehave(self, fault: Fault) -> None:
            body = json.dumps(fault.body).encode() if isinstance(fault.body, dict) else fault.body
            time.sleep(fault.hang_s)
            try:
                if fault.cut:
                    self._send(fault.status, body, "application/json", length=len(body) + 100)
                    self.close_connection = True
                elif fault.drip_s:
                    self._drip(fault.status, body, fault.drip_s)
                else:
                    self._send(fault.status, body, "application/json")
            except OSError:  # nobody listens any more
                self.close_connection = True

        def _drip(self, status: int, body: bytes, seconds: float) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(seconds)

        def _send(self, status: int, body: bytes, mime: str, length: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", mime)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)

    return Speaking


def secrets_in(folder: Path) -> list[str]:
    """Files below a folder that have the peer's key in them."""
    pattern = re.compile(re.escape(KEY).encode())
    return [str(each) for each in folder.rglob("*") if each.is_file() and pattern.search(each.read_bytes())]
