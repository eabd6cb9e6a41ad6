"""``filmgate keys create``, ``set`` and ``rotate``: what a key may do, and the secret that is shown once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from ..domain.limits import PRIORITIES
from ..settings import Settings, SettingsError, edition_of_key
from .actor import actor
from .failures import Exit, Failure
from .key_words import UNSPENT, Told, facts, told_of
from .options import WORDS, Command, Given, OrNone, as_json, with_settings
from .periods import YEAR, Moment, Period
from .saying import say, say_json
from .streams import was_closed

if TYPE_CHECKING:
    from ..ports import Key
    from ..services.accounts import NewKey

MOST_CREDITS = 10**12
_CREDITS = OrNone(click.IntRange(0, MOST_CREDITS))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said of a key; None is what was not said."""

    label: str | None = None
    hourly_cap: Given | None = None
    daily_cap: Given | None = None
    total_cap: Given | None = None
    max_running: Given | None = None
    priority: int | None = None
    expires: Given | None = None
    addresses: tuple[str, ...] | None = None
    edition: Mapping[str, str] | None = None

    def applied(self, key: Key) -> Key:
        caps = replace(
            key.caps,
            hourly=_said(self.hourly_cap, key.caps.hourly),
            daily=_said(self.daily_cap, key.caps.daily),
            total=_said(self.total_cap, key.caps.total),
        )
        return replace(
            key,
            label=key.label if self.label is None else self.label,
            caps=caps,
            max_running=_said(self.max_running, key.max_running),
            priority=key.priority if self.priority is None else self.priority,
            expires_ms=_said(self.expires, key.expires_ms),
            addresses=key.addresses if self.addresses is None else self.addresses,
            edition=key.edition if self.edition is None else self.edition,
        )


def _said(given: Given | None, otherwise: int | None) -> int | None:
    return otherwise if given is None else given.value


def with_wanted(command: Command) -> Command:
    """Adds what can be said of a key; the command gets ``wanted``."""
    options: list[Callable[[Command], Command]] = [
        click.option("--label", type=WORDS, help="What the key is for."),
        click.option("--hourly-cap", type=_CREDITS, help="Credits that it may spend in an hour."),
        click.option("--daily-cap", type=_CREDITS, help="Credits that it may spend on a day (UTC)."),
        click.option("--total-cap", type=_CREDITS, help="Credits that it may spend in all."),
        click.option(
            "--max-running", type=OrNone(click.IntRange(1, 1_000_000)), help="Films of it that are made at a time."
        ),
        click.option(
            "--priority",
            type=click.IntRange(PRIORITIES[0], PRIORITIES[-1]),
            help="Of its films among those of the account: the higher first; 0 is usual.",
        ),
        click.option("--expires", type=OrNone(Moment()), help="How long it can be used: 90d, 12h, or until a date."),
        click.option(
            "--allow", type=WORDS, multiple=True, metavar="NETWORK", help="Where it may be used; may be repeated."
        ),
        click.option("--edition", type=WORDS, multiple=True, metavar="NAME=VALUE", help="A switch for it alone; too."),
    ]

    @wraps(command)
    def reading(*args: Any, settings: Settings, allow: Sequence[str], edition: Sequence[str], **said: Any) -> Any:
        names = Wanted.__dataclass_fields__
        of_key = {name: said.pop(name) for name in list(said) if name in names}
        wanted = Wanted(**of_key, addresses=_addresses(allow), edition=_switches(edition, settings))
        return command(*args, settings=settings, wanted=wanted, **said)

    wrapped: Command = reading
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def _addresses(allow: Sequence[str]) -> tuple[str, ...] | None:
    """Raises Failure for what is no network."""
    from ..domain.errors import InvalidRequest
    from ..services.accounts import networks

    if not allow:
        return None
    try:
        return () if _is_none(allow) else networks(allow)
    except InvalidRequest as error:
        raise Failure(f"--allow: {error}", Exit.USAGE) from error


def _switches(texts: Sequence[str], settings: Settings) -> Mapping[str, str] | None:
    if not texts:
        return None
    try:
        return {} if _is_none(texts) else edition_of_key(texts, settings)
    except SettingsError as error:
        raise Failure(str(error), Exit.USAGE) from error


def _is_none(texts: Sequence[str]) -> bool:
    return [text.lower() for text in texts] == ["none"]


# ---------------------------------------------------------------- commands ----------------------------------------


