"""This dialect's documents as types, for the OpenAPI description. Nothing is parsed with them: ``schema.py`` does that,
and is more lenient; tests hold that the two speak of the same fields, and that every answer fits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from ...http.openapi import Operation
from ...services.uploads import MAX_NAME, MAX_PATH
from .routes import UPLOADS

Folder = Annotated[
    Annotated[str, Meta(max_length=MAX_PATH)] | None, Meta(description="A folder of your own, such as images/cats.")
]
Name = Annotated[
    Annotated[str, Meta(max_length=MAX_NAME)] | None,
    Meta(description="The same path and name replace the file; made up where it is not said."),
]


class Base64Upload(Struct):
    """A file as text."""

    base64Data: Annotated[str, Meta(min_length=1, description="Base64, or a data URL.", examples=["iVBORw0KGgo="])]
    uploadPath: Folder = None
    fileName: Name = None


class UrlUpload(Struct):
    """A file that this server fetches: at most 100 MiB within 30 seconds."""

    fileUrl: Annotated[str, Meta(min_length=1, description="Where it is.")]
    uploadPath: Folder = None
    fileName: Name = None


class StreamUpload(Struct):
    """A file as a part of a form: at most 100 MiB."""

    file: Annotated[str, Meta(extra_json_schema={"format": "binary"})]
    uploadPath: Folder = None
    fileName: Name = None


class DownloadRequest(Struct):
    """A film or an upload of your own."""

    url: Annotated[str, Meta(min_length=1, description="Its address, as a record or an upload told it.")]


class UploadedFile(Struct):
    """A stored file. Some fields say the same thing twice, for programs of different years."""

    success: bool
    fileId: str
    fileName: str
    originalName: str
    filePath: str
    uploadPath: str
    fileUrl: str
    downloadUrl: str
    fileSize: int
    mimeType: Annotated[str, Meta(description="By the content, whatever the name says.")]
    uploadedAt: Annotated[str, Meta(description="UTC, ISO 8601.")]
    uploadTime: str
    expiresAt: Annotated[str, Meta(description="From then on the file is gone.")]


class UploadAnswer(Struct):
    """Every answer of the uploads; HTTP has the same code."""

    success: bool
    code: int
    msg: str
    data: UploadedFile | None


_REFUSALS = (400, 401, 413, 500)

OPERATIONS = (
    Operation(
        "POST",
        UPLOADS[0],
        "uploadBase64",
        "Upload a file as base64",
        UploadAnswer,
        Base64Upload,
        enveloped=False,
        refusals=_REFUSALS,
    ),
    Operation(
        "POST",
        UPLOADS[1],
        "uploadUrl",
        "Upload a file from an address",
        UploadAnswer,
        UrlUpload,
        enveloped=False,
        refusals=_REFUSALS,
    ),
    Operation(
        "POST",
        UPLOADS[2],
        "uploadStream",
        "Upload a file as a form",
        UploadAnswer,
        StreamUpload,
        media="multipart/form-data",
        enveloped=False,
        refusals=_REFUSALS,
    ),
    Operation(
        "POST",
        "/api/v1/common/download-url",
        "downloadUrl",
        "Get a link that is good for 20 minutes",
        str,
        DownloadRequest,
    ),
    Operation("GET", "/api/v1/chat/credit", "credit", "Ask for the balance", int),
    Operation("GET", "/api/v1/common/credit", "commonCredit", "Ask for the balance, at its other address", int),
)
