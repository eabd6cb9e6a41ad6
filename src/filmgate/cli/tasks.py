"""``filmgate tasks``: what this machine's server has been asked for, straight from the database, and what an operator
may do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..domain.errors import TaskNotFound
from ..domain.spec import Kind
from ..domain.task import STATES
from ..settings import Settings
from .actor import actor
from .failures import Exit, Failure
from .options import WORDS, as_json, with_settings
from .periods import Past
from .saying import say, say_json
from .tables import Row, moment, show_lines, show_table

if TYPE_CHECKING:
    from ..domain.listing import Sought
    from ..domain.task import Run, Task

_SHORT = 40  #: characters of a prompt in the list


@click.group()
def tasks() -> None:
    """Look at the tasks of this machine's server, of all accounts; cancel them, delete their films."""


@tasks.command("list")
@click.option("--account", type=WORDS, help="Only the tasks of this account.")
@click.option("--state", type=click.Choice(tuple(STATES)), help="Only those in this state, as records tell it.")
@click.option("--model", type=WORDS, help="Only those of this model.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only those of this kind.")
@click.option("--since", type=Past(), help="Only those created since then: 12h, 2026-01-31, 2026-01-31T12:00Z.")
@click.option("--until", type=Past(), help="Only those created before this time.")
@click.option(
    "--cursor", metavar="TASK", type=WORDS, help="Only those older than this task: the last one listed before."
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many at most.")
@with_settings
@as_json
def list_(settings: Settings, account: str | None, cursor: str | None, limit: int, json_: bool, **filters: Any) -> None:
    """List the newest tasks, the newest first."""
    sought = _sought(**filters)
    found = asyncio.run(_list(settings, account, sought, cursor, limit))
    if json_:
        say_json([_facts(each) for each in found])
    elif found:
        show_table(("task", "status", "progress", "model", "created", "prompt"), [_row(each) for each in found])
    elif any((cursor, *filters.values())):
        say("There are no such tasks.")
    else:
        say("There are no tasks yet." if account is None else f"There are no tasks of the account {account!r}.")


@tasks.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@with_settings
@as_json
def show(settings: Settings, task_id: str, json_: bool) -> None:
    """Show a task: what was ordered, where it stands, what came of it."""
    task, runs = asyncio.run(_get(settings, task_id))
    if json_:
        say_json(_facts(task) | {"runs": [_run(each) for each in runs]})
        return
    show_lines([*_lines(task), *(("run", _ran(each)) for each in runs)])


@tasks.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@with_settings
def cancel(settings: Settings, task_id: str) -> None:
    """End a task that is queued or being made. Its credits are given back, and its callback is sent."""
    asyncio.run(_cancel(settings, task_id))
    say(f"Task {task_id} is cancelled; its credits are back.")


@tasks.command("delete-media")
@click.argument("task_id", metavar="TASK", type=WORDS)
@with_settings
def delete_media(settings: Settings, task_id: str) -> None:
    """Delete the stored files of a task that has ended. Its links are dead from now on."""
    asyncio.run(_delete_media(settings, task_id))
    say(f"The files of task {task_id} are gone.")


@tasks.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@with_settings
@as_json
def retry(settings: Settings, task_id: str, json_: bool) -> None:
    """Order a task that has failed or was refused once more, by a new task that names it."""
    made = asyncio.run(_retry(settings, task_id))
    if json_:
        say_json(_facts(made))
    else:
        say(f"{made.id} is in the queue, for {made.price} credits of the account {made.origin.account_id}.")


async def _retry(settings: Settings, task_id: str) -> Task:
    from ..app.chance import TaskIds
    from ..app.parts import operator
    from ..services.retry import Retry

    async with operator(settings) as parts:
        with _known(task_id):
            return await Retry(parts.tasks, parts.clock, TaskIds(), lambda: None)(task_id, by=actor())


async def _list(
    settings: Settings, account: str | None, sought: Sought, cursor: str | None, limit: int
) -> Sequence[Task]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        with _known(cursor or ""):
            return await parts.tasks.list(account_id=account, sought=sought, before=cursor, limit=limit)


async def _get(settings: Settings, task_id: str) -> tuple[Task, Sequence[Run]]:
    from ..app.parts import operator

    async with operator(settings) as parts:
        with _known(task_id):
            return await parts.tasks.get(task_id), await parts.runs.runs(task_id)


async def _cancel(settings: Settings, task_id: str) -> None:
    from ..app.parts import operator
    from ..services.cancel import Cancel

    async with operator(settings) as parts:
        with _known(task_id):
            # The running server looks by itself, once a second.
            await Cancel(parts.tasks, lambda: None)(task_id, by=actor())


async def _delete_media(settings: Settings, task_id: str) -> None:
    from ..app.parts import operator
    from ..services.remove import RemoveMedia

    async with operator(settings) as parts:
        with _known(task_id):
            await RemoveMedia(parts.tasks, parts.media, parts.storage)(task_id, by=actor())


@contextmanager
def _known(task_id: str) -> Iterator[None]:
    """Says what to do where there is no such task."""
    try:
        yield
    except TaskNotFound as error:
        sentence = f"There is no task {task_id}: `filmgate tasks list` shows the newest ones, with their ids."
        raise Failure(sentence, Exit.USAGE) from error


def _sought(state: str | None, model: str | None, kind: str | None, since: int | None, until: int | None) -> Sought:
    from ..domain.listing import Sought

    return Sought(STATES[state] if state else (), model, Kind(kind) if kind else None, since, until)


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
        ("retry of", task.retry_of or ""),
        ("created", moment(task.created_ms)),
        ("ended", "" if task.ended_ms is None else moment(task.ended_ms)),
        ("error", "" if task.failure is None else f"{task.failure.sentence} ({task.failure.slug})"),
        *((each.role.value, f"{each.key}, {each.bytes / 1e6:.1f} MB") for each in task.artifacts),
    ]


def _run(run: Run) -> dict[str, Any]:
    return {
        "attempt": run.attempt,
        "engine": run.engine,
        "version": run.version,
        "worker": run.worker,
        "began": moment(run.began_ms),
        "ended": None if run.ended_ms is None else moment(run.ended_ms),
        "outcome": run.outcome,
        "upstreamId": run.upstream_id,
        "parameters": dict(run.parameters),
    }


def _ran(run: Run) -> str:
    there = f", there {run.upstream_id}" if run.upstream_id else ""
    return f"attempt {run.attempt}, {run.engine} ({run.version}){there}: {run.outcome or 'under way'}"


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
        "retryOf": task.retry_of,
        "created": moment(task.created_ms),
        "ended": None if task.ended_ms is None else moment(task.ended_ms),
        "error": None if task.failure is None else {"slug": task.failure.slug, "sentence": task.failure.sentence},
        "artifacts": [
            {"role": each.role.value, "key": each.key, "mime": each.mime, "bytes": each.bytes}
            for each in task.artifacts
        ],
    }
