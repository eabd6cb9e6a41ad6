"""The three uploads, download links and the balance over the wire."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.dialects.files.routes import UPLOADS
from support.web import Quiet, web_server

from .answers import enveloped, raw
from .conftest import DAY_MS, World
from .test_record_info import create, record

BASE64, URL, STREAM = UPLOADS
DOWNLOAD = "/api/v1/common/download-url"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
KEYS = {
    "success",
    "fileId",
    "fileName",
    "originalName",
    "filePath",
    "uploadPath",
    "fileUrl",
    "downloadUrl",
    "fileSize",
    "mimeType",
    "uploadedAt",
    "uploadTime",
    "expiresAt",
}


def uploaded(answer: httpx2.Response) -> dict[str, Any]:
    """``data`` of an upload that went well."""
    body = answer.json()
    assert (answer.status_code, body["code"], body["success"]) == (200, 200, True), body
    assert set(body) == {"success", "code", "msg", "data"}
    assert set(body["data"]) == KEYS
    return dict(body["data"])


def refused(answer: httpx2.Response, status: int, says: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["code"], body["success"], body["data"]) == (status, status, False, None), body
    assert says in body["msg"]


def as_base64(content: bytes = PNG) -> str:
    return base64.b64encode(content).decode()


@contextmanager
def serving(content: bytes, status: int = 200) -> Iterator[str]:
    """The address of a file on another server."""

    class Door(Quiet):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with web_server(Door) as url:
        yield f"{url}/folder/my%20cat.png"


# ---------------------------------------------------------------- good uploads ------------------------------------


def test_base64(world: World, client: httpx2.Client) -> None:
    told = uploaded(
        client.post(BASE64, json={"base64Data": as_base64(), "uploadPath": "images/a", "fileName": "a.png"})
    )
    assert (told["fileName"], told["filePath"], told["uploadPath"]) == ("a.png", "images/a/a.png", "images/a")
    assert (told["fileSize"], told["mimeType"], told["originalName"]) == (len(PNG), "image/png", "a.png")
    assert told["fileUrl"] == told["downloadUrl"]
    served = httpx2.get(told["downloadUrl"])
    assert (served.content, served.headers["content-type"]) == (PNG, "image/png")
    kept = datetime.fromisoformat(told["expiresAt"]) - datetime.fromisoformat(told["uploadedAt"])
    assert kept.total_seconds() == 3 * 24 * 3600
    assert datetime.fromisoformat(told["uploadTime"]).timestamp() * 1000 == world.clock.now


@pytest.mark.parametrize(
    "data",
    [
        "data:image/png;base64," + as_base64(),
        "data:image/jpeg;name=a.png;base64," + as_base64(),
        "\r\n".join(as_base64()[n : n + 76] for n in range(0, len(as_base64()), 76)),
        as_base64().rstrip("="),
        " " + as_base64() + "\n",
    ],
)
def test_base64_in_its_forms(client: httpx2.Client, data: str) -> None:
    told = uploaded(client.post(BASE64, json={"base64Data": data}))
    assert httpx2.get(told["downloadUrl"]).content == PNG
    assert told["fileName"] == told["filePath"] == f"{told['fileId']}.png"


def test_from_an_address(client: httpx2.Client) -> None:
    with serving(PNG) as address:
        told = uploaded(client.post(URL, json={"fileUrl": address, "uploadPath": "/images/"}))
    assert (told["originalName"], told["uploadPath"], told["fileSize"]) == ("my cat.png", "images", len(PNG))
    assert httpx2.get(told["downloadUrl"]).content == PNG


def test_as_a_form(client: httpx2.Client) -> None:
    form = {"uploadPath": "images", "fileName": "b.png"}
    told = uploaded(client.post(STREAM, files={"file": ("C:\\cats\\Mieze ü.png", PNG)}, data=form))
    assert (told["fileName"], told["originalName"]) == ("b.png", "Mieze ü.png")
    assert httpx2.get(told["downloadUrl"]).content == PNG


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 1_500_000])
def test_a_form_of_any_size_arrives_byte_for_byte(client: httpx2.Client, size: int) -> None:
    content = (b"\r\n--" * size)[:size]
    told = uploaded(client.post(STREAM, files={"file": ("a", content)}))
    assert httpx2.get(told["downloadUrl"]).content == content
    assert told["mimeType"] == "application/octet-stream"


def test_fields_may_follow_the_file_and_the_form_may_come_in_crumbs(world: World) -> None:
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PNG + b"\r\n--x\r\n"
        b'Content-Disposition: form-data; name="fileName"\r\n\r\nlater.png\r\n--x--\r\n'
    )
    crumbs = b"".join(b"%x\r\n%s\r\n" % (len(parts[n : n + 7]), parts[n : n + 7]) for n in range(0, len(parts), 7))
    head = (
        f"POST {STREAM} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {world.key}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    status, _, body = raw(world.url, head.encode() + crumbs + b"0\r\n\r\n")
    assert (status, json.loads(body)["data"]["fileName"]) == (200, "later.png")
    assert json.loads(body)["data"]["fileSize"] == len(PNG)


def test_the_same_path_and_name_replace_the_file(world: World, client: httpx2.Client) -> None:
    place = {"uploadPath": "again", "fileName": "same.png"}
    first = uploaded(client.post(BASE64, json={"base64Data": as_base64(), **place}))
    second = uploaded(client.post(BASE64, json={"base64Data": as_base64(PNG + b"!"), **place}))
    assert httpx2.get(second["downloadUrl"]).content == PNG + b"!"
    assert httpx2.get(first["downloadUrl"]).content == PNG + b"!"
    third = uploaded(client.post(BASE64, json={"base64Data": as_base64(b"no picture"), **place}))
    assert httpx2.get(third["downloadUrl"]).content == b"no picture"
    assert httpx2.get(first["downloadUrl"]).status_code == 404


def test_files_of_one_name_in_two_accounts_are_two(world: World, client: httpx2.Client) -> None:
    world.new_account("lodger")
    place = {"uploadPath": "ours", "fileName": "a.png"}
    mine = uploaded(client.post(BASE64, json={"base64Data": as_base64(), **place}))
    with world.client(world.new_key("lodger")) as lodger:
        uploaded(lodger.post(BASE64, json={"base64Data": as_base64(b"theirs"), **place}))
    assert httpx2.get(mine["downloadUrl"]).content == PNG


def test_an_upload_expires(world: World, client: httpx2.Client) -> None:
    told = uploaded(client.post(BASE64, json={"base64Data": as_base64()}))
    world.clock.now += 3 * DAY_MS
    try:
        assert httpx2.get(told["downloadUrl"]).status_code == 410
    finally:
        world.clock.now -= 3 * DAY_MS


def test_an_upload_may_be_an_image_of_an_order_wherever_this_server_lives(client: httpx2.Client) -> None:
    url = uploaded(client.post(BASE64, json={"base64Data": as_base64()}))["downloadUrl"]
    assert urlsplit(url).hostname == "127.0.0.1"
    create(client, imageUrls=[url], generationType="REFERENCE_2_VIDEO")
    forged = url.replace("/uploads/", "/uploads./")
    body = {"prompt": "a", "imageUrls": [forged], "generationType": "REFERENCE_2_VIDEO"}
    enveloped(client.post("/api/v1/veo/generate", json=body), 422, "loopback")


@pytest.mark.parametrize(
    ("content", "mime", "served"),
    [
        (b"\xff\xd8\xff\xe0 JFIF", "image/jpeg", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", "image/webp"),
        (b"\0\0\0\x18ftypmp42", "video/mp4", "video/mp4"),
        (b"\0\0\0\x18ftypqt  ", "video/quicktime", "video/quicktime"),
        (b"<html><script>", "application/octet-stream", "application/octet-stream"),
        (b"GIF89a....", "image/gif", "application/octet-stream"),
    ],
)
def test_the_type_is_told_by_the_content(client: httpx2.Client, content: bytes, mime: str, served: str) -> None:
    told = uploaded(client.post(BASE64, json={"base64Data": as_base64(content), "fileName": "page.html.png"}))
    assert told["mimeType"] == mime
    assert httpx2.get(told["downloadUrl"]).headers["content-type"] == served


# ---------------------------------------------------------------- bad uploads -------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "Missing required parameter: base64Data"),
        ({"base64Data": ""}, "Missing required parameter: base64Data"),
        ({"base64Data": None}, "Missing required parameter: base64Data"),
        ({"base64Data": 5}, "base64Data must be a string"),
        ({"base64Data": "not base64!"}, "Base64 decoding failed: Invalid Base64 format"),
        ({"base64Data": "AAAAA"}, "Base64 decoding failed: Invalid Base64 format"),
        ({"base64Data": "ÄÖÜ="}, "Base64 decoding failed: Invalid Base64 format"),
        ({"base64Data": "data:image/png,AAAA"}, "Base64 decoding failed"),
        ({"base64Data": "data:image/png;base64,"}, "The file is empty"),
        ({"base64Data": "AAAA", "uploadPath": "../up"}, "uploadPath must be a plain path"),
        ({"base64Data": "AAAA", "uploadPath": "a/./b"}, "uploadPath must be a plain path"),
        ({"base64Data": "AAAA", "uploadPath": "a\\b"}, "uploadPath must be a plain path"),
        ({"base64Data": "AAAA", "uploadPath": "a\nb"}, "uploadPath must be a plain path"),
        ({"base64Data": "AAAA", "uploadPath": "x" * 201}, "200 characters"),
        ({"base64Data": "AAAA", "uploadPath": ["a"]}, "uploadPath must be a string"),
        ({"base64Data": "AAAA", "fileName": "a/b.png"}, "fileName must be a plain name"),
        ({"base64Data": "AAAA", "fileName": ".."}, "fileName must be a plain name"),
        ({"base64Data": "AAAA", "fileName": "x" * 201}, "200 characters"),
        ({"base64Data": "AAAA", "fileName": 7}, "fileName must be a string"),
    ],
)
def test_what_is_wrong_with_base64(client: httpx2.Client, body: dict[str, Any], says: str) -> None:
    refused(client.post(BASE64, json=body), 400, says)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "Missing required parameter: fileUrl"),
        ({"fileUrl": 5}, "fileUrl must be a string"),
        ({"fileUrl": "ftp://a.example/b"}, "fileUrl: the url is wrong"),
        ({"fileUrl": "http://10.0.0.1/a.png"}, "private address"),
        ({"fileUrl": "http://169.254.169.254/"}, "never called"),
        ({"fileUrl": "http://localhost:1/"}, "this machine"),
        ({"fileUrl": "http://127.0.0.1:9/"}, "cannot be fetched"),
        ({"fileUrl": "http://a.example/b", "fileName": "/"}, "fileName"),
    ],
)
def test_what_is_wrong_with_an_address(client: httpx2.Client, body: dict[str, Any], says: str) -> None:
    refused(client.post(URL, json=body), 400, says)


def test_an_address_that_gives_no_file(client: httpx2.Client) -> None:
    with serving(b"not here", 404) as address:
        refused(client.post(URL, json={"fileUrl": address}), 400, "answered 404")
    with serving(b"") as address:
        refused(client.post(URL, json={"fileUrl": address}), 400, "empty")


FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("content_type", "body", "says"),
    [
        (FORM, b"--x--\r\n", "Missing required parameter: file"),
        (FORM, PART + b"content", "cut short"),
        (FORM, b"", "cut short"),
        (FORM, b"--x\r\nX-Other: 1\r\n\r\nno name\r\n--x--", "Content-Disposition"),
        (FORM, PART + b"\r\n--x--", "empty"),
        (FORM, PART + b"a\r\n--x\r\n" + b"A" * 20_000, "too long"),
        (FORM, b"A" * 50_000, "too long"),
        (FORM, PART.replace(b'"file"', b'"fileName"') + b"\xff\r\n--x--", "UTF-8"),
        (FORM, PART.replace(b'"file"', b'"other"') + b"a\r\n" + (PART + b"a\r\n") * 40 + b"--x--", "parts"),
        ("multipart/form-data", PART, "no boundary"),
        ("multipart/form-data; boundary=", PART, "no boundary"),
        ('multipart/form-data; boundary="' + "x" * 300 + '"', PART, "no boundary"),
        ("multipart/mixed; boundary=x", PART, "multipart/form-data"),
        ("application/json", b"{}", "multipart/form-data"),
        ("", b"{}", "multipart/form-data"),
    ],
)
def test_what_is_wrong_with_a_form(client: httpx2.Client, content_type: str, body: bytes, says: str) -> None:
    refused(client.post(STREAM, content=body, headers={"Content-Type": content_type}), 400, says)


@settings(deadline=None, max_examples=60)
@given(body=st.binary(max_size=300))
def test_no_bytes_make_the_server_stumble(client: httpx2.Client, body: bytes) -> None:
    for path in UPLOADS:
        for head in (b"", b"--x\r\n", PART):
            answer = client.post(path, content=head + body, headers={"Content-Type": FORM})
            assert answer.status_code == answer.json()["code"] == 400


def test_files_that_are_too_large(world: World, client: httpx2.Client) -> None:
    refused(client.post(BASE64, content=b" " * (16 * 1024 * 1024 + 1)), 413, "file-stream-upload")
    head = (
        f"POST {STREAM} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {world.key}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: 200000000\r\n\r\n"
    )
    status, _, body = raw(world.url, head.encode())
    assert (status, json.loads(body)["code"]) == (413, 413)
    assert "100 MiB" in json.loads(body)["msg"]


@pytest.mark.parametrize("path", UPLOADS)
def test_the_uploads_say_in_http_what_is_wrong(world: World, client: httpx2.Client, path: str) -> None:
    with httpx2.Client(base_url=world.url) as nobody:
        answer = nobody.post(path, json={})
        refused(answer, 401, "Authentication failed: Invalid API Key")
        assert answer.headers["www-authenticate"] == "Bearer"
    refused(client.get(path), 405, "method")
    refused(client.post(f"{path}/more", json={}), 404, "nothing at this address")
    if path != STREAM:
        refused(client.post(path, content=b"{"), 400, "JSON")


def test_nothing_is_left_behind(world: World, client: httpx2.Client) -> None:
    uploaded(client.post(BASE64, json={"base64Data": as_base64()}))
    refused(client.post(STREAM, content=PART + b"half", headers={"Content-Type": FORM}), 400, "cut short")
    assert list((world.folder / "incoming").iterdir()) == []


def test_what_a_killed_process_has_left_goes_with_the_next_upload(world: World, client: httpx2.Client) -> None:
    uploaded(client.post(BASE64, json={"base64Data": as_base64()}))
    left, under_way = world.folder / "incoming" / "left", world.folder / "incoming" / "under-way"
    for path in (left, under_way):
        path.write_bytes(b"half")
    os.utime(left, (1, 1))
    uploaded(client.post(BASE64, json={"base64Data": as_base64()}))
    assert (left.exists(), under_way.exists()) == (False, True)
    under_way.unlink()


def test_a_disk_that_takes_nothing(world: World, client: httpx2.Client) -> None:
    uploaded(client.post(BASE64, json={"base64Data": as_base64()}))
    folder = world.folder / "incoming"
    folder.rmdir()
    folder.touch()  # a file where the folder should be
    try:
        refused(client.post(BASE64, json={"base64Data": as_base64()}), 500, "could not be stored")
    finally:
        folder.unlink()


# ---------------------------------------------------------------- download links ----------------------------------


def test_a_direct_link_to_a_film_and_to_an_upload(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    world.succeed(task_id, b"the film")
    upload = uploaded(client.post(BASE64, json={"base64Data": as_base64()}))["fileUrl"]
    for url, content in ((record(client, task_id)["resultUrl"], b"the film"), (upload, PNG)):
        direct = enveloped(client.post(DOWNLOAD, json={"url": url}), 200, "success")
        assert direct != url
        assert httpx2.get(direct).content == content
        world.clock.now += 20 * 60 * 1000
        try:
            assert httpx2.get(direct).status_code == 410
        finally:
            world.clock.now -= 20 * 60 * 1000


def test_what_is_no_link_of_one_s_own(world: World, client: httpx2.Client) -> None:
    task_id = create(client)
    world.succeed(task_id)
    url = record(client, task_id)["resultUrl"]
    world.new_account("stranger")
    with world.client(world.new_key("stranger")) as stranger:
        foreign = stranger.post(DOWNLOAD, json={"url": url})
        theirs = uploaded(stranger.post(BASE64, json={"base64Data": as_base64()}))["fileUrl"]
    elsewhere = client.post(DOWNLOAD, json={"url": "https://films.example.org/a.mp4"})
    assert enveloped(foreign, 422, "url is wrong") is None
    assert foreign.content == elsewhere.content == client.post(DOWNLOAD, json={"url": theirs}).content
    world.run(world.storage.delete(f"{task_id}/1/result.mp4"))
    assert client.post(DOWNLOAD, json={"url": url}).content == elsewhere.content


@pytest.mark.parametrize(
    "url", [None, "", 5, ["http://a.example/"], "nonsense", "http://[::1", "http://a/f/1/2/3/4", "x" * 9000]
)
def test_what_is_no_address(client: httpx2.Client, url: object) -> None:
    answer = client.post(DOWNLOAD, json={"url": url})
    assert enveloped(answer, 422, "url") is None


def test_a_download_link_needs_a_key(world: World) -> None:
    enveloped(httpx2.post(f"{world.url}{DOWNLOAD}", json={"url": "x"}), 401)


# ---------------------------------------------------------------- the balance -------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/chat/credit", "/api/v1/common/credit"])
def test_the_balance_is_a_number(world: World, path: str) -> None:
    name = f"saver-{path.split('/')[3]}"
    world.new_account(name, credits=100)
    with world.client(world.new_key(name)) as client:
        assert enveloped(client.get(path), 200, "success") == 100
        world.succeed(create(client))
        assert enveloped(client.get(path), 200) == 40
    enveloped(httpx2.get(f"{world.url}{path}"), 401)
