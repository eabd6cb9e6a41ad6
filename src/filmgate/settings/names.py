"""Names that nobody knows: typing errors are found here, before they silently change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from .tree import known

PREFIX = "FILMGATE_"
#: Not settings of the server, and left alone: the client's, the tests', and those that orchestrators make up.
LEFT_ALONE = ("FILMGATE_URL", "FILMGATE_API_KEY", "FILMGATE_CONFIG")
LEFT_ALONE_BEGINNINGS = ("FILMGATE_TEST_", "FILMGATE_PORT", "FILMGATE_SERVICE_")
TYPING_ERRORS = 2
TABLES = ("models", "engines")  #: of tables, which have readers of their own


class SettingsError(Exception):
    """A setting is not usable; the text says which, where it came from, and what it must be."""


def check_environment(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Warnings about unknown FILMGATE_* names. Raises SettingsError where one is surely a typing error."""
    variables = _variables()
    strangers = [name for name in sorted(environ) if name.startswith(PREFIX) and name not in variables]
    return tuple(_stranger(name, variables) for name in strangers if not _left_alone(name))


def check_keys(document: Mapping[str, Any], path: str) -> None:
    """Raises SettingsError for a key or table of the TOML file that is no setting."""
    names = {each.name for each in known()}
    groups = {name.partition(".")[0] for name in names if "." in name}
    for key, value in document.items():
        if key in groups:
            _check_table(key, value, names, path)
        elif key not in names and key not in TABLES:
            raise SettingsError(f"{path} has {key}, which is no setting.{nearest(key, {*names, *groups, *TABLES})}")


def nearest(name: str, names: Iterable[str]) -> str:
    """ " Did you mean ...?", or nothing where nothing is near."""
    close = get_close_matches(name, sorted(names), n=1)
    return f" Did you mean {close[0]}?" if close else ""


def distance(one: str, other: str) -> int:
    """Letters to insert, delete or exchange to get from one to the other."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1]


def _check_table(group: str, value: Any, names: set[str], path: str) -> None:
    if not isinstance(value, dict):
        raise SettingsError(f"{path} has {group} = {value!r}, but [{group}] is a table of settings.")
    for leaf in value:
        if f"{group}.{leaf}" not in names:
            raise SettingsError(f"{path} has {group}.{leaf}, which is no setting.{nearest(f'{group}.{leaf}', names)}")


def _variables() -> frozenset[str]:
    from_files = {f"{each.variable}_FILE" for each in known() if each.facts.secret}
    return frozenset({each.variable for each in known()} | from_files | set(LEFT_ALONE))


def _left_alone(name: str) -> bool:
    return name.startswith(LEFT_ALONE_BEGINNINGS)


def _stranger(name: str, variables: frozenset[str]) -> str:
    if "__" in name.removeprefix(PREFIX):
        raise SettingsError(f"{name} is no setting.{nearest(name, variables)}")
    flat = [each for each in sorted(variables) if "__" not in each.removeprefix(PREFIX)]
    closest = min(flat, key=lambda each: distance(name, each))
    if distance(name, closest) <= TYPING_ERRORS:
        raise SettingsError(f"{name} is no setting. Did you mean {closest}?")
    return f"{name} is not a setting of Filmgate, and changes nothing."
