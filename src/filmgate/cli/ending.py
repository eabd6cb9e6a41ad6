"""How a command ends: whatever happens becomes an exit code, and one sentence where it is not a success."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click

from .failures import Exit, Failure, failure_of
from .saying import say
from .streams import fault, forget_the_rest


@contextmanager
def ending(*, debug: bool) -> Iterator[None]:
    """Turns everything that a command raises into click's own Exit or a Failure; ``debug`` shows where it was."""
    try:
        yield
    except click.exceptions.Exit:
        raise
    except (KeyboardInterrupt, click.Abort):
        say("Interrupted.", err=True)
        raise click.exceptions.Exit(Exit.INTERRUPTED) from None
    except Exception as error:
        if debug:
            with suppress(OSError):
                traceback.print_exception(error)
        if isinstance(error, click.ClickException):
            raise
        raise (_unheard() or failure_of(error)) from error


def exit_code_of(program: Callable[[], object]) -> int:
    """Runs it, and says its failure. Nothing is raised, and nothing is left for the interpreter to write."""
    try:
        code = _said(program)
        unheard = _unheard()
        return code if code or unheard is None else _said(lambda: _raise(unheard))
    finally:
        forget_the_rest(sys.stdout)
        forget_the_rest(sys.stderr)


def _said(program: Callable[[], object]) -> int:
    try:
        code = program()
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except click.ClickException as failure:
        with suppress(OSError):
            failure.show()
        return int(failure.exit_code)
    except (KeyboardInterrupt, click.Abort, EOFError):
        say("Interrupted.", err=True)
        return Exit.INTERRUPTED
    return code if isinstance(code, int) else Exit.OK


def _raise(error: Exception) -> None:
    raise error


def _unheard() -> click.exceptions.Exit | Failure | None:
    """The end of a command whose output nobody could read: quiet where the reader has left, as in ``| head``."""
    lost = fault(sys.stdout)
    if lost is None:
        return None
    if lost.errno == errno.EPIPE:
        return click.exceptions.Exit(Exit.UNREAD)
    return Failure(f"Standard output cannot be written to: {lost.strerror}.", Exit.MACHINE)
