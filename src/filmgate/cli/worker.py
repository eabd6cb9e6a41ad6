"""``filmgate worker``."""

from __future__ import annotations

from pathlib import Path

import click

from .failures import Exit, Failure
from .machine import cannot_serve, complaint
from .options import read_settings
from .serve import supervise


def _names(context: click.Context, option: click.Parameter, said: str | None) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, (said or "").split(","))))


@click.command()
@click.option("--engines", metavar="NAME,...", callback=_names, help="Load these only.  [default: all of the models]")
@click.option("--slots", type=click.IntRange(1, 64), help="Films that an engine makes at once.  [default: 1]")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder that Filmgate keeps things in.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; otherwise ./filmgate.toml if any.")
@click.option("--drain-timeout", type=float, help="Seconds that running films get to end when the worker is stopped.")
def worker(engines: tuple[str, ...], config: Path | None, **flags: object) -> None:
    """Make films for the servers that share the database and the storage, on Linux.

    As many as one likes, on any machine. Ctrl-C or SIGTERM ends one gently: running films end, or go back to the queue.
    """
    if said := cannot_serve():
        raise Failure(said, Exit.MACHINE)
    named = {_SETTINGS[flag]: value for flag, value in flags.items() if value is not None}
    settings = read_settings(named, config)
    drawn = engines or [engine for route in settings.routes().values() for engine in route.engines]
    if "storyboard" in drawn and (said := complaint()):
        raise Failure(said, Exit.MACHINE)
    from ..app.households import working

    supervise(settings, working(settings, engines))


_SETTINGS = {"data": "data", "slots": "worker.slots", "drain_timeout": "worker.drain_timeout_s"}
