"""Images from outside: whatever they are, they come out upright, opaque, sRGB PNGs, or are refused in plain words."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from filmgate.domain.errors import InputUnreachable
from filmgate.domain.task import Role
from filmgate.media.images import LARGEST_BYTES, check

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
Pixels = npt.NDArray[np.int16]


def corners() -> Image.Image:
    """60 x 40: red above left, green above right, blue below left, white below right."""
    picture = Image.new("RGB", (60, 40), WHITE)
    for colour, at in ((RED, (0, 0)), (GREEN, (30, 0)), (BLUE, (0, 20))):
        picture.paste(colour, (*at, at[0] + 30, at[1] + 20))
    return picture


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def checked(folder: Path, content: bytes) -> Pixels:
    (folder / "raw").write_bytes(content)
    made = check(folder / "raw", folder / "image.png")
    with Image.open(made.path) as picture:
        assert (picture.format, picture.mode, picture.info) == ("PNG", "RGB", {})
        assert picture.size == (made.width, made.height)
        assert (made.role, made.mime) == (Role.INPUT, "image/png")
        return np.asarray(picture).astype(np.int16)


def refused(folder: Path, content: bytes) -> str:
    (folder / "raw").write_bytes(content)
    with pytest.raises(InputUnreachable) as error:
        check(folder / "raw", folder / "image.png")
    assert not (folder / "image.png").exists()
    return str(error.value)


def near(pixels: Pixels, expected: Image.Image, share: float = 1.0) -> bool:
    """Whether this share of the pixels is what it should be, give or take what lossy formats lose."""
    wanted = np.asarray(expected.convert("RGB")).astype(np.int16)
    return pixels.shape == wanted.shape and float((np.abs(pixels - wanted).max(axis=2) <= 12).mean()) >= share


# ------------------------------------------------------------ every format and colour model ---------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved(corners(), "PNG"), id="png"),
        pytest.param(saved(corners(), "PNG", compress_level=0), id="png, not compressed"),
        pytest.param(saved(corners().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"), id="png, palette"),
        pytest.param(saved(corners().convert("RGBA"), "PNG"), id="png, alpha"),
        pytest.param(saved(corners(), "JPEG", quality=100, subsampling=0), id="jpeg"),
        pytest.param(saved(corners(), "JPEG", quality=100, subsampling=0, progressive=True), id="jpeg, progressive"),
        pytest.param(saved(corners().convert("CMYK"), "JPEG", quality=100), id="jpeg, cmyk"),
        pytest.param(saved(corners(), "MPO", quality=100, subsampling=0, save_all=True,
                           append_images=[Image.new("RGB", (60, 40))]), id="jpeg, two pictures"),
        pytest.param(saved(corners(), "WEBP", lossless=True), id="webp"),
        pytest.param(saved(corners(), "WEBP", quality=100), id="webp, lossy"),
    ],
)  # fmt: skip
def test_every_kind_of_image_shows_what_it_shows(content: bytes, tmp_path: Path) -> None:
    assert near(checked(tmp_path, content), corners(), share=0.9 if b"VP8 " in content else 1)  # it blurs edges


def test_a_lossless_image_is_kept_pixel_for_pixel(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3), dtype=np.uint8)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True})):
        pixels = checked(tmp_path, saved(Image.fromarray(noise), kind, **options))
        assert (pixels == noise).all()


def ramp(mode: str) -> bytes:
    grey = np.arange(256, dtype=np.uint8)[None, :].repeat(8, 0)
    if mode == "I;16":
        return saved(Image.fromarray(grey.astype(np.uint16) * 257), "PNG")
    picture = Image.fromarray(grey)
    return saved(Image.merge("LA", (picture, Image.new("L", (256, 8), 255))) if mode == "LA" else picture, "PNG")


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_greys_of_any_depth_keep_their_levels(mode: str, tmp_path: Path) -> None:
    pixels = checked(tmp_path, ramp(mode))
    assert (pixels[0, :, 0] == np.arange(256)).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_two_colours_stay_two_colours(tmp_path: Path) -> None:
    halves = Image.new("1", (16, 8))
    halves.paste(1, (8, 0, 16, 8))
    assert set(checked(tmp_path, saved(halves, "PNG"))[0, :, 1]) == {0, 255}


def test_sixteen_bits_of_colour(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 0xFFFF, 0x8000, 0) * 4 for _ in range(4))
    assert (checked(tmp_path, png(4, 4, zlib.compress(rows), depth=16))[0, 0] == (255, 128, 0)).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_turns_white(kind: str, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.paste((200, 0, 0, 128), (4, 0, 8, 8))
    pixels = checked(tmp_path, saved(picture, kind, lossless=True))
    assert (pixels[0, 0] == 255).all()
    assert np.abs(pixels[0, 6] - (227, 127, 127)).max() <= 1


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "I;16"])
def test_a_transparent_colour_turns_white(mode: str, tmp_path: Path) -> None:
    content: dict[str, tuple[Image.Image, Any]] = {
        "P": (Image.new("P", (8, 8), 0), 0),
        "L": (Image.new("L", (8, 8), 7), 7),
        "RGB": (Image.new("RGB", (8, 8), (1, 2, 3)), (1, 2, 3)),
        "I;16": (Image.fromarray(np.full((8, 8), 700, np.uint16)), 700),
    }
    picture, transparent = content[mode]
    assert (checked(tmp_path, saved(picture, "PNG", transparency=transparent)) == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture(kind: str, tmp_path: Path) -> None:
    more = [Image.new("RGB", (60, 40), RED), Image.new("RGB", (60, 40), BLUE)]
    content = saved(corners(), kind, save_all=True, append_images=more, lossless=True, duration=40)
    assert near(checked(tmp_path, content), corners())


# ------------------------------------------------------------ which way is up, and which red --------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(kind: str, orientation: int, tmp_path: Path) -> None:
    as_the_camera_stored_it = {
        1: corners(),
        2: corners().transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: corners().transpose(Image.Transpose.ROTATE_180),
        4: corners().transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: corners().transpose(Image.Transpose.TRANSPOSE),
        6: corners().transpose(Image.Transpose.ROTATE_90),
        7: corners().transpose(Image.Transpose.TRANSVERSE),
        8: corners().transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {"lossless": True}
    pixels = checked(tmp_path, saved(as_the_camera_stored_it, kind, exif=exif, **options))
    assert pixels.shape == (40, 60, 3)
    assert near(pixels, corners())


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0"])
def test_unreadable_exif_turns_nothing(exif: bytes, tmp_path: Path) -> None:
    assert near(checked(tmp_path, saved(corners(), "JPEG", quality=100, subsampling=0, exif=exif)), corners())


def wide_gamut() -> bytes:
    """A profile whose red and green are swapped against sRGB's: whether it was worked in cannot be overlooked."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for number in range(struct.unpack_from(">I", profile, 128)[0]):
        at = 132 + 12 * number
        tag = bytes(profile[at : at + 4])
        profile[at : at + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(tag, tag)
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_worked_in(kind: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"quality": 100} if kind == "JPEG" else {"lossless": True}
    pixels = checked(tmp_path, saved(Image.new("RGB", (16, 16), RED), kind, icc_profile=wide_gamut(), **options))
    assert np.abs(pixels[8, 8] - GREEN).max() < 8


@pytest.mark.parametrize("profile", [b"nonsense", wide_gamut()[:200], b"\0" * 500])
def test_a_broken_profile_is_left_out(profile: bytes, tmp_path: Path) -> None:
    assert near(checked(tmp_path, saved(corners(), "PNG", icc_profile=profile)), corners())


def test_a_profile_for_other_colours_is_left_out(tmp_path: Path) -> None:
    assert near(
        checked(tmp_path, saved(corners().convert("L"), "PNG", icc_profile=wide_gamut())), corners().convert("L")
    )


# ------------------------------------------------------------ too large -----------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, data: bytes, *more: bytes, depth: int = 8) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG that claims to be of this size."""
    content = bytearray(saved(corners(), "JPEG"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def webp_of(width: int, height: int) -> bytes:
    """A lossless WebP of one colour whose stream is of this size: 14 bits each, less one."""
    content = bytearray(saved(Image.new("RGB", (16, 16)), "WEBP", lossless=True))
    at = content.index(b"VP8L") + 9
    content[at : at + 4] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(content)


def webp_on_a_canvas_of(width: int, height: int) -> bytes:
    """A small WebP whose canvas claims to be of this size."""
    inner = saved(corners(), "WEBP", lossless=True)[12:]
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + canvas + inner
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("size", [(4097, 16), (16, 4097), (4097, 4097), (16000, 16000)])
@pytest.mark.parametrize("claim", [lambda w, h: png(w, h, zlib.compress(b"")), jpeg_of, webp_of])
def test_too_many_pixels_are_refused_by_the_header_alone(claim: Any, size: tuple[int, int], tmp_path: Path) -> None:
    content = claim(*size)
    tracemalloc.start()
    try:
        assert refused(tmp_path, content).startswith("Images size exceeds limit")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [(61, 40), (4000, 4000), (16000, 16000), (1 << 24, 100)])
def test_a_picture_that_does_not_fill_its_canvas_is_refused(size: tuple[int, int], tmp_path: Path) -> None:
    assert refused(tmp_path, webp_on_a_canvas_of(*size))


def test_a_bomb_of_many_gigabytes_is_refused(tmp_path: Path) -> None:
    content = png(0x7FFFFFFF, 0x7FFFFFFF, zlib.compress(b"\0" * 1_000_000))
    assert refused(tmp_path, content).startswith("Images size exceeds limit")


def test_the_largest_image_that_is_allowed(tmp_path: Path) -> None:
    assert checked(tmp_path, saved(Image.new("RGB", (4096, 4096), RED), "PNG")).shape == (4096, 4096, 3)


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    content = saved(corners(), "PNG")
    allowed = content + b"\0" * (LARGEST_BYTES - len(content))
    assert near(checked(tmp_path, allowed), corners())
    (tmp_path / "image.png").unlink()
    assert refused(tmp_path, allowed + b"\0").startswith("Images size exceeds limit: an image may have 10 MiB")


def test_a_jpeg_of_endless_refinements_is_refused(tmp_path: Path) -> None:
    content = saved(corners(), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    assert content.count(b"\xff\xda") < 20
    assert "more than 200 steps" in refused(tmp_path, content[:last] + content[last:-2] * 300 + content[-2:])


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP", b"iTXt"])
def test_text_that_unpacks_to_a_flood_is_refused_or_passed_over(kind: bytes, tmp_path: Path) -> None:
    flood = zlib.compress(b"A" * 200_000_000, 9)
    between = b"x\0\1\0\0\0" if kind == b"iTXt" else b"x\0\0"
    content = png(2, 2, zlib.compress(b"\0" + b"\0" * 6 + b"\0" + b"\0" * 6), chunk(kind, between + flood))
    tracemalloc.start()
    try:
        assert "damaged" in refused(tmp_path, content)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


# ------------------------------------------------------------ no image ------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved(corners(), "GIF"), id="gif"),
        pytest.param(saved(corners(), "BMP"), id="bmp"),
        pytest.param(saved(corners(), "TIFF"), id="tiff"),
        pytest.param(saved(corners(), "ICO"), id="ico"),
        pytest.param(saved(corners(), "JPEG2000"), id="jpeg 2000"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>", id="svg"),
        pytest.param(b"<!DOCTYPE html><title>404</title>", id="a page"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", id="postscript"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="nothing but a signature"),
        pytest.param(b"\xff\xd8\xff", id="nothing but a start"),
        pytest.param(b"RIFF\x04\0\0\0WEBP", id="an empty webp"),
        pytest.param(png(0, 0, b""), id="no pixels"),
    ],
)
def test_what_is_no_image_is_refused(content: bytes, tmp_path: Path) -> None:
    assert "not a JPEG, PNG or WebP" in (said := refused(tmp_path, content)) or "damaged" in said


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "empty" in refused(tmp_path, b"")


def noisy(kind: str) -> bytes:
    pixels = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return saved(Image.fromarray(pixels), kind)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_image_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    content = noisy(kind)
    said = refused(tmp_path, content[: int(len(content) * share)])
    assert "damaged" in said


def test_a_damaged_checksum_is_refused(tmp_path: Path) -> None:
    content = bytearray(noisy("PNG"))
    content[len(content) // 2] ^= 0xFF
    assert "damaged" in refused(tmp_path, bytes(content))


def test_fewer_pixels_than_declared_are_refused(tmp_path: Path) -> None:
    assert "damaged" in refused(tmp_path, png(100, 100, zlib.compress(b"\0" * 1000)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["JPEG", "PNG", "WEBP"]), seed=st.integers(0, 2**32 - 1), flips=st.integers(1, 20))
def test_whatever_is_wrong_it_is_an_image_or_a_refusal(kind: str, seed: int, flips: int, tmp_path: Path) -> None:
    content = np.frombuffer(saved(corners(), kind), dtype=np.uint8).copy()
    chance = np.random.default_rng(seed)
    content[chance.integers(0, len(content), flips)] = chance.integers(0, 256, flips)
    (tmp_path / "raw").write_bytes(content.tobytes())
    try:
        made = check(tmp_path / "raw", tmp_path / "image.png")
    except InputUnreachable:
        return
    assert max(made.width, made.height) <= 4096
