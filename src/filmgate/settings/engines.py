"""The [engines.NAME] tables: engines under names of the operator's own, each with settings of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import msgspec

from ..domain.errors import EngineUnavailable
from ..engines import registry
from ..ports import Secret
from .names import SettingsError, nearest
from .tree import EngineSettings

_LOCAL, _REMOTE = ("slots",), ("concurrency", "starts_per_minute", "within_s", "poll_s", "faults_to_rest", "rest_s")
_FROM_FILE = "_file"


def read_engines(tables: Any, path: Path | None) -> tuple[Mapping[str, EngineSettings], dict[str, str]]:
    """The engines by name, and where each comes from. Relative paths are relative to the file's folder."""
    if not isinstance(tables, dict):
        raise SettingsError(f"{path} has engines = {tables!r}, but engines are tables such as [engines.house].")
    folder = path.parent if path else Path()
    engines = {name: _engine(name, table, f"{path}: engines.{name}", folder) for name, table in tables.items()}
    return MappingProxyType(engines), {f"engines.{name}": f"{path}: engines.{name}" for name in tables}


def secrets_of(config: type[msgspec.Struct]) -> frozenset[str]:
    """The fields, as they are written, that nobody is to see."""
    found = msgspec.structs.fields(config)
    return frozenset(each.encode_name for each in found if Secret in (each.type, *get_args(each.type)))


def _engine(name: str, table: Any, where: str, folder: Path) -> EngineSettings:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name) or name in ("media", "upscale"):
        raise SettingsError(
            f"{where}: an engine's name has small letters, digits and the signs . _ - only, and is neither media nor "
            "upscale, which are Filmgate's own."
        )
    if not isinstance(table, dict) or not isinstance(table.get("kind", name), str):
        raise SettingsError(f'{where} must be a table such as kind = "storyboard", and what that kind has to be told.')
    kind = table.get("kind", name)
    cls = _class_of(kind, where)
    ours = {each.name for each in fields(EngineSettings)} - {"config"}
    theirs = {key: value for key, value in table.items() if key not in ours}
    config = _config(kind, registry.config_of(cls), theirs, where, folder)
    said = {key: table[key] for key in ours & table.keys()} | {"kind": kind}
    _check_ours(said, where, remote=hasattr(cls, "start"))
    return EngineSettings(**said, config=config)


def _class_of(kind: str, where: str) -> type[Any]:
    try:
        return registry.load(kind)
    except EngineUnavailable as error:
        meant = nearest(kind, registry.installed())
        raise SettingsError(f"{where}: {error}{meant}") from error


def _check_ours(said: Mapping[str, Any], where: str, *, remote: bool) -> None:
    for key in _LOCAL if remote else _REMOTE:
        if key in said:
            place = "elsewhere" if remote else "on this machine"
            instead = ", ".join(_REMOTE if remote else _LOCAL)
            raise SettingsError(f"{where} has {key}, but this engine renders {place}: what it may do is in {instead}.")
    for key, low, high in (
        ("slots", 1, 64),
        ("concurrency", 1, 10_000),
        ("starts_per_minute", 0, 1_000_000),
        ("faults_to_rest", 1, 1000),
        ("within_s", 1, 10 * 365 * 86400),
        ("poll_s", 0.05, 300),
        ("rest_s", 0.1, 86400),
    ):
        number = said.get(key, low)
        types = (int, float) if key in ("within_s", "poll_s", "rest_s") else (int,)
        if isinstance(number, bool) or not isinstance(number, types) or not low <= number <= high:
            raise SettingsError(f"{where}.{key} is {number!r}; it must be a number from {low} to {high}.")


def _config(
    kind: str, config: type[msgspec.Struct] | None, table: Mapping[str, Any], where: str, folder: Path
) -> msgspec.Struct | None:
    if config is None:
        for key in table:
            raise SettingsError(f"{where} has {key}, but the engine {kind} has no settings of its own.")
        return None
    secrets = secrets_of(config)
    known = {each.encode_name for each in msgspec.structs.fields(config)}
    files = {f"{name}{_FROM_FILE}" for name in secrets} - known
    given = dict(table)
    for key in table:
        if key in files:
            given[key.removesuffix(_FROM_FILE)] = _read_secret(given.pop(key), f"{where}.{key}", folder)
        elif key not in known:
            raise SettingsError(f"{where} has {key}, which is no setting.{nearest(key, known | files)}")

    def typed(wanted: type, value: Any) -> Any:
        if wanted not in (Path, Secret) or not isinstance(value, str):
            raise ValueError(f"this must be text, and is of type {type(value).__name__}")
        return Secret(value) if wanted is Secret else folder / Path(value).expanduser()

    try:
        return msgspec.convert(given, config, dec_hook=typed)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where} is not usable: {error}.") from error


def _read_secret(path: Any, where: str, folder: Path) -> str:
    if not isinstance(path, str):
        raise SettingsError(f"{where} must be the path of a file.")
    try:
        return (folder / Path(path).expanduser()).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where} names {path}, which cannot be read: {error}.") from error
