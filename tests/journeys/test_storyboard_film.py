"""The engine that everybody meets first, through a real server: a whole film, and a browser that plays it."""

from __future__ import annotations

import html
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from filmgate.media.probe import probe, starts_fast
from support.receiver import receiving
from support.server import Server, serving, until
from support.tools import program

PAGE = """<!doctype html>
<video muted playsinline src="{src}"></video>
<script>
  const film = document.querySelector("video");
  const told = (what) => fetch("{tell}", {{
    method: "POST", mode: "no-cors",
    body: JSON.stringify({{ what, width: film.videoWidth, height: film.videoHeight, seconds: film.duration }}),
  }});
  film.onended = () => told("ended");
  film.onerror = () => told("error " + film.error.message);
  film.play().catch((error) => told("refused " + error));
</script>"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("storyboard") / "data", toml="") as running:
        yield running


def _record(server: Server, **fields: Any) -> dict[str, Any]:
    record = server.ended(server.create("A dog playing in a park", duration=4, seeds=12345, **fields), 120)
    assert record["successFlag"] == 1, record["errorMessage"]
    return record


def _save(record: dict[str, Any], folder: Path) -> Path:
    film = folder / "film.mp4"
    film.write_bytes(httpx2.get(record["resultUrl"]).content)
    return film


@pytest.fixture(scope="module")
def landscape(server: Server) -> dict[str, Any]:
    return _record(server)


@pytest.fixture(scope="module")
def portrait(server: Server) -> dict[str, Any]:
    return _record(server, aspect_ratio="9:16")


SIZES = {"landscape": (1280, 720), "portrait": (720, 1280)}


@pytest.mark.parametrize("shape", SIZES)
def test_the_film_is_what_was_ordered(shape: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    film = _save(request.getfixturevalue(shape), tmp_path)
    info = probe(film)
    assert (info.width, info.height) == SIZES[shape]
    assert (info.video_codec, info.audio_codec, info.fps) == ("h264", "aac", 24)
    assert info.seconds == pytest.approx(4, abs=0.001)
    assert starts_fast(film)


def test_the_same_order_gives_the_same_file(server: Server, landscape: dict[str, Any], tmp_path: Path) -> None:
    again = _record(server)
    assert again["taskId"] != landscape["taskId"]
    first, second = (httpx2.get(record["resultUrl"]).content for record in (landscape, again))
    assert first == second


@pytest.mark.parametrize("shape", SIZES)
def test_the_film_plays_to_its_end_in_a_browser(shape: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Straight from the link that the server handed out."""
    record = request.getfixturevalue(shape)
    with receiving() as receiver:
        page = tmp_path / "page.html"
        page.write_text(PAGE.format(src=html.escape(record["resultUrl"]), tell=receiver.url))
        with _browser(page, tmp_path / "profile"):
            until(lambda: receiver.bodies, "the browser says how it went", 90)
    told = receiver.bodies[0]
    assert told["what"] == "ended"
    assert (told["width"], told["height"]) == SIZES[shape]
    assert told["seconds"] == pytest.approx(4, abs=0.001)


@contextmanager
def _browser(page: Path, profile: Path) -> Iterator[None]:
    chromium = program("chromium", "chromium-browser", "google-chrome")
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"]
    flags += ["--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}"]
    with subprocess.Popen(
        [chromium, *flags, page.as_uri()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
