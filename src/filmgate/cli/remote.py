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
from .saying import say

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
    except RecursionError as error:  # it could be read, but is too deep to be shown
        raise Failure("This is not an answer of the Veo3 API: check the URL.", Exit.SERVER) from error


def look_up(films: Filmgate, task_id: str) -> Record:
    """The task as it is now. Raises Failure, with advice, where the server does not know it."""
    with _known(task_id):
        return films.retrieve(task_id)


@contextmanager
def _known(task_id: str) -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise Failure(
            f"The server knows no task {task_id} ({error.message.rstrip('.')}): check the id, and that the key is of "
            "the account that ordered it; on the server's machine `filmgate tasks list` shows all.",
            Exit.USAGE,
        ) from error


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

    try:
        with _known(task_id):
            record = films.wait(task_id, timeout=None, on_progress=on_record)
        films.download(record, out, on_progress=on_bytes)
    except KeyboardInterrupt:
        say(f"The server goes on with it: `filmgate download {task_id}` fetches the film later.", err=True)
        raise
    _check_film(out)
    facts = {"resolution": record.resolution, "seed": next(iter(record.seeds), None)}
    return {"taskId": task_id, "url": next(iter(record.result_urls), None), **facts}


def _check_film(path: Path) -> None:
    """Raises Failure for what is no MP4 at first sight: an error page, or nothing at all."""
    with path.open("rb") as film:
        begin = film.read(8)
    if begin[4:] != b"ftyp":
        what = "something that is not an MP4 film" if begin else "an empty file"
        raise Failure(f"The server sent {what} where the film should be: nothing was kept; try again.", Exit.FAILED)
