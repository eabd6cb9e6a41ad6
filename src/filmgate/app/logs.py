"""Logs: one line an event on standard error, with the process's name."""

from __future__ import annotations

import logging
import sys


def start_logging(process: str) -> None:
    """Once in each process. Lines read: time, level, process, "task=... event=..."."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format=f"%(asctime)s %(levelname)s {process} %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
        force=True,
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("httpcore2").setLevel(logging.WARNING)
