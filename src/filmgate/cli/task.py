"""``filmgate status``, ``cancel`` and ``download``: a task of a server, seen from its client."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .failures import Exit
from .options import WORDS, as_json, with_server
from .output import place
from .progress import reporting
from .saying import say, say_json
from .signals import end_gently

if TYPE_CHECKING:
    from ..client import Record


@click.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@with_server
@as_json
@click.pass_context
def status(ctx: click.Context, task_id: str, url: str | None, api_key: str | None, json_: bool) -> None:
    """Ask a server how a task stands. Without --url it is the one on this machine, on port 8000."""
    from .remote import connected, look_up

    with connected(url, api_key) as films:
        record = look_up(films, task_id)
        if json_:
            say_json(record.raw)
        else:
            _show(record)
    if record.ended and not record.succeeded:
        ctx.exit(Exit.FAILED)


@click.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@with_server
def cancel(task_id: str, url: str | None, api_key: str | None) -> None:
    """Cancel a task of a server. Its credits are given back."""
    from .remote import connected, known

    with connected(url, api_key) as films, known(task_id):
        films.cancel(task_id)
    say(f"Task {task_id} is cancelled; its credits are back.")


@click.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.  [default: named after the task]")
@with_server
@as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def download(task_id: str, output: Path | None, url: str | None, api_key: str | None, json_: bool, quiet: bool) -> None:
    """Fetch the film of a task from a server, waiting for it where it is not ready yet."""
    from .remote import connected, fetch

    end_gently()
    with connected(url, api_key) as films, place(output, task_id) as target, reporting(quiet=quiet) as report:
        made = fetch(films, task_id, target.temporary, report)
    made |= {"path": str(target.final), "bytes": target.final.stat().st_size}
    if json_:
        say_json(made)
    else:
        say(f"{made['path']} is ready: {made['bytes'] / 1e6:.1f} MB.")


def _show(record: Record) -> None:
    done = "" if record.progress is None else f"{record.progress:.0%}"
    rows = {
        "task": record.task_id,
        "state": record.state,
        "progress": " ".join(filter(None, (done, record.stage))),
        "error": record.error_message,
    }
    films = [("film" if number == 0 else "", url) for number, url in enumerate(record.result_urls)]
    films += [("whole", url) for url in record.full_result_urls]
    for name, value in [*rows.items(), *films]:
        if value:
            say(f"{name:<9} {value}")
