"""A film by an open model, from an operator's configuration to the file, through a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from filmgate.media.probe import probe
from support.server import NotStarted, serving, until

TOML = """
[engines.tiny]
kind = "diffusers"
repo = "{repo}"
size = [96, 64]
fps = 4

[models.veo3]
engine = "tiny"
options = {{ steps = 2 }}

[models.veo3_fast]
engine = "tiny"
options = {{ steps = 400 }}

[models.veo3_lite]
engine = "tiny"

[worker]
start_timeout_s = 280
"""


def test_a_film_is_ordered_made_and_downloaded(weights: Callable[[str], Path], tmp_path: Path) -> None:
    toml = TOML.format(repo=weights("wan-2.2-ti2v-5b"))
    with serving(tmp_path / "data", toml=toml, ready=False, HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1") as server:
        until(lambda: server.http.get("/readyz").status_code == 200, "the model is loaded and warm", 300)
        had = server.http.get("/api/v1/chat/credit").json()["data"]
        two = {"prompt": "a dog", "model": "veo3", "imageUrls": ["https://a.example/1.png", "https://a.example/2.png"]}
        refused = server.http.post("/api/v1/veo/generate", json=two).json()
        assert refused["code"] == 422
        assert "films with a last frame" in refused["msg"]
        assert server.http.get("/api/v1/chat/credit").json()["data"] == had, "it has cost nothing"

        unwanted = server.create("a long one", model="veo3_fast", duration=4)
        until(lambda: "denoising, step" in str(server.record(unwanted).get("stage")), "it tells its steps", 120)
        server.http.post("/api/v1/veo/cancel", json={"taskId": unwanted})
        assert server.ended(unwanted)["successFlag"] == 2

        record = server.ended(server.create("a dog in a park", model="veo3", duration=4, seeds=12345), 240)
        assert record["successFlag"] == 1, record["errorMessage"]
        assert record["response"]["hasAudioList"] == [False]
        film = tmp_path / "film.mp4"
        film.write_bytes(httpx2.get(record["response"]["resultUrls"][0]).content)
        loads = sum("event=prepared" in line for line in server.log)
        assert loads == 1, "the cancelled film has left its process, and the weights, where they were"
    found = probe(film)
    assert (found.width, found.height, found.seconds, found.has_audio) == (1280, 720, 4.0, False)


def test_a_server_without_the_weights_does_not_start_and_says_what_to_do(tmp_path: Path) -> None:
    toml = TOML.format(repo="Wan-AI/Wan2.2-TI2V-5B-Diffusers")
    with (
        pytest.raises(NotStarted, match=r"run `hf download Wan-AI/Wan2\.2-TI2V-5B-Diffusers`"),
        serving(tmp_path / "data", toml=toml, HF_HOME=str(tmp_path)),
    ):
        pass
