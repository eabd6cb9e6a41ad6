"""What is printed. Text from outside (a server, a label, a file name) cannot move the cursor or begin a new line."""

from __future__ import annotations

import json
import unicodedata
from contextlib import suppress

import click

_CONTROLS = ("Cc", "Cs", "Zl", "Zp")
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  #: writing direction


def plain(text: str) -> str:
    r"""The text on one line, without power over a terminal: ESC becomes ``\x1b``, a new line ``\n``."""
    return "".join(_shown(char) for char in text)


def say(text: str, *, err: bool = False) -> None:
    """One line on standard output, or on standard error, where a fault is passed over: there is nobody to be told."""
    if err:
        with suppress(OSError):
            click.echo(plain(text), err=True)
    else:
        click.echo(plain(text))


def say_json(document: object) -> None:
    """One JSON document on standard output, in ASCII."""
    click.echo(json.dumps(document, indent=2))


def _shown(char: str) -> str:
    if unicodedata.category(char) in _CONTROLS or char in _TURNS:
        return char.encode("unicode_escape").decode()
    return char
