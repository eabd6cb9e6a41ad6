"""google_veo with Google's own SDK against a Vertex AI of ours."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from filmgate.domain.errors import (
    ContentRejected,
    EngineFailed,
    EngineUnavailable,
    ImageRejected,
    MinorRejected,
    PersonRejected,
    Unsupported,
)
from filmgate.domain.spec import Resolution
from filmgate.ports import RemoteJob
from support import remote_steps
from support.engine_suite import WAYS, EngineSuite, House, RemoteHouse, Shot, shot_of
from support.peer import running
from support.vertex import KEY, LOCATION, MODEL, PROJECT, Vertex

ENGINE = "filmgate.engines.google_veo:GoogleVeoEngine"
REFUSALS = {
    "an underage boy": (MinorRejected, "58061214"),
    "a prominent person": (PersonRejected, "29310472"),
    "a gory scene": (ContentRejected, "could not be submitted"),
    "a badpicture": (ImageRejected, "input image"),
    "something filtered": (ContentRejected, "issue with the audio"),
    "an overload": (EngineFailed, "Quota exceeded"),
    "an internal fault": (EngineFailed, "Internal error"),
    "a toolong film": (EngineFailed, "took too long"),
    "a wrong film": (Unsupported, "Unsupported output video duration"),
}


def house_of(peer: Vertex, folder: Path, **config: object) -> RemoteHouse:
    settings = {
        "project": PROJECT,
        "location": LOCATION,
        "credentials": str(peer.credentials(folder)),
        "base_url": peer.url,
        "storage_url": peer.url,
        **config,
    }
    house = RemoteHouse(ENGINE, settings, frozenset(WAYS), stopped=None, paid=lambda: len(peer.orders))
    house.refusals, house.added_s = REFUSALS, 7.0
    return house


@pytest.fixture
def peer() -> Iterator[Vertex]:
    with running(Vertex()) as peer:
        yield peer


class TestInAnswers(EngineSuite):
    @pytest.fixture
    def house(self, peer: Vertex, tmp_path: Path) -> House:
        return house_of(peer, tmp_path)


class TestInABucket(EngineSuite):
    @pytest.fixture
    def house(self, peer: Vertex, tmp_path: Path) -> House:
        return house_of(peer, tmp_path, bucket="gs://films/veo")


def order_of(peer: Vertex, folder: Path, shot: Shot, options: Mapping[str, Any]) -> dict[str, Any]:
    """What Google is sent."""

    async def order() -> None:
        async with house_of(peer, folder).opened() as engine:
            await engine.start(RemoteJob("0" * 32, 1, shot.spec, images=shot.images, options=options))

    asyncio.run(order())
    (sent,) = peer.orders
    return sent


def test_what_a_route_may_add(peer: Vertex, tmp_path: Path) -> None:
    options = {
        "model": "veo-3.1-fast-generate-001",
        "negative_prompt": "rain",
        "audio": False,
        "person_generation": "dont_allow",
        "enhance_prompt": True,
        "resize_mode": "pad",
        "compression_quality": "lossless",
    }
    spec = replace(WAYS["portrait"], resolution=Resolution.K4, seconds=6)
    sent = order_of(peer, tmp_path, shot_of(spec, tmp_path / "film"), options)
    assert sent["parameters"] == {
        "sampleCount": 1,
        "durationSeconds": 6,
        "seed": 12345,
        "aspectRatio": "9:16",
        "resolution": "4k",
        "generateAudio": False,
        "negativePrompt": "rain",
        "personGeneration": "dont_allow",
        "enhancePrompt": True,
        "resizeMode": "PAD",
        "compressionQuality": "LOSSLESS",
    }
    assert "veo-3.1-fast-generate-001:predictLongRunning" in peer.asked[-1].path


def test_pictures_are_sent_as_they_are_and_in_their_places(peer: Vertex, tmp_path: Path) -> None:
    shot = shot_of(WAYS["a first and a last frame"], tmp_path / "film")
    (instance,) = order_of(peer, tmp_path, shot, {})["instances"]
    sent = [base64.b64decode(instance[place]["bytesBase64Encoded"]) for place in ("image", "lastFrame")]
    assert sent == [image.read_bytes() for image in shot.images]


@pytest.mark.parametrize("options", [{"negativ_prompt": "rain"}, {"audio": "no"}, {"person_generation": "all"}])
def test_options_that_google_has_not_are_an_error(peer: Vertex, tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(EngineFailed, match="options of google_veo for this model are not usable"):
        order_of(peer, tmp_path, shot_of(WAYS["text"], tmp_path / "film"), options)
    assert peer.asked == []


def test_the_express_mode_needs_a_key_alone(peer: Vertex, tmp_path: Path) -> None:
    async def film() -> bytes:
        engine = remote_steps.made(ENGINE, {"api_key": KEY, "base_url": peer.url})
        await engine.open()
        try:
            job = RemoteJob("0" * 32, 1, WAYS["text"])
            clip = await remote_steps.filmed(engine, await engine.start(job), tmp_path)
        finally:
            await engine.close()
        return clip.path.read_bytes()[4:8]

    assert asyncio.run(film()) == b"ftyp"
    assert peer.signed_in == 0


def test_one_sign_in_is_enough(peer: Vertex, tmp_path: Path) -> None:
    house = house_of(peer, tmp_path, bucket="gs://films")
    asyncio.run(house.take(shot_of(WAYS["text"], tmp_path / "film")))
    assert peer.signed_in == 1


async def _opened(settings: Mapping[str, Any]) -> str:
    engine = remote_steps.made(ENGINE, settings)
    await engine.open()
    try:
        return await engine.check()
    finally:
        await engine.close()


def test_a_check_costs_nothing_and_says_what_is_there(peer: Vertex, tmp_path: Path) -> None:
    settings = {"project": PROJECT, "credentials": str(peer.credentials(tmp_path)), "base_url": peer.url}
    assert MODEL in asyncio.run(_opened(settings))
    with pytest.raises(EngineUnavailable, match="knows nothing of the model veo-9"):
        asyncio.run(_opened({**settings, "model": "veo-9"}))
    assert peer.orders == []


def test_what_is_missing_is_said_with_what_to_do(peer: Vertex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineUnavailable, match="needs a Google Cloud project: write project"):
        asyncio.run(_opened({}))
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match="no credentials of Google that can be used"):
        asyncio.run(_opened({"project": PROJECT, "credentials": str(tmp_path / "no.json")}))
    monkeypatch.setitem(sys.modules, "google.genai", None)
    with pytest.raises(EngineUnavailable, match=r"run `pip install 'filmgate\[google\]'`\.$"):
        asyncio.run(_opened({"project": PROJECT}))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"bucket": "films"}, "gs://films/veo"),
        ({"bucket": "gs://films", "api_key": KEY}, "opens no bucket"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"projekt": PROJECT}, "projekt"),
    ],
)
def test_settings_that_cannot_be_meant(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        remote_steps.made(ENGINE, settings)


def test_the_sdk_is_imported_when_the_engine_is_opened_and_not_before() -> None:
    program = (
        "import sys; from filmgate.engines.google_veo import GoogleVeoEngine as Veo; "
        "Veo(Veo.Config()).capabilities(); sys.exit('google.genai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
