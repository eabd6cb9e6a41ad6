"""C58 to C66: links, uploads, the market form, documentation, watermarks."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import httpx2
import numpy as np
import pytest
from PIL import Image

from filmgate.media.watermark import watermark
from support.asking import fetched, generate, get, made, post
from support.server import Server, serving, until

UNSUPPORTED = "The model name you specified is not supported"


def picture() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((640, 360)).convert("RGB").save(file, "PNG")
    return file.getvalue()


@pytest.mark.statement(58)
def test_download_links(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_LINKS__DOWNLOAD_S="2") as server:
        url = made(server)["resultUrl"]
        answer = post(server, "/api/v1/common/download-url", url=url)
        assert answer["code"] == 200
        assert fetched(answer["data"]) == fetched(url)
        time.sleep(2.5)
        assert httpx2.get(answer["data"]).status_code in (404, 410)
        foreign = post(server, "/api/v1/common/download-url", url="https://example.org/film.mp4")
        assert (foreign["code"], foreign["msg"], foreign["data"]) == (422, "url is wrong", None)


@pytest.mark.statement(58)
def test_download_links_last_twenty_minutes(server: Server) -> None:
    url = made(server)["resultUrl"]
    link = post(server, "/api/v1/common/download-url", url=url)["data"]
    expiry = int(link.split("/f/")[1].split("/")[0]) / 1000
    assert abs(expiry - time.time() - 1200) < 30


def _upload(server: Server, way: str, content: bytes) -> httpx2.Response:
    place = {"uploadPath": "images/user", "fileName": f"{way}.png"}
    encoded = base64.b64encode(content).decode()
    if way == "base64":
        return server.http.post("/api/file-base64-upload", json={"base64Data": encoded, **place})
    if way == "data-url":
        data = f"data:image/png;base64,{encoded}"
        return server.http.post("/api/file-base64-upload", json={"base64Data": data, **place})
    if way == "url":
        first = _upload(server, "base64", content).json()["data"]["downloadUrl"]
        return server.http.post("/api/file-url-upload", json={"fileUrl": first, **place})
    return server.http.post("/api/file-stream-upload", files={"file": ("a.png", content, "image/png")}, data=place)


@pytest.mark.statement(59)
@pytest.mark.parametrize("way", ["base64", "data-url", "url", "stream"])
def test_uploads(server: Server, way: str) -> None:
    content = picture()
    answer = _upload(server, way, content)
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    url = answer.json()["data"]["downloadUrl"]
    assert fetched(url) == content
    assert made(server, imageUrls=[url])["successFlag"] == 1


@pytest.mark.statement(59)
def test_bad_uploads(server: Server) -> None:
    path = "/api/file-base64-upload"
    assert server.http.post(path, json={"base64Data": "@@@", "uploadPath": "x"}).status_code == 400
    assert httpx2.post(server.url + path, json={"base64Data": "eA==", "uploadPath": "x"}).status_code == 401
    assert server.http.get(path).status_code == 405


@pytest.mark.statement(60)
def test_uploads_are_kept_three_days(server: Server) -> None:
    data = _upload(server, "base64", picture()).json()["data"]
    expires = datetime.fromisoformat(data["expiresAt"]).timestamp()
    assert abs(expires - time.time() - 3 * 86400) < 60
    other = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(other, "PNG")
    again = _upload(server, "base64", other.getvalue()).json()["data"]
    assert fetched(again["downloadUrl"]) == other.getvalue()


@pytest.mark.statement(60)
def test_expired_uploads_are_gone(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_UPLOADS__KEEP_S="1", FILMGATE_RETENTION__SWEEP_S="1") as server:
        url = _upload(server, "base64", picture()).json()["data"]["downloadUrl"]
        until(lambda: httpx2.get(url).status_code in (404, 410), "the link has expired", 20)
        files = server.data / "media" / "uploads"
        until(lambda: not any(path.is_file() for path in files.rglob("*")), "the file is gone", 60)
        assert httpx2.get(url).status_code in (404, 410)


def _create(server: Server, model: str, **fields: Any) -> dict[str, Any]:
    return post(server, "/api/v1/jobs/createTask", model=model, input=fields)


def _market_ended(server: Server, task_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        data: dict[str, Any] = get(server, "/api/v1/jobs/recordInfo", taskId=task_id)["data"]
        states.append(data["state"])
        return data if data["state"] in ("success", "fail") else None

    states: list[str] = []
    ended: dict[str, Any] = until(look, "the market task ends", 120)
    assert set(states) <= {"waiting", "queuing", "generating", "success", "fail"}
    return ended


@pytest.mark.statement(61)
def test_the_market_form(server: Server) -> None:
    answer = _create(server, "veo-3-1", prompt="a dog", duration=4)
    assert answer["code"] == 200
    task_id = answer["data"]["taskId"]
    assert answer["data"]["recordId"] == task_id
    record = _market_ended(server, task_id)
    assert record["state"] == "success"
    assert json.loads(record["resultJson"])["resultUrls"] == record["response"]["resultUrls"]
    assert server.record(task_id)["successFlag"] == 1


@pytest.mark.statement(62)
def test_market_errors(server: Server) -> None:
    unknown_model = _create(server, "veo-9", prompt="a dog")
    assert unknown_model["code"] == 422
    assert unknown_model["msg"].startswith(UNSUPPORTED)
    unknown_task = get(server, "/api/v1/jobs/recordInfo", taskId="0" * 32)
    assert unknown_task["code"] == 422
    assert "recordInfo is null" in unknown_task["msg"]


@pytest.mark.statement(65)
def test_every_market_model(server: Server) -> None:
    source = made(server)["taskId"]
    orders: list[tuple[str, dict[str, Any]]] = [
        ("veo-3-1", {"prompt": "a dog", "duration": 4}),
        ("veo3", {"prompt": "a dog", "duration": 4}),
        ("veo3_fast", {"prompt": "a dog", "duration": 4}),
        ("veo3_lite", {"prompt": "a dog", "duration": 4}),
        ("veo/extend", {"task_id": source, "prompt": "on"}),
        ("veo/get-1080p-video", {"taskId": source, "index": "0"}),
        ("veo/get-4k-video", {"task_id": source, "index": 0}),
    ]
    for model, fields in orders:
        answer = _create(server, model, **fields)
        assert answer["code"] == 200, (model, answer)
        task_id = answer["data"]["taskId"]
        assert _market_ended(server, task_id)["state"] == "success", model
        assert server.record(task_id)["successFlag"] == 1


@pytest.mark.statement(63)
def test_llms_txt(server: Server) -> None:
    text = httpx2.get(f"{server.url}/llms.txt").text
    links = re.findall(r"\((https?://[^)]+\.md)\)", text)
    assert len(links) >= 13
    for link in links:
        answer = httpx2.get(link)
        assert answer.status_code == 200
        assert answer.text.lstrip().startswith("#")
    for path in ("generate", "record-info", "get-1080p-video", "get-4k-video", "extend", "createTask", "recordInfo"):
        assert path in "".join(httpx2.get(link).text for link in links)


@pytest.mark.statement(64)
def test_guarded_addresses(tmp_path: Path) -> None:
    with serving(tmp_path / "data", ready=False, FILMGATE_NET__ALLOW_PRIVATE="false") as server:
        for host in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "localhost"):
            upload = server.http.post(
                "/api/file-url-upload", json={"fileUrl": f"http://{host}/a.png", "uploadPath": "x"}
            )
            assert upload.status_code in (400, 422)
            if host != "localhost":  # a name is resolved, and refused, when it is called
                assert generate(server, callBackUrl=f"http://{host}/callback")["code"] == 422


@pytest.mark.statement(66)
def test_a_watermark_stays_in_its_box(server: Server, tmp_path: Path) -> None:
    def pictures(url: str, name: str) -> Any:
        film = tmp_path / name
        film.write_bytes(fetched(url))
        with av.open(str(film)) as opened:
            return np.stack([frame.to_ndarray(format="gray") for frame in opened.decode(video=0)][::24]).astype(int)

    plain = pictures(made(server, seeds=27182)["resultUrl"], "plain.mp4")
    marked = pictures(made(server, seeds=27182, watermark="MyBrand")["resultUrl"], "marked.mp4")
    mark = watermark("MyBrand", 1280, 720)
    rows = slice(mark.top, mark.top + mark.text.shape[0])
    columns = slice(mark.left, mark.left + mark.text.shape[1])
    difference = np.abs(marked - plain)
    assert difference[:, rows, columns].mean() > 5
    difference[:, rows, columns] = 0
    assert difference.mean() < 2