@click.command()
@click.option("--account", type=WORDS, default="default", show_default=True, help="Account that the key belongs to.")
@with_settings
@with_wanted
@as_json
def create(settings: Settings, account: str, wanted: Wanted, json_: bool) -> None:
    """Create a key and print it: it is stored as a digest, and cannot be shown again."""
    _check_audience()
    made = asyncio.run(_create(settings, account, wanted))
    try:
        _hand_over(Told(made.key, UNSPENT, made.key.created_ms), made.secret, json_)
    except OSError as error:
        asyncio.run(_revoke(settings, made.key.id))
        raise Failure(
            f"The key could not be printed ({error.strerror}), and was revoked again: nobody has seen it.", Exit.MACHINE
        ) from error
    if not json_:
        say(f"This is {made.key.id}; keep it now: it cannot be shown again.", err=True)


@click.command("set")
@click.argument("key_id", metavar="KEY", type=WORDS)
@with_settings
@with_wanted
@as_json
def set_(settings: Settings, key_id: str, wanted: Wanted, json_: bool) -> None:
    """Change what a key may do; "none" takes a cap, an end, all networks or all switches away."""
    if wanted == Wanted():
        raise Failure("Say what to change: `filmgate keys set --help` lists what can be.", Exit.USAGE)
    told = asyncio.run(_set(settings, key_id, wanted))
    if json_:
        say_json(facts(told))
    else:
        say(f"{key_id} is changed: `filmgate keys show {key_id}` shows it.")


@click.command()
@click.argument("key_id", metavar="KEY", type=WORDS)
@click.option(
    "--overlap", type=Period(YEAR), default="1d", show_default=True, help="How long the old one is still good; or 0."
)
@with_settings
@as_json
def rotate(settings: Settings, key_id: str, overlap: int, json_: bool) -> None:
    """Give a key a new secret and print it; the key stays the same, and the old secret is good until the overlap ends.

    The new one is printed before it is stored: where it cannot be printed, nothing changes.
    """
    _check_audience()
    asyncio.run(_rotate(settings, key_id, overlap, json_))
    if not json_:
        say(f"This is {key_id} now; keep it: it cannot be shown again.", err=True)
        say(f"The old one is {'good for a while' if overlap else 'refused from now on'}.", err=True)


def _check_audience() -> None:
    if was_closed(sys.stdout):
        raise Failure("Standard output is closed, and nobody would see the key: none was made.", Exit.USAGE)


def _hand_over(told: Told, secret: str, json_: bool) -> None:
    if json_:
        say_json(facts(told) | {"key": secret})
    else:
        say(secret)


async def _create(settings: Settings, account: str, wanted: Wanted) -> NewKey:
    from ..app.parts import operator
    from ..ports import Key
    from ..services.accounts import create_key

    async with operator(settings) as parts:
        if not await parts.accounts.accounts():
            raise Failure(
                "There is no account yet: start `filmgate serve` once; it makes the first account and its key.",
                Exit.USAGE,
            )
        draft = wanted.applied(Key("", account, "", "", 0))
        return await create_key(
            parts.accounts,
            parts.clock,
            draft.label,
            account_id=account,
            edition=draft.edition,
            expires_ms=draft.expires_ms,
            caps=draft.caps,
            max_running=draft.max_running,
            priority=draft.priority,
            addresses=draft.addresses,
            by=actor(),
        )


async def _revoke(settings: Settings, key_id: str) -> None:
    from ..app.parts import operator
    from ..services.accounts import revoke_key

    async with operator(settings) as parts:
        await revoke_key(parts.accounts, key_id, by=actor())


async def _set(settings: Settings, key_id: str, wanted: Wanted) -> Told:
    from ..app.parts import operator

    async with operator(settings) as parts:
        key = await parts.accounts.change_key(key_id, wanted.applied, by=actor())
        return told_of([key], await parts.accounts.spent(), parts.clock.now_ms())[0]


async def _rotate(settings: Settings, key_id: str, overlap_ms: int, json_: bool) -> None:
    from ..app.parts import operator
    from ..services.accounts import hint, live_key, new_secret, replace_secret

    async with operator(settings) as parts:
        secret = new_secret()
        key = replace(await live_key(parts.accounts, key_id), hint=hint(secret))
        (told,) = told_of([key], await parts.accounts.spent(), parts.clock.now_ms())
        _show_in_time(told, secret, json_)
        await replace_secret(parts.accounts, key_id, secret, overlap_ms, by=actor())


def _show_in_time(told: Told, secret: str, json_: bool) -> None:
    try:
        _hand_over(told, secret, json_)
    except OSError as error:
        raise Failure(
            f"The new secret could not be printed ({error.strerror}), and nothing was changed: the old one is good.",
            Exit.MACHINE,
        ) from error
