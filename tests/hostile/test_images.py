"""Images that mean harm, read by a real media slot: each becomes an image or is refused, and the slot lives on."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from filmgate.domain.errors import InputUnreachable
from filmgate.domain.spec import Spec
from filmgate.engines.slot import MEDIA
from filmgate.engines.slots import LocalSlots, SlotLimits
from filmgate.media.images import LARGEST_BYTES, LARGEST_SIDE
from filmgate.ports import Finished, Order, Work

SPEC = Spec(prompt="x", model="veo3", seconds=4, seed=12345)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def small(colour: str = "red") -> Image.Image:
    return Image.new("RGB", (64, 48), colour)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, colour: int = 2, interlaced: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def data(size: int) -> bytes:
    return chunk(b"IDAT", zlib.compress(b"\0" * size, 9))


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """A small JPEG with these segments (marker, content) before all others."""
    content = saved(small(), "JPEG")
    more = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return content[:2] + more + content[2:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for kind, c in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def many(kind: str, frames: int = 3000) -> bytes:
    pictures = [Image.new("RGB", (16, 16), (n % 256, n // 256, 9)) for n in range(frames)]
    return saved(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=20)


def jpeg_side(side: int) -> bytes:
    content = bytearray(saved(small(), "JPEG"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(content)


def webp_side(side: int) -> bytes:
    content = bytearray(saved(small(), "WEBP", lossless=True))
    at = content.index(b"VP8L") + 9
    content[at : at + 4] = struct.pack("<I", (side - 1) | (side - 1) << 14)
    return bytes(content)


BIGGEST = LARGEST_SIDE * (LARGEST_SIDE * 3 + 1)

IMAGES: dict[str, Callable[[], bytes]] = {
    # more pixels than anybody has room for
    "png of 4 billion a side": lambda: png(0x7FFFFFFF, 0x7FFFFFFF, data(10**6)),
    "png of one row": lambda: png(0x7FFFFFFF, 1, data(10**6)),
    "png one too wide": lambda: png(LARGEST_SIDE + 1, 1, data(10**5)),
    "jpeg of 65535 a side": lambda: jpeg_side(65535),
    "webp of 16384 a side": lambda: webp_side(16384),
    "webp canvas of 16 million a side": lambda: riff((b"VP8X", b"\2\0\0\0" + b"\xff" * 6)),
    # small files, much work
    "png, the largest, of nothing": lambda: png(LARGEST_SIDE, LARGEST_SIDE, data(BIGGEST)),
    "png, the largest, interlaced": lambda: png(LARGEST_SIDE, LARGEST_SIDE, data(2 * BIGGEST), interlaced=1),
    "png with more data than pixels": lambda: png(2, 2, data(500_000_000)),
    "png of a million chunks": lambda: png(2, 2, *([chunk(b"tEXt", b"a\0b")] * 500_000), data(14)),
    "png with text that unpacks to 200 MB": lambda: png(
        2, 2, chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 2 * 10**8)), data(14)
    ),
    "png with a profile that unpacks to 200 MB": lambda: png(
        2, 2, chunk(b"iCCP", b"a\0\0" + zlib.compress(b"a" * 2 * 10**8)), data(14)
    ),
    "png of thousands of frames": lambda: many("PNG"),
    "png that promises 4 billion frames": lambda: png(
        2, 2, chunk(b"acTL", struct.pack(">II", 0xFFFFFFFF, 0)), data(14)
    ),
    "webp of thousands of frames": lambda: many("WEBP"),
    "jpeg of endless scans": lambda: (
        saved(small(), "JPEG", progressive=True)[:-2] + saved(small(), "JPEG", progressive=True)[-300:-2] * 20_000
    ),
    "jpeg with sixty thousand comments": lambda: jpeg(*[(0xFE, b"x")] * 60_000),
    "jpeg with 9 MB of EXIF": lambda: jpeg(*[(0xE1, b"Exif\0\0" + b"MM\0*\0\0\0\x08" + b"\xff" * 65_000)] * 140),
    "jpeg with a profile in 255 parts": lambda: jpeg(
        *[(0xE2, b"ICC_PROFILE\0" + bytes([n, 255]) + b"p" * 40_000) for n in range(1, 200)]
    ),
    "jpeg whose EXIF points at itself": lambda: jpeg(
        (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08\0\0\0\0")
    ),
    "more bytes than allowed": lambda: saved(small(), "PNG") + b"\0" * LARGEST_BYTES,
    # one thing that is another
    "a page": lambda: b"<!DOCTYPE html><script>alert(1)</script>",
    "a page behind a jpeg": lambda: saved(small(), "JPEG") + b"<script>alert(1)</script>",
    "an archive behind a png": lambda: saved(small(), "PNG") + b"PK\x03\x04" + b"\0" * 100,
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "svg of a billion laughs": lambda: (
        b'<!DOCTYPE s [<!ENTITY a "' + b"x" * 999 + b'"><!ENTITY b "&a;&a;">]><svg>&b;</svg>'
    ),
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
    "tiff": lambda: saved(small(), "TIFF"),
    "gif": lambda: saved(small(), "GIF"),
    "icon": lambda: saved(small(), "ICO"),
    "pdf": lambda: b"%PDF-1.7\n%%EOF",
    "a film": lambda: b"\0\0\0\x18ftypisom\0\0\2\0isomiso2",
    "nothing": lambda: b"",
    "zeros": lambda: b"\0" * 1_000_000,
    # half of one
    "half a png": lambda: saved(small(), "PNG")[:60],
    "half a jpeg": lambda: saved(small(), "JPEG")[:300],
    "half a webp": lambda: saved(small(), "WEBP")[:40],
    "webp that says it is longer": lambda: b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff/",
    "webp in webp": lambda: riff((b"VP8X", b"\x02" + b"\0" * 9), (b"ANMF", riff((b"ANMF", b"\0" * 24)))),
}

#: Those that come out as images: what is odd about them lies outside of their first picture.
HARMLESS = {
    "png, the largest, of nothing",
    "png, the largest, interlaced",
    "png of a million chunks",
    "png of thousands of frames",
    "png that promises 4 billion frames",
    "webp of thousands of frames",
    "jpeg with sixty thousand comments",
    "jpeg with 9 MB of EXIF",
    "jpeg with a profile in 255 parts",
    "jpeg whose EXIF points at itself",
    "a page behind a jpeg",
    "an archive behind a png",
    "png with more data than pixels",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished | str]:
    """What one slot makes of all of them, in turn; it must be the same process at the end."""
    room = tmp_path_factory.mktemp("room")

    async def read() -> dict[str, Finished | str]:
        slots = LocalSlots(SlotLimits(order=60), workroot=room)
        try:
            await slots.open(MEDIA, 1)
            before = slots.health()
            made = {name: await _outcome(slots, room / f"work-{n}", IMAGES[name]()) for n, name in enumerate(IMAGES)}
            assert slots.health() == before
            return made
        finally:
            await slots.close()

    return asyncio.run(read())


async def _outcome(slots: LocalSlots, folder: Path, content: bytes) -> Finished | str:
    raw = await asyncio.to_thread(_put, folder, content)
    order = Order("task", 1, SPEC, folder, work=Work.IMAGES, images=(raw,))
    try:
        (made,) = await slots.media(order, lambda fraction, stage: None)
    except InputUnreachable as error:
        return str(error)
    return made


def _put(folder: Path, content: bytes) -> Path:
    folder.mkdir()
    (folder / "raw").write_bytes(content)
    return folder / "raw"


@pytest.mark.parametrize("name", IMAGES)
def test_it_is_an_image_or_refused_and_the_slot_lives_on(outcomes: dict[str, Finished | str], name: str) -> None:
    got = outcomes[name]
    assert isinstance(got, Finished) == (name in HARMLESS), got
    if isinstance(got, str):
        assert got.endswith(".")
        return
    with Image.open(got.path) as picture:
        assert (picture.format, picture.mode, getattr(picture, "n_frames", 1)) == ("PNG", "RGB", 1)
        assert max(picture.size) <= LARGEST_SIDE
        assert set(picture.info) == set()
    assert b"script" not in got.path.read_bytes()
