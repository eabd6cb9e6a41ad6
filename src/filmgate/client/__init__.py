"""The Python client for Filmgate, and for any other server of the Veo3 API.

    from filmgate.client import Filmgate

    with Filmgate(api_key="...") as films:
        record = films.create_and_wait("A dog playing in a park")
        films.download(record, "dog.mp4")

Local images become films too, films go on, and grow:

        frame = films.create_and_wait("It wakes up", images=["dog.png"])
        longer = films.wait(films.extend(frame.task_id, "It runs away"))
        films.download(films.upgrade(frame.task_id, "1080p"), "large.mp4")

``AsyncFilmgate`` is the same with ``await``. Errors are in one tree under ``FilmgateAPIError``; ``webhooks`` has what a
receiver of callbacks needs.
"""

from . import webhooks
from ._async import AsyncFilmgate
from ._client import Filmgate
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
from ._models import Film, Model, Record, TaskRef, Upload

__all__ = [
    "AsyncFilmgate",
    "ConnectionFailed",
    "Film",
    "Filmgate",
    "FilmgateAPIError",
    "InsufficientCredits",
    "InvalidRequest",
    "Model",
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
    "Upload",
    "webhooks",
]
