"""Why the server does not start: one sentence, whatever process found out."""

from __future__ import annotations

import json

from ..domain.errors import EngineUnavailable, FilmgateError, RequestError
from ..domain.policy import RulesUnusable
from ..store.database import DatabaseRefused


class CannotStart(Exception):
    """One sentence that says what to do.

    ``machine``: something about this machine has to change; otherwise the settings, or what they name.
    ``passing``: it may be gone at the next try.
    """

    def __init__(self, sentence: str, *, machine: bool = False, passing: bool = False) -> None:
        super().__init__(sentence)
        self.machine = machine
        self.passing = passing

    def to_line(self) -> bytes:
        """For the parent process."""
        told = {"sentence": str(self), "machine": self.machine, "passing": self.passing}
        return json.dumps(told).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> CannotStart:
        told = json.loads(line)
        return cls(told["sentence"], machine=told["machine"], passing=told["passing"])


def refusal(error: BaseException) -> CannotStart | None:
    """What an error means for the operator; None where that is not known, and the traceback has to say it."""
    if isinstance(error, CannotStart):
        return error
    if isinstance(error, DatabaseRefused | RequestError | RulesUnusable):
        return CannotStart(str(error))
    if isinstance(error, FilmgateError):
        hopeless = isinstance(error, EngineUnavailable)  # another try finds the same things missing
        return CannotStart(str(error), machine=True, passing=error.retryable and not hopeless)
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return CannotStart(
            f"This machine refuses something that the server needs: {error.strerror}{where}.", machine=True
        )
    return None
