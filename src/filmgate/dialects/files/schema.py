"""What may be sent to the uploads and to download-url, and what it means."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import msgspec

from ...domain.errors import InvalidRequest, UploadRefused
from ...http.fields import absent, address, read_object, text
from ...services.uploads import checked_name, checked_path

_MAX_PLACE = 1000  #: characters; what is too long for a path or a name is judged with those
_BLANKS = b" \t\r\n"


class Base64Body(msgspec.Struct):
    base64Data: object = None
    uploadPath: object = None
    fileName: object = None


class UrlBody(msgspec.Struct):
    fileUrl: object = None
    uploadPath: object = None
    fileName: object = None


class DownloadBody(msgspec.Struct):
    url: object = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an upload is to stand. ``name`` is None where the client leaves it to us."""

    path: str
    name: str | None


def parse_base64(body: bytes) -> tuple[bytes, Place]:
    """The file, and its place. Raises MalformedRequest, InvalidRequest, and UploadRefused for what is no base64."""
    sent = read_object(body, Base64Body)
    place = _place(sent.uploadPath, sent.fileName)
    if sent.base64Data is None or sent.base64Data == "":
        raise missing("base64Data")
    if not isinstance(sent.base64Data, str):
        raise InvalidRequest("base64Data must be a string.")
    return _decoded(sent.base64Data), place


def parse_url(body: bytes) -> tuple[str, Place]:
    """The file's address, and its place. Raises MalformedRequest and InvalidRequest."""
    sent = read_object(body, UrlBody)
    place = _place(sent.uploadPath, sent.fileName)
    if absent(sent.fileUrl):
        raise missing("fileUrl")
    return address("fileUrl", sent.fileUrl), place


def parse_fields(fields: Mapping[str, str]) -> Place:
    """The place in the fields of a form. Raises InvalidRequest, or UploadRefused for what cannot be one."""
    return _place(fields.get("uploadPath"), fields.get("fileName"))


def parse_download(body: bytes) -> str:
    """The address. Raises MalformedRequest and InvalidRequest."""
    sent = read_object(body, DownloadBody)
    if absent(sent.url):
        raise InvalidRequest("url is wrong: send the address of a film or an upload of yours as url.")
    return address("url", sent.url)


def missing(field: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: {field}")


def name_in(url: str) -> str:
    """The last part of an address's path, as a name for what is behind it."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _place(path: object, name: object) -> Place:
    said = text("fileName", name, _MAX_PLACE)
    return Place(checked_path(text("uploadPath", path, _MAX_PLACE) or ""), None if said is None else checked_name(said))


def _decoded(data: str) -> bytes:
    """Of base64 with or without "data:image/png;base64," before it, line breaks in it, or padding behind it."""
    head, comma, rest = data.partition(",")
    if comma and head.strip().lower().startswith("data:"):
        if not head.strip().lower().endswith(";base64"):
            raise UploadRefused("Base64 decoding failed: the data URL does not say ;base64 before its comma.")
        data = rest
    try:
        packed = data.encode("ascii").translate(None, _BLANKS).rstrip(b"=")
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise UploadRefused("Base64 decoding failed: Invalid Base64 format") from error
