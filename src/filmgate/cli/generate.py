"""``filmgate generate``: a film from a prompt, on this machine or by a server."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..domain.spec import DURATIONS, SEEDS, AspectRatio, Mode, Resolution, Spec
from ..domain.task import Role
from ..settings import Settings
from .failures import Exit, Failure
from .machine import complaint
from .options import IMAGE, WORDS, as_json, read_settings, with_server
from .output import place, slug
from .progress import Report, reporting
from .saying import say, say_json
from .signals import end_gently

_MOST = {Mode.FRAMES: 2, Mode.REFERENCE: 3}  #: images


@click.command()
@click.argument("prompt", type=WORDS)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write.  [default: named after the prompt]"
)
@click.option(
    "--image", "images", type=IMAGE, multiple=True, help="File or address to start from; may be given three times."
)
@click.option(
    "--mode",
    type=click.Choice([Mode.FRAMES.value, Mode.REFERENCE.value]),
    help="What images are: the first and last frame, or what appears.  [default: frames; reference for three]",
)
@click.option(
    "--aspect-ratio",
    type=click.Choice([each.value for each in AspectRatio], case_sensitive=False),
    default="16:9",
    show_default=True,
    help="Auto: as the first image has it.",
)
@click.option(
    "--duration", type=click.Choice([str(each) for each in DURATIONS]), default="8", help="Seconds.  [default: 8]"
)
@click.option("--resolution", type=click.Choice([each.value for each in Resolution]), default="720p", show_default=True)
@click.option("--seed", type=click.IntRange(SEEDS.start, SEEDS.stop - 1), help="Same prompt, seed and size: same film.")
@click.option("--model", type=WORDS, help="Model to ask for.  [default: that of the settings, or of the server]")
@click.option("--watermark", type=WORDS, help="Text to burn into the film.")
@with_server
@click.option("--config", type=click.Path(path_type=Path), help="Settings file; otherwise ./filmgate.toml if any.")
@as_json
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def generate(
    prompt: str,
    output: Path | None,
    url: str | None,
    api_key: str | None,
    config: Path | None,
    json_: bool,
    quiet: bool,
    **wishes: Any,
) -> None:
    """Make a film from PROMPT.

    Without --url it is made on this machine: no server is started, and nothing is kept but the film.
    """
    if not prompt.strip():
        raise Failure("Please enter a prompt: a sentence that says what the film shows.", Exit.USAGE)
    wishes["mode"] = _mode(wishes["mode"], len(wishes["images"]))
    end_gently()
    started = time.monotonic()
    settings = read_settings({}, config) if url is None else None
    with place(output, slug(prompt)) as target, reporting(quiet=quiet) as report:
        if settings:
            made = _here(settings, _spec(prompt, settings, wishes), wishes["images"], target.temporary, report)
        else:
            made = _there(url, api_key, prompt, wishes, target.temporary, report)
    made |= {"path": str(target.final), "bytes": target.final.stat().st_size}
    if json_:
        say_json(made)
    else:
        say(_sentence(made, time.monotonic() - started))


def _mode(said: str | None, images: int) -> Mode:
    """What the film starts from. Raises Failure for a number of images that does not fit."""
    if images == 0:
        if said is not None:
            raise Failure(f"--mode {said} is about images: name them with --image.", Exit.USAGE)
        return Mode.TEXT
    mode = Mode(said) if said else Mode.FRAMES if images <= _MOST[Mode.FRAMES] else Mode.REFERENCE
    if images > _MOST[mode]:
        raise Failure(
            f"--mode {mode.value} takes {_MOST[mode]} images at most; here are {images}: leave some out.", Exit.USAGE
        )
    return mode


def _spec(prompt: str, settings: Settings, wishes: dict[str, Any]) -> Spec:
    model = wishes["model"] or settings.edition.default_model
    if model not in settings.models:
        raise Failure(f"There is no model {model!r}: choose one of {', '.join(settings.models)}.", Exit.USAGE)
    return Spec(
        prompt=prompt,
        model=model,
        mode=wishes["mode"],
        aspect_ratio=AspectRatio(wishes["aspect_ratio"]),
        resolution=Resolution(wishes["resolution"]),
        seconds=int(wishes["duration"]),
        seed=wishes["seed"],
        watermark=wishes["watermark"],
    )


def _here(settings: Settings, spec: Spec, images: Sequence[Path | str], out: Path, report: Report) -> dict[str, Any]:
    report(0.0, "starting")
    if said := complaint():
        raise Failure(said, Exit.MACHINE)
    from ..app.embedded import generate_embedded

    with _log() as log_to:
        task = generate_embedded(settings, spec, out, report, images=images, log_to=log_to).task
    film = task.artifacts_of(Role.RESULT)[0]
    made = {"taskId": task.id, "model": spec.model, "engine": task.engine, "seed": task.spec.seed}
    return made | {"width": film.width, "height": film.height, "seconds": film.seconds}


@contextmanager
def _log() -> Iterator[int | None]:
    """Where the engine's log goes: to standard error with --debug, else nowhere: the error is said once, at the end."""
    if click.get_current_context().find_root().params.get("debug"):
        yield None
        return
    logging.getLogger("filmgate").addHandler(logging.NullHandler())
    with Path(os.devnull).open("wb") as nowhere:
        yield nowhere.fileno()


def _there(
    url: str | None, api_key: str | None, prompt: str, wishes: dict[str, Any], out: Path, report: Report
) -> dict[str, Any]:
    from .remote import connected, fetch, order

    with connected(url, api_key) as films:
        report(0.0, "ordering")
        return fetch(films, order(films, prompt, wishes), out, report)


def _sentence(made: dict[str, Any], took_s: float) -> str:
    shape = f"{made['seconds']:g} s, {made['width']}x{made['height']}, " if made.get("width") else ""
    seed = f", seed {made['seed']}" if made.get("seed") else ""
    return f"{made['path']} is ready: {shape}{made['bytes'] / 1e6:.1f} MB{seed}, made in {took_s:.0f} s."
