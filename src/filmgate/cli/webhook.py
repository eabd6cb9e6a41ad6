"""``filmgate keys webhook``: the secrets that sign an account's callbacks, straight from the database."""

from __future__ import annotations

import asyncio
import binascii
import secrets
import sys
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..settings import Settings
from .actor import actor
from .failures import Exit, Failure
from .options import WORDS, as_json, with_settings
from .periods import YEAR, Period
from .saying import say, say_json
from .streams import was_closed

if TYPE_CHECKING:
    from ..ports import HeldSecret

_MAKE = ""  #: the option was given without a value
_PREFIX = "whsec_"
_BYTES = range(24, 65)  #: what Standard Webhooks asks of a secret

NAMES = {"vendor": "vendor's style", "standard": "Standard Webhooks"}


@click.command()
@click.option("--account", type=WORDS, default="default", show_default=True, help="Account whose callbacks are signed.")
@click.option(
    "--vendor", type=WORDS, is_flag=False, flag_value=_MAKE, metavar="[SECRET]", help="Sign in the vendor's style."
)
@click.option(
    "--standard",
    type=WORDS,
    is_flag=False,
    flag_value=_MAKE,
    metavar="[SECRET]",
    help="Sign as Standard Webhooks does.",
)
@click.option(
    "--overlap",
    type=Period(YEAR),
    default="1d",
    show_default=True,
    help="How long the secret that is replaced goes on signing too; or 0.",
)
@click.option("--remove", is_flag=True, help="Sign no longer: neither way, or not in the one that is named.")
@with_settings
@as_json
def webhook(
    settings: Settings,
    account: str,
    vendor: str | None,
    standard: str | None,
    overlap: int,
    remove: bool,
    json_: bool,
) -> None:
    """Say what signs the callbacks of an account, or show whether anything does.

    Without a SECRET one is made and printed, this once. A running server signs with it from the next callback on.
    """
    named = {kind: said for kind, said in (("vendor", vendor), ("standard", standard)) if said is not None}
    if remove:
        _check_removal(named)
        given: dict[str, str] = {}
        now = asyncio.run(_remove(settings, account, tuple(named) or tuple(NAMES)))
    else:
        _check_audience(_MAKE in named.values())
        given = {kind: _checked(kind, said) if said else _made(kind) for kind, said in named.items()}
        now = asyncio.run(_rotate(settings, account, given, overlap))
    made = {kind: given[kind] for kind, said in named.items() if said == _MAKE and kind in given}
    _tell(account, now, made, json_)


def _tell(account: str, now: Sequence[HeldSecret], made: dict[str, str], json_: bool) -> None:
    counts = {kind: sum(held.kind == kind for held in now) for kind in NAMES}
    if json_:
        say_json({"account": account, "secrets": counts, "made": made})
        return
    for secret in made.values():
        say(secret)
    if made:
        say("Keep it now, and give it to the receiver: it cannot be shown again.", err=True)
    for kind, count in counts.items():
        say(f"{NAMES[kind]}: {_words(count)}.", err=bool(made))


def _words(count: int) -> str:
    if count == 0:
        return "not signed"
    return "signed" if count == 1 else f"signed; {count} secrets are good, the older ones for a while"


async def _rotate(settings: Settings, account: str, given: dict[str, str], overlap_ms: int) -> Sequence[HeldSecret]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        await parts.accounts.balance(account)  # raises where there is no such account
        for kind, secret in given.items():
            await parts.webhooks.rotate(account, kind, secret, overlap_ms, by=actor())
        return await parts.webhooks.held(account)


async def _remove(settings: Settings, account: str, kinds: tuple[str, ...]) -> Sequence[HeldSecret]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        await parts.accounts.balance(account)
        for kind in kinds:
            await parts.webhooks.remove(account, kind, by=actor())
        return await parts.webhooks.held(account)


def _check_removal(named: dict[str, str]) -> None:
    if any(named.values()):
        raise Failure("--remove takes no SECRET: all secrets of that kind are removed.", Exit.USAGE)


def _check_audience(makes_one: bool) -> None:
    if makes_one and was_closed(sys.stdout):
        raise Failure("Standard output is closed, and nobody would see the secret: none was made.", Exit.USAGE)


def _made(kind: str) -> str:
    if kind == "vendor":
        return secrets.token_hex(32)
    return _PREFIX + b64encode(secrets.token_bytes(32)).decode()


def _checked(kind: str, secret: str) -> str:
    """Raises Failure for what cannot be a secret of this kind."""
    if kind == "vendor":
        if not secret.strip() or not secret.isprintable():
            raise Failure("The vendor's secret must be printable text: any that the receiver has too.", Exit.USAGE)
        return secret
    try:
        size = len(b64decode(secret.removeprefix(_PREFIX), validate=True))
    except binascii.Error:
        size = 0
    if not secret.startswith(_PREFIX) or size not in _BYTES:
        raise Failure(
            f"A Standard Webhooks secret is {_PREFIX} and {_BYTES.start} to {_BYTES.stop - 1} bytes in base64: "
            "give --standard alone, and one is made.",
            Exit.USAGE,
        )
    return secret
