"""openai_videos against a server of ours in the manner of each that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from filmgate.domain.errors import ContentRejected, EngineFailed, OrderUnclear, Unsupported
from support.engine_suite import EngineSuite, House, RemoteHouse
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
