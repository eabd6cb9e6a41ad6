"""``filmgate accounts``: who owns tasks and credits, straight from the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from ..settings import Settings
from .actor import actor
from .failures import Exit, Failure
from .key_making import MOST_CREDITS
from .key_words import Told, facts, show_keys, told_of
from .options import WORDS, Command, Given, OrNone, as_json, with_settings
from .saying import say, say_json
from .tables import Row, moment, show_lines, show_table

if TYPE_CHECKING:
    from ..domain.credits import Entry
    from ..ports import Account

SHOWN = 10  #: ledger entries in ``show``
_WEIGHT = click.FloatRange(0.001, 1000)
_AT_A_TIME = OrNone(click.IntRange(1, 1_000_000))
_ID = click.argument("account_id", metavar="ID", type=WORDS)


@click.group()
def accounts() -> None:
    """Create accounts, look at them, give them credits."""


def with_shares(command: Command) -> Command:
    """Adds what can be said of an account beside its credits."""
    at_a_time = click.option("--max-running", type=_AT_A_TIME, help="Films of it that are made at a time; or none.")
    weight = click.option("--weight", type=_WEIGHT, help="Its share of the workers beside others; 1 at first.")
    return click.option("--label", type=WORDS, help="Who it is.")(weight(at_a_time(command)))


@accounts.command()
@_ID
@with_settings
@with_shares
@click.option("--credits", type=click.IntRange(0, MOST_CREDITS), default=0, help="Credits to begin with.  [default: 0]")
@as_json
def create(
    settings: Settings,
    account_id: str,
    label: str | None,
    weight: float | None,
    max_running: Given | None,
    credits: int,
    json_: bool,
) -> None:
    """Create an account: small letters, digits and the signs . _ - make its ID."""
    from ..app.parts import operator
    from ..services.accounts import create_account

    async def work() -> Account:
        async with operator(settings) as parts:
            return await create_account(
                parts.accounts,
                account_id,
                label or "",
                credits=credits,
                weight=1.0 if weight is None else weight,
                max_running=max_running.value if max_running else None,
                by=actor(),
            )

    account = asyncio.run(work())
    next_step = f"`filmgate keys create --account {account.id}` makes a key for it"
    _tell(account, json_, f"The account {account.id} is there, with {account.balance} credits: {next_step}.")


@accounts.command("set")
@_ID
@with_settings
@with_shares
@as_json
def set_(
    settings: Settings,
    account_id: str,
    label: str | None,
    weight: float | None,
    max_running: Given | None,
    json_: bool,
) -> None:
    """Change the label, the weight or the number of films at a time."""
    from ..app.parts import operator

    said: dict[str, Any] = {
        name: value for name, value in (("label", label), ("weight", weight)) if value is not None
    } | ({"max_running": max_running.value} if max_running else {})
    if not said:
        raise Failure("Say what to change: --label, --weight or --max-running.", Exit.USAGE)

    async def work() -> Account:
        async with operator(settings) as parts:
            return await parts.accounts.change_account(account_id, lambda each: replace(each, **said), by=actor())

    _tell(asyncio.run(work()), json_, f"{account_id} is changed.")


@accounts.command(context_settings={"ignore_unknown_options": True})  # -5 is a number, and no option
@_ID
@click.argument("credits", type=click.IntRange(-MOST_CREDITS, MOST_CREDITS))
@click.option("--note", type=WORDS, default="", help="What for; it is kept in the ledger.")
@with_settings
@as_json
def grant(settings: Settings, account_id: str, credits: int, note: str, json_: bool) -> None:
    """Give an account CREDITS; with a minus, take some back, but never more than there are."""
    from ..app.parts import operator
    from ..services.accounts import grant

    async def work() -> int:
        async with operator(settings) as parts:
            return await grant(parts.accounts, parts.clock, account_id, credits, note, by=actor())

    balance = asyncio.run(work())
    if json_:
        say_json({"id": account_id, "granted": credits, "balance": balance})
    else:
        say(f"{account_id} has {balance} credits now.")


@accounts.command("list")
@with_settings
@as_json
def list_(settings: Settings, json_: bool) -> None:
    """List all accounts, with their credits and the number of their tasks that have not ended."""
    from ..app.parts import operator

    async def work() -> Sequence[Account]:
        async with operator(settings) as parts:
            return await parts.accounts.accounts()

    found = asyncio.run(work())
    if json_:
        say_json([_facts(each) for each in found])
    elif found:
        show_table(("id", "label", "credits", "live tasks", "weight", "at a time"), [_row(each) for each in found])
    else:
        say("There are no accounts yet: the first start of `filmgate serve` makes one.")


@dataclass(frozen=True, slots=True)
class Whole:
    """An account and what hangs on it."""

    account: Account
    keys: Sequence[Told]
    entries: Sequence[Entry]  #: the newest first


@accounts.command()
@_ID
@with_settings
@as_json
def show(settings: Settings, account_id: str, json_: bool) -> None:
    """Show an account: credits, keys, the number of tasks that have not ended, the newest entries of its ledger."""
    whole = asyncio.run(_whole(settings, account_id, SHOWN))
    if json_:
        told = {"keys": [facts(each) for each in whole.keys], "entries": [_facts_of(each) for each in whole.entries]}
        say_json(_facts(whole.account) | told)
        return
    show_lines(_lines(whole.account))
    if whole.keys:
        say("")
        show_keys(whole.keys)
    if whole.entries:
        say("")
        _show_entries(whole.entries)


@accounts.command()
@_ID
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="So many at most.")
@with_settings
@as_json
def ledger(settings: Settings, account_id: str, limit: int, json_: bool) -> None:
    """List the newest entries of an account's ledger, the newest first. The balance is the sum of all."""
    whole = asyncio.run(_whole(settings, account_id, limit))
    if json_:
        say_json([_facts_of(each) for each in whole.entries])
    elif whole.entries:
        _show_entries(whole.entries)
    else:
        say(f"{account_id} has never had credits.")


