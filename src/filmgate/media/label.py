"""What a film says of itself in plain words: a packet of XMP at its end, as IPTC has it for what machines have made.

The words are the same for every film of an engine, so that equal films stay equal byte for byte. Anybody can change
them or take them out; ``provenance`` signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

TRAINED = "trainedAlgorithmicMedia"  #: by a trained model: what is called AI
DRAWN = "algorithmicMedia"  #: by an algorithm that was not trained
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_LONGEST = 1 << 20  #: bytes of a packet that is read
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TOOL = "http://ns.adobe.com/xap/1.0/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"


@dataclass(frozen=True, slots=True)
class Label:
    """Each is empty where a film does not say it."""

    tool: str  #: "Filmgate 0.1.0, engine storyboard 0.1.0"
    source_type: str  #: in the words of IPTC's list: TRAINED, DRAWN or another
    ai_system: str = ""  #: the engine, where it is a trained model
    ai_version: str = ""


def write_label(film: Path, label: Label) -> None:
    """Append it to an MP4. Nothing else in the file is moved or changed."""
    packet = _packet(label).encode()
    with film.open("ab") as file:
        file.write((24 + len(packet)).to_bytes(4, "big") + b"uuid" + _XMP + packet)


def read_label(film: Path) -> Label | None:
    """None where there is none that could be read. Raises OSError."""
    with film.open("rb") as file:
        for kind, size in _boxes(file):
            if kind == _XMP and size <= _LONGEST and (label := _parsed(file.read(size))) is not None:
                return label
    return None


def has_manifest(film: Path) -> bool:
    """Whether the film comes with credentials (C2PA). Raises OSError."""
    with film.open("rb") as file:
        return any(kind == _C2PA for kind, _ in _boxes(file))


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """The id of each ``uuid`` box at the top of the file, and the length of what it holds, which can then be read."""
    at, end = 0, file.seek(0, 2)
    while at + 8 <= end:
        file.seek(at)
        head = file.read(32)
        size, header = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        if size == 0:
            size = end - at
        if size < header or at + size > end:
            return
        if head[4:8] == b"uuid" and size >= header + 16:
            file.seek(at + header + 16)
            yield head[header : header + 16], size - header - 16
        at += size


def _packet(label: Label) -> str:
    said = {
        "xmp:CreatorTool": label.tool,
        "Iptc4xmpExt:DigitalSourceType": SOURCE_TYPES + label.source_type,
        "Iptc4xmpExt:AISystemUsed": label.ai_system,
        "Iptc4xmpExt:AISystemVersionUsed": label.ai_version,
    }
    attributes = "".join(f"\n   {name}={quoteattr(value)}" for name, value in said.items() if value)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/">\n <rdf:RDF xmlns:rdf="{_RDF}">\n'
        f'  <rdf:Description rdf:about=""\n   xmlns:xmp="{_TOOL}"\n   xmlns:Iptc4xmpExt="{_IPTC}"{attributes}/>\n'
        ' </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="r"?>'
    )


def _parsed(packet: bytes) -> Label | None:
    if b"<!" in packet:  # declarations: entities can make much of little, and a label needs none
        return None
    try:
        tree = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError):
        return None
    said: dict[str, str] = {}
    for described in tree.iter(f"{{{_RDF}}}Description"):
        said |= described.attrib | {each.tag: (each.text or "").strip() for each in described}
    source = said.get(f"{{{_IPTC}}}DigitalSourceType", "")
    tool = said.get(f"{{{_TOOL}}}CreatorTool", "")
    if not (source or tool):
        return None
    engine, version = (said.get(f"{{{_IPTC}}}AISystem{part}Used", "") for part in ("", "Version"))
    return Label(tool, source.removeprefix(SOURCE_TYPES), engine, version)
