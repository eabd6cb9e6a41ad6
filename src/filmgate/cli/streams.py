"""Standard input, output and error, whatever state they were handed over in."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import IO, Any

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


class Output(TextIOWrapper):
    """Standard output that remembers what did not arrive: a fault is reported only once, and maybe to a library."""

    lost: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.lost = error
            raise

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.lost = error
            raise


def attach() -> None:
    """Put the null device in the place of each stream that is closed, and let no character be unprintable.

    Otherwise the next file that is opened, the database for one, would be taken for standard output.
    """
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            held = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(held, True)
            stream = open(held, mode, closefd=False)  # noqa: SIM115 - for the life of the process
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    out: Any = sys.stdout
    sys.stdout = Output(out.buffer, out.encoding, "backslashreplace", line_buffering=out.line_buffering)


def was_closed(stream: IO[str]) -> bool:
    """Whether ``attach`` had to find a stand-in for this stream."""
    return isinstance(stream.name, int)


def fault(stream: IO[str]) -> OSError | None:
    """Why something that was written to a stream did not arrive, or None."""
    try:
        stream.flush()
    except OSError as error:
        return error
    return stream.lost if isinstance(stream, Output) else None


def forget_the_rest(stream: IO[str]) -> None:
    """Drop what could not be written, or the interpreter would try it again at its end, and complain."""
    if fault(stream):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
