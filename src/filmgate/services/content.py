"""What a file is, told by its first bytes: names and headers of whoever sent it say anything."""

from __future__ import annotations

from typing import Final

HEAD: Final = 64  #: bytes that are enough to tell
UNKNOWN: Final = ("application/octet-stream", ".bin")

_STARTS: Final = (
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"GIF87a", "image/gif", ".gif"),
    (b"GIF89a", "image/gif", ".gif"),
    (b"ID3", "audio/mpeg", ".mp3"),
    (b"\xff\xfb", "audio/mpeg", ".mp3"),
)
_RIFF: Final = {b"WEBP": ("image/webp", ".webp"), b"WAVE": ("audio/wav", ".wav")}
_BRANDS: Final = {
    b"qt  ": ("video/quicktime", ".mov"),
    b"avif": ("image/avif", ".avif"),
    b"heic": ("image/heic", ".heic"),
    b"mif1": ("image/heif", ".heif"),
    b"M4A ": ("audio/mp4", ".m4a"),
}


def content_of(head: bytes) -> tuple[str, str]:
    """(MIME type, suffix) by the first ``HEAD`` bytes; UNKNOWN for everything that is no picture, film or sound."""
    for start, mime, suffix in _STARTS:
        if head.startswith(start):
            return mime, suffix
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], ("video/mp4", ".mp4"))
    if head[:4] == b"\x1aE\xdf\xa3":
        return ("video/webm", ".webm") if b"webm" in head else ("video/x-matroska", ".mkv")
    return UNKNOWN
