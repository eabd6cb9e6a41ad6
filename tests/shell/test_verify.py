"""``filmgate verify`` on films that ``filmgate generate`` has made, labelled and signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from filmgate.app.certificate import make_credentials
from support.command import filmgate, printed

PLUGIN = Path(__file__).parents[1] / "plugin"
Made = tuple[dict[str, str], Path]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """An environment with a key of its operator's, and a film from there."""
    folder = tmp_path_factory.mktemp("signed")
    make_credentials(folder / "certificate.pem", folder / "key.pem")
    (folder / "filmgate.toml").write_text(
        'models.veo3.engine = "trial"\nmodels.veo3_fast.engine = "trial"\nprovenance.sign = true\n'
        'provenance.certificate = "certificate.pem"\nprovenance.key = "key.pem"\n'
    )
    environment = {
        "HOME": str(folder),
        "FILMGATE_CONFIG": str(folder / "filmgate.toml"),
        "FILMGATE_DATA": str(folder / "data"),
        "PYTHONPATH": str(PLUGIN),
    }
    filmgate(environment, "generate", "stock", "-o", str(folder / "film.mp4"), "--quiet")
    return environment, folder / "film.mp4"


def test_a_signed_film(signed: Made) -> None:
    environment, film = signed
    told = filmgate(environment, "verify", str(film)).stdout
    assert "engine trial 1.0" in told
    assert "AI-generated: made by a trained model" in told
    assert "whole; signed by Filmgate, whom nobody vouches for" in told
    document = printed(environment, "verify", str(film))
    assert document["label"]["sourceType"] == document["credentials"]["sourceType"] == "trainedAlgorithmicMedia"
    assert document["credentials"]["state"] == "untrusted"
    assert len(document["credentials"]["taskId"]) == 32


def test_by_somebody_who_is_trusted(signed: Made) -> None:
    environment, film = signed
    certificate = str(film.with_name("certificate.pem"))
    told = filmgate(environment, "verify", str(film), "--trust", certificate).stdout
    assert "whole; signed by Filmgate, whom you trust" in told


def test_a_film_that_was_changed(signed: Made, tmp_path: Path) -> None:
    environment, film = signed
    content = bytearray(film.read_bytes())
    content[content.index(b"mdat") + 50] ^= 1
    (tmp_path / "changed.mp4").write_bytes(content)
    told = filmgate(environment, "verify", str(tmp_path / "changed.mp4"), code=1).stdout
    assert "INVALID" in told
    assert "assertion.bmffHash.mismatch" in told


def test_what_says_nothing(signed: Made, tmp_path: Path) -> None:
    environment, _ = signed
    (tmp_path / "some.mp4").write_bytes(b"anything")
    told = filmgate(environment, "verify", str(tmp_path / "some.mp4"), code=1)
    assert told.stdout == "The film says nothing of how it was made.\n"
    assert filmgate(environment, "verify", str(tmp_path / "missing.mp4"), code=2).stdout == ""


def test_the_doctor_says_who_signs(signed: Made) -> None:
    environment, film = signed
    found = {each["what"]: each for each in printed_doctor(environment)}
    assert "the operator's key" in found["signed films"]["seen"]
    assert str(film.with_name("key.pem")) in found["signed films"]["seen"]
    assert found["larger films"]["seen"] == "lanczos"


def printed_doctor(environment: dict[str, str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = printed(environment | {"FILMGATE_SERVER__PORT": "0"}, "doctor")
    return found
