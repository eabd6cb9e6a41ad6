"""``filmgate config``: what is set, and by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from ..ports import Secret
from ..settings import EngineSettings, Setting, Settings, known
from .options import as_json, with_settings
from .saying import say_json
from .tables import Row, show_table

MASK = "********"


@click.group()
def config() -> None:
    """Show the settings and where they come from."""


@config.command()
@with_settings
@as_json
def show(settings: Settings, json_: bool) -> None:
    """Show every setting: its value, and the flag, variable, file or default that it comes from."""
    rows = [_facts(settings, each) for each in known()] + _engines(settings) + _models(settings)
    if json_:
        say_json(rows)
        return
    table = [Row((row["name"], _words(row["value"]), row["origin"]), dim=row["origin"] == "default") for row in rows]
    show_table(("setting", "value", "from"), table)


def _facts(settings: Settings, setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "value": _shown(settings, setting),
        "origin": settings.origins[setting.name],
    }


def _engines(settings: Settings) -> list[dict[str, Any]]:
    return [
        {"name": f"engines.{name}.{key}", "value": value, "origin": settings.origins[f"engines.{name}"]}
        for name, of in settings.engines.items()
        for key, value in {"kind": of.kind, **_told(of)}.items()
    ]


def _told(engine: EngineSettings) -> dict[str, Any]:
    """What the engine was told, as it may be shown."""
    if engine.config is None:
        return {}
    values = {key: getattr(engine.config, key) for key in engine.config.__struct_fields__}
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return MASK if value else None
    if isinstance(value, str) and "://" in value:
        return masked_url(value)
    return str(value) if isinstance(value, Path) else value


def _models(settings: Settings) -> list[dict[str, Any]]:
    return [
        {"name": name, "value": list(route.engines), "origin": settings.origins[name]}
        for name, route in ((f"models.{model}", route) for model, route in settings.routes().items())
    ]


def _shown(settings: Settings, setting: Setting) -> Any:
    if setting.name == "database_url":
        return masked_url(settings.database)
    if setting.name == "storage_url":
        return masked_url(settings.storage)
    value = _value_of(settings, setting.name)
    if setting.facts.secret:
        return MASK if value else None
    return str(value) if isinstance(value, Path) else value


def _value_of(settings: Settings, name: str) -> Any:
    group, dot, leaf = name.rpartition(".")
    return getattr(getattr(settings, group) if dot else settings, leaf)


def masked_url(url: str) -> str:
    """The address with its password replaced."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", f":{MASK}@") if password else url


def _words(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ", ".join(_words(each) for each in value) or "-"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
