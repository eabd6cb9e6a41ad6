"""``filmgate engines``: what is installed, and what it can do."""

from __future__ import annotations

from typing import Any

import click

from ..domain.errors import EngineUnavailable
from ..domain.routing import Capabilities
from ..engines.registry import Registry
from ..settings import Settings
from .options import as_json, with_settings
from .saying import say_json
from .tables import Row, show_table


@click.group()
def engines() -> None:
    """Show the engines and what they can do."""


@engines.command("list")
@with_settings
@as_json
def list_(settings: Settings, json_: bool) -> None:
    """List the installed engines, what each can do, and the models that it stands behind."""
    registry = settings.registry()
    found = [_facts(name, settings, registry) for name in registry.names()]
    if json_:
        say_json(found)
        return
    rows = [
        Row((each["name"], ", ".join(each["models"]) or "-", _words(each)), dim=not each["models"]) for each in found
    ]
    show_table(("engine", "models", "can do"), rows)


def _facts(name: str, settings: Settings, registry: Registry) -> dict[str, Any]:
    models = [model for model, route in settings.routes().items() if name in route.engines]
    try:
        return {"name": name, "models": models, **_can(registry.capabilities(name))}
    except EngineUnavailable as error:
        return {"name": name, "models": models, "problem": str(error)}


def _can(can: Capabilities) -> dict[str, Any]:
    return {
        "kinds": sorted(can.kinds),
        "modes": sorted(can.modes),
        "aspectRatios": sorted(can.aspect_ratios),
        "resolutions": sorted(can.resolutions, key=lambda each: each.lines),
        "seconds": list(can.seconds),
        "audio": can.audio,
        "seeded": can.seeded,
    }


def _words(facts: dict[str, Any]) -> str:
    if "problem" in facts:
        return str(facts["problem"])
    parts = [
        "from " + ", ".join(facts["modes"]),
        " ".join(facts["resolutions"]),
        " ".join(facts["aspectRatios"]),
        " ".join(map(str, facts["seconds"])) + " s",
        "sound" if facts["audio"] else "silent",
    ]
    return "; ".join(parts + (["same seed, same film"] if facts["seeded"] else []))
