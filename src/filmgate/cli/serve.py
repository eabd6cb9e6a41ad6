"""``filmgate serve``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ..settings import Settings
from .failures import Exit, Failure
from .machine import cannot_serve, complaint
from .options import read_settings

if TYPE_CHECKING:
    from ..app.households import Household


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8000]")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder that Filmgate keeps things in.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; otherwise ./filmgate.toml if any.")
@click.option("--no-worker", is_flag=True, help="Answer only; films are made by workers elsewhere.")
@click.option("--tls-cert", type=click.Path(path_type=Path), help="Certificate chain (PEM) for HTTPS.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its private key (PEM).")
@click.option("--drain-timeout", type=float, help="Seconds that running films get to end when the server is stopped.")
def serve(config: Path | None, no_worker: bool, **flags: object) -> None:
    """Run the server, on Linux: the API, and a worker that makes the films.

    Ctrl-C or SIGTERM ends it gently: running films end, or go back to the queue; nothing is lost.
    """
    if said := cannot_serve():
        raise Failure(said, Exit.MACHINE)
    named = {_SETTINGS[flag]: value for flag, value in flags.items() if value is not None}
    settings = read_settings(named, config)
    if not no_worker and _draws(settings) and (said := complaint()):
        raise Failure(said, Exit.MACHINE)
    from ..app.households import serving

    supervise(settings, serving(settings, worker=not no_worker))


def supervise(settings: Settings, household: AbstractContextManager[Household]) -> NoReturn:
    """Until it is told to end, or cannot go on."""
    from ..app.refusal import CannotStart
    from ..app.supervisor import Supervisor

    try:
        code = Supervisor(settings, household).run()
    except CannotStart as error:
        raise Failure(str(error), Exit.MACHINE if error.machine else Exit.USAGE) from error
    raise click.exceptions.Exit(code)


def _draws(settings: Settings) -> bool:
    """Whether any model is drawn here, by the engine that needs libraries of the system."""
    return any("storyboard" in route.engines for route in settings.routes().values())


_SETTINGS = {
    "host": "server.host",
    "port": "server.port",
    "data": "data",
    "tls_cert": "server.tls_cert",
    "tls_key": "server.tls_key",
    "drain_timeout": "worker.drain_timeout_s",
}
