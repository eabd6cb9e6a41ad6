"""Everything the client raises.

* FilmgateAPIError
    * Unauthenticated       401: no key, or not a valid one
    * InsufficientCredits   402, 433: the balance or the key's cap does not cover the order
    * NotFound              404, 410: no such task, or the file is gone
    * InvalidRequest        400, 413, 422 ...: something in the request has to change
    * RateLimited           429: too many requests; ``retry_after`` seconds if the server said so
    * ServerError           408, 455, 5xx: the server could not; asking again later may help
    * UnexpectedAnswer      what answered is not this API
    * ConnectionFailed      no connection, or it broke
    * Timeout               no answer in time, or the task did not end in time
    * TaskFailed            the task ended without a film
    * SignatureInvalid      a callback is not what the server sent

``code`` is the code of the API's envelope, which most servers send under HTTP status 200, or else the HTTP status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._models import Record


class FilmgateAPIError(Exception):
    """Anything that goes wrong between this client and the server. ``message`` is a sentence; ``code`` may be None."""

    def __init__(self, message: str, *, code: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message if code is None else f"{message} (code {code})")
        self.message = message
        self.code = code
        self.retry_after = retry_after  #: seconds, if the server said so


class Unauthenticated(FilmgateAPIError):
    """The server knows no such key, or none was sent."""


class InsufficientCredits(FilmgateAPIError):
    """The balance, or the cap of this key, does not cover the order. Nothing was created."""


class NotFound(FilmgateAPIError):
    """There is no such task, or the file is no longer kept."""


class InvalidRequest(FilmgateAPIError):
    """The server refused the request: its message says what to change."""


class RateLimited(FilmgateAPIError):
    """Too many requests. Raised once the retries are used up."""


class ServerError(FilmgateAPIError):
    """The server could not do it. Raised once the retries are used up."""


class UnexpectedAnswer(FilmgateAPIError):
    """Something answered that is not this API: most often the base URL is wrong."""


class ConnectionFailed(FilmgateAPIError):
    """No connection, or it broke. ``sent``: whether the request may have reached the server."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Timeout(FilmgateAPIError):
    """The server did not answer in time, or the task did not end in time. The task itself goes on."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class TaskFailed(FilmgateAPIError):
    """The task ended without a film; ``record`` is the whole record."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.error_message or "The task ended without a film.", code=record.error_code)
        self.record = record


class SignatureInvalid(FilmgateAPIError):
    """A callback whose signature does not verify, or is too old: do not act on it."""


_BY_CODE: dict[int, type[FilmgateAPIError]] = {
    401: Unauthenticated,
    402: InsufficientCredits,
    403: Unauthenticated,
    404: NotFound,
    408: ServerError,
    410: NotFound,
    429: RateLimited,
    433: InsufficientCredits,
    455: ServerError,
}
_UNKNOWN_TASK = ("record is null", "recordinfo is null", "record does not exist")


def error_for(code: int, message: str, retry_after: float | None = None) -> FilmgateAPIError:
    """The error that a code means. Unknown tasks are answered with 422 and a fixed text."""
    kind = _BY_CODE.get(code) or (ServerError if code >= 500 else InvalidRequest)
    if code == 422 and any(text in message.lower() for text in _UNKNOWN_TASK):
        kind = NotFound
    return kind(message or "The server gave no reason.", code=code, retry_after=retry_after)
