"""``filmgate extend`` and ``filmgate upgrade``: films that a server makes from a film of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..domain.spec import SEEDS
from .failures import Exit, Failure
from .options import WORDS, as_json, with_server
from .output import place, slug
from .progress import reporting
from .saying import say, say_json
from .signals import end_gently


@click.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@click.argument("prompt", type=WORDS)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write.  [default: named after the prompt]"
)
@click.option("--new-part", is_flag=True, help="Fetch only what is new, and not the whole film.")
@click.option("--model", type=WORDS, help="fast, quality or lite, or a model's name.  [default: fast]")
@click.option("--seed", type=click.IntRange(SEEDS.start, SEEDS.stop - 1), help="[default: that of the film]")
@click.option("--watermark", type=WORDS, help="Text to burn into the new part.")
@with_server
@as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def extend(
    task_id: str,
    prompt: str,
    output: Path | None,
    new_part: bool,
    url: str | None,
    api_key: str | None,
    json_: bool,
    quiet: bool,
    **wishes: Any,
) -> None:
    """Let a server continue the film of TASK as PROMPT says, and fetch the whole film.

    Without --url it is the server on this machine, on port 8000.
    """
    if not prompt.strip():
        raise Failure("Please enter a prompt: a sentence that says how the film goes on.", Exit.USAGE)
    from . import remote

    end_gently()
    with (
        remote.connected(url, api_key) as films,
        place(output, slug(prompt)) as target,
        reporting(quiet=quiet) as report,
    ):
        report(0.0, "ordering")
        ordered = remote.extend(films, task_id, prompt, wishes)
        made = remote.fetch(films, ordered, target.temporary, report, new_part=new_part)
    _tell(made, target.final, json_)


@click.command()
@click.argument("task_id", metavar="TASK", type=WORDS)
@click.option("--to", type=click.Choice(["1080p", "4k"]), required=True, help="Size of the larger version.")
@click.option("--index", type=click.IntRange(0), default=0, help="Which film of the task.  [default: 0, the first]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.  [default: named after the task]")
@with_server
@as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def upgrade(
    task_id: str,
    to: str,
    index: int,
    output: Path | None,
    url: str | None,
    api_key: str | None,
    json_: bool,
    quiet: bool,
) -> None:
    """Let a server make the film of TASK larger, and fetch it. A film is enlarged, and paid for, once.

    Without --url it is the server on this machine, on port 8000.
    """
    from . import remote

    end_gently()
    with (
        remote.connected(url, api_key) as films,
        place(output, f"{slug(task_id)}-{to}") as target,
        reporting(quiet=quiet) as report,
    ):
        report(0.0, "ordering")
        made = remote.enlarge(films, task_id, to, index, target.temporary, report)
    _tell(made, target.final, json_)


def _tell(made: dict[str, Any], path: Path, json_: bool) -> None:
    made |= {"path": str(path), "bytes": path.stat().st_size}
    if json_:
        say_json(made)
    else:
        say(f"{made['path']} is ready: {made['bytes'] / 1e6:.1f} MB.")
