"""The addresses of uploads, download links and the balance."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ...domain.errors import AddressRefused, FilmgateError, InvalidRequest, TooLarge, Unreachable, UploadRefused
from ...domain.features import Feature
from ...http.body import read_body
from ...http.codes import code_of
from ...http.desk import Desk
from ...http.envelope import JSON, envelope
from ...http.front import Direct
from ...http.multipart import read_form
from ...net.landing import Oversized
from ...net.outbound import Outbound
from ...ports import AccountStore, Caller, Storage, Upload
from ...services.uploads import Uploads, belongs
from .render import render_upload
from .schema import missing, name_in, parse_base64, parse_download, parse_fields, parse_url

UPLOADS: Final = ("/api/file-base64-upload", "/api/file-url-upload", "/api/file-stream-upload")

MAX_BASE64: Final = 16 * 1024 * 1024  #: bytes of the whole body
MAX_FILE: Final = 100 * 1024 * 1024
FETCH_S: Final = 30.0

_UPLOADED = "File uploaded successfully"
_REAL = (401, 404, 405, 413, 429)  #: codes that these addresses give in HTTP; the others are 400 or 500
_CHANGED = {"unauthenticated": (401, "Authentication failed: Invalid API Key. {sentence}")}
_STREAMED = "send larger files to /api/file-stream-upload"
_FOREIGN = "url is wrong"


def routes(
    desk: Desk,
    *,
    uploads: Uploads,
    outbound: Outbound,
    storage: Storage,
    accounts: AccountStore,
    download_s: float,
) -> list[Direct]:
    def told(request: Request, upload: Upload) -> Response:
        url = desk.links.link(desk.public_base(request), upload.key, upload.expires_ms, upload.name)
        return _answer(200, _UPLOADED, render_upload(upload, url))

    async def base64_upload(request: Request) -> Response:
        caller = await desk.admit(request, Feature.UPLOADS, maintained=False)
        body = await read_body(request, MAX_BASE64, instead=_STREAMED)
        content, place = await asyncio.to_thread(parse_base64, body)
        async with uploads.incoming() as path:
            await asyncio.to_thread(path.write_bytes, content)
            kept = await uploads.keep(caller.account_id, path, path=place.path, name=place.name)
        return told(request, kept)

    async def url_upload(request: Request) -> Response:
        caller = await desk.admit(request, Feature.UPLOADS, maintained=False)
        url, place = parse_url(await read_body(request))
        async with uploads.incoming() as path:
            await _fetch(outbound, url, path)
            original = name_in(url)
            kept = await uploads.keep(caller.account_id, path, path=place.path, name=place.name, original=original)
        return told(request, kept)

    async def stream_upload(request: Request) -> Response:
        caller = await desk.admit(request, Feature.UPLOADS, maintained=False)
        async with uploads.incoming() as path:
            form = await read_form(request, path, file="file", cap=MAX_FILE)
            if not form.has_file:
                raise missing("file")
            place = parse_fields(form.fields)
            original = form.filename
            kept = await uploads.keep(caller.account_id, path, path=place.path, name=place.name, original=original)
        return told(request, kept)

    async def download_url(request: Request) -> Response:
        caller = await desk.admit(request, Feature.DOWNLOAD_URL, maintained=False)
        url = parse_download(await read_body(request))
        return envelope(200, "success", await _direct(caller, url, desk.public_base(request)))

    async def _direct(caller: Caller, url: str, base: str) -> str:
        """A link of its own to the same file. Raises InvalidRequest where it is not one of the caller's."""
        now = desk.clock.now_ms()
        key = desk.links.key_of(url, now)
        if key is None or not await belongs(desk.tasks, key, caller.account_id) or await storage.open(key) is None:
            raise InvalidRequest(_FOREIGN)
        return desk.links.link(base, key, now + round(download_s * 1000), name_in(url))

    async def credit(request: Request) -> Response:
        caller = await desk.admit(request, Feature.CREDITS, maintained=False)
        return envelope(200, "success", await accounts.balance(caller.account_id))

    return [
        Direct("/api/file-base64-upload", base64_upload, ("POST",)),
        Direct("/api/file-url-upload", url_upload, ("POST",)),
        Direct("/api/file-stream-upload", stream_upload, ("POST",)),
        Direct("/api/v1/common/download-url", download_url, ("POST",)),
        Direct("/api/v1/chat/credit", credit),
        Direct("/api/v1/common/credit", credit),
    ]


async def errors(request: Request, error: FilmgateError) -> Response:
    """How the uploads say what went wrong: HTTP says it too, in every edition."""
    code, msg = code_of(error, _CHANGED)
    status = code if code in _REAL else 500 if code >= 500 else 400
    return _answer(status, msg, None)


def _answer(status: int, msg: str, data: dict[str, Any] | None) -> Response:
    body = {"success": status == 200, "code": status, "msg": msg, "data": data}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(msgspec.json.encode(body), status_code=status, headers=headers, media_type=JSON)


async def _fetch(outbound: Outbound, url: str, path: Path) -> None:
    try:
        await outbound.fetch(url, path, timeout_s=FETCH_S, cap=MAX_FILE)
    except Oversized as error:
        raise TooLarge(str(error)) from error
    except (AddressRefused, Unreachable) as error:
        raise UploadRefused(f"The file cannot be fetched. {error}") from error
