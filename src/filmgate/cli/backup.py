"""``filmgate backup``: a copy of the database, and of the films, while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..settings import Settings
from .options import as_json, with_settings
from .saying import say, say_json

if TYPE_CHECKING:
    from ..app.backup import Backup


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--media", is_flag=True, help="Films, posters, images and uploads too.")
@with_settings
@as_json
def backup(settings: Settings, folder: Path, media: bool, json_: bool) -> None:
    """Back up the database, while the server runs, into a new folder that can be served as it is."""
    from ..app.backup import back_up

    made = back_up(settings, folder, films=media)
    if json_:
        say_json(_facts(made))
        return
    say(f"{made.folder} is whole: {made.tasks} tasks in {made.database_bytes / 1e6:.1f} MB, schema {made.revision}.")
    if media:
        say(f"With it {made.files} stored files, {made.file_bytes / 1e6:.1f} MB.")
    for key in made.missing:
        say(f"Warning: the storage has lost {key}, which the database speaks of.", err=True)


def _facts(made: Backup) -> dict[str, object]:
    return {
        "folder": str(made.folder),
        "schema": made.revision,
        "tasks": made.tasks,
        "databaseBytes": made.database_bytes,
        "files": made.files,
        "fileBytes": made.file_bytes,
        "missing": list(made.missing),
    }
