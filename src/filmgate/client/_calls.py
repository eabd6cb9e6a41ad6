"""From the arguments of a call to what its flow takes: the same for both clients."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .. import __version__
from ._errors import InvalidRequest, NotFound, Unauthenticated
from ._flow import Flows
from ._models import Film, Record, TaskRef

DEFAULT_URL = "http://127.0.0.1:8000"


def flows_for(api_key: str | None, base_url: str | None, max_retries: int, upload_url: str | None) -> Flows:
    """Key and address from the environment where they are not given. Raises Unauthenticated."""
    key = api_key or os.environ.get("FILMGATE_API_KEY")
    if not key:
        raise Unauthenticated("There is no API key: pass api_key, or set FILMGATE_API_KEY.")
    if not key.isascii() or not key.isprintable() or " " in key:  # a header cannot carry it
        raise Unauthenticated("The API key has characters that no key has: printable ASCII only, and no spaces.")
    url = base_url or os.environ.get("FILMGATE_URL") or DEFAULT_URL
    files = upload_url.rstrip("/") if upload_url else None
    return Flows(url.rstrip("/"), key, f"filmgate-python/{__version__}", max_retries, upload_url=files)


def order_of(extra: Mapping[str, Any], **said: object) -> Mapping[str, Any]:
    """The request's body; what was not said is left out."""
    return {name: value for name, value in said.items() if value is not None} | dict(extra)


def filters_of(
    state: str | None, model: str | None, kind: str | None, since: datetime | None, until: datetime | None
) -> Mapping[str, str]:
    """The query of a list of tasks; a time without a zone is of this machine."""
    times = {"since": since, "until": until}
    said = {"state": state, "model": model, "kind": kind}
    said |= {name: None if at is None else str(round(at.timestamp() * 1000)) for name, at in times.items()}
    return {"limit": "100"} | {name: value for name, value in said.items() if value is not None}


def id_of(task: str | TaskRef) -> str:
    return task.task_id if isinstance(task, TaskRef) else task


def address_of(film: Record | Film | str) -> str:
    """Raises NotFound for a record without a film."""
    if isinstance(film, str):
        return film
    if isinstance(film, Film):
        return film.url
    if film.film_url is None:
        raise NotFound(f"Task {film.task_id} has no film to download; its state is {film.state}.")
    return film.film_url


def check_1080p(to: str, callback_url: str | None, key: str | None) -> None:
    """Raises InvalidRequest for another size, and for a callback or a key: the API has neither for this one."""
    if to != "1080p":
        raise InvalidRequest(f"There is no larger version {to!r}: choose 1080p or 4k.")
    if callback_url is not None:
        raise InvalidRequest("A 1080p version has no callback: leave callback_url out, or ask for 4k.")
    if key is not None:
        raise InvalidRequest("A 1080p version is made once, whoever asks: leave idempotency_key out.")
