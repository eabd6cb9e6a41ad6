"""What the API is compared with: the smallest Starlette application, on the same server, loop and parser."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving import free_port


async def _hello(request: Request) -> Response:
    return JSONResponse({"code": 200, "msg": "success", "data": {"hello": "world"}})


app = Starlette(routes=[Route("/", _hello)])


@contextlib.contextmanager
def hello() -> Iterator[str]:
    """Its address, once it answers."""
    port = free_port()
    flags = ("--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "off", "--log-level", "error")
    command = [sys.executable, "-m", "uvicorn", "hello:app", "--port", str(port), *flags, "--no-access-log"]
    with subprocess.Popen(command, cwd=Path(__file__).parent) as process:
        try:
            yield _answering(f"http://127.0.0.1:{port}/")
        finally:
            process.terminate()
            process.wait(30)


def _answering(url: str) -> str:
    for _ in range(200):
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(url, timeout=2).status_code == 200:
                return url
        time.sleep(0.05)
    raise SystemExit("the bare application did not answer within 10 s")
