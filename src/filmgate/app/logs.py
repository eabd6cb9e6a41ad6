"""Logs: one line an event on standard error. A line begins with its fields, and words may follow:

    2026-11-28T03:41:26+0000 INFO runner task=0198... event=claimed attempt=1 engine=storyboard

As JSON it is one object: time, level, process, event, the other fields, and the words as ``message``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable

from ..settings.tree import Log

_FIELD = re.compile(r"([a-z_]+)=(\S*)(?: |$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def start_logging(process: str, how: Log) -> None:
    """Once in each process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process) if how.format == "json" else TextLines(process))
    logging.basicConfig(level=how.level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx2", "httpcore2", "opentelemetry"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def fields_of(message: str) -> tuple[dict[str, str], str]:
    """The fields at the beginning of a line, and the words after them."""
    fields, end = {}, 0
    while found := _FIELD.match(message, end):
        fields[found[1]], end = found[2], found.end()
    return fields, message[end:]


class TextLines(logging.Formatter):
    """For people. What came from outside cannot begin a line of its own."""

    def __init__(self, process: str) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {process} %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), record.message)
        return super().formatMessage(record)


class JsonLines(logging.Formatter):
    """For programs: each record, its traceback too, is one line. Lines of libraries have their name as their event."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        fields, words = fields_of(record.getMessage())
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "process": self._process,
            "event": record.name,
            **{name: value for name, value in fields.items() if name not in ("time", "level", "message")},
            "message": words,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Seldom:
    """Warns at most once in a while of what may happen thousands of times a second."""

    def __init__(
        self, log: logging.Logger, period_s: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._period_s = period_s
        self._monotonic = monotonic
        self._next = 0.0

    def warning(self, message: str, *args: object) -> None:
        now = self._monotonic()
        if now >= self._next:
            self._next = now + self._period_s
            self._log.warning(message, *args)
