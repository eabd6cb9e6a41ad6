"""The Python client for Filmgate, and for any other server of the Veo3 API.

    from filmgate.client import Filmgate

    with Filmgate(api_key="...") as films:
        record = films.create_and_wait("A dog playing in a park")
        films.download(record, "dog.mp4")

``AsyncFilmgate`` is the same with ``await``. Errors are in one tree under ``FilmgateAPIError``; ``webhooks`` has what a
receiver of callbacks needs.
"""

from . import webhooks
from ._client import AsyncFilmgate, Filmgate
from ._errors import (
    ConnectionFailed,
    FilmgateAPIError,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    RateLimited,
    ServerError,
    SignatureInvalid,
    TaskFailed,
    Timeout,
    Unauthenticated,
    UnexpectedAnswer,
)
from ._models import Record, TaskRef

__all__ = [
    "AsyncFilmgate",
    "ConnectionFailed",
    "Filmgate",
    "FilmgateAPIError",
    "InsufficientCredits",
    "InvalidRequest",
    "NotFound",
    "RateLimited",
    "Record",
    "ServerError",
    "SignatureInvalid",
    "TaskFailed",
    "TaskRef",
    "Timeout",
    "Unauthenticated",
    "UnexpectedAnswer",
    "webhooks",
]
