"""How the command line ends: exit codes, and the one sentence that goes with every one but success."""

from __future__ import annotations

from enum import IntEnum

import click

from ..domain.errors import EngineUnavailable, FilmgateError, RequestError, Unauthenticated
from ..domain.policy import RulesUnusable
from .saying import plain


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    SERVER = 3
    MACHINE = 4
    INTERRUPTED = 130
    UNREAD = 141


EXIT_CODES = {
    Exit.OK: "done",
    Exit.FAILED: "the task failed or was refused",
    Exit.USAGE: "wrong usage, settings or input",
    Exit.SERVER: "the server cannot be reached or refuses the key",
    Exit.MACHINE: "something is missing on this machine",
    Exit.INTERRUPTED: "interrupted",
    Exit.UNREAD: "nobody reads the output any more",
}


class Failure(click.ClickException):
    """Ends the command: "Error: SENTENCE" on standard error, and this exit code."""

    def __init__(self, sentence: str, exit_code: Exit) -> None:
        super().__init__(plain(sentence))
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it for the class and reads it from here


def failure_of(error: Exception) -> Failure:
    """The failure to show for an error of the layers below."""
    if isinstance(error, FilmgateError):
        return Failure(str(error), _code_of(error))
    if isinstance(error, OSError) and error.strerror:
        return Failure(f"{error.strerror}: {error.filename or type(error).__name__}.", Exit.MACHINE)
    return Failure(
        f"Something went wrong that should not ({type(error).__name__}: {error}). "
        "Run `filmgate --debug ...` to see where, and please report it.",
        Exit.FAILED,
    )


def _code_of(error: FilmgateError) -> Exit:
    if isinstance(error, Unauthenticated):
        return Exit.SERVER
    if isinstance(error, EngineUnavailable):
        return Exit.MACHINE
    return Exit.USAGE if isinstance(error, RequestError | RulesUnusable) else Exit.FAILED
