"""Images that a user sent -> checked, upright, opaque sRGB PNGs.

What the file says about itself is read first, and an image that would be too large is refused there: nothing of it is
decoded before. Only the decoders of the three formats are ever asked.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from ..domain.errors import InputUnusable
from ..domain.task import Role
from ..ports import Finished

LARGEST_BYTES = 10 * 1024 * 1024
LARGEST_SIDE = 4096  #: pixels

_FORMATS = ("JPEG", "PNG", "WEBP")
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_TURNS = {  #: what undoes each orientation of EXIF
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SCAN, _MOST_SCANS = b"\xff\xda", 200  #: encoders make about ten
_WHITE = (255, 255, 255)
_FAST = 3  #: PNG compression: a third of the time, hardly larger


def bound() -> None:
    """Have Pillow itself refuse, anywhere in this process, pictures that are larger than any of ours."""
    Image.MAX_IMAGE_PIXELS = LARGEST_SIDE * LARGEST_SIDE


def check(path: Path, into: Path) -> Finished:
    """Write the image as a PNG to ``into``: type by content, first picture, upright, white where it was transparent.

    Raises InputUnusable with what is wrong with it; then there is no ``into``.
    """
    _check_bytes(path.stat().st_size)
    with warnings.catch_warnings(action="ignore"):  # what is odd about a user's file is no news for our log
        picture = _flat(_srgb(_upright(_decoded(path))))
    try:
        picture.save(into, "PNG", compress_level=_FAST)
    except BaseException:
        into.unlink(missing_ok=True)
        raise
    return Finished(into, Role.INPUT, "image/png", picture.width, picture.height)


def _check_bytes(size: int) -> None:
    if size == 0:
        raise InputUnusable("The image is empty.")
    if size > LARGEST_BYTES:
        raise InputUnusable(
            f"Images size exceeds limit: an image may have {LARGEST_BYTES >> 20} MiB at most, "
            f"and this one has {size / (1 << 20):.1f} MiB."
        )


def _check_sides(width: int, height: int) -> None:
    if max(width, height) > LARGEST_SIDE:
        raise InputUnusable(
            f"Images size exceeds limit: an image may have {LARGEST_SIDE} pixels a side at most, "
            f"and this one has {width} x {height}."
        )


def _check_scans(path: Path) -> None:
    """A JPEG may go over all its pixels again and again, for a few bytes each time."""
    content = path.read_bytes()
    if content[:2] == b"\xff\xd8" and content.count(_SCAN) > _MOST_SCANS:
        raise InputUnusable(f"The image is built up in more than {_MOST_SCANS} steps: save it anew and send that.")


def _decoded(path: Path) -> Image.Image:
    """The first picture of the file, its pixels loaded."""
    try:
        with _opened(path) as image:
            declared = image.size
            _check_sides(*declared)
            _check_scans(path)
            image.load()
            picture = image.copy()
    except InputUnusable:
        raise
    except Exception as error:  # decoders raise almost anything on hostile bytes
        raise InputUnusable("The image is damaged or incomplete and cannot be read: send it again.") from error
    if picture.size != declared:
        raise InputUnusable("The image is not of the size that it declares: save it anew and send that.")
    return picture


def _opened(path: Path) -> Image.Image:
    """Its header read, nothing decoded."""
    try:
        return Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise InputUnusable(
            f"Images size exceeds limit: an image may have {LARGEST_SIDE} pixels a side at most."
        ) from error
    except UnidentifiedImageError as error:
        raise InputUnusable("The file is not a JPEG, PNG or WebP image, or it is damaged.") from error


def _srgb(image: Image.Image) -> Image.Image:
    """RGB or RGBA as screens show it: an embedded colour profile is worked in, other colour models are converted."""
    image = _eight_bits(image)
    profile = image.info.get("icc_profile")
    if image.mode == "P":
        image = image.convert("RGBA")
    if profile and image.mode in ("L", "RGB", "RGBA", "CMYK"):
        image = _through(profile, image)
    if image.mode in ("RGB", "RGBA"):
        return image if "transparency" not in image.info else image.convert("RGBA")
    transparent = image.mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info
    return image.convert("RGBA" if transparent else "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 bits scaled, where Pillow would cut them off at 255; transparent ones stay transparent."""
    if image.mode not in _SIXTEEN_BITS:
        return image
    deep = np.asarray(image).astype(np.int64)
    grey = Image.fromarray((deep >> 8).clip(0, 255).astype(np.uint8))
    if isinstance(through := image.info.get("transparency"), int):
        grey.putalpha(Image.fromarray(np.where(deep == through, 0, 255).astype(np.uint8)))
    return grey


def _through(profile: bytes, image: Image.Image) -> Image.Image:
    """The colours of ``profile`` in sRGB. One that is broken, or for other colours, is left out of account, as browsers
    do: the picture is still the user's."""
    try:
        theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(theirs).lower():
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        changed = ImageCms.profileToProfile(image, theirs, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    assert changed is not None  # as it is not done in place
    return changed


def _upright(image: Image.Image) -> Image.Image:
    """Turned and mirrored as the camera noted. A note that cannot be read turns nothing, as in browsers."""
    try:
        noted = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # what EXIF parsers raise on hostile bytes is as varied as with decoders
        return image
    return image.transpose(_TURNS[noted]) if noted in _TURNS else image


def _flat(image: Image.Image) -> Image.Image:
    """RGB on white, with nothing beside its pixels."""
    canvas = Image.new("RGB", image.size, _WHITE)
    canvas.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return canvas
