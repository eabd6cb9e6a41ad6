"""Films of Google's Veo and of servers of the Videos API, ordered from a server that an operator has started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from filmgate.media.probe import Probed, probe
from support import vertex, videos
from support.peer import running
from support.server import Server, serving, until

SECRETS = (vertex.TOKEN, vertex.KEY, videos.KEY)
QUICK: dict[str, Any] = {"FILMGATE_WORKER__LEASE_S": "3", "FILMGATE_WORKER__HEARTBEAT_S": "1"}
_MODELS = """
[models.veo3]
engine = "veo"
options = { negative_prompt = "rain", person_generation = "allow_adult" }
[models.veo3_fast]
engine = "gpu"
options = { negative_prompt = "rain", fields = { num_inference_steps = 8 } }
[models.veo3_lite]
engine = "veo"
fallback = ["gpu"]
"""


def table(google: vertex.Vertex, gpu: videos.Videos, folder: Path, **veo: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gpu.key").write_text(f"{videos.KEY}\n")
    more = "".join(f'{name} = "{value}"\n' for name, value in veo.items())
    return f"""
[engines.veo]
kind = "google_veo"
project = "{vertex.PROJECT}"
credentials = "{google.credentials(folder)}"
base_url = "{google.url}"
storage_url = "{google.url}"
poll_s = 0.1
{more}
[engines.gpu]
kind = "openai_videos"
server = "vllm_omni"
base_url = "{gpu.base_url}"
model = "{videos.MODEL}"
api_key_file = "gpu.key"
frames = 2
audio = true
poll_s = 0.1
{_MODELS}"""


@pytest.fixture
def google() -> Iterator[vertex.Vertex]:
    with running(vertex.Vertex()) as peer:
        yield peer


@pytest.fixture
def gpu() -> Iterator[videos.Videos]:
    with running(videos.Videos("vllm_omni", size=(1280, 704))) as peer:
        yield peer


Fetch = Callable[[Server, str], Probed]


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    def fetched(server: Server, link: str) -> Probed:
        path = tmp_path / "fetched.mp4"
        path.write_bytes(server.http.get(link).content)
        return probe(path)

    return fetched


def film_of(record: dict[str, Any]) -> str:
    assert record["successFlag"] == 1, record
    (link,) = record["response"]["resultUrls"]
    return str(link)


def test_a_film_of_google_is_made_continued_and_enlarged(
    tmp_path: Path, google: vertex.Vertex, gpu: videos.Videos, fetch: Fetch
) -> None:
    toml = table(google, gpu, tmp_path, bucket="gs://films/veo")
    with serving(tmp_path / "data", toml=toml) as server:
        first = server.create("A dog playing in a park", model="veo3", duration=4, seeds=12345)
        found = fetch(server, film_of(server.ended(first)))
        assert (found.width, found.height, found.seconds, found.has_audio) == (1280, 720, 4.0, True)
        answer = server.http.post(
            "/api/v1/veo/extend", json={"taskId": first, "prompt": "It barks", "model": "quality"}
        )
        record = server.ended(answer.json()["data"]["taskId"])
        assert fetch(server, film_of(record)).seconds == pytest.approx(7, abs=0.25)
        (whole,) = record["response"]["fullResultUrls"]
        assert fetch(server, whole).seconds == pytest.approx(11, abs=0.3)
        larger = server.http.get("/api/v1/veo/get-1080p-video", params={"taskId": first}).json()["data"]["taskId"]
        found = fetch(server, film_of(server.ended(larger)))
        assert (found.width, found.height) == (1920, 1080)
        assert not [secret for secret in SECRETS if secret in "\n".join(server.log)]
    order = google.orders[0]
    assert order["instances"] == [{"prompt": "A dog playing in a park"}]
    assert order["parameters"] == {
        "sampleCount": 1,
        "storageUri": f"gs://films/veo/{first}",
        "durationSeconds": 4,
        "seed": 12345,
        "aspectRatio": "16:9",
        "resolution": "720p",
        "generateAudio": True,
        "negativePrompt": "rain",
        "personGeneration": "allow_adult",
    }
    assert len(google.orders) == 2  # the larger one was scaled up here


def test_a_film_of_a_gpu_server_fits_the_order_whatever_its_model_can(
    tmp_path: Path, google: vertex.Vertex, gpu: videos.Videos, fetch: Fetch
) -> None:
    with serving(tmp_path / "data", toml=table(google, gpu, tmp_path)) as server:
        task_id = server.create("A dog playing in a park", model="veo3_fast", duration=6, seeds=12345)
        found = fetch(server, film_of(server.ended(task_id)))
        assert (found.width, found.height, found.seconds, found.has_audio) == (1280, 720, 6.0, True)
        assert not [secret for secret in SECRETS if secret in "\n".join(server.log)]
        config = ("--config", str(tmp_path / "data.toml"))
        assert videos.KEY not in server.cli("config", "show", *config)
        seen = server.cli("engines", "check", *config)
        assert videos.MODEL in seen
        assert vertex.MODEL in seen
    (order,) = gpu.orders
    assert order == {
        "prompt": "A dog playing in a park",
        "model": videos.MODEL,
        "seconds": "6",
        "size": "1280x720",
        "seed": "12345",
        "fps": "24",
        "negative_prompt": "rain",
        "generate_sound": "true",
        "num_inference_steps": "8",
    }


def test_kill_9_while_others_render_and_nothing_is_paid_for_twice(
    tmp_path: Path, google: vertex.Vertex, gpu: videos.Videos
) -> None:
    google.films.looks = gpu.films.looks = 10_000
    toml = table(google, gpu, tmp_path)
    with serving(tmp_path / "data", toml=toml, **QUICK) as server:
        ids = [server.create("A dog in a park", model=model, duration=4) for model in ("veo3", "veo3_fast")]
        until(lambda: google.count("poll") > 1 and gpu.count("poll") > 1, "both are looked after")
        server.kill()
    for films in (google.films, gpu.films):
        films.left = dict.fromkeys(films.left, 1)
    with serving(tmp_path / "data", toml=toml, **QUICK) as server:
        for task_id in ids:
            film_of(server.ended(task_id))
    assert (len(google.orders), len(gpu.orders)) == (1, 1)


def test_refusals_are_told_in_the_words_of_the_api(tmp_path: Path, google: vertex.Vertex, gpu: videos.Videos) -> None:
    said = {
        ("an underage boy", "veo3"): (2, 400, "public error minor upload"),
        ("a prominent person", "veo3"): (2, 400, "public error prominent people upload"),
        ("a gory scene", "veo3"): (2, 400, "Your prompt was flagged by Website as violating content policies"),
        ("a gory scene", "veo3_fast"): (2, 400, "Your prompt was flagged by Website as violating content policies"),
        ("an overload", "veo3"): (3, 501, "Quota exceeded"),
        ("it explodes", "veo3_fast"): (3, 501, "CUDA out of memory"),
    }
    with serving(tmp_path / "data", toml=table(google, gpu, tmp_path)) as server:
        ids = {server.create(prompt, model=model, duration=4): told for (prompt, model), told in said.items()}
        for task_id, (flag, code, words) in ids.items():
            record = server.ended(task_id)
            assert (record["successFlag"], record["errorCode"]) == (flag, code), record
            assert words in record["errorMessage"]


def test_where_google_has_no_room_the_gpu_server_makes_it(
    tmp_path: Path, google: vertex.Vertex, gpu: videos.Videos
) -> None:
    with serving(tmp_path / "data", toml=table(google, gpu, tmp_path)) as server:
        record = server.ended(server.create("an overload", model="veo3_lite", duration=4))
        film_of(record)
        assert record["fallbackFlag"] is False
    assert (len(google.orders), len(gpu.orders)) == (1, 1)


def test_who_cancels_here_cancels_there(tmp_path: Path, google: vertex.Vertex, gpu: videos.Videos) -> None:
    gpu.films.looks = 10_000
    with serving(tmp_path / "data", toml=table(google, gpu, tmp_path)) as server:
        task_id = server.create("A dog in a park", model="veo3_fast", duration=4)
        until(lambda: gpu.count("poll"), "it is looked after")
        assert server.http.post("/api/v1/veo/cancel", json={"taskId": task_id}).json()["code"] == 200
        until(lambda: gpu.deleted, "it is cancelled there", 20)
