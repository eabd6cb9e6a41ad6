"""Films made from images and from films, by the engine that everybody has: one real film of each kind and size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from filmgate.media.probe import starts_fast
from support.asking import eventually, fetched, generate, measured, post
from support.server import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("family") / "data", toml="") as running:
        yield running


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Smooth hills under a smooth sky."""
    height, width = 900, 1600
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    hill = y > 520 + 60 * np.sin(x / 170)
    red = np.where(hill, 90 + y / 20, 120 + y / 8)
    green = np.where(hill, 140 + x / 40, 170 + y / 12)
    blue = np.where(hill, 70, 230 - y / 12)
    path = tmp_path_factory.mktemp("picture") / "hills.png"
    Image.fromarray(np.stack([red, green, blue], axis=2).clip(0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def source(server: Server) -> dict[str, Any]:
    return _ended(server, generate(server, prompt="A dog playing in a park", duration=4, seeds=12345))


def _ended(server: Server, answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["code"] == 200, answer
    record = server.ended(answer["data"]["taskId"], 240)
    assert record["successFlag"] == 1, record["errorMessage"]
    return record


def _frames(film: bytes, folder: Path) -> list[npt.NDArray[np.uint8]]:
    path = folder / "film.mp4"
    path.write_bytes(film)
    with av.open(str(path)) as opened:
        return [np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8) for frame in opened.decode(video=0)]


def test_a_film_begins_with_its_image(server: Server, picture: Path, tmp_path: Path) -> None:
    with picture.open("rb") as file:
        upload = server.http.post("/api/file-stream-upload", files={"file": file}, data={"uploadPath": "images"}).json()
    record = _ended(
        server,
        generate(server, prompt="a calm morning", duration=4, imageUrls=[upload["data"]["downloadUrl"]]),
    )
    first = _frames(fetched(record["resultUrl"]), tmp_path)[0].astype(np.float64)
    fitted = np.asarray(Image.open(picture).convert("RGB").resize((1280, 720), Image.Resampling.LANCZOS))
    noise = np.mean((first - fitted.astype(np.float64)) ** 2)
    assert 10 * np.log10(255**2 / noise) >= 35


def test_an_extension_goes_on(server: Server, source: dict[str, Any], tmp_path: Path) -> None:
    """The joined film is the source and the new part, frame for frame, and does not jump where they meet."""
    record = _ended(
        server, post(server, "/api/v1/veo/extend", taskId=source["taskId"], prompt="the dog goes on playing")
    )
    old, new = (_frames(fetched(each["resultUrl"]), tmp_path) for each in (source, record))
    full_bytes = fetched(record["response"]["fullResultUrls"][0])
    full = _frames(full_bytes, tmp_path)
    assert starts_fast(tmp_path / "film.mp4")
    assert len(full) == len(old) + len(new) == 192
    assert np.abs(full[0].astype(int) - old[0].astype(int)).mean() < 2
    assert np.abs(full[-1].astype(int) - new[-1].astype(int)).mean() < 2
    steps = [np.abs(a.astype(int) - b.astype(int)).mean() for a, b in itertools.pairwise(full)]
    seam = steps[len(old) - 1]
    assert seam <= 1.5 * max(steps[len(old) - 9 : len(old) - 1] + steps[len(old) : len(old) + 8])


def test_1080p_is_drawn_anew(server: Server, source: dict[str, Any], tmp_path: Path) -> None:
    done = eventually(server, "/api/v1/veo/get-1080p-video", 200, taskId=source["taskId"])
    film = measured(done["data"]["resultUrl"], tmp_path)
    assert (film.width, film.height, film.has_audio) == (1920, 1080, True)
    assert film.seconds == pytest.approx(4, abs=0.001)
    small = _frames(fetched(source["resultUrl"]), tmp_path)[40]
    large = _frames(fetched(done["data"]["resultUrl"]), tmp_path)[40]
    shrunk = np.asarray(Image.fromarray(large).resize((1280, 720), Image.Resampling.LANCZOS))
    assert np.abs(shrunk.astype(int) - small.astype(int)).mean() < 12  # the same picture ...
    assert _detail(large) > 1.05 * _detail(
        np.asarray(Image.fromarray(small).resize((1920, 1080)))
    )  # ... with more in it


def _detail(picture: npt.NDArray[np.uint8]) -> float:
    grey = picture.astype(np.float64).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=1)).mean())


def test_4k_is_drawn_anew(server: Server, source: dict[str, Any], tmp_path: Path) -> None:
    record = _ended(server, post(server, "/api/v1/veo/get-4k-video", taskId=source["taskId"]))
    film = measured(record["response"]["resultUrls"][0], tmp_path)
    assert (film.width, film.height) == (3840, 2160)
    assert film.seconds == pytest.approx(4, abs=0.001)


def test_references_stand_in_an_upright_film(server: Server, picture: Path, tmp_path: Path) -> None:
    with picture.open("rb") as file:
        upload = server.http.post("/api/file-stream-upload", files={"file": file}, data={"uploadPath": "images"}).json()
    images = [upload["data"]["downloadUrl"]] * 2
    record = _ended(
        server,
        generate(server, prompt="a forest", generationType="REFERENCE_2_VIDEO", imageUrls=images, aspect_ratio="9:16"),
    )
    film = measured(record["resultUrl"], tmp_path)
    assert (film.width, film.height) == (720, 1280)
    assert film.seconds == pytest.approx(8, abs=0.001)
