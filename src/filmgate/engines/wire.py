"""What goes over the pipe between the runner and a slot: one JSON message a line.

To the slot: Load, unless it is the media slot, and from then on Do with an Order (for the media slot, one with a clip),
and Stop where the order is not wanted any more. From the slot: Ready once it has loaded, then for each order any number
of Report and at the end one Made (from an engine), one Done (from the media slot) or one Broken. Each message about an
order names it, so that an answer can never be taken for that of another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ..domain.errors import TaskError, task_error
from ..ports import Clip, Finished, Order, Secret
from . import registry


class Load(msgspec.Struct, tag=True, frozen=True):
    """Be this engine. ``config`` goes by the pipe, since it may hold secrets, which a command line would show."""

    kind: str
    config: msgspec.Raw = msgspec.Raw(b"null")


class Do(msgspec.Struct, tag=True, frozen=True):
    """Work on this."""

    order: Order


class Stop(msgspec.Struct, tag=True, frozen=True):
    """Whoever gave this order wants nothing of it any more; what it comes to is still to be told."""

    order: str


class Ready(msgspec.Struct, tag=True, frozen=True):
    """Loaded and waiting for orders."""


class Report(msgspec.Struct, tag=True, frozen=True):
    order: str
    fraction: float
    stage: str


class Made(msgspec.Struct, tag=True, frozen=True):
    """An engine's clip."""

    order: str
    clip: Clip


class Done(msgspec.Struct, tag=True, frozen=True):
    """The media slot's finished files."""

    order: str
    files: tuple[Finished, ...]


class Broken(msgspec.Struct, tag=True, frozen=True):
    """The order (or, before Ready, the loading, which has no name) ended in this error."""

    order: str
    slug: str
    sentence: str


Asked = Load | Do | Stop
Message = Ready | Report | Made | Done | Broken


def name_of(order: Order) -> str:
    """What messages call an order."""
    return f"{order.task_id}:{order.attempt}"


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} cannot cross to a slot")


def _typed(kind: type, value: Any) -> Any:
    if kind in (Path, Secret):
        return kind(value)
    raise TypeError(f"{kind.__name__} cannot come from a slot")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_messages: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message, dec_hook=_typed)
_asked: msgspec.json.Decoder[Asked] = msgspec.json.Decoder(Asked, dec_hook=_typed)


def load_of(declared: registry.Declared) -> Load:
    return Load(declared.kind, msgspec.Raw(_encoder.encode(declared.config)))


def declared_of(load: Load) -> registry.Declared:
    """Raises EngineUnavailable where it cannot be imported."""
    config = registry.config_of(registry.load(load.kind))
    if config is None:
        return registry.Declared(load.kind)
    return registry.Declared(load.kind, msgspec.json.decode(load.config, type=config | None, dec_hook=_typed))


def encode(message: Message | Asked) -> bytes:
    """One line, newline included."""
    return _encoder.encode(message) + b"\n"


def decode_message(line: bytes) -> Message:
    """Raises msgspec.MsgspecError for a line that is no message."""
    return _messages.decode(line)


def decode_asked(line: bytes) -> Asked:
    return _asked.decode(line)


def error_from(broken: Broken) -> TaskError:
    """The TaskError that was raised in the slot."""
    return task_error(broken.slug, broken.sentence)
