"""C7 to C24: ordering a film."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from support.asking import UNFETCHED, UUID7, fetched, generate, made, measured, params
from support.server import Server, serving
from support.web import Quiet, web_server


@pytest.fixture(scope="module")
def pictures() -> Iterator[str]:
    """The address of a web server with /upright.jpg, /wide.png and /nothing.png."""

    def picture(size: tuple[int, int], kind: str) -> bytes:
        file = io.BytesIO()
        Image.linear_gradient("L").resize(size).convert("RGB").save(file, kind)
        return file.getvalue()

    files = {"/upright.jpg": picture((400, 700), "JPEG"), "/wide.png": picture((800, 450), "PNG")}

    class Door(Quiet):
        def do_GET(self) -> None:
            body = files.get(self.path, b"")
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with web_server(Door) as url:
        yield url


@pytest.mark.statement(7)
def test_a_prompt_is_enough(server: Server) -> None:
    answer = generate(server)
    assert (answer["code"], answer["msg"]) == (200, "success")
    task_id = answer["data"]["taskId"]
    assert re.match(UUID7, task_id)
    assert task_id[12] == "7"


@pytest.mark.statement(8)
@pytest.mark.parametrize("fields", [{"prompt": None}, {"prompt": ""}, {"prompt": "  \n "}])
def test_without_a_prompt(server: Server, fields: dict[str, Any]) -> None:
    answer = generate(server, **fields)
    assert answer["code"] == 422
    assert "Please enter prompt" in answer["msg"]


@pytest.mark.statement(9)
def test_models(server: Server) -> None:
    for model in (None, "veo3", "veo3_fast", "veo3_lite"):
        answer = generate(server, model=model, duration=4)
        record = server.record(answer["data"]["taskId"])
        assert params(record)["model"] == (model or "veo3_fast")
    for model in ("veo2", "sora", "VEO3 ", "veo-3-1"):
        refused = generate(server, model=model)
        assert refused["code"] == 422
        assert "not supported" in refused["msg"]


@pytest.mark.statement(10)
@pytest.mark.parametrize(
    "fields",
    [{"aspectRatio": "9:16"}, {"aspect_ratio": "9:16"}, {"aspectRatio": "16:9", "aspect_ratio": "9:16"}],
)
def test_both_spellings_of_the_ratio(server: Server, fields: dict[str, Any], tmp_path: Path) -> None:
    film = measured(made(server, **fields)["resultUrl"], tmp_path)
    assert film.height > film.width


@pytest.mark.statement(11)
def test_ratios(server: Server) -> None:
    for ratio in ("1:1", "4:3", "21:9", "portrait", 9):
        assert generate(server, aspect_ratio=ratio)["code"] == 422
    assert generate(server, aspect_ratio="auto", duration=4)["code"] == 200


@pytest.mark.statement(12)
def test_auto_follows_the_first_image(server: Server, pictures: str, tmp_path: Path) -> None:
    for image, portrait in (("/upright.jpg", True), ("/wide.png", False), (None, False)):
        images = {"imageUrls": [pictures + image]} if image else {}
        film = measured(made(server, aspect_ratio="Auto", **images)["resultUrl"], tmp_path)
        assert (film.height > film.width) is portrait


@pytest.mark.statement(13)
def test_seeds(server: Server) -> None:
    for seeds in (9999, 100000, "abc", -1, 12345.5):
        assert generate(server, seeds=seeds)["code"] == 422
    for seeds in (10000, 99999):
        assert generate(server, seeds=seeds, duration=4)["code"] == 200


@pytest.mark.statement(14)
def test_the_same_seed_gives_the_same_film(tmp_path: Path) -> None:
    with serving(tmp_path / "data", toml="") as storyboard:
        first, second = (made(storyboard, seeds=31415, model="veo3") for _ in range(2))
        assert first["response"]["seeds"] == second["response"]["seeds"] == [31415]
        assert fetched(first["resultUrl"]) == fetched(second["resultUrl"])


@pytest.mark.statement(15)
def test_a_seed_is_chosen(server: Server) -> None:
    (seed,) = made(server)["response"]["seeds"]
    assert 10000 <= seed <= 99999


@pytest.mark.statement(16, 17, 18)
def test_references(server: Server, pictures: str) -> None:
    def references(count: int, **fields: Any) -> int:
        images = [pictures + "/wide.png"] * count
        code: int = generate(server, generationType="REFERENCE_2_VIDEO", imageUrls=images, **fields)["code"]
        return code

    assert references(1, model="veo3") == 422
    for model in ("veo3_fast", "veo3_lite"):
        for count in (1, 2, 3):
            assert references(count, model=model) == 200
    assert references(0) == references(4) == 422
    assert references(1, duration=4) == references(1, duration=6) == 422
    assert references(1, duration=8) == 200


@pytest.mark.statement(17)
def test_frames(server: Server, pictures: str) -> None:
    def frames(count: int) -> int:
        images = [pictures + "/wide.png"] * count
        code: int = generate(server, generationType="FIRST_AND_LAST_FRAMES_2_VIDEO", imageUrls=images)["code"]
        return code

    assert frames(0) == frames(3) == 422
    assert frames(1) == frames(2) == 200


@pytest.mark.statement(19)
def test_durations(server: Server, tmp_path: Path) -> None:
    for seconds in (4, 6, 8, "8"):
        film = measured(made(server, duration=seconds)["resultUrl"], tmp_path)
        assert abs(film.seconds - int(seconds)) < 0.25
    assert generate(server, duration=5)["code"] == 422


@pytest.mark.statement(20)
def test_resolutions(server: Server, tmp_path: Path) -> None:
    for resolution, lines in (("720p", 720), ("1080p", 1080), ("4k", 2160)):
        record = made(server, resolution=resolution)
        film = measured(record["resultUrl"], tmp_path)
        assert min(film.width, film.height) == lines
        assert record["response"]["resolution"] == resolution
    assert generate(server, resolution="480p")["code"] == 422


@pytest.mark.statement(21)
@pytest.mark.parametrize("images", [[], [""], ["", " "]])
def test_no_images_are_no_images(server: Server, images: list[str]) -> None:
    assert made(server, imageUrls=images)["successFlag"] == 1


@pytest.mark.statement(22)
@pytest.mark.parametrize("images", ["http://example.org/a.png", 7, {"url": "x"}, True])
def test_image_urls_are_a_list(server: Server, images: Any) -> None:
    assert generate(server, imageUrls=images)["code"] == 422


@pytest.mark.statement(23)
def test_an_image_that_cannot_be_had(server: Server, pictures: str) -> None:
    for url in (pictures + "/nothing.png", "http://127.0.0.1:9/image.png", "http://no-such-name.invalid/a.png"):
        answer = generate(server, imageUrls=[url])
        assert answer["code"] == 200, answer
        record = server.ended(answer["data"]["taskId"])
        assert record["successFlag"] in (2, 3)
        assert record["errorCode"] in (400, 451)
        assert UNFETCHED in record["errorMessage"]


@pytest.mark.statement(24)
def test_a_watermark(server: Server) -> None:
    plain = made(server, seeds=27182)
    marked = made(server, seeds=27182, watermark="MyBrand")
    assert fetched(plain["resultUrl"]) != fetched(marked["resultUrl"])
