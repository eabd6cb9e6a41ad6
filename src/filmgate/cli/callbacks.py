"""``filmgate callbacks``: what receivers were told, straight from the database; and a trial of a receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..domain.errors import TaskNotFound
from ..settings import Settings
from .failures import Exit, Failure
from .options import WORDS, as_json, with_settings
from .saying import say, say_json
from .tables import Row, moment, show_table

if TYPE_CHECKING:
    from ..domain.callback import Callback, Delivery

Told = tuple["Callback", "Sequence[Delivery]"]


@click.group()
def callbacks() -> None:
    """List, send again and try callbacks."""


@callbacks.command("list")
@click.option("--account", type=WORDS, help="Only the callbacks of this account.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many at most.")
@with_settings
@as_json
def list_(settings: Settings, account: str | None, limit: int, json_: bool) -> None:
    """List the newest callbacks, the newest first, and how the last try of each went."""
    found = asyncio.run(_list(settings, account, limit))
    if json_:
        say_json([_facts(*each) for each in found])
    elif found:
        show_table(("callback", "task", "state", "tries", "last try", "address"), [_row(*each) for each in found])
    else:
        say("There are no callbacks yet." if account is None else f"There are no callbacks of the account {account!r}.")


@callbacks.command()
@click.argument("which", metavar="CALLBACK", type=WORDS)
@with_settings
@as_json
def redeliver(settings: Settings, which: str, json_: bool) -> None:
    """Send a callback again, with its whole schedule. CALLBACK is its id, or the id of its task.

    The running server does it within a second, under the same webhook-id.
    """
    due = asyncio.run(_redeliver(settings, which))
    if json_:
        say_json([_facts(each, ()) for each in due])
        return
    for each in due:
        say(f"{each.id} is due again: the running server sends it to {each.url} now.")


@callbacks.command()
@click.argument("address", metavar="URL", type=WORDS)
@click.option("--account", type=WORDS, default="default", show_default=True, help="Account whose secrets sign it.")
@with_settings
@as_json
@click.pass_context
def test(ctx: click.Context, settings: Settings, address: str, account: str, json_: bool) -> None:
    """Send a made-up callback to URL, signed as real ones are, and show what the receiver answers.

    The same addresses are refused as for real ones. The code is 1 unless the receiver answers with a status of 2xx.
    """
    from .sample import send_sample

    tried = asyncio.run(send_sample(settings, address, account))
    if json_:
        say_json(tried.facts())
    else:
        for name, value in tried.lines():
            say(f"{name:<9} {value}")
    if not tried.accepted:
        ctx.exit(Exit.FAILED)


async def _list(settings: Settings, account: str | None, limit: int) -> list[Told]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        found = await parts.outbox.list(account_id=account, limit=limit)
        return [(each, await parts.outbox.deliveries(each.id)) for each in found]


async def _redeliver(settings: Settings, which: str) -> list[Callback]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        of_task = [each.id for each in await parts.outbox.of_task(which)]
        try:
            return [await parts.outbox.redeliver(each) for each in of_task or [which]]
        except TaskNotFound as error:
            sentence = f"There is no callback or task {which} that has one: `filmgate callbacks list` shows the newest."
            raise Failure(sentence, Exit.USAGE) from error


def _row(callback: Callback, tries: Sequence[Delivery]) -> Row:
    last = _outcome(tries[-1]) if tries else "-"
    cells = (callback.id, callback.task_id, callback.state.value, str(len(tries)), last, callback.url)
    return Row(cells, dim=callback.state.value == "delivered")


def _outcome(delivery: Delivery) -> str:
    return delivery.error or f"{delivery.status} in {delivery.latency_ms} ms"


def _facts(callback: Callback, tries: Sequence[Delivery]) -> dict[str, Any]:
    return {
        "id": callback.id,
        "taskId": callback.task_id,
        "account": callback.account_id,
        "url": callback.url,
        "state": callback.state.value,
        "created": moment(callback.created_ms),
        "next": moment(callback.next_at_ms) if callback.state.value == "pending" else None,
        "tries": [_facts_of_try(each) for each in tries],
    }


def _facts_of_try(delivery: Delivery) -> dict[str, Any]:
    return {
        "at": moment(delivery.at_ms),
        "status": delivery.status,
        "latencyMs": delivery.latency_ms,
        "answer": delivery.answer,
        "error": delivery.error,
    }
