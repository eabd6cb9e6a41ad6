"""A film that a server has made, enlarged and continued: each file says where it comes from, and is signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2

from filmgate.media.label import TRAINED, read_label
from filmgate.media.probe import probe
from filmgate.media.provenance import Manifest, read_manifest
from support.server import TRIAL, Server, serving, until

SHARP = TRIAL + '[media]\nupscale = "sharp"\n[provenance]\nsign = true\n'


def test_what_a_server_makes_says_where_it_comes_from(tmp_path: Path) -> None:
    with serving(tmp_path / "data", toml=SHARP) as server:
        task = server.create("A grey wall", duration=4)
        films = server.ended(task)["response"]["resultUrls"]
        film = fetched(films[0], tmp_path / "film.mp4")
        larger = fetched(enlarged(server, task), tmp_path / "larger.mp4")
    assert signed(film).task_id == task
    assert signed(film).ingredients == ()
    assert probe(larger).height == 1080
    assert signed(larger).ingredients == ("Filmgate",)
    assert signed(larger).task_id not in ("", task)
    label = read_label(film)
    assert label is not None
    assert (label.ai_system, label.source_type) == ("trial", TRAINED)
    assert read_label(larger) == label
    certificate = (tmp_path / "data" / "signing" / "certificate.pem").read_text()
    trusted = read_manifest(larger, certificate)
    assert trusted is not None
    assert trusted.state == "trusted"


def signed(film: Path) -> Manifest:
    manifest = read_manifest(film)
    assert manifest is not None
    assert manifest.state == "untrusted"
    return manifest


def enlarged(server: Server, task: str) -> str:
    def look() -> Any:
        answer = server.http.get("/api/v1/veo/get-1080p-video", params={"taskId": task}).json()
        return answer["data"].get("resultUrl") if answer["code"] == 200 else None

    url: str = until(look, "the larger film is there", 90)
    return url


def fetched(url: str, path: Path) -> Path:
    path.write_bytes(httpx2.get(url, timeout=30).content)
    return path
