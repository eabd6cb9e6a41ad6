"""``filmgate audit``: who changed what, straight from the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..settings import Settings
from .options import WORDS, as_json, with_settings
from .saying import say, say_json
from .tables import Row, moment, show_table

if TYPE_CHECKING:
    from ..domain.audit import Note


@click.group()
def audit() -> None:
    """Look at who changed accounts, keys, credits, webhook secrets and features."""


@audit.command("list")
@click.option("--account", type=WORDS, help="Only what was done to this account.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="So many at most.")
@with_settings
@as_json
def list_(settings: Settings, account: str | None, limit: int, json_: bool) -> None:
    """List the newest changes, the newest first."""
    from ..app.parts import operator

    async def work() -> Sequence[Note]:
        async with operator(settings) as parts:
            return await parts.audit.list(account_id=account, limit=limit)

    found = asyncio.run(work())
    if json_:
        say_json([_facts(each) for each in found])
    elif found:
        show_table(("at", "who", "what", "account", "of", "details"), [_row(each) for each in found])
    else:
        say("Nothing is noted yet." if account is None else f"Nothing is noted of the account {account!r}.")


def _row(note: Note) -> Row:
    details = "; ".join(f"{name}: {value}" for name, value in note.details.items() if value not in (None, ""))
    return Row((moment(note.at_ms), note.actor, note.action, note.account_id or "-", note.subject, details or "-"))


def _facts(note: Note) -> dict[str, Any]:
    return {
        "at": moment(note.at_ms),
        "actor": note.actor,
        "action": note.action,
        "account": note.account_id,
        "subject": note.subject,
        "details": dict(note.details),
    }
