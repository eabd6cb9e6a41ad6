"""The addresses under the names that the contract's table gives them, and a request to each that would go well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from support.server import Server

GENERATE = "POST /api/v1/veo/generate"
RECORD = "GET /api/v1/veo/record-info"
P1080 = "GET /api/v1/veo/get-1080p-video"
K4 = "POST /api/v1/veo/get-4k-video"
EXTEND = "POST /api/v1/veo/extend"
CREATE = "POST /api/v1/jobs/createTask"
JOB_RECORD = "GET /api/v1/jobs/recordInfo"
CREDIT = "GET /api/v1/chat/credit"
COMMON_CREDIT = "GET /api/v1/common/credit"
CANCEL = "POST /api/v1/veo/cancel"
TASKS = "GET /api/v1/veo/tasks"
MODELS = "GET /api/v1/veo/models"
MEDIA = "DELETE /api/v1/veo/media"
DOWNLOAD = "POST /api/v1/common/download-url"
BASE64 = "POST /api/file-base64-upload"
URL = "POST /api/file-url-upload"
STREAM = "POST /api/file-stream-upload"
UPLOADS = (BASE64, URL, STREAM)

#: From the task and the address of a film to the fields of a request.
FIELDS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    GENERATE: lambda film_id, link: {"prompt": "a dog", "duration": 4},
    RECORD: lambda film_id, link: {"taskId": film_id},
    P1080: lambda film_id, link: {"taskId": film_id},
    K4: lambda film_id, link: {"taskId": film_id},
    EXTEND: lambda film_id, link: {"taskId": film_id, "prompt": "on"},
    CREATE: lambda film_id, link: {"model": "veo-3-1", "input": {"prompt": "a dog", "duration": 4}},
    JOB_RECORD: lambda film_id, link: {"taskId": film_id},
    CREDIT: lambda film_id, link: {},
    COMMON_CREDIT: lambda film_id, link: {},
    CANCEL: lambda film_id, link: {"taskId": film_id},
    TASKS: lambda film_id, link: {},
    MODELS: lambda film_id, link: {},
    MEDIA: lambda film_id, link: {"taskId": film_id},
    DOWNLOAD: lambda film_id, link: {"url": link},
    BASE64: lambda film_id, link: {"base64Data": "iVBORw0KGgo=", "uploadPath": "images"},
    URL: lambda film_id, link: {"fileUrl": link, "uploadPath": "images"},
    STREAM: lambda film_id, link: {"uploadPath": "images"},
}


def answered(server: Server, endpoint: str, film_id: str = "", link: str = "", /, **changes: Any) -> httpx2.Response:
    """What an address says; ``changes`` are to the fields of the request, None leaves one out."""
    fields = {**FIELDS[endpoint](film_id, link), **changes}
    return sent(server, endpoint, {name: value for name, value in fields.items() if value is not None})


def code(server: Server, endpoint: str, film_id: str = "", link: str = "", /, **changes: Any) -> int:
    return code_in(answered(server, endpoint, film_id, link, **changes))


def sent(server: Server, endpoint: str, fields: dict[str, Any], **headers: str) -> httpx2.Response:
    method, path = endpoint.split(" ")
    if method in ("GET", "DELETE"):
        return server.http.request(method, path, params=fields, headers=headers)
    if endpoint == STREAM:
        return server.http.post(path, data=fields, files={"file": ("a.png", b"x", "image/png")}, headers=headers)
    return server.http.post(path, json=fields, headers=headers)


def code_in(answer: httpx2.Response) -> int:
    """Of an envelope, which has to be one."""
    said = answer.json()
    assert set(said) - {"success"} == {"code", "msg", "data"}
    assert said["msg"].strip()
    return int(said["code"])
