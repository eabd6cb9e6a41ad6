"""The label at the end of a film: read back as it was written, and from hostile files without harm."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.media.encode import Encoder
from filmgate.media.label import DRAWN, SOURCE_TYPES, TRAINED, Label, has_manifest, read_label, write_label
from filmgate.media.probe import probe, starts_fast

XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
LABEL = Label("Filmgate 1.0, engine some 2.0", TRAINED, "some", "2.0")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    with Encoder(tmp_path / "film.mp4", 64, 48, sound=False) as encoder:
        encoder.frame_bgra(np.zeros((48, 64, 4), np.uint8))
    return tmp_path / "film.mp4"


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


@pytest.mark.parametrize("label", [LABEL, Label("Filmgate 1.0", DRAWN), Label('<"&>\u2028é', TRAINED, "a'b", "")])
def test_it_is_read_as_it_was_written(label: Label, film: Path) -> None:
    before = film.read_bytes()
    write_label(film, label)
    assert read_label(film) == label
    assert film.read_bytes()[: len(before)] == before
    assert starts_fast(film)
    assert probe(film).plays_everywhere
    assert not has_manifest(film)


def test_other_programs_find_it_where_it_belongs(film: Path) -> None:
    write_label(film, LABEL)
    with av.open(str(film), options={"export_xmp": "1"}) as opened:
        assert SOURCE_TYPES + TRAINED in opened.metadata["xmp"]
        assert 'AISystemUsed="some"' in opened.metadata["xmp"]


def test_a_film_without_one_has_none(film: Path) -> None:
    assert read_label(film) is None


def test_words_of_another_program_are_read_too(film: Path) -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<r:Description xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><i:DigitalSourceType>'
        b"http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture</i:DigitalSourceType>"
        b"</r:Description></r:RDF></x:xmpmeta>"
    )
    film.write_bytes(film.read_bytes() + box(b"uuid", XMP + packet))
    assert read_label(film) == Label("", "digitalCapture")


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no xml",
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
        b"<a>" * 50_000,
        b"\xff\xfe\x00",
        b" " * (1 << 20),
    ],
)
def test_what_is_no_label_is_passed_over(packet: bytes, film: Path) -> None:
    film.write_bytes(film.read_bytes() + box(b"uuid", XMP + packet))
    assert read_label(film) is None
    write_label(film, LABEL)
    assert read_label(film) == LABEL


@given(content=st.binary(max_size=200), kind=st.sampled_from([b"uuid", b"free", b"\0\0\0\1uuid"]))
def test_no_file_makes_it_fail(content: bytes, kind: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "some.mp4"
    path.write_bytes(content[:4] + kind + content[4:])
    read_label(path)
    has_manifest(path)
