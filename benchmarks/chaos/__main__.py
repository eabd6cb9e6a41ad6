"""The command. Ends with 1 where a promise was not kept, and keeps the evidence."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import click

from .books import drop_database, new_database
from .journal import Journal
from .laboratory import run
from .plan import ALONE, SHARED, Plan
from .plants import KINDS
from .verify import made_twice

_LAYOUTS = {"alone": ALONE, "shared": SHARED}


@click.command()
@click.option("--rounds", default=300, show_default=True, help="Blows to deal out.")
@click.option("--seed", type=int, help="Of everything that is left to chance.  [default: another one each time]")
@click.option("--postgres", metavar="URL", help="A server on which the run may make a database of its own.")
@click.option("--layout", type=click.Choice([*_LAYOUTS]), help="[default: alone; shared with --postgres]")
@click.option("--resume-within", type=float, default=4.0, show_default=True, help="Seconds; 0 only measures.")
@click.option("--plant", type=click.Choice(KINDS), multiple=True, help="Plant this fault: the run must find it.")
@click.option("--one-task-per-key", is_flag=True, help="Hold the server to its Idempotency-Key.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Folder for the evidence.")
def main(
    rounds: int,
    seed: int | None,
    postgres: str | None,
    layout: str | None,
    resume_within: float,
    plant: tuple[str, ...],
    one_task_per_key: bool,
    keep: Path | None,
) -> None:
    """Order films from a server whose processes are killed, frozen and restarted, and check what it promised."""
    folder = keep or Path(tempfile.mkdtemp(prefix="filmgate-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    name = f"chaos_{secrets.token_hex(4)}"
    plan = Plan(
        folder=folder.absolute(),
        rounds=rounds,
        seed=secrets.randbelow(10**6) if seed is None else seed,
        layout=_LAYOUTS[layout or ("shared" if postgres else "alone")],
        database=new_database(postgres, name) if postgres else None,
        resume_s=resume_within or None,
        plants=plant,
        one_task_per_key=one_task_per_key,
    )
    print(f"chaos: {plan.rounds} rounds, seed {plan.seed}, in {plan.folder}", file=sys.stderr, flush=True)
    journal = asyncio.run(run(plan))
    for kind, task_id in journal.planted.items():
        print(f"planted {kind}: task {task_id}")
    for breach in journal.breaches[:50]:
        print(f"{breach.kind}: task {breach.task_id or '-'}: {breach.sentence}")
    print(figures(plan, journal))
    if journal.breaches:
        print(f"The journal, the logs and the database are in {plan.folder}.", file=sys.stderr)
        sys.exit(1)
    if postgres:
        drop_database(postgres, name)
    if keep is None:
        shutil.rmtree(plan.folder)


def figures(plan: Plan, journal: Journal) -> str:
    """The one line."""
    told = journal.told.values()
    counts = {
        "database": "sqlite" if plan.database is None else "postgresql",
        "seed": plan.seed,
        "rounds": plan.rounds,
        "acknowledged": len(journal.acknowledged),
        "unanswered": len(journal.unanswered),
        "kills": journal.kills,
        "freezes": journal.freezes,
        "restarts": journal.restarts,
        "lost": journal.count("lost"),
        "charged_twice": journal.count("charged"),
        "double_completions": journal.count("double"),
        "lost_callbacks": journal.count("callback"),
        "left_behind": journal.count("left"),
        "resumed_late": journal.count("late"),
        "other_breaches": journal.count("other"),
        "bodies_twice": made_twice(plan.folder.glob("*.log")),
        "callback_duplicates": sum(each.accepted > 1 for each in told),
        "resumed": len(journal.resumes_s),
        "slowest_resume_s": f"{max(journal.resumes_s, default=0.0):.2f}",
    }
    return " ".join(f"{name}={value}" for name, value in counts.items())


if __name__ == "__main__":
    main()
