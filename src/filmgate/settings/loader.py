"""Reads the settings. Every complaint is a sentence that names the flag, the variable or the file and key."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from ..http.edition import PRESETS
from .engines import read_engines
from .models import read_models
from .names import SettingsError, check_environment, check_keys
from .rules import STORAGES_LATER, Rule
from .tree import Setting, Settings, known

__all__ = ["SettingsError", "edition_of_key", "edition_switch", "load"]


@dataclass(frozen=True, slots=True)
class Found:
    """A value as somebody gave it, and where."""

    raw: Any
    origin: str
    folder: Path | None = None  #: what a relative path is relative to; None: the working folder


def load(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    toml: Path | None = None,
) -> Settings:
    """Read all settings once.

    ``flags`` maps names such as "server.port" to values; None counts as not given. ``toml`` must exist when it is
    given; without it, FILMGATE_CONFIG, or ``filmgate.toml`` in the working folder if there is one.
    Raises SettingsError.
    """
    environ = os.environ if environ is None else environ
    warnings = check_environment(environ)
    path = _toml_path(environ, toml)
    document = _read_toml(path) if path else {}
    found = {each.name: _find(each, flags or {}, environ, document, path) for each in known()}
    values = {each.name: _value(each, found[each.name], environ) for each in known()}
    values |= _preset(values, found)
    settings = _tree(values)
    models, model_origins = read_models(document.get("models", {}), str(path))
    engines, engine_origins = read_engines(document.get("engines", {}), path)
    origins = {name: each.origin if each else "default" for name, each in found.items()}
    origins |= model_origins | engine_origins
    settings = replace(settings, models=models, engines=engines, origins=origins, warnings=warnings)
    _check_together(settings)
    return settings


def edition_switch(text: str) -> tuple[str, str]:
    """A switch for one API key, "times=iso", as (name, value). Raises SettingsError."""
    name, sign, value = text.partition("=")
    switches = {each.name.removeprefix("edition."): each for each in known() if each.name.startswith("edition.")}
    if not sign or name not in switches:
        raise SettingsError(f"{text!r} is not a switch: write NAME=VALUE, NAME being one of {', '.join(switches)}.")
    return name, str(_value(switches[name], Found(value, name), {}))


def edition_of_key(texts: Sequence[str], settings: Settings) -> dict[str, str]:
    """The switches of one API key. Raises SettingsError for any that its requests would fail with."""
    switches = dict(map(edition_switch, texts))
    _check_default_model(settings.edition.merged(switches).default_model, settings)
    return switches


def _toml_path(environ: Mapping[str, str], asked: Path | None) -> Path | None:
    named = asked or (Path(environ["FILMGATE_CONFIG"]) if environ.get("FILMGATE_CONFIG") else None)
    if named is None:
        return Path("filmgate.toml") if Path("filmgate.toml").is_file() else None
    if not named.is_file():
        raise SettingsError(f"There is no settings file {named}: check --config and FILMGATE_CONFIG.")
    return named


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from error
    check_keys(document, str(path))
    return document


def _find(
    setting: Setting,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    document: dict[str, Any],
    path: Path | None,
) -> Found | None:
    if flags.get(setting.name) is not None:
        return Found(flags[setting.name], f"flag {setting.flag}")
    if environ.get(setting.variable):
        return Found(environ[setting.variable], setting.variable)
    if setting.facts.secret and environ.get(f"{setting.variable}_FILE"):
        return _secret_file(f"{setting.variable}_FILE", Path(environ[f"{setting.variable}_FILE"]))
    group, dot, leaf = setting.name.rpartition(".")
    table = document.get(group, {}) if dot else document
    return Found(table[leaf], f"{path}: {setting.name}", path and path.parent) if leaf in table else None


def _secret_file(variable: str, path: Path) -> Found:
    try:
        return Found(path.read_text(encoding="utf-8").strip(), f"{variable} ({path})")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable} names {path}, which cannot be read: {error}.") from error


def _value(setting: Setting, found: Found | None, environ: Mapping[str, str]) -> Any:
    if found is None:
        return _data_default(environ) if setting.name == "data" else setting.default
    value = _convert(setting, found)
    rule = _rule(setting.hint)
    if value is not None and not rule.holds(value):
        raise _refusal(setting, found)
    if isinstance(value, Path):
        return Path(os.path.abspath((found.folder or Path()) / value.expanduser()))
    return value


def _convert(setting: Setting, found: Found) -> Any:
    raw = found.raw
    is_text = isinstance(raw, str)
    bare = get_args(setting.hint)[0] if hasattr(setting.hint, "__metadata__") else setting.hint
    if is_text and get_origin(bare) is tuple:
        raw = [part.strip() for part in raw.split(",") if part.strip()]
    try:
        # text comes from the environment and means numbers too; a TOML file says numbers as numbers
        strict = not is_text or found.folder is not None
        return msgspec.convert(raw, bare, strict=strict, dec_hook=lambda kind, text: kind(text))
    except (msgspec.ValidationError, TypeError) as error:
        raise _refusal(setting, found) from error


def _refusal(setting: Setting, found: Found) -> SettingsError:
    given = "not acceptable" if setting.facts.secret else repr(found.raw)
    return SettingsError(f"{found.origin} is {given}; it must be {_rule(setting.hint).words}.")


def _rule(hint: Any) -> Rule:
    return next(each for each in hint.__metadata__ if isinstance(each, Rule))


def _data_default(environ: Mapping[str, str]) -> Path:
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    # a relative XDG_DATA_HOME is to be ignored, says the specification of these folders
    given = Path(environ.get("XDG_DATA_HOME", ""))
    return (given if given.is_absolute() else home / ".local" / "share") / "filmgate"


def _preset(values: Mapping[str, Any], found: Mapping[str, Found | None]) -> dict[str, Any]:
    """What the preset changes, where nobody said otherwise."""
    preset = PRESETS[values["edition.preset"]]
    return {f"edition.{name}": value for name, value in preset.items() if found[f"edition.{name}"] is None}


def _tree(values: Mapping[str, Any]) -> Settings:
    hints = get_type_hints(Settings)
    groups = {
        each.name: hints[each.name](
            **{leaf.name: values[f"{each.name}.{leaf.name}"] for leaf in fields(hints[each.name])}
        )
        for each in fields(Settings)
        if is_dataclass(hints[each.name])
    }
    flat = {name: value for name, value in values.items() if "." not in name}
    return Settings(**flat, **groups)


def _check_together(settings: Settings) -> None:
    worker, server = settings.worker, settings.server
    if settings.storage.startswith(STORAGES_LATER):
        raise SettingsError("S3 storage cannot be used in this version yet: use file://, or leave it out.")
    if worker.heartbeat_s >= worker.lease_s:
        raise SettingsError(
            f"worker.heartbeat_s ({worker.heartbeat_s:g}) must be below worker.lease_s ({worker.lease_s:g}):"
            " a worker has to give a sign of life before its lease runs out."
        )
    if (settings.provenance.certificate is None) != (settings.provenance.key is None):
        raise SettingsError("provenance.certificate and provenance.key go together: set both, or neither.")
    if (server.tls_cert is None) != (server.tls_key is None):
        raise SettingsError("server.tls_cert and server.tls_key go together: set both, or neither.")
    _check_default_model(settings.edition.default_model, settings)


def _check_default_model(model: str, settings: Settings) -> None:
    if model not in settings.models:
        names = ", ".join(settings.models)
        raise SettingsError(f"edition.default_model is {model!r}; it must be one of {names}.")
