"""``filmgate tasks``: what this machine's server has been asked for, straight from the database."""

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
from .tables import Row, moment, show_lines, show_table

if TYPE_CHECKING:
    from ..domain.task import Task

_SHORT = 40  #: characters of a prompt in the list


@click.group()
def tasks() -> None:
    """Look at the tasks of this machine's server, of all accounts."""


@tasks.command("list")
@click.option("--account", type=WORDS, help="Only the tasks of this account.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many at most.")
@with_settings
@as_json
def list_(settings: Settings, account: str | None, limit: int, json_: bool) -> None:
    """List the newest tasks, the newest first."""
    found = asyncio.run(_list(settings, account, limit))
    if json_:
        say_json([_facts(each) for each in found])
    elif found:
        show_table(("task", "status", "progress", "model", "created", "prompt"), [_row(each) for each in found])
    else:
        say("There are no tasks yet." if account is None else f"There are no tasks of the account {account!r}.")


@tasks.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@with_settings
@as_json
def show(settings: Settings, task_id: str, json_: bool) -> None:
    """Show a task: what was ordered, where it stands, what came of it."""
    task = asyncio.run(_get(settings, task_id))
    if json_:
        say_json(_facts(task))
        return
    show_lines(_lines(task))


async def _list(settings: Settings, account: str | None, limit: int) -> Sequence[Task]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        return await parts.tasks.list(account_id=account, limit=limit)


async def _get(settings: Settings, task_id: str) -> Task:
    from ..app.parts import operator

    async with operator(settings) as parts:
        try:
            return await parts.tasks.get(task_id)
        except TaskNotFound as error:
            sentence = f"There is no task {task_id}: `filmgate tasks list` shows the newest ones, with their ids."
            raise Failure(sentence, Exit.USAGE) from error


def _row(task: Task) -> Row:
    prompt = task.spec.prompt
    short = prompt if len(prompt) <= _SHORT else prompt[: _SHORT - 3] + "..."
    cells = (task.id, task.status.value, f"{task.progress:.0%}", task.spec.model, moment(task.created_ms), short)
    return Row(cells, dim=task.status.ended)


def _lines(task: Task) -> list[tuple[str, str]]:
    spec = task.spec
    return [
        ("task", task.id),
        ("status", f"{task.status.value}, {task.progress:.0%}, {task.stage}"),
        ("prompt", spec.prompt),
        ("order", f"{spec.model}, {spec.resolution.value}, {spec.aspect_ratio.value}, {spec.seconds} s"),
        ("account", f"{task.origin.account_id}, key {task.origin.key_id}"),
        ("engine", task.engine or ""),
        ("attempt", str(task.attempt)),
        ("created", moment(task.created_ms)),
        ("ended", "" if task.ended_ms is None else moment(task.ended_ms)),
        ("error", "" if task.failure is None else f"{task.failure.sentence} ({task.failure.slug})"),
        *((each.role.value, f"{each.key}, {each.bytes / 1e6:.1f} MB") for each in task.artifacts),
    ]


def _facts(task: Task) -> dict[str, Any]:
    return {
        "taskId": task.id,
        "status": task.status.value,
        "progress": task.progress,
        "stage": task.stage,
        "prompt": task.spec.prompt,
        "model": task.spec.model,
        "resolution": task.spec.resolution.value,
        "aspectRatio": task.spec.aspect_ratio.value,
        "seconds": task.spec.seconds,
        "seed": task.spec.seed,
        "account": task.origin.account_id,
        "key": task.origin.key_id,
        "credits": task.price,
        "engine": task.engine,
        "attempt": task.attempt,
        "created": moment(task.created_ms),
        "ended": None if task.ended_ms is None else moment(task.ended_ms),
        "error": None if task.failure is None else {"slug": task.failure.slug, "sentence": task.failure.sentence},
        "artifacts": [
            {"role": each.role.value, "key": each.key, "mime": each.mime, "bytes": each.bytes}
            for each in task.artifacts
        ],
    }
