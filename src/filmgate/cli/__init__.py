"""The command line. This module imports next to nothing, so that Ctrl-C is heard as soon as Python has started."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """The program ``filmgate``: reads the arguments of the process, and ends it."""
    _leave_when_interrupted()  # while modules are loaded there is nothing yet that would have to be tidied up
    from .program import run

    code = run(sys.argv[1:])
    _leave_when_interrupted()
    sys.exit(code)


def _leave_when_interrupted() -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as it is behind `&` in a script
        signal.signal(signal.SIGINT, _leave)


def _leave(signum: int, frame: object) -> None:
    """An exception could be raised in the middle of an import, where it would be printed or swallowed."""
    try:
        os.write(2, b"Interrupted.\n")
    finally:
        os._exit(130)
