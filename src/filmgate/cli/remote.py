"""What the commands ask of a server, through the Python client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..client import (
    Filmgate,
    FilmgateAPIError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    Record,
    TaskFailed,
)
from .failures import Exit, Failure
from .progress import Report

#: The rest is the server's side: no connection, no such key, no useful answer.
_OURS = {TaskFailed: Exit.FAILED, InsufficientCredits: Exit.FAILED, InvalidRequest: Exit.USAGE, NotFound: Exit.USAGE}


@contextmanager
def connected(url: str | None, api_key: str | None) -> Iterator[Filmgate]:
    """A client for the server. Its errors leave as Failures."""
    if not api_key:
        raise Failure("A key for the server is needed: give --api-key, or set FILMGATE_API_KEY.", Exit.USAGE)
    try:
        with Filmgate(api_key, url) as films:
            yield films
    except FilmgateAPIError as error:
        raise Failure(error.message, _OURS.get(type(error), Exit.SERVER)) from error


def order(films: Filmgate, prompt: str, wishes: dict[str, Any]) -> str:
    """Order a film as the options say; the id of its task."""
    seconds = int(wishes["duration"])
    named = {name: wishes[name] for name in ("model", "aspect_ratio", "resolution", "watermark")}
    return films.generate(prompt, duration=seconds, seeds=wishes["seed"], **named).task_id


def fetch(films: Filmgate, task_id: str, out: Path, report: Report) -> dict[str, Any]:
    """Wait for the film of a task, and write it to ``out``; what is known of it."""

    def on_record(record: Record) -> None:
        report(record.progress or 0.0, record.stage or record.state)

    def on_bytes(received: int, total: int | None) -> None:
        report(received / total if total else 0.0, "fetching the film")

    record = films.wait(task_id, timeout=None, on_progress=on_record)
    films.download(record, out, on_progress=on_bytes)
    facts = {"resolution": record.resolution, "seed": next(iter(record.seeds), None)}
    return {"taskId": task_id, "url": next(iter(record.result_urls), None), **facts}
