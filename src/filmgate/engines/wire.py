"""What goes over the pipe between the runner and a slot: one JSON message a line.

To the slot: an Order (or, for the media slot, an Order with a clip). From the slot: Ready once it has loaded, then for
each order any number of Report and at the end one Made, one Ended or one Broken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ..domain.errors import TaskError, task_error
from ..ports import Clip, Finished, Order


class Ready(msgspec.Struct, tag=True, frozen=True):
    """Loaded and waiting for orders."""


class Report(msgspec.Struct, tag=True, frozen=True):
    fraction: float
    stage: str


class Made(msgspec.Struct, tag=True, frozen=True):
    """An engine's clip."""

    clip: Clip


class Done(msgspec.Struct, tag=True, frozen=True):
    """The media slot's finished files."""

    files: tuple[Finished, ...]


class Broken(msgspec.Struct, tag=True, frozen=True):
    """The order (or, before Ready, the loading) ended in this error."""

    slug: str
    sentence: str


Message = Ready | Report | Made | Done | Broken


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot cross to a slot")


def _typed(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise TypeError(f"{kind.__name__} cannot come from a slot")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_messages: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message, dec_hook=_typed)
_orders = msgspec.json.Decoder(Order, dec_hook=_typed)


def encode(message: Message | Order) -> bytes:
    """One line, newline included."""
    return _encoder.encode(message) + b"\n"


def decode_message(line: bytes) -> Message:
    return _messages.decode(line)


def decode_order(line: bytes) -> Order:
    return _orders.decode(line)


def error_from(broken: Broken) -> TaskError:
    """The TaskError that was raised in the slot."""
    return task_error(broken.slug, broken.sentence)
