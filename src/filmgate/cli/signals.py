"""Ending gently: what asks a command to go is treated as Ctrl-C is."""

from __future__ import annotations

import signal

_POLITE = (signal.SIGTERM, signal.SIGHUP)  #: kill, and a terminal that is closed


def end_gently() -> None:
    """From now on everything temporary is removed when the process is asked to end."""
    for each in _POLITE:
        if signal.getsignal(each) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(each, _interrupt)


def _interrupt(signum: int, frame: object) -> None:
    for each in _POLITE:
        signal.signal(each, signal.SIG_IGN)  # a closing terminal says it twice: let the tidying up end
    raise KeyboardInterrupt
