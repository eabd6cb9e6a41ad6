"""Signed films: real credentials, made in a caged media slot, and read back by the library that others use."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import c2pa
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from filmgate.app.certificate import make_credentials
from filmgate.app.provenance import check_credentials, credentials_of, provenance_of
from filmgate.domain.errors import EngineFailed, EngineUnavailable
from filmgate.domain.routing import UPSCALE
from filmgate.domain.spec import Kind, Spec
from filmgate.domain.task import Role
from filmgate.engines.registry import Registry
from filmgate.engines.slot import MEDIA
from filmgate.engines.slots import LocalSlots, SlotLimits
from filmgate.media.encode import Encoder
from filmgate.media.label import DRAWN, TRAINED, read_label
from filmgate.media.probe import starts_fast
from filmgate.media.provenance import Past, algorithm, declare, read_manifest
from filmgate.ports import Finished, Order, Provenance, Work
from filmgate.settings import SettingsError, load

SPEC = Spec(prompt="x", model="veo3", seconds=4, seed=12345)
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    make_credentials(folder / "certificate.pem", folder / "key.pem")
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture
def film(tmp_path: Path, ordered: Path) -> Path:
    return Path(shutil.copyfile(ordered, tmp_path / "film.mp4"))


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film as SPEC orders it."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with Encoder(path, 1280, 720, fps=4) as encoder:
        encoder.audio(np.zeros((4 * 48_000, 2), np.float32))
        for number in range(16):
            encoder.frame_bgra(np.full((720, 1280, 4), number, np.uint8))
    return path


@asynccontextmanager
async def media_slot(folder: Path) -> AsyncIterator[LocalSlots]:
    slots = LocalSlots(SlotLimits(), workroot=folder)
    try:
        await slots.open(MEDIA, 1)
        yield slots
    finally:
        await slots.close()


async def made(folder: Path, about: Provenance, work: Work, spec: Spec = SPEC, **given: Path) -> Finished:
    order = replace(Order("task-1", 1, spec, folder), work=work, provenance=about, **given)  # type: ignore[arg-type]
    async with media_slot(folder) as slots:
        return (await slots.media(order, lambda fraction, stage: None))[0]


def contents(path: Path) -> bytes:
    return path.read_bytes()


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as opened:
        return [bytes(packet) for packet in opened.demux() if packet.dts is not None]


async def test_a_film_is_labelled_and_nothing_else_of_it_is_changed(film: Path, ordered: Path, tmp_path: Path) -> None:
    found = await made(tmp_path, Provenance("storyboard", "1.2", DRAWN), Work.FINISH, clip=film)
    assert contents(found.path).startswith(contents(ordered))
    label = read_label(found.path)
    assert label is not None
    assert label.tool.endswith(", engine storyboard 1.2")
    assert (label.source_type, label.ai_system) == (DRAWN, "")


@pytest.mark.parametrize("kind", [TRAINED, DRAWN])
async def test_a_signed_film_says_who_made_it(kind: str, film: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    before = packets(film)
    found = await made(tmp_path, Provenance("some", "2.0", kind, *keys), Work.FINISH, clip=film)
    manifest = read_manifest(found.path)
    assert manifest is not None
    assert (manifest.state, manifest.signer, manifest.source_type) == ("untrusted", "Filmgate", kind)
    assert (manifest.task_id, manifest.ingredients) == ("task-1", ())
    assert packets(found.path) == before
    assert starts_fast(found.path)
    label = read_label(found.path)
    assert label is not None
    assert "task-1" not in str(label)
    assert not found.path.with_name(".result.mp4.signed").exists()


def test_who_trusts_the_certificate_trusts_the_film(film: Path, keys: tuple[Path, Path]) -> None:
    declare(film, Provenance("some", "2.0", TRAINED, *keys), "t", Past())
    manifest = read_manifest(film, keys[0].read_text())
    assert manifest is not None
    assert manifest.state == "trusted"


def test_a_change_is_found(film: Path, keys: tuple[Path, Path]) -> None:
    declare(film, Provenance("some", "2.0", TRAINED, *keys), "t", Past())
    content = bytearray(film.read_bytes())
    content[content.index(b"mdat") + 100] ^= 1
    film.write_bytes(content)
    manifest = read_manifest(film)
    assert manifest is not None
    assert manifest.state == "invalid"
    assert "assertion.bmffHash.mismatch" in manifest.faults


def test_a_film_without_credentials_has_none(film: Path) -> None:
    assert read_manifest(film) is None


def signed_by_another(film: Path, folder: Path) -> Path:
    """As an upstream would hand it on."""
    certificate, key = folder / "theirs.pem", folder / "their-key.pem"
    make_credentials(certificate, key)
    declare(film, Provenance("upstream", "9", TRAINED, certificate, key), "theirs", Past())
    return film


def told_by(film: Path) -> Any:
    """All that its credentials say, as the library has it."""
    with film.open("rb") as file, c2pa.Reader("video/mp4", file) as reader:
        return json.loads(reader.json())


async def test_credentials_of_an_upstream_stay_as_they_are_where_nothing_is_signed(film: Path, tmp_path: Path) -> None:
    before = contents(signed_by_another(film, tmp_path))
    found = await made(tmp_path, Provenance("veo3_upstream", "1", TRAINED), Work.FINISH, clip=film)
    assert contents(found.path) == before


async def test_credentials_of_an_upstream_go_on_in_ours(film: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    signed_by_another(film, tmp_path)
    found = await made(tmp_path, Provenance("veo3_upstream", "1", TRAINED, *keys), Work.FINISH, clip=film)
    manifest = read_manifest(found.path)
    assert manifest is not None
    assert (manifest.state, manifest.task_id, manifest.ingredients) == ("untrusted", "task-1", ("Filmgate",))
    told = told_by(found.path)
    active = told["manifests"][told["active_manifest"]]
    actions = next(each["data"]["actions"] for each in active["assertions"] if each["label"] == "c2pa.actions.v2")
    assert [action["action"] for action in actions] == ["c2pa.opened"]
    assert [each["relationship"] for each in active["ingredients"]] == ["parentOf"]
    assert len(told["manifests"]) == 2


async def test_a_film_that_was_only_enlarged_says_who_made_it(
    film: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    larger = tmp_path / "larger.mp4"
    shutil.copyfile(film, larger)
    declare(film, Provenance("some", "2.0", TRAINED, *keys), "first", Past())
    about, spec = Provenance(UPSCALE, "1", TRAINED, *keys), replace(SPEC, kind=Kind.GENERATE)
    found = await made(tmp_path, about, Work.FINISH, spec, clip=larger, source=film)
    assert read_label(found.path) == read_label(film)
    manifest = read_manifest(found.path)
    assert manifest is not None
    assert manifest.ingredients == ("Filmgate",)


async def test_a_joined_film_names_both_parts(film: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    second = Path(shutil.copyfile(film, tmp_path / "second.mp4"))
    declare(film, Provenance("some", "2.0", TRAINED, *keys), "first", Past())
    found = await made(tmp_path, Provenance("some", "2.0", TRAINED, *keys), Work.JOIN, source=film, clip=second)
    assert found.role is Role.FULL
    manifest = read_manifest(found.path)
    assert manifest is not None
    assert (manifest.state, sorted(manifest.ingredients)) == ("untrusted", ["Filmgate", "nobody"])


async def test_a_key_that_does_not_sign_says_so(film: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    with pytest.raises(EngineFailed, match="could not be signed"):
        await made(tmp_path, Provenance("some", "2.0", TRAINED, broken, keys[1]), Work.FINISH, clip=film)


@pytest.mark.parametrize(
    ("key", "known"),
    [
        (ec.generate_private_key(ec.SECP256R1()), b"es256"),
        (ec.generate_private_key(ec.SECP384R1()), b"es384"),
        (ec.generate_private_key(ec.SECP521R1()), b"es512"),
        (rsa.generate_private_key(65537, 2048), b"ps256"),
        (ed25519.Ed25519PrivateKey.generate(), b"ed25519"),
        (x25519.X25519PrivateKey.generate(), None),
    ],
    ids=["P-256", "P-384", "P-521", "RSA", "Ed25519", "X25519"],
)
def test_a_key_says_how_it_signs(key: ec.EllipticCurvePrivateKey, known: bytes | None) -> None:
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if known is None:
        with pytest.raises(ValueError, match="none of"):
            algorithm(written)
    else:
        assert algorithm(written) == known


# ---------------------------------------------------------------- the operator's choice -----------------------------


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = load({"data": tmp_path, "provenance.sign": True}, environ={})
    first = provenance_of(settings, Registry())("storyboard")
    assert first.source_type == DRAWN
    assert first.key == tmp_path / "signing" / "key.pem"
    assert (first.key.stat().st_mode & 0o777, first.key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    kept = first.key.read_bytes()
    assert provenance_of(settings, Registry())("storyboard") == first
    assert first.key.read_bytes() == kept


def test_nothing_is_made_where_nothing_is_signed(tmp_path: Path) -> None:
    about = provenance_of(load({"data": tmp_path}, environ={}), Registry())("storyboard")
    assert (about.certificate, about.key) == (None, None)
    assert list(tmp_path.iterdir()) == []


def test_the_operator_s_own_key(keys: tuple[Path, Path], tmp_path: Path) -> None:
    flags = {"data": tmp_path, "provenance.sign": True}
    named = {"provenance.certificate": keys[0], "provenance.key": keys[1]}
    about = provenance_of(load({**flags, **named}, environ={}), Registry())(UPSCALE)
    assert (about.certificate, about.key) == keys
    assert not (tmp_path / "signing").exists()


@pytest.mark.parametrize("fault", ["no certificate", "no key", "another's certificate", "not there"])
def test_a_key_that_cannot_sign_is_refused_at_the_start(fault: str, keys: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = (Path(shutil.copyfile(each, tmp_path / each.name)) for each in keys)
    if fault == "another's certificate":
        make_credentials(certificate, tmp_path / "other.pem")
    elif fault == "not there":
        key.unlink()
    else:
        (certificate if fault == "no certificate" else key).write_text("-----BEGIN NOTHING-----")
    named = {"provenance.certificate": certificate, "provenance.key": key, "provenance.sign": True}
    settings = load({"data": tmp_path / "data", **named}, environ={})
    with pytest.raises(EngineUnavailable):
        provenance_of(settings, Registry())
    with pytest.raises(EngineUnavailable):
        check_credentials(credentials_of(settings))


def test_a_key_without_a_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="go together"):
        load({"data": tmp_path, "provenance.key": tmp_path / "key.pem"}, environ={})
