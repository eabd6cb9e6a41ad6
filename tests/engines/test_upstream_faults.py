"""Whatever the other side does: the right error comes of it, no order is paid twice, and nothing secret gets out."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.errors import (
    ContentRejected,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    OrderUnclear,
    TaskError,
    Unsupported,
)
from filmgate.domain.spec import Spec
from filmgate.ports import RemoteEngine, RemoteJob
from support import remote_steps, vertex, videos
from support.peer import Told, as_json, film, running

JOB = RemoteJob("0" * 32, 1, Spec(prompt="A dog in a park", model="veo3", seconds=4, seed=12345))
SECRETS = (vertex.TOKEN, vertex.KEY, videos.KEY)
LOST = (OrderUnclear, "was lost")

HTML = {"content-type": "text/html"}
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Case:
    """A fault, and what comes of it where an order is placed, where one is looked at, and where its film is fetched."""

    told: Told
    start: tuple[type[TaskError], str] | None
    poll: tuple[type[TaskError], str] | None
    content: tuple[type[TaskError], str] | None


def _error(status: int, message: str = "It is so.") -> Told:
    return as_json({"error": {"message": message, "code": status, "status": "SO"}}, status)


_KEY = (EngineUnavailable, "does not take the key")
_AGAIN = (EngineUnavailable, "")
_FILM = b"\0" * 4096
CASES = {
    "400": Case(_error(400), (Unsupported, "It is so."), (Unsupported, "It is so."), (Unsupported, "It is so.")),
    "401": Case(_error(401), _KEY, _KEY, _KEY),
    "402": Case(_error(402), (EngineUnavailable, "used up"), (EngineUnavailable, "used up"), None),
    "403": Case(_error(403), _KEY, _KEY, _KEY),
    "404": Case(
        _error(404), (EngineUnavailable, "nothing at the address"), (EngineFailed, "knows nothing"), (EngineFailed, "")
    ),
    "408": Case(_error(408), LOST, _AGAIN, _AGAIN),
    "410, a link that has expired": Case(_error(410), None, None, (EngineFailed, "knows nothing of the film")),
    "413": Case(_error(413), (Unsupported, "It is so."), None, None),
    "429": Case(_error(429), (EngineUnavailable, "no more at the moment"), (EngineUnavailable, "no more"), _AGAIN),
    "500": Case(_error(500), LOST, (EngineUnavailable, "answered 500: It is so."), _AGAIN),
    "502, of a gateway": Case(Told(502, b"<html>Bad Gateway</html>", HTML), LOST, _AGAIN, _AGAIN),
    "503": Case(_error(503), (EngineUnavailable, "no more at the moment"), _AGAIN, _AGAIN),
    "504": Case(_error(504), LOST, _AGAIN, _AGAIN),
    "a redirect": Case(
        Told(302, b"", {"location": "http://127.0.0.1:9/"}), _AGAIN, _AGAIN, (EngineUnavailable, "reached")
    ),
    "a page": Case(Told(200, b"<html>Welcome!</html>", HTML), LOST, _AGAIN, (EngineUnavailable, "text/html")),
    "garbage": Case(Told(200, b"\xff\xfe{", _JSON), LOST, _AGAIN, (EngineUnavailable, "application/json")),
    "an empty object": Case(as_json({}), LOST, _AGAIN, None),
    "a list": Case(as_json([1, 2]), LOST, _AGAIN, None),
    "of other types": Case(as_json({"id": 7, "name": 7, "status": 7, "done": "x", "response": 3}), LOST, _AGAIN, None),
    "nothing": Case(Told(200, b"", _JSON), LOST, _AGAIN, None),
    "no film": Case(Told(200, b"", {"content-type": "video/mp4"}), None, None, (EngineUnavailable, "empty file")),
    "a compressed film": Case(
        Told(200, _FILM, {"content-type": "video/mp4", "content-encoding": "gzip"}), None, None, (EngineUnavailable, "")
    ),
    "silence": Case(Told(how="silent"), LOST, (EngineTimeout, "in time"), (EngineTimeout, "in time")),
    "a closed connection": Case(Told(how="close"), LOST, (EngineUnavailable, "broke"), (EngineUnavailable, "broke")),
    "half of it": Case(Told(200, _FILM, how="cut"), LOST, (EngineUnavailable, "broke"), (EngineUnavailable, "broke")),
    "a trickle": Case(Told(200, _FILM, how="drip"), LOST, (EngineTimeout, "in time"), (EngineTimeout, "in time")),
    "too much": Case(Told(200, b" " * 5_000_000, _JSON), LOST, None, None),
    "a film that is too large": Case(Told(200, b"\0" * 1_200_000), None, None, (EngineFailed, "larger than 1 MiB")),
}
_SLOW = {"timeout_s": 2.0, "download_s": 2.0, "largest_mb": 1}


class Google:
    """google_veo and its peer."""

    def __init__(self, folder: Path) -> None:
        self.peer = vertex.Vertex()
        self.peer.films.looks = 0
        self._folder = folder

    def engine(self, **config: Any) -> RemoteEngine:
        return remote_steps.made(
            "filmgate.engines.google_veo:GoogleVeoEngine",
            {
                "project": vertex.PROJECT,
                "credentials": str(self.peer.credentials(self._folder)),
                "base_url": self.peer.url,
                "storage_url": self.peer.url,
                "bucket": "gs://films",
                **config,
            },
        )


class Openai:
    """openai_videos and its peer."""

    def __init__(self, folder: Path) -> None:
        self.peer = videos.Videos("openai")
        self.peer.films.looks = 0

    def engine(self, **config: Any) -> RemoteEngine:
        return remote_steps.made(
            "filmgate.engines.openai_videos:OpenAIVideosEngine",
            {"base_url": self.peer.base_url, "model": videos.MODEL, "api_key": videos.KEY, **config},
        )


Both = Google | Openai


@pytest.fixture(params=[Google, Openai])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    film(1280, 720, 4), film(1280, 720, 4, audio=False)  # now: the engines are told to wait for nothing long
    made: Both = request.param(tmp_path)
    with running(made.peer):
        yield made


async def _with(engine: RemoteEngine, work: Callable[[RemoteEngine], Awaitable[Any]]) -> Any:
    await engine.open()
    try:
        return await work(engine)
    finally:
        await engine.close()


def _raised(engine: RemoteEngine, work: Callable[[RemoteEngine], Awaitable[Any]]) -> TaskError:
    with pytest.raises(TaskError) as raised:
        asyncio.run(_with(engine, work))
    return raised.value


def _right(error: TaskError, expected: tuple[type[TaskError], str]) -> None:
    kind, words = expected
    assert type(error) is kind, error
    assert words in str(error)
    assert str(error).endswith((".", "!", "?", "…"))
    assert len(str(error)) < 600


def _cases(step: str) -> list[str]:
    return [name for name, case in CASES.items() if getattr(case, step) is not None]


@pytest.mark.parametrize("name", _cases("start"))
def test_an_order_that_meets_a_fault(both: Both, name: str) -> None:
    case = CASES[name]
    both.peer.faults["start"] = [case.told] * 3
    assert case.start is not None
    error = _raised(both.engine(**_SLOW), lambda engine: engine.start(JOB))
    _right(error, case.start)
    assert both.peer.count("start") == 1  # neither the engine nor a library under it asks a second time
    if case.start == LOST:
        assert not error.retryable


@pytest.mark.parametrize("name", _cases("poll"))
def test_a_look_that_meets_a_fault(both: Both, name: str) -> None:
    case = CASES[name]

    async def look(engine: RemoteEngine) -> None:
        upstream_id = await engine.start(JOB)
        both.peer.faults["poll"] = [case.told]
        try:
            await engine.poll(upstream_id)
        finally:
            if case.poll and case.poll[0].retryable:  # what passes is asked again, and nothing is ordered anew
                assert (await engine.poll(upstream_id)).done
                assert len(both.peer.orders) == 1

    assert case.poll is not None
    _right(_raised(both.engine(**_SLOW), look), case.poll)


@pytest.mark.parametrize("name", _cases("content"))
def test_a_download_that_meets_a_fault(both: Both, name: str, tmp_path: Path) -> None:
    case, into = CASES[name], tmp_path / "into"
    into.mkdir()

    async def fetch(engine: RemoteEngine) -> None:
        upstream_id = await engine.start(JOB)
        both.peer.faults["content"] = [case.told]
        try:
            await engine.collect(upstream_id, into)
        finally:
            assert list(into.iterdir()) == []
            if case.content and case.content[0].retryable:
                clip = await engine.collect(upstream_id, into)
                assert clip.path.stat().st_size > 1000

    assert case.content is not None
    _right(_raised(both.engine(**_SLOW), fetch), case.content)


@pytest.mark.parametrize("told", [Told(how="silent", works=True), Told(504, works=True), Told(how="close", works=True)])
def test_an_order_that_was_taken_though_no_answer_says_so_is_not_placed_again(both: Both, told: Told) -> None:
    both.peer.faults["start"] = [told]
    error = _raised(both.engine(**_SLOW), lambda engine: engine.start(JOB))
    assert len(both.peer.orders) == 1
    assert not error.retryable
    assert "so that nothing is paid for twice" in str(error)


def test_a_server_that_is_not_there(both: Both) -> None:
    engine = both.engine(base_url="http://127.0.0.1:9/v1", **_SLOW)
    error = _raised(engine, lambda engine: engine.start(JOB))
    _right(error, (EngineUnavailable, "cannot be reached"))
    assert error.retryable  # nothing was sent


def test_an_order_that_was_never_placed_is_unknown(both: Both) -> None:
    model = f"projects/{vertex.PROJECT}/locations/us-central1/publishers/google/models/{vertex.MODEL}"
    name = f"{model}/operations/1" if isinstance(both, Google) else "video_1/../../models"
    _right(_raised(both.engine(**_SLOW), lambda engine: engine.poll(name)), (EngineFailed, "knows nothing"))


@pytest.mark.parametrize("route", ["start", "poll", "content"])
@pytest.mark.parametrize("status", [400, 429, 500])
def test_secrets_that_the_other_side_repeats_are_told_to_nobody(
    both: Both, route: str, status: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    both.peer.faults[route] = [_error(status, f"Bad: Bearer {' '.join(SECRETS)}")]

    async def whole(engine: RemoteEngine) -> None:
        upstream_id = await engine.start(JOB)
        await engine.poll(upstream_id)
        await engine.collect(upstream_id, tmp_path)

    error = _raised(both.engine(**_SLOW), whole)
    ours = (vertex.TOKEN,) if isinstance(both, Google) else (videos.KEY,)
    everything = "".join(traceback.format_exception(error)) + caplog.text + repr(error.__dict__)
    assert not [secret for secret in ours if secret in everything]


def test_a_key_that_is_refused_names_no_key(both: Both) -> None:
    both.peer.faults["start"] = [_error(401, f"Incorrect API key: {videos.KEY} {vertex.TOKEN}")]
    error = _raised(both.engine(**_SLOW), lambda engine: engine.start(JOB))
    assert not [secret for secret in SECRETS if secret in "".join(traceback.format_exception(error))]


def test_what_is_said_of_content_is_a_refusal(both: Both) -> None:
    both.peer.faults["start"] = [_error(400, "The prompt violates our usage guidelines.")]
    error = _raised(both.engine(**_SLOW), lambda engine: engine.start(JOB))
    _right(error, (ContentRejected, "usage guidelines"))


def test_a_refusal_is_one_line_and_not_too_long(both: Both) -> None:
    both.peer.faults["start"] = [_error(400, "No.\n\x1b[31m" + "very " * 500 + "bad")]
    error = _raised(both.engine(**_SLOW), lambda engine: engine.start(JOB))
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 400
