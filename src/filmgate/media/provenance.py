"""Who made a film, and of what: its label, and, where the operator has films signed, credentials (C2PA).

A film that comes with credentials of somebody else is left as it is, byte for byte, unless it is signed here: then they
go on in ours, as an ingredient. The extra ``c2pa`` is needed for signing, and for reading what is signed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import __version__
from ..domain.errors import EngineFailed, EngineUnavailable
from ..domain.routing import UPSCALE
from ..ports import Provenance
from .label import SOURCE_TYPES, TRAINED, Label, has_manifest, read_label, write_label

INSTALL = "pip install 'filmgate[c2pa]'"
_FORMAT = "video/mp4"
_TOOL = f"Filmgate {__version__}"
#: Nobody is called, whatever a film says.
_OFFLINE = {"remote_manifest_fetch": False, "ocsp_fetch": False}


def installed() -> bool:
    return find_spec("c2pa") is not None


def check_installed() -> None:
    """Raises EngineUnavailable with what to do."""
    if not installed():
        raise EngineUnavailable(f"provenance.sign is on, but what signs films is not installed: {INSTALL}.")


@dataclass(frozen=True, slots=True)
class Past:
    """What a film was made from, as files: ``opened`` is the film that it is another version of, or continues."""

    opened: Path | None = None
    placed: Path | None = None  #: what was put behind it
    resized: bool = False


def declare(film: Path, about: Provenance, task_id: str, past: Past) -> None:
    """Label a finished film, and sign it where ``about`` has a key. Raises EngineFailed where it cannot be signed."""
    if has_manifest(film) and about.key is None:
        return
    if read_label(film) is None:
        write_label(film, label_of(about, past))
    if about.certificate is not None and about.key is not None:
        _sign(film, about, task_id, past)


def label_of(about: Provenance, past: Past) -> Label:
    """A film that was only enlarged says what the smaller one says."""
    if about.engine == UPSCALE and past.opened is not None and (label := read_label(past.opened)) is not None:
        return label
    trained = (about.engine, about.version) if about.source_type == TRAINED else ("", "")
    return Label(f"{_TOOL}, engine {about.engine} {about.version}".rstrip(), about.source_type, *trained)


def _sign(film: Path, about: Provenance, task_id: str, past: Past) -> None:
    import c2pa

    assert about.certificate is not None  # as ``declare`` has seen
    assert about.key is not None
    signed = film.with_name(f".{film.name}.signed")
    try:
        key = about.key.read_bytes()
        info = c2pa.C2paSignerInfo(algorithm(key), about.certificate.read_bytes(), key, None)
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(_manifest(about, task_id, past), context=_context()) as builder,
        ):
            for name, source, relation in _ingredients(past):
                told = {"title": source.name, "relationship": relation, "label": name, "instance_id": name}
                with source.open("rb") as file:
                    builder.add_ingredient(told, _FORMAT, file)
            builder.sign_file(str(film), str(signed), signer)
        signed.replace(film)
    except c2pa.C2paError as error:
        raise EngineFailed(f"The film could not be signed: {error}. `filmgate doctor` looks at the key.") from error
    finally:
        signed.unlink(missing_ok=True)


def _ingredients(past: Past) -> Sequence[tuple[str, Path, str]]:
    """(name, file, relation)."""
    given = (("opened", past.opened, "parentOf"), ("placed", past.placed, "componentOf"))
    return [(name, file, relation) for name, file, relation in given if file is not None]


def _manifest(about: Provenance, task_id: str, past: Past) -> Mapping[str, Any]:
    agent = {"name": about.engine, "version": about.version}
    kind = SOURCE_TYPES + label_of(about, past).source_type
    actions: list[dict[str, Any]] = [{"action": "c2pa.created", "digitalSourceType": kind, "softwareAgent": agent}]
    if past.opened is not None:
        actions = [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["opened"]}}]
    if past.placed is not None:
        actions.append({"action": "c2pa.placed", "parameters": {"ingredientIds": ["placed"]}})
    if past.resized:
        actions.append({"action": "c2pa.resized", "softwareAgent": {"name": "Filmgate", "version": __version__}})
    return {
        "claim_generator_info": [{"name": "Filmgate", "version": __version__}],
        "title": "film.mp4",
        "format": _FORMAT,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "filmgate.task", "data": {"taskId": task_id, "engine": about.engine, "version": about.version}},
        ],
    }


def algorithm(key: bytes) -> bytes:
    """What a private key (PEM, not encrypted) signs with, in C2PA's words. Raises ValueError for one that is no use."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    loaded = load_pem_private_key(key, None)
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.key_size in _CURVES:
        return _CURVES[loaded.curve.key_size]
    if isinstance(loaded, rsa.RSAPrivateKey):
        return b"ps256"
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    raise ValueError("it is none of P-256, P-384, P-521, RSA and Ed25519")


