"""``filmgate status`` and ``filmgate download``: a task of a server, seen from its client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .failures import Exit
from .options import as_json, with_server
from .output import place
from .progress import reporting

if TYPE_CHECKING:
    from ..client import Record


@click.command()
@click.argument("task_id", metavar="TASK")
@with_server
@as_json
@click.pass_context
def status(ctx: click.Context, task_id: str, url: str | None, api_key: str | None, json_: bool) -> None:
    """Ask a server how a task stands. Without --url it is the one on this machine, on port 8000."""
    from .remote import connected

    with connected(url, api_key) as films:
        record = films.retrieve(task_id)
    click.echo(json.dumps(record.raw, indent=2) if json_ else _words(record))
    if record.ended and not record.succeeded:
        ctx.exit(Exit.FAILED)


@click.command()
@click.argument("task_id", metavar="TASK")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.  [default: named after the task]")
@with_server
@as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def download(task_id: str, output: Path | None, url: str | None, api_key: str | None, json_: bool, quiet: bool) -> None:
    """Fetch the film of a task from a server, waiting for it where it is not ready yet."""
    from .remote import connected, fetch

    with connected(url, api_key) as films, place(output, task_id) as target, reporting(quiet=quiet) as report:
        made = fetch(films, task_id, target.temporary, report)
    made |= {"path": str(target.final), "bytes": target.final.stat().st_size}
    words = f"{made['path']} is ready: {made['bytes'] / 1e6:.1f} MB."
    click.echo(json.dumps(made, indent=2) if json_ else words)


def _words(record: Record) -> str:
    done = "" if record.progress is None else f"{record.progress:.0%}"
    rows = {
        "task": record.task_id,
        "state": record.state,
        "progress": " ".join(filter(None, (done, record.stage))),
        "film": "\n          ".join(record.result_urls),
        "error": record.error_message,
    }
    return "\n".join(f"{name:<9} {value}" for name, value in rows.items() if value)
