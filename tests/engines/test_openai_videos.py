"""openai_videos against a server of ours in the manner of each that it knows."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import (
    ContentRejected,
    EngineFailed,
    EngineUnavailable,
    OrderUnclear,
    TaskError,
    Unsupported,
)
from filmgate.domain.spec import Mode
from filmgate.engines.openai_videos import SERVERS, OpenAIVideosEngine
from filmgate.engines.upstream import refused, said, sentence
from filmgate.ports import RemoteJob, Secret
from support import remote_steps
from support.engine_suite import WAYS, EngineSuite, House, RemoteHouse, Shot, shot_of
from support.peer import running
from support.videos import KEY, MODEL, Videos

ENGINE = "filmgate.engines.openai_videos:OpenAIVideosEngine"
_FRAME = frozenset({"text", "portrait", "a first frame"})
_FRAMES = _FRAME | {"a first and a last frame"}
GORY = {"a gory scene": (ContentRejected, "moderation system")}
REFUSALS = GORY | {"it explodes": (EngineFailed, "CUDA out of memory")}


def house_of(peer: Videos, promised: frozenset[str], **config: Any) -> RemoteHouse:
    settings = {
        "base_url": peer.base_url,
        "server": peer.server,
        "model": MODEL,
        "api_key": KEY,
        **config,
    }
    stops = peer.server in ("openai", "sglang", "vllm_omni")
    house = RemoteHouse(
        ENGINE,
        settings,
        promised,
        stopped=(lambda name: name in peer.deleted) if stops else None,
        paid=lambda: len(peer.orders),
    )
    house.refusals = REFUSALS
    return house


@pytest.fixture
def server() -> str:
    return "openai"


@pytest.fixture
def peer(server: str) -> Iterator[Videos]:
    with running(Videos(server)) as peer:
        yield peer


class TestOpenAI(EngineSuite):
    @pytest.fixture
    def house(self, peer: Videos) -> House:
        return house_of(peer, _FRAME)


class TestVllmOmni(EngineSuite):
    """Its model makes what it can: pictures of another size, and a little longer."""

    @pytest.fixture
    def server(self) -> str:
        return "vllm_omni"

    @pytest.fixture
    def house(self, peer: Videos) -> House:
        peer.extra_s = 0.5
        house = house_of(peer, _FRAMES | {"references"}, frames=2, references=3, audio=True)
        house.refusals = REFUSALS | {"an odd film": (Unsupported, "4n+1")}
        return house


class TestSGLang(EngineSuite):
    """With its films in a cloud."""

    @pytest.fixture
    def server(self) -> str:
        return "sglang"

    @pytest.fixture
    def house(self, peer: Videos) -> House:
        peer.in_cloud = True
        return house_of(peer, _FRAME)


class TestLiteLLM(EngineSuite):
    @pytest.fixture
    def server(self) -> str:
        return "litellm"

    @pytest.fixture
    def house(self, peer: Videos) -> House:
        return house_of(peer, _FRAME)


class TestLocalAI(EngineSuite):
    """Which answers when the film is done."""

    @pytest.fixture
    def server(self) -> str:
        return "localai"

    @pytest.fixture
    def house(self, peer: Videos) -> House:
        house = house_of(peer, _FRAMES, frames=2)
        house.refusals = {"it explodes": (OrderUnclear, "was lost")}
        return house


def order_of(peer: Videos, shot: Shot, options: Mapping[str, Any], **config: Any) -> dict[str, Any]:
    """What the server is sent."""

    async def order() -> None:
        async with house_of(peer, frozenset(), **config).opened() as engine:
            await engine.start(RemoteJob("0" * 32, 1, shot.spec, images=shot.images, options=options))

    asyncio.run(order())
    (sent,) = peer.orders
    return sent


def test_a_first_frame_is_sent_as_it_is(peer: Videos, tmp_path: Path) -> None:
    shot = shot_of(WAYS["a first frame"], tmp_path / "film")
    assert order_of(peer, shot, {})["input_reference"] == shot.images[0].read_bytes()


def test_two_frames_are_sent_in_order_where_the_server_takes_two(tmp_path: Path) -> None:
    shot = shot_of(WAYS["a first and a last frame"], tmp_path / "film")
    with running(Videos("vllm_omni")) as peer:
        listed = json.loads(order_of(peer, shot, {}, frames=2)["image_reference"])
    sent = [base64.b64decode(each["image_url"].partition(",")[2]) for each in listed]
    assert sent == [image.read_bytes() for image in shot.images]


def test_what_a_route_may_add(tmp_path: Path) -> None:
    options = {"negative_prompt": "rain", "fields": {"num_inference_steps": 8, "extra_params": "{}", "fps": 16}}
    with running(Videos("vllm_omni")) as peer:
        sent = order_of(peer, shot_of(WAYS["text"], tmp_path / "film"), options)
    assert (sent["negative_prompt"], sent["num_inference_steps"], sent["fps"]) == ("rain", "8", "16")


@pytest.mark.parametrize("options", [{"negativ_prompt": "rain"}, {"fields": {"lora": {"name": "x"}}}, {"fields": 3}])
def test_options_that_there_are_not_are_an_error(peer: Videos, tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(EngineFailed, match="options of openai_videos for this model are not usable"):
        order_of(peer, shot_of(WAYS["text"], tmp_path / "film"), options)
    assert peer.asked == []


@pytest.mark.parametrize(("told", "again_s"), [(None, None), (2500, 2.5), (0, 0.0), (-1, None)])
def test_the_next_look_is_when_the_server_says(peer: Videos, tmp_path: Path, told: int | None, again_s: float) -> None:
    async def look() -> float | None:
        async with house_of(peer, frozenset()).opened() as engine:
            return (await engine.poll(await engine.start(RemoteJob("0" * 32, 1, WAYS["text"])))).again_s

    peer.poll_after_ms = told
    assert asyncio.run(look()) == again_s


@pytest.mark.parametrize("server", SERVERS)
def test_no_more_is_declared_than_the_server_takes(server: Any) -> None:
    config = OpenAIVideosEngine.Config(base_url="http://gpu/v1", server=server, frames=2, references=3)
    can, kind = OpenAIVideosEngine(config).capabilities(), SERVERS[server]
    assert (can.max_frames, can.max_references) == (kind.frames, kind.references)
    assert (Mode.REFERENCE in can.modes) is (kind.references > 0)


async def _checked(peer: Videos, **config: Any) -> str:
    async with house_of(peer, frozenset(), **config).opened() as engine:
        return await engine.check()


def test_a_check_costs_nothing_and_says_what_is_there(peer: Videos) -> None:
    assert MODEL in asyncio.run(_checked(peer))
    with pytest.raises(EngineUnavailable, match=f"no model 'other': it has {MODEL}"):
        asyncio.run(_checked(peer, model="other"))
    with pytest.raises(EngineUnavailable, match="does not take the key"):
        asyncio.run(_checked(peer, api_key="sk-wrong"))
    assert peer.orders == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "base_url"),
        ({"base_url": "gpu-1:8000/v1"}, "must be an address"),
        ({"base_url": "http://gpu/v1", "server": "comfy"}, "comfy"),
        ({"base_url": "http://gpu/v1", "frames": 3}, "frames"),
        ({"base_url": "http://gpu/v1", "seconds": [5]}, "seconds"),
    ],
)
def test_settings_that_cannot_be_meant(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        remote_steps.made(ENGINE, settings)


_TOLD = st.text(max_size=400) | st.sampled_from(["Bearer abcdefghijkl", "<html>", "No. Way", "x" * 1000])


@given(_TOLD, st.text(min_size=6, max_size=30, alphabet="abcdef-_0123456789"))
def test_whatever_is_said_is_one_line_without_the_secret(text: str, secret: str) -> None:
    shown = said(f"{text} {secret} {text}", Secret(secret))
    assert len(shown) <= 300
    assert shown.isprintable()
    assert secret not in shown


@given(st.integers(300, 599), _TOLD, st.booleans())
def test_every_status_has_a_sentence_and_an_order_is_never_asked_again_by_mistake(
    status: int, text: str, ordering: bool
) -> None:
    error = refused("LocalAI", status, sentence(text), ordering=ordering)
    assert isinstance(error, TaskError)
    assert str(error).endswith((".", "!", "?", "…"))
    if ordering and status >= 500 and status != 503:
        assert isinstance(error, OrderUnclear)
        assert not error.retryable