async def _whole(settings: Settings, account_id: str, limit: int) -> Whole:
    from ..app.parts import operator

    async with operator(settings) as parts:
        store = parts.accounts
        account = await store.account(account_id)
        told = told_of(await store.keys(account_id), await store.spent(), parts.clock.now_ms())
        return Whole(account, told, (await store.entries(account_id, limit=limit))[::-1])


# ---------------------------------------------------------------- how it is told ----------------------------------


def _tell(account: Account, json_: bool, words: str) -> None:
    if json_:
        say_json(_facts(account))
    else:
        say(words)


def _facts(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "label": account.label,
        "credits": account.balance,
        "liveTasks": account.live,
        "weight": account.weight,
        "maxRunning": account.max_running,
        "created": moment(account.created_ms),
    }


def _row(account: Account) -> Row:
    cells = (str(account.balance), str(account.live), f"{account.weight:g}", _at_a_time(account))
    return Row((account.id, account.label or "-", *cells))


def _lines(account: Account) -> list[tuple[str, str]]:
    return [
        ("account", account.id),
        ("label", account.label),
        ("credits", str(account.balance)),
        ("tasks", f"{account.live} not ended; {_at_a_time(account)} at a time; weight {account.weight:g}"),
        ("created", moment(account.created_ms)),
    ]


def _at_a_time(account: Account) -> str:
    return "as set" if account.max_running is None else str(account.max_running)


def _show_entries(entries: Sequence[Entry]) -> None:
    show_table(("at", "entry", "credits", "task", "note"), [_row_of(each) for each in entries])


def _row_of(entry: Entry) -> Row:
    credits = f"{entry.credits:+d}" if entry.credits else "0"
    return Row((moment(entry.at_ms), entry.kind.value, credits, entry.task_id or "-", entry.note or "-"))


def _facts_of(entry: Entry) -> dict[str, Any]:
    return {
        "at": moment(entry.at_ms),
        "kind": entry.kind.value,
        "credits": entry.credits,
        "taskId": entry.task_id,
        "note": entry.note,
    }
