"""``filmgate verify``: what a film says of how it was made, and whether that is signed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .failures import Exit
from .options import as_json
from .saying import plain, say, say_json

if TYPE_CHECKING:
    from ..media.label import Label
    from ..media.provenance import Manifest

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_KINDS = {
    "trainedAlgorithmicMedia": "AI-generated: made by a trained model",
    "algorithmicMedia": "drawn by an algorithm, without a trained model",
    "compositeWithTrainedAlgorithmicMedia": "put together, parts of it by a trained model (AI)",
}
_STATES = {
    "trusted": "whole; signed by {signer}, whom you trust",
    "untrusted": "whole; signed by {signer}, whom nobody vouches for",
    "invalid": "INVALID: the film, or what it says, was changed after {signer} signed it",
    "unchecked": "not checked",
}


@click.command()
@click.argument("film", type=_FILE)
@click.option("--trust", type=_FILE, help="Certificates (PEM) of signers that you trust.")
@as_json
@click.pass_context
def verify(ctx: click.Context, film: Path, trust: Path | None, json_: bool) -> None:
    """Tell what FILM says of how it was made."""
    from ..media.label import has_manifest, read_label
    from ..media.provenance import INSTALL, installed, read_manifest

    label, signed = read_label(film), has_manifest(film)
    anchors = trust.read_text(encoding="utf-8") if trust is not None else None
    manifest = read_manifest(film, anchors) if signed and installed() else None
    state = manifest.state if manifest is not None else "unchecked" if signed else None
    if json_:
        say_json(_facts(label, manifest, state))
    else:
        _tell(label, manifest, state)
    if state == "unchecked":
        say(f"Its credentials cannot be checked here: {INSTALL}", err=True)
    if state == "invalid" or not (label or state):
        ctx.exit(Exit.FAILED)


def _facts(label: Label | None, manifest: Manifest | None, state: str | None) -> dict[str, Any]:
    credentials = _named(manifest) if manifest is not None else {"state": state} if state else None
    return {"label": _named(label) if label is not None else None, "credentials": credentials}


def _named(found: Label | Manifest) -> dict[str, Any]:
    """As JSON documents name what they hold: "sourceType"."""
    words = ((name.split("_"), value) for name, value in asdict(found).items())
    return {first + "".join(word.title() for word in rest): value for (first, *rest), value in words}


def _tell(label: Label | None, manifest: Manifest | None, state: str | None) -> None:
    if label is not None:
        _line("made by", label.tool or "(not said)")
        _line("how", _kind(label.source_type))
    if state is not None:
        _line("credentials", _STATES[state].format(signer=manifest.signer if manifest else ""))
    if manifest is not None:
        _tell_signed(manifest)
    if label is None and state is None:
        say("The film says nothing of how it was made.")


def _tell_signed(manifest: Manifest) -> None:
    _line("  written by", manifest.generator or "(not said)")
    if manifest.source_type:
        _line("  how", _kind(manifest.source_type))
    if manifest.task_id:
        _line("  task", manifest.task_id)
    for signer in manifest.ingredients:
        _line("  made from", "a film without credentials" if signer == "nobody" else f"a film signed by {signer}")
    if manifest.state == "invalid":
        _line("  faults", ", ".join(manifest.faults))


def _kind(source_type: str) -> str:
    words = _KINDS.get(source_type)
    return f"{words} ({source_type})" if words else source_type or "(not said)"


def _line(what: str, seen: str) -> None:
    click.echo(f"{what:<14} {plain(seen)}")