_CURVES = {256: b"es256", 384: b"es384", 521: b"es512"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A film's credentials, as they were checked."""

    state: str  #: "trusted", "untrusted" (whole, by a signer whom nobody vouches for) or "invalid"
    signer: str
    generator: str
    source_type: str
    task_id: str
    faults: tuple[str, ...]  #: codes of C2PA
    ingredients: tuple[str, ...]  #: who signed each; "nobody" for one without credentials


def read_manifest(film: Path, anchors: str | None = None) -> Manifest | None:
    """None where there is none. ``anchors``: certificates (PEM) whose signatures are trusted. Needs the extra.

    Raises OSError, and EngineFailed for credentials that cannot even be read.
    """
    import c2pa

    try:
        with film.open("rb") as file, c2pa.Reader(_FORMAT, file, context=_context(anchors)) as reader:
            state, found = reader.get_validation_state(), json.loads(reader.json())
    except c2pa.C2paError as error:
        if "ManifestNotFound" in type(error).__name__:
            return None
        raise EngineFailed(f"The film's credentials cannot be read: {error}.") from error
    return _read(str(state), found)


def _read(state: str, found: Mapping[str, Any]) -> Manifest:
    manifests = found["manifests"]
    active = manifests[found["active_manifest"]]
    said = {each["label"]: each["data"] for each in active.get("assertions", ())}
    actions = said.get("c2pa.actions.v2", said.get("c2pa.actions", {})).get("actions", ())
    kinds = [action["digitalSourceType"] for action in actions if "digitalSourceType" in action]
    used = [manifests.get(each.get("active_manifest"), {}) for each in active.get("ingredients", ())]
    return Manifest(
        state={"Trusted": "trusted", "Valid": "untrusted"}.get(state, "invalid"),
        signer=_signer(active),
        generator=" ".join(_generator(active)),
        source_type=kinds[0].removeprefix(SOURCE_TYPES) if kinds else "",
        task_id=str(said.get("filmgate.task", {}).get("taskId", "")),
        faults=tuple(each["code"] for each in found.get("validation_status", ())),
        ingredients=tuple(_signer(each) for each in used),
    )


def _signer(manifest: Mapping[str, Any]) -> str:
    signed = manifest.get("signature_info", {})
    return str(signed.get("common_name") or signed.get("issuer") or "nobody")


def _generator(manifest: Mapping[str, Any]) -> Sequence[str]:
    told: Mapping[str, Any] = next(iter(manifest.get("claim_generator_info") or ()), {})
    return [str(told[part]) for part in ("name", "version") if told.get(part)]


@cache
def _context(anchors: str | None = None) -> Any:
    import c2pa

    settings: dict[str, Any] = {"verify": _OFFLINE}
    if anchors is not None:
        settings["trust"] = {"trust_anchors": anchors}
    return c2pa.Context(c2pa.Settings.from_dict(settings))
