"""openai_videos against a real LiteLLM proxy, where there is one: it passes orders on to a server of ours.

pip install 'litellm[proxy]'                # in an environment of its own: it brings a hundred packages
FILMGATE_TEST_LITELLM=/path/to/litellm pytest tests/engines/test_litellm.py
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from filmgate.domain.errors import ContentRejected, EngineFailed
from support.engine_suite import EngineSuite, House, RemoteHouse
from support.peer import running
from support.server import until
from support.videos import KEY, MODEL, Videos
from support.web import free_port

COMMAND = os.environ.get("FILMGATE_TEST_LITELLM", "")
HOUSE_KEY = "sk-house-of-films"

pytestmark = pytest.mark.skipif(not COMMAND, reason="FILMGATE_TEST_LITELLM names no litellm")

_CONFIG = """
model_list:
  - model_name: films
    litellm_params: {{model: "openai/{model}", api_base: "{base_url}", api_key: "{key}"}}
general_settings: {{master_key: "{house_key}"}}
litellm_settings: {{telemetry: false, num_retries: 0}}
router_settings: {{num_retries: 0}}
"""


@pytest.fixture(scope="module")
def peer() -> Iterator[Videos]:
    with running(Videos("openai")) as peer:
        yield peer


@pytest.fixture(scope="module")
def proxy(peer: Videos, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("litellm")
    config = folder / "config.yaml"
    config.write_text(_CONFIG.format(model=MODEL, base_url=peer.base_url, key=KEY, house_key=HOUSE_KEY))
    port = free_port()
    command = [COMMAND, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
    try:
        until(lambda: _is_up(port), "LiteLLM answers", 120)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


def _is_up(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health/liveliness", timeout=2).status_code == 200
    except httpx2.TransportError:
        return False


class TestLiteLLM(EngineSuite):
    @pytest.fixture
    def house(self, proxy: str, peer: Videos, tmp_path: Path) -> House:
        house = RemoteHouse(
            "filmgate.engines.openai_videos:OpenAIVideosEngine",
            {"base_url": proxy, "server": "litellm", "model": "films", "api_key": HOUSE_KEY},
            frozenset({"text", "portrait", "a first frame"}),
            stopped=None,
            paid=lambda: len(peer.orders),
        )
        house.refusals = {
            "a gory scene": (ContentRejected, "moderation system"),
            "it explodes": (EngineFailed, "CUDA out of memory"),
        }
        return house
