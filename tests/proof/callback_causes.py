"""What causes the codes of callbacks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from support.asking import generate, made, post
from support.receiver import receiving
from support.server import FALLBACK, PLUGIN, TRIAL, Server, serving, until

from .causing import Cell, Ground, cells

FILM = "callback of a film or an extension"
OF_4K = "callback of a 4K version"
NOWHERE = "http://127.0.0.1:9/a.png"

#: An engine of somebody else's that can do less than the one before.
NARROW = """
from filmgate.domain.errors import EngineUnavailable
from filmgate.domain.routing import Capabilities
from filmgate.domain.spec import Kind, Mode

class NarrowEngine:
    name = "narrow"

    def capabilities(self):
        return Capabilities(kinds=frozenset({Kind.GENERATE}), modes=frozenset({Mode.TEXT}), audio=True, seeded=True)

    def load(self):
        pass

    def render(self, job):
        raise EngineUnavailable("The library that this engine needs has gone.")

    def close(self):
        pass
"""


def _against_the_rules(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    for prompt in ("reject", "prominent", "underage", "a nude woman", "a deepfake"):
        yield _told(ground.fine, prompt=prompt)
    yield _told(ground.fine, prompt="a dog", watermark="nude women")


def _no_fallback(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield _told(ground.fine, prompt="reject", enableFallback=True)
    yield _told(ground.fine, prompt="reject", enableFallback=True, aspect_ratio="9:16")
    yield _told(ground.fine, prompt="reject", enableFallback=False)
    with serving(folder / "data", toml=FALLBACK) as server:
        yield _told(server, prompt="reject then reject", enableFallback=True)
        yield _told(server, prompt="reject then fail", enableFallback=True)


def _no_image(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield _told(ground.fine, imageUrls=[NOWHERE])


def _film_as_image(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield _told(ground.fine, imageUrls=[ground.film_url])


def _too_slow(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    with serving(folder / "data", FILMGATE_WORKER__RENDER_TIMEOUT_S="2") as server:
        yield _told(server, prompt="slow 60")


def _deadline_passed(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    with serving(folder / "data", FILMGATE_LIMITS__END_WITHIN_S="2") as server:
        yield _told(server, prompt="slow 60")


def _cancelled(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    with receiving() as receiver:
        task_id = generate(ground.fine, prompt="slow 60", callBackUrl=receiver.url)["data"]["taskId"]
        assert post(ground.fine, "/api/v1/veo/cancel", taskId=task_id)["code"] == 200
        yield int(until(lambda: receiver.bodies, "the callback comes", 90)[0]["code"])


def _nobody_can(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    """What was ordered while there was an engine for it."""
    with receiving() as receiver:
        with serving(folder / "data", "--no-worker") as before:
            answer = generate(before, imageUrls=[NOWHERE], callBackUrl=receiver.url)
            assert answer["code"] == 200
        with _narrow(folder):
            yield int(until(lambda: receiver.bodies, "the callback comes")[0]["code"])


def _engine_has_gone(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    with _narrow(folder) as server:
        yield _told(server)


def _cannot_be_stored(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    with serving(folder / "data") as server:
        media = server.data / "media"
        shutil.rmtree(media, ignore_errors=True)
        media.write_text("here was a folder, or would have been")
        yield _told(server)


def _fault(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    """A file where the runner's workroom was."""
    with serving(folder / "data") as server:
        for room in (server.data / "tmp").iterdir():
            shutil.rmtree(room)
            room.write_text("here was a folder")
        yield _told(server)


def _engine_fails(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    for prompt in ("fail", "bug", "small", "crash"):
        yield _told(ground.fine, prompt=prompt)


def _no_4k(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    """The film that was to be enlarged has been taken away."""
    film_id = made(ground.fine)["taskId"]
    for film in (ground.fine.data / "media" / film_id).rglob("result.mp4"):
        film.unlink()
    with receiving() as receiver:
        assert post(ground.fine, "/api/v1/veo/get-4k-video", taskId=film_id, callBackUrl=receiver.url)["code"] == 200
        yield int(until(lambda: receiver.bodies, "the callback comes", 90)[0]["code"])


def _told(server: Server, **fields: Any) -> int:
    """The code in the callback of an order."""
    with receiving() as receiver:
        answer = generate(server, **{"duration": 4, "callBackUrl": receiver.url, **fields})
        assert answer["code"] == 200, answer
        body: dict[str, Any] = until(lambda: receiver.bodies, "the callback comes", 90)[0]
    assert body["data"]["taskId"] == answer["data"]["taskId"]
    assert body["msg"].strip()
    return int(body["code"])


def _narrow(folder: Path) -> AbstractContextManager[Server]:
    """A server on the same folder with the narrow engine alone."""
    plugin = folder / "plugin"
    shutil.copytree(PLUGIN / "trial_engine-1.0.dist-info", plugin / "narrow_engine-1.0.dist-info")
    (plugin / "narrow_engine-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: narrow-engine\nVersion: 1.0\n"
    )
    (plugin / "narrow_engine-1.0.dist-info" / "entry_points.txt").write_text(
        "[filmgate.engines]\nnarrow = narrow_engine:NarrowEngine\n"
    )
    (plugin / "narrow_engine.py").write_text(NARROW)
    return serving(folder / "data", toml=TRIAL.replace("trial", "narrow"), PYTHONPATH=str(plugin))


STUCK = "the engine cannot be started, the film cannot be stored, or a fault of ours"

CELLS: list[Cell] = [
    *cells(FILM, code=400, words="against the content rules", cause=_against_the_rules),
    *cells(FILM, code=400, words="an image cannot be used", cause=_film_as_image),
    *cells(FILM, code=451, words="an image could not be fetched", cause=_no_image),
    *cells(FILM, code=408, words="the engine took longer than it may", cause=_too_slow),
    *cells(FILM, code=408, words="a deadline has passed", cause=_deadline_passed),
    *cells(FILM, code=400, words="its owner has cancelled it", cause=_cancelled),
    *cells(FILM, code=422, words="no engine can do what was ordered", cause=_nobody_can),
    *cells(FILM, code=422, words="against the content rules, and no fallback helped", cause=_no_fallback),
    *cells(FILM, code=500, words=STUCK, cause=_engine_has_gone),
    *cells(FILM, code=500, words=STUCK, cause=_cannot_be_stored),
    *cells(FILM, code=500, words=STUCK, cause=_fault),
    *cells(FILM, code=501, words="the engine could not make it", cause=_engine_fails),
    *cells(OF_4K, code=500, words="it could not be made", cause=_no_4k),
]
