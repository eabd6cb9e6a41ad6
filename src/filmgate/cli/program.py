"""The commands. They are imported when they are called, so that ``filmgate --help`` costs next to nothing."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

import click

from .. import __version__
from .ending import ending, exit_code_of
from .failures import EXIT_CODES
from .streams import attach

#: Command -> where it lives, and its line in ``filmgate --help``.
COMMANDS = {
    "generate": ("filmgate.cli.generate:generate", "Make a film from a prompt."),
    "extend": ("filmgate.cli.derived:extend", "Let a server continue a film."),
    "upgrade": ("filmgate.cli.derived:upgrade", "Let a server make a film larger."),
    "status": ("filmgate.cli.task:status", "Ask a server how a task stands."),
    "cancel": ("filmgate.cli.task:cancel", "Cancel a task of a server."),
    "download": ("filmgate.cli.task:download", "Fetch the film of a task from a server."),
    "verify": ("filmgate.cli.verify:verify", "Tell what a film says of how it was made."),
    "serve": ("filmgate.cli.serve:serve", "Run the server."),
    "worker": ("filmgate.cli.worker:worker", "Make films for servers that share a database."),
    "accounts": ("filmgate.cli.accounts:accounts", "Create accounts, look at them, give them credits."),
    "keys": ("filmgate.cli.keys:keys", "Create, list, change and revoke API keys; say what signs callbacks."),
    "callbacks": ("filmgate.cli.callbacks:callbacks", "List, send again and try callbacks."),
    "tasks": ("filmgate.cli.tasks:tasks", "List, show and cancel the tasks of this machine's server."),
    "audit": ("filmgate.cli.audit:audit", "Look at who changed accounts, keys and credits."),
    "policy": ("filmgate.cli.policy:policy", "Try the rules for prompts, and show them."),
    "features": ("filmgate.cli.features:features", "Show, and switch off and on, what the server offers."),
    "engines": ("filmgate.cli.engines:engines", "Show the engines and what they can do."),
    "config": ("filmgate.cli.config:config", "Show the settings and where they come from."),
    "backup": ("filmgate.cli.backup:backup", "Copy the database and the films while the server runs."),
    "doctor": ("filmgate.cli.doctor:doctor", "Check this machine, and say what to do."),
}

LAYOUT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EPILOG = "Exit codes: " + "; ".join(f"{code.value} {words}" for code, words in EXIT_CODES.items()) + "."


class Commands(click.Group):
    """A group whose commands are imported only when they are needed, and whose errors are one sentence each."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        return cast("click.Command", getattr(import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with ending(debug=False):
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with ending(debug=bool(ctx.params.get("debug"))):
            return super().invoke(ctx)


@click.group(cls=Commands, epilog=EPILOG, context_settings=LAYOUT)
@click.version_option(__version__, prog_name="filmgate")
@click.option("--debug", is_flag=True, help="Show where an error was raised.")
def program(debug: bool) -> None:
    """A self-hosted server for the Veo3 API, and films from the command line."""


def run(words: Sequence[str]) -> int:
    """Carry out a command line; its exit code."""
    attach()
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return exit_code_of(lambda: program.main(words, "filmgate", standalone_mode=False))
