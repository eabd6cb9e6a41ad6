"""``filmgate keys``: the API keys, and the secrets that sign callbacks, straight from the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from ..settings import Settings
from .actor import actor
from .failures import Exit, Failure
from .key_making import create, rotate, set_
from .key_words import Told, facts, lines, show_keys, told_of
from .options import WORDS, as_json, with_settings
from .saying import say, say_json
from .tables import show_lines
from .webhook import webhook


@click.group()
def keys() -> None:
    """Create, list, change and revoke API keys; say what signs callbacks."""


keys.add_command(webhook)
keys.add_command(create)
keys.add_command(set_)
keys.add_command(rotate)


@keys.command("list")
@click.option("--account", type=WORDS, help="Only the keys of this account.")
@with_settings
@as_json
def list_(settings: Settings, account: str | None, json_: bool) -> None:
    """List all keys, revoked ones too."""
    found = asyncio.run(_list(settings, account))
    if json_:
        say_json([facts(each) for each in found])
    elif found:
        show_keys(found)
    elif account is None:
        say("There are no keys yet: the first start of `filmgate serve` makes one.")
    else:
        say(f"There are no keys of the account {account!r}.")


@keys.command()
@click.argument("key_id", metavar="KEY", type=WORDS)
@with_settings
@as_json
def show(settings: Settings, key_id: str, json_: bool) -> None:
    """Show a key: its caps and what it has spent of them, where and until when it may be used."""
    told = next((each for each in asyncio.run(_list(settings, None)) if each.key.id == key_id), None)
    if told is None:
        raise Failure(f"There is no key {key_id!r}: see `filmgate keys list`.", Exit.USAGE)
    if json_:
        say_json(facts(told))
    else:
        show_lines(lines(told))


@keys.command()
@click.argument("key_id", metavar="KEY", type=WORDS)
@with_settings
@as_json
def revoke(settings: Settings, key_id: str, json_: bool) -> None:
    """Revoke the key with this id: requests with it are refused from now on."""
    asyncio.run(_revoke(settings, key_id))
    if json_:
        say_json({"id": key_id, "state": "revoked"})
    else:
        say(f"{key_id} is revoked.")


async def _list(settings: Settings, account: str | None) -> Sequence[Told]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        spent = await parts.accounts.spent()
        return told_of(await parts.accounts.keys(account), spent, parts.clock.now_ms())


async def _revoke(settings: Settings, key_id: str) -> None:
    from ..app.parts import operator
    from ..services.accounts import revoke_key

    async with operator(settings) as parts:
        await revoke_key(parts.accounts, key_id, by=actor())
