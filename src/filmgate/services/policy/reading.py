"""The rules that ship, and an operator's own on top of them. Complaints name the file, the category and the key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from ...domain.phrases import complaint
from ...domain.policy import Category, Change, Refusal, Rules, RulesUnusable, changed

_KEYS = tuple(each.name for each in fields(Change))
_LISTS = ("phrases", "exceptions", "without")
_MOST_BYTES = 4 * 1024 * 1024


def read_rules(path: Path | None = None) -> Rules:
    """The shipped rules with what the operator's file changes. Raises RulesUnusable."""
    categories = {name: _new(name, change) for name, change in _read(_shipped(), "rules.toml").items()}
    if path is not None:
        changes = _read(_text(path), str(path))
        for name, change in changes.items():
            _check(name, change, categories, path)
            categories[name] = changed(categories[name], change) if name in categories else _new(name, change)
        categories = {name: each for name, each in categories.items() if name not in changes or changes[name].on}
    return Rules(list(categories.values()))


def _shipped() -> str:
    return files(__package__).joinpath("rules.toml").read_text(encoding="utf-8")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RulesUnusable(f"{path} is larger than {_MOST_BYTES >> 20} MiB: rules are not meant to be so many.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RulesUnusable(f"The rules in {path} cannot be read: {error.strerror}. Check policy.rules.") from error
    except UnicodeDecodeError as error:
        raise RulesUnusable(f"The rules in {path} are no text in UTF-8: save the file again as such.") from error


def _read(text: str, where: str) -> Mapping[str, Change]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesUnusable(f"{where} is not valid TOML: {error}.") from error
    return {name: _change(name, table, where) for name, table in document.items()}


def _change(name: str, table: Any, where: str) -> Change:
    if not isinstance(table, dict):
        raise RulesUnusable(f"{where}: {name} must be a category, such as [{name}], with the keys {', '.join(_KEYS)}.")
    unknown = next((key for key in table if key not in _KEYS), None)
    if unknown is not None:
        raise RulesUnusable(f"{where}: {name}.{unknown} is no key of a category; there are {', '.join(_KEYS)}.")
    try:
        change = msgspec.convert(table, Change)
    except msgspec.ValidationError as error:
        raise RulesUnusable(f"{where}: {name} is not usable: {error}.") from error
    for key, phrase in _phrases(change):
        if (wrong := complaint(phrase)) is not None:
            raise RulesUnusable(f"{where}: {name}.{key} has {phrase!r}, which {wrong}.")
    if change.within is not None and not 1 <= change.within <= 100:
        raise RulesUnusable(f"{where}: {name}.within is {change.within}; it must be 1 to 100 words.")
    return change


def _phrases(change: Change) -> Iterator[tuple[str, str]]:
    for key in _LISTS:
        yield from ((key, phrase) for phrase in getattr(change, key))
    yield from (("together", phrase) for phrases in change.together for phrase in phrases)


def _check(name: str, change: Change, known: Mapping[str, Category], path: Path) -> None:
    """What only the whole can say."""
    if name not in known:
        if not change.about or not (change.phrases or change.together):
            raise RulesUnusable(
                f"{path}: {name} is a category of your own, so it needs about and phrases. "
                f"Those that ship are {', '.join(known)}."
            )
        return
    there = {*known[name].phrases, *known[name].exceptions}
    missing = next((phrase for phrase in change.without if phrase not in there), None)
    if missing is not None:
        raise RulesUnusable(f"{path}: {name}.without has {missing!r}, which is no phrase of {name}.")


def _new(name: str, change: Change) -> Category:
    return changed(Category(name, change.about or name, Refusal.FLAGGED), change)
