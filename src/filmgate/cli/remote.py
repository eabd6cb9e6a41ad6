"""What the commands ask of a server, through the Python client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..client import (
    Film,
    Filmgate,
    FilmgateAPIError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    Record,
    TaskFailed,
)
from ..domain.spec import Mode
from .failures import Exit, Failure
from .progress import Report
from .saying import say

#: The rest is the server's side: no connection, no such key, no useful answer.
_OURS = {TaskFailed: Exit.FAILED, InsufficientCredits: Exit.FAILED, InvalidRequest: Exit.USAGE, NotFound: Exit.USAGE}


_GENERATION_TYPE = {Mode.FRAMES: "FIRST_AND_LAST_FRAMES_2_VIDEO", Mode.REFERENCE: "REFERENCE_2_VIDEO"}


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
    with known(task_id):
        return films.retrieve(task_id)


@contextmanager
def known(task_id: str) -> Iterator[None]:
    """Says what to do where the server does not know the task."""
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
    named = {name: wishes[name] for name in ("model", "aspect_ratio", "resolution", "watermark", "images")}
    mode = _GENERATION_TYPE.get(wishes["mode"])
    return films.generate(prompt, duration=seconds, seeds=wishes["seed"], generation_type=mode, **named).task_id


def extend(films: Filmgate, task_id: str, prompt: str, wishes: dict[str, Any]) -> str:
    """Order a film that continues that of a task; the id of the new task."""
    with known(task_id):
        task = films.extend(task_id, prompt, model=wishes["model"], seeds=wishes["seed"], watermark=wishes["watermark"])
    return task.task_id


def fetch(films: Filmgate, task_id: str, out: Path, report: Report, *, new_part: bool = False) -> dict[str, Any]:
    """Wait for the film of a task, and write it to ``out``; what is known of it.

    ``new_part``: of an extension only what is new; otherwise the whole film.
    """
    try:
        with known(task_id):
            record = films.wait(task_id, timeout=None, on_progress=_telling(report))
        url = next(iter(record.result_urls), None) if new_part else record.film_url
        _download(films, url or record, out, report)
    except KeyboardInterrupt:
        say(f"The server goes on with it: `filmgate download {task_id}` fetches the film later.", err=True)
        raise
    facts = {"resolution": record.resolution, "seed": next(iter(record.seeds), None)}
    return {"taskId": task_id, "url": url, **facts}


def enlarge(films: Filmgate, task_id: str, to: str, index: int, out: Path, report: Report) -> dict[str, Any]:
    """Ask for a larger version of a film, wait for it, and write it to ``out``; what is known of it."""
    if to == "4k":
        with known(task_id):
            task = films.upgrade(task_id, "4k", index=index)
        return fetch(films, task.task_id, out, report)
    try:
        with known(task_id):
            film = films.upgrade(task_id, "1080p", index=index, timeout=None, on_progress=_telling(report))
        _download(films, film, out, report)
    except KeyboardInterrupt:
        say(f"The server goes on with it: `filmgate upgrade {task_id} --to 1080p` fetches it later.", err=True)
        raise
    return {"taskId": film.task_id, "url": film.url, "resolution": to}


def _telling(report: Report) -> Callable[[Record], None]:
    return lambda record: report(record.progress or 0.0, record.stage or record.state)


def _download(films: Filmgate, film: Record | Film | str, out: Path, report: Report) -> None:
    def on_bytes(received: int, total: int | None) -> None:
        report(received / total if total else 0.0, "fetching the film")

    films.download(film, out, on_progress=on_bytes)
    _check_film(out)


def _check_film(path: Path) -> None:
    """Raises Failure for what is no MP4 at first sight: an error page, or nothing at all."""
    with path.open("rb") as film:
        begin = film.read(8)
    if begin[4:] != b"ftyp":
        what = "something that is not an MP4 film" if begin else "an empty file"
        raise Failure(f"The server sent {what} where the film should be: nothing was kept; try again.", Exit.FAILED)
