"""What a setting may be: types with a rule, each rule with the words that an error uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

STORAGES_LATER = ("s3",)


@dataclass(frozen=True, slots=True)
class Rule:
    """``words`` completes "must be ..."; ``holds`` is asked about values of the right type only, never about None."""

    words: str
    holds: Callable[[Any], bool] = lambda value: True


def _between(low: float, high: float) -> Callable[[float], bool]:
    return lambda number: low <= number <= high


def _seconds(number: float) -> bool:
    return 0 < number <= 10 * 365 * 86400


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_host_name(text: str) -> bool:
    labels = text.rstrip(".").split(".")
    return len(text) <= 253 and all(re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", x) for x in labels)


def _is_reachable(text: str) -> bool:
    # "10.0.0.0/99" has the characters of no host name, "10.0.0.999" has: digits and dots alone are meant as an address
    return _is_network(text) or (_is_host_name(text) and not re.fullmatch(r"[\d.]+", text))


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError:  # "http://[x", "http://x:y"
        return False
    bare = not (parts.query or parts.fragment or parts.username)
    printable = text.isprintable() and " " not in text
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port_is_a_number and bare and printable


def _begins(*starts: str) -> Callable[[str], bool]:
    return lambda text: text.startswith(starts) and text not in starts


def one_of(choices: Sequence[str]) -> Any:
    """The type of a setting that is one of these words."""
    return Annotated[str, Rule(" or ".join(choices), choices.__contains__)]


Switch = one_of(("off", "on", "auto"))
Upscale = one_of(("lanczos", "sharp", "best"))
OneLanguage = one_of(("any", "english"))
LogFormat = one_of(("text", "json"))
LogLevel = one_of(("debug", "info", "warning", "error"))
Bool = Annotated[bool, Rule("true or false")]
Text = Annotated[str, Rule("some text", bool)]
Folder = Annotated[Path, Rule("a path")]
MaybeText = Annotated[str | None, Rule("some text", bool)]
Share = Annotated[float, Rule("a number above 0, up to 1", lambda share: 0 < share <= 1)]
MaybeFile = Annotated[Path | None, Rule("the path of a file")]
Port = Annotated[int, Rule("a whole number from 0 to 65535", _between(0, 65535))]
Count = Annotated[int, Rule("a whole number from 0 to 1000000", _between(0, 1_000_000))]
Connections = Annotated[int, Rule("a whole number from 1 to 60000", _between(1, 60_000))]
Slots = Annotated[int, Rule("a whole number from 1 to 64", _between(1, 64))]
Seconds = Annotated[float, Rule("a number of seconds above 0", _seconds)]
Deadline = Annotated[float, Rule("a number of seconds, or 0", lambda number: number == 0 or _seconds(number))]
Waits = Annotated[
    tuple[float, ...],
    Rule("numbers of seconds above 0, such as 10,60,300", lambda waits: all(map(_seconds, waits))),
]
Networks = Annotated[
    tuple[str, ...],
    Rule("addresses or networks, such as 10.0.0.0/8", lambda all_of: all(map(_is_network, all_of))),
]
Reachable = Annotated[
    tuple[str, ...],
    Rule(
        "networks or host names, such as 10.0.0.0/8,hooks.example.org", lambda all_of: all(map(_is_reachable, all_of))
    ),
]
MaybeBaseUrl = Annotated[str | None, Rule("an address such as https://films.example.org", _is_base_url)]
MaybeSecret = Annotated[str | None, Rule("at least 32 characters long", lambda text: len(text) >= 32)]
MaybeToken = Annotated[str | None, Rule("at least 16 characters long", lambda text: len(text) >= 16)]
DatabaseUrl = Annotated[
    str | None,
    Rule(
        "an address such as sqlite:////var/lib/filmgate/filmgate.db or postgresql://filmgate@db.example.org/filmgate",
        _begins("sqlite:///", "postgresql://", "postgres://"),
    ),
]
StorageUrl = Annotated[
    str | None,
    Rule("an address such as file:///var/lib/filmgate/media", _begins("file:///", "s3://")),
]
