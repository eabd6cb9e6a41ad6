"""``filmgate keys``: the API keys, and the secrets that sign callbacks, straight from the database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..settings import Settings, SettingsError, edition_of_key
from .failures import Exit, Failure
from .options import WORDS, as_json, with_settings
from .saying import say, say_json
from .streams import was_closed
from .tables import Row, moment, show_table
from .webhook import webhook

if TYPE_CHECKING:
    from ..ports import Key
    from ..services.accounts import NewKey


@click.group()
def keys() -> None:
    """Create, list and revoke API keys; say what signs callbacks."""


keys.add_command(webhook)


@keys.command()
@click.option("--label", type=WORDS, default="", help="What the key is for.")
@click.option("--account", type=WORDS, default="default", show_default=True, help="Account that the key belongs to.")
@click.option(
    "--edition", type=WORDS, multiple=True, metavar="NAME=VALUE", help="A switch for this key alone; may be repeated."
)
@with_settings
@as_json
def create(settings: Settings, label: str, account: str, edition: tuple[str, ...], json_: bool) -> None:
    """Create a key and print it: it is stored as a digest, and cannot be shown again."""
    if was_closed(sys.stdout):
        raise Failure("Standard output is closed, and nobody would see the key: none was made.", Exit.USAGE)
    made = asyncio.run(_create(settings, label, account, _switches(edition, settings)))
    try:
        _hand_over(made, json_)
    except OSError as error:
        asyncio.run(_revoke(settings, made.key.id))
        raise Failure(
            f"The key could not be printed ({error.strerror}), and was revoked again: nobody has seen it.", Exit.MACHINE
        ) from error


def _hand_over(made: NewKey, json_: bool) -> None:
    if json_:
        say_json(_facts(made.key) | {"key": made.secret})
    else:
        say(made.secret)
        say(f"This is {made.key.id}; keep it now: it cannot be shown again.", err=True)


@keys.command("list")
@with_settings
@as_json
def list_(settings: Settings, json_: bool) -> None:
    """List all keys, revoked ones too."""
    found = asyncio.run(_list(settings))
    if json_:
        say_json([_facts(each) for each in found])
        return
    if not found:
        say("There are no keys yet: the first start of `filmgate serve` makes one.")
        return
    rows = [
        Row(
            (each.id, f"{each.hint}...", each.account_id, each.label or "-", _state(each)),
            dim=each.revoked_ms is not None,
        )
        for each in found
    ]
    show_table(("id", "key", "account", "label", "state"), rows)


@keys.command()
@click.argument("key_id", type=WORDS)
@with_settings
def revoke(settings: Settings, key_id: str) -> None:
    """Revoke the key with this id: requests with it are refused from now on."""
    asyncio.run(_revoke(settings, key_id))
    say(f"{key_id} is revoked.")


def _switches(texts: Sequence[str], settings: Settings) -> Mapping[str, str]:
    try:
        return edition_of_key(texts, settings)
    except SettingsError as error:
        raise Failure(str(error), Exit.USAGE) from error


async def _create(settings: Settings, label: str, account: str, edition: Mapping[str, str]) -> NewKey:
    from ..app.parts import operator
    from ..services.accounts import create_key

    async with operator(settings) as parts:
        if not await parts.accounts.keys():
            raise Failure(
                "There is no account yet: start `filmgate serve` once; it makes the first account and its key.",
                Exit.USAGE,
            )
        return await create_key(parts.accounts, parts.clock, label, account_id=account, edition=edition)


async def _list(settings: Settings) -> Sequence[Key]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        return await parts.accounts.keys()


async def _revoke(settings: Settings, key_id: str) -> None:
    from ..app.parts import operator
    from ..services.accounts import revoke_key

    async with operator(settings) as parts:
        await revoke_key(parts.accounts, key_id)


def _facts(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "hint": key.hint,
        "account": key.account_id,
        "label": key.label,
        "created": moment(key.created_ms),
        "revoked": moment(key.revoked_ms) if key.revoked_ms is not None else None,
        "edition": dict(key.edition),
    }


def _state(key: Key) -> str:
    return f"revoked {moment(key.revoked_ms)}" if key.revoked_ms is not None else f"live since {moment(key.created_ms)}"
