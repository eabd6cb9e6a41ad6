"""``filmgate doctor``: looks at this machine, line by line."""

from __future__ import annotations

from dataclasses import asdict

import click

from ..settings import Settings
from .checks import Finding, findings
from .failures import Exit
from .options import as_json, with_settings
from .saying import plain, say, say_json


@click.command()
@with_settings
@as_json
@click.pass_context
def doctor(ctx: click.Context, settings: Settings, json_: bool) -> None:
    """Check this machine, and say what to do."""
    found = list(findings(settings))
    if json_:
        say_json([asdict(each) | {"ok": each.ok} for each in found])
    else:
        for each in found:
            _show(each)
        _sum_up(found)
    if not all(each.ok for each in found):
        ctx.exit(Exit.MACHINE)


def _show(finding: Finding) -> None:
    mark = click.style("ok     ", fg="green") if finding.ok else click.style("problem", fg="red", bold=True)
    click.echo(f"{mark}  {finding.what:<17} {plain(finding.seen)}")
    if finding.advice:
        click.echo(f"{'':9}{'':17} {plain(finding.advice)}")


def _sum_up(found: list[Finding]) -> None:
    problems = sum(not each.ok for each in found)
    say("Everything is in order." if not problems else f"{problems} of {len(found)} checks found a problem.")
