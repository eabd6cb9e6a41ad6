"""The main job over HTTP: create, poll, be called back, download; and what the parts around it promise."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from filmgate.media.probe import probe, starts_fast
from support.receiver import Receiver, receiving
from support.server import KEY, Server, serving, until
from support.tools import program


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("main") / "data") as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


def test_from_a_prompt_to_a_film(server: Server, receiver: Receiver, tmp_path: Path) -> None:
    task_id = server.create("a dog", duration=4, seeds=12345, callBackUrl=receiver.url)
    record = server.ended(task_id)
    assert record["successFlag"] == record["status"] == 1, record
    (url,) = record["response"]["resultUrls"]
    assert json.loads(record["resultUrls"]) == json.loads(record["resultJson"])["resultUrls"] == [url]
    assert url.startswith(server.url)
    assert record["response"]["seeds"] == [12345]
    assert record["progress"] == 1.0

    film = tmp_path / "film.mp4"
    answer = httpx2.get(url)  # no key: the link itself is the permission
    assert answer.headers["content-type"] == "video/mp4"
    film.write_bytes(answer.content)
    info = probe(film)
    assert (info.width, info.height, info.has_audio) == (1280, 720, True)
    assert abs(info.seconds - 4) < 0.1
    assert starts_fast(film)

    until(lambda: receiver.bodies, "the callback arrives")
    (body,) = receiver.bodies
    assert body["code"] == 200
    assert body["data"]["info"]["resultUrls"] == [url]
    assert body["taskId"] == body["data"]["taskId"] == body["data"]["task_id"] == task_id
    assert receiver.headers[0]["webhook-id"].startswith("msg_")


def test_a_portrait_film_is_taller_than_wide(server: Server, tmp_path: Path) -> None:
    record = server.ended(server.create("a dog", duration=4, aspectRatio="9:16"))
    film = tmp_path / "film.mp4"
    film.write_bytes(httpx2.get(record["resultUrl"]).content)
    info = probe(film)
    assert (info.width, info.height) == (720, 1280)
    assert isinstance(record["response"]["originUrls"], list)


def test_a_watermark_is_burnt_in(server: Server, tmp_path: Path) -> None:
    plain = server.create("a dog", duration=4, seeds=20000)
    marked = server.create("a dog", duration=4, seeds=20000, watermark="MyBrand")
    films = [httpx2.get(server.ended(task_id)["resultUrl"]).content for task_id in (plain, marked)]
    assert films[0] != films[1]
    film = tmp_path / "marked.mp4"
    film.write_bytes(films[1])
    info = probe(film)
    assert info.has_audio
    assert abs(info.seconds - 4) < 0.1


def test_progress_rises_and_says_what_is_done(server: Server) -> None:
    task_id = server.create("slow 3", duration=4)
    seen = [(record["progress"], record["stage"], record["state"]) for record in _until_ended(server, task_id)]
    fractions = [fraction for fraction, _, _ in seen]
    assert fractions == sorted(fractions)
    assert ("dawdling", "generating") in {(stage, state) for _, stage, state in seen}
    assert any(0 < fraction < 1 for fraction in fractions)


def _until_ended(server: Server, task_id: str) -> Iterator[dict[str, Any]]:
    while True:
        record = server.record(task_id)
        yield record
        if record["successFlag"]:
            return


@pytest.mark.parametrize(
    ("prompt", "flag", "code", "text"),
    [
        ("reject", 2, 400, "Your prompt was flagged"),
        ("fail", 3, 501, "when it is told to"),
        ("bug", 3, 501, "its log has the details"),
    ],
)
def test_a_task_that_ends_badly_says_why_and_costs_nothing(
    server: Server, receiver: Receiver, prompt: str, flag: int, code: int, text: str
) -> None:
    record = server.ended(server.create(prompt, callBackUrl=receiver.url))
    assert record["successFlag"] == record["status"] == flag
    assert record["state"] == "fail"
    assert record["errorCode"] == code
    assert text in record["errorMessage"]
    assert record["response"] is None
    assert record["creditsConsumed"] == 0
    assert "secret" not in json.dumps(record)
    until(lambda: receiver.bodies, "the callback arrives")
    assert receiver.bodies[0]["code"] == code
    assert "info" not in receiver.bodies[0]["data"]


def test_the_wrong_film_is_not_handed_out(server: Server) -> None:
    """The engine makes 320x180 where 1280x720 were ordered: tried again, and then refused with a sentence."""
    record = server.ended(server.create("small", duration=4))
    assert record["successFlag"] == 3
    assert "1280x720" in record["errorMessage"]


def test_a_failed_callback_is_tried_again_and_never_hurts_the_task(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "data", FILMGATE_CALLBACKS__SCHEDULE_S="0.2,0.2,0.2") as server,
        receiving(lambda number: 500 if number < 3 else 200) as receiver,
    ):
        record = server.ended(server.create("a dog", duration=4, callBackUrl=receiver.url))
        assert record["successFlag"] == 1
        until(lambda: len(receiver.bodies) == 3, "the third try arrives")
        assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


def test_a_guarded_address_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    with serving(tmp_path / "data", ready=False, FILMGATE_NET__ALLOW_PRIVATE="false") as server:
        answer = server.http.post(
            "/api/v1/veo/generate", json={"prompt": "a dog", "callBackUrl": "http://127.0.0.1:9/callback"}
        ).json()
        assert answer["code"] == 422


def test_links_cannot_be_forged(server: Server) -> None:
    record = server.ended(server.create("a dog", duration=4))
    url: str = record["resultUrl"]
    expiry, signature = url.split("/f/")[1].split("/")[:2]
    assert httpx2.get(url.replace(expiry, str(int(expiry) + 1))).status_code == 404
    assert httpx2.get(url.replace(signature, signature[::-1])).status_code == 404
    assert httpx2.get(url, headers={"Range": "bytes=0-99"}).status_code == 206


def test_a_key_is_needed(server: Server) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}):
        answer = httpx2.post(f"{server.url}/api/v1/veo/generate", json={"prompt": "x"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (200, 401)


def test_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    making = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [program("openssl"), *making, *subject, "-out", str(certificate), "-keyout", str(key)],
        check=True,
        capture_output=True,
    )
    flags = ("--tls-cert", str(certificate), "--tls-key", str(key), "--no-worker")
    with serving(tmp_path / "data", *flags, ready=False) as server:
        assert server.url.startswith("https://")
        trusted = ssl.create_default_context(cafile=certificate)
        with httpx2.Client(verify=trusted, headers={"Authorization": f"Bearer {KEY}"}) as http:
            answer = http.post(f"{server.url}/api/v1/veo/generate", json={"prompt": "a dog"}).json()
        assert answer["code"] == 200
