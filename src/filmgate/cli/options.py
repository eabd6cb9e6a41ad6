"""Options that several commands share, and what may be said in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ..settings import Settings, SettingsError, load
from .failures import Exit, Failure
from .saying import say

Command = Callable[..., Any]


class _Words(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """Text that can be stored and sent: a shell passes bytes on that are no text."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if any("\ud800" <= char <= "\udfff" for char in text):
            self.fail("It holds bytes that are not text in UTF-8.", param, ctx)
        return text


class _ApiKey(_Words):
    """What can stand in the header of a request."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        key = str(value).strip()
        if not key.isascii() or not key.isprintable() or " " in key:
            self.fail("A key has printable ASCII characters only, and no spaces: copy it again.", param, ctx)
        return key


class _Image(click.ParamType):  # type: ignore[type-arg]  # as above
    """A file of this machine, as a Path, or an address, as a string."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        if str(value).lower().startswith(("http://", "https://")):
            return WORDS.convert(value, param, ctx)
        file = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
        return Path(file.convert(value, param, ctx))


@dataclass(frozen=True, slots=True)
class Given:
    """What was said in an option that can also take something away: None is "none"."""

    value: Any


class OrNone(click.ParamType):  # type: ignore[type-arg]  # as above
    """A value of another type, or "none"; the command gets a Given, and None where the option was left out."""

    def __init__(self, inner: click.ParamType) -> None:  # type: ignore[type-arg]  # as above
        self._inner = inner
        self.name = inner.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Given:
        return Given(None if str(value).lower() == "none" else self._inner.convert(value, param, ctx))


IMAGE = _Image()
WORDS = _Words()
API_KEY = _ApiKey()


def read_settings(flags: dict[str, object], config: Path | None) -> Settings:
    """The settings, their warnings said on standard error. Raises Failure."""
    try:
        settings = load(flags, toml=config)
    except SettingsError as error:
        raise Failure(str(error), Exit.USAGE) from error
    for warning in settings.warnings:
        say(f"Warning: {warning}", err=True)
    return settings


def with_settings(command: Command) -> Command:
    """Adds --data and --config; the command gets ``settings``."""

    @click.option(
        "--data", type=click.Path(path_type=Path, file_okay=False), help="Folder that Filmgate keeps things in."
    )
    @click.option("--config", type=click.Path(path_type=Path), help="Settings file; otherwise ./filmgate.toml if any.")
    @wraps(command)
    def reading(*args: Any, data: Path | None, config: Path | None, **options: Any) -> Any:
        return command(*args, settings=read_settings({"data": data}, config), **options)

    return reading


def with_server(command: Command) -> Command:
    """Adds --url and --api-key; the command gets both, or None."""
    url = click.option("--url", type=WORDS, envvar="FILMGATE_URL", help="Address of a server.  [env: FILMGATE_URL]")
    key = click.option(
        "--api-key", type=API_KEY, envvar="FILMGATE_API_KEY", help="Key for that server.  [env: FILMGATE_API_KEY]"
    )
    return url(key(command))


as_json = click.option("--json", "json_", is_flag=True, help="Print one JSON document instead of words.")
