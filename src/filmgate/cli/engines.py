"""``filmgate engines``: what is installed, what it can do, and whether it does it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..domain.errors import EngineUnavailable, FilmgateError
from ..domain.routing import Capabilities
from ..engines.registry import Registry
from ..settings import Settings
from .failures import Exit
from .options import as_json, with_settings
from .saying import plain, say_json
from .tables import Row, show_table


@click.group()
def engines() -> None:
    """Show the engines, what they can do, and whether they do it."""


@engines.command("list")
@with_settings
@as_json
def list_(settings: Settings, json_: bool) -> None:
    """List the engines, what each can do, the models that it stands behind, and whether it is left alone for now."""
    registry, resting = settings.registry(), asyncio.run(_resting(settings))
    found = [_facts(name, settings, registry, resting) for name in registry.names()]
    if json_:
        say_json(found)
        return
    rows = [
        Row(
            (each["name"], each["renders"], ", ".join(each["models"]) or "-", _words(each)),
            dim=not each["models"],
        )
        for each in found
    ]
    show_table(("engine", "renders", "models", "can do"), rows)


@engines.command()
@click.argument("names", metavar="[ENGINE]...", nargs=-1)
@with_settings
@as_json
@click.pass_context
def check(ctx: click.Context, settings: Settings, names: tuple[str, ...], json_: bool) -> None:
    """Have engines show that they work: those that are named, or all that a model names.

    One that renders on this machine is loaded; one that renders elsewhere asks there, which costs nothing.
    """
    asked = names or tuple(sorted({name for route in settings.routes().values() for name in route.engines}))
    found = [_checked(settings, name) for name in asked]
    if json_:
        say_json(found)
    else:
        for each in found:
            mark = click.style("ok     ", fg="green") if each["ok"] else click.style("problem", fg="red", bold=True)
            click.echo(f"{mark}  {plain(each['name']):<17} {plain(each['seen'])}")
    if not all(each["ok"] for each in found):
        ctx.exit(Exit.MACHINE)


def _checked(settings: Settings, name: str) -> dict[str, Any]:
    from ..app.probing import probe

    try:
        return {"name": name, "ok": True, "seen": asyncio.run(probe(settings, name))}
    except FilmgateError as error:
        return {"name": name, "ok": False, "seen": str(error)}


async def _resting(settings: Settings) -> Mapping[str, Sequence[str]]:
    """Engine -> workers that leave it alone. Of a server that has never run there is nothing to be read."""
    from ..app.parts import operator
    from ..store.sqlite import location

    if not location(settings.database).exists():
        return {}
    async with operator(settings) as parts:
        resting = await parts.workers.resting()
    return {name: [worker for worker, names in resting.items() if name in names] for name in settings.engines}


def _facts(name: str, settings: Settings, registry: Registry, resting: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    models = [model for model, route in settings.routes().items() if name in route.engines]
    facts = {"name": name, "kind": registry.declared(name).kind, "renders": "?", "models": models}
    try:
        renders = "elsewhere" if registry.is_remote(name) else "here"
        workers = list(resting.get(name, ()))
        return facts | {"renders": renders, "restingAt": workers} | _can(registry.capabilities(name))
    except EngineUnavailable as error:
        return facts | {"problem": str(error)}


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
    if facts["seeded"]:
        parts.append("same seed, same film")
    if facts["restingAt"]:
        parts.append("left alone for now: it has failed too often")
    return "; ".join(parts)
