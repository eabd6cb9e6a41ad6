"""``/f/<expiry>/<signature>/<key>/<name>``: stored files behind signed links, whole or in part."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from ..domain.errors import LinkForged
from ..ports import Clock, Storage, StoredFile
from ..storage.links import Links

#: What may be shown where it is opened. Everything else is of no type that a browser would run, and only to be saved.
_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
#: A browser that opens a film or a picture makes a page around it: that page may show this very file, and do nothing.
#: No sandbox: there the page would be of another origin than its film, and not be allowed to load it.
_SHOWN = (
    "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)", re.IGNORECASE)


def routes(storage: Storage, links: Links, clock: Clock) -> list[Route]:
    """GET and HEAD. 404 for a forged link or a deleted file, 410 once expired, 416 for a range beyond the end."""

    async def serve(request: Request) -> Response:
        part = request.path_params
        links.verify(part["expiry"], part["signature"], part["key"], clock.now_ms())
        stored = await storage.open(part["key"])
        if stored is None:
            raise LinkForged
        return _answer(request, stored, part["key"])

    return [Route("/f/{expiry}/{signature}/{key:path}/{name}", serve)]


def _answer(request: Request, stored: StoredFile, key: str) -> Response:
    headers = _headers(stored, key)
    if _unchanged(request, headers["ETag"], stored.modified_ms // 1000):
        return Response(status_code=304, headers={k: v for k, v in headers.items() if k != "Content-Type"})
    try:
        wanted = _wanted(request, stored.size, headers)
    except _Unsatisfiable:
        return PlainTextResponse(
            f"The file has {stored.size} bytes: ask for a range within them.\n",
            status_code=416,
            headers={**headers, "Content-Type": "text/plain", "Content-Range": f"bytes */{stored.size}"},
        )
    return _send(request, stored, wanted, headers)


def _send(request: Request, stored: StoredFile, wanted: range | None, headers: dict[str, str]) -> Response:
    part = range(stored.size) if wanted is None else wanted
    headers["Content-Length"] = str(len(part))
    if wanted is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{stored.size}"
    status = 200 if wanted is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(stored.read(part.start, part.stop), status_code=status, headers=headers)


def _headers(stored: StoredFile, key: str) -> dict[str, str]:
    modified = datetime.fromtimestamp(stored.modified_ms // 1000, UTC)
    kind = _TYPES.get(PurePosixPath(key).suffix)
    return {
        "Content-Type": kind or "application/octet-stream",
        "Content-Disposition": "inline" if kind else "attachment",
        **({"Content-Security-Policy": _SHOWN} if kind else {}),
        "ETag": f'"{stored.modified_ms:x}-{stored.size:x}"',
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private",
        "Cross-Origin-Resource-Policy": "cross-origin",  # pages of anybody may show films: whoever has the link may
    }


def _unchanged(request: Request, etag: str, modified: int) -> bool:
    """Whether the client's copy is still good: by its tag or, where it sends none, by its time."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return etag in known or "*" in known
    since = _seconds(request.headers.get("if-modified-since", ""))
    return since is not None and modified <= since


def _seconds(date: str) -> float | None:
    """Of the epoch, or None for what is no date."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _wanted(request: Request, size: int, headers: dict[str, str]) -> range | None:
    """The bytes asked for; None is the whole file: no range, several, or one of a file that has changed since."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    known = request.headers.get("if-range")
    if asked is None or request.method != "GET" or known not in (None, headers["ETag"], headers["Last-Modified"]):
        return None
    return _part(asked[1], asked[2], size)


def _part(first: str, last: str, size: int) -> range | None:
    start, end = _number(first), _number(last)
    if start is None:
        if end is None:
            return None
        if end == 0 or size == 0:
            raise _Unsatisfiable
        return range(max(0, size - end), size)
    if end is not None and end < start:
        return None  # no range at all: such a header is to be ignored
    if start >= size:
        raise _Unsatisfiable
    return range(start, size if end is None else min(size, end + 1))


def _number(digits: str) -> int | None:
    """None for no digits. Beyond 19 of them it is only known to be larger than any file, which is all that counts."""
    return int(digits.lstrip("0")[:19] or "0") if digits else None


class _Unsatisfiable(Exception):
    """The range lies beyond the end of the file."""
