"""``filmgate features``: what is switched off, and maintenance; in effect at once, without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import click

from ..domain.features import Feature
from ..settings import Settings
from .actor import actor
from .options import as_json, with_settings
from .saying import say, say_json
from .tables import Row, show_table

_STATE = {True: "on", False: "off"}


@click.group()
def features() -> None:
    """Show, and switch off and on, what the server offers."""


@features.command("list")
@with_settings
@as_json
def list_(settings: Settings, json_: bool) -> None:
    """List what can be switched, and how it stands."""
    now = asyncio.run(_all(settings))
    if json_:
        say_json([_facts(each, is_on) for each, is_on in now.items()])
        return
    rows = [Row((each.value, _STATE[is_on], each.words), dim=not is_on) for each, is_on in now.items()]
    show_table(("feature", "state", "while it is on"), rows)


@features.command("set")
@click.argument("name", type=click.Choice([each.value for each in Feature]))
@click.argument("state", type=click.Choice(list(_STATE.values())))
@with_settings
@as_json
def set_(settings: Settings, name: str, state: str, json_: bool) -> None:
    """Switch feature NAME on or off. A running server heeds it from the next request on."""
    feature, is_on = Feature(name), state == "on"
    asyncio.run(_set(settings, feature, is_on))
    if json_:
        say_json(_facts(feature, is_on))
    else:
        say(f"{name} is {state}.")


def _facts(feature: Feature, is_on: bool) -> dict[str, Any]:
    return {"name": feature.value, "on": is_on, "words": feature.words}


async def _all(settings: Settings) -> Mapping[Feature, bool]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        return await parts.features.all()


async def _set(settings: Settings, feature: Feature, is_on: bool) -> None:
    from ..app.parts import operator

    async with operator(settings) as parts:
        await parts.features.set(feature, is_on, actor())
