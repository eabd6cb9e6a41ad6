"""Both clients against this very server, in its own processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from filmgate.client import (
    AsyncFilmgate,
    Filmgate,
    InvalidRequest,
    NotFound,
    RateLimited,
    Record,
    SignatureInvalid,
    TaskFailed,
    TaskRef,
    Unauthenticated,
    webhooks,
)
from filmgate.media.probe import probe
from support.receiver import receiving
from support.server import KEY, Server, serving, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served") / "data") as server:
        yield server


def test_a_film_from_order_to_file(server: Server, tmp_path: Path) -> None:
    seen: list[Record] = []
    with Filmgate(KEY, server.url) as films:
        record = films.create_and_wait(
            "a dog", seeds=12345, aspect_ratio="9:16", poll_interval=0.05, on_progress=seen.append
        )
        path = films.download(record, tmp_path / "dog.mp4")
    assert path.read_bytes()[4:8] == b"ftyp"
    assert (record.state, record.resolution, record.seeds, record.progress) == ("success", "720p", (12345,), 1.0)
    assert record.created is not None
    assert record.completed is not None
    assert record.created <= record.completed
    assert record.credits == 60
    assert record.origin_urls
    assert seen[-1] == record
    assert all(one.stage for one in seen)


def test_who_asks_too_often_is_told_a_second_later(tmp_path: Path) -> None:
    """The server says 429 under HTTP 200; the client waits as long as its Retry-After says, and asks again."""
    with serving(tmp_path / "data", "--no-worker", FILMGATE_LIMITS__QUERIES_PER_S="1") as strict:
        with Filmgate(KEY, strict.url) as films:
            task = films.generate("a dog")
            assert [films.retrieve(task).task_id for _ in range(3)] == [task.task_id] * 3
        with Filmgate(KEY, strict.url, max_retries=0) as hasty, pytest.raises(RateLimited) as raised:
            raise AssertionError([hasty.retrieve(task) for _ in range(50)])
        assert (raised.value.code, raised.value.retry_after) == (429, 1.0)


def test_the_same_awaited(server: Server, tmp_path: Path) -> None:
    async def make() -> bytes:
        async with AsyncFilmgate(KEY, server.url) as films:
            record = await films.create_and_wait("a dog", poll_interval=0.05)
            return (await films.download(record, tmp_path / "dog.mp4")).read_bytes()

    assert asyncio.run(make())[4:8] == b"ftyp"


def test_a_task_is_cancelled_listed_and_its_film_deleted(server: Server) -> None:
    with Filmgate(KEY, server.url) as films:
        slow = films.generate("slow 60")
        films.cancel(slow)
        films.cancel(slow)
        assert "cancelled by its owner" in films.retrieve(slow).error_message
        done = films.create_and_wait("a dog", duration=4, poll_interval=0.05)
        with pytest.raises(InvalidRequest, match="succeeded already"):
            films.cancel(done.task_id)
        assert [record.task_id for record in films.tasks()][:2] == [done.task_id, slow.task_id]
        assert next(films.tasks(state="fail", kind="generate", model="veo3_fast")).task_id == slow.task_id
        assert list(films.tasks(until=done.created - timedelta(days=1) if done.created else None)) == []
        films.delete_media(done.task_id)
        films.delete_media(done.task_id)
        with pytest.raises(InvalidRequest, match="record result data is blank"):
            films.retrieve(done.task_id)
        with pytest.raises(NotFound, match="record is null"):
            films.cancel("0" * 32)


def test_the_same_awaited_with_more_tasks_than_a_page_has(tmp_path: Path) -> None:
    async def look(url: str) -> tuple[list[str], list[str]]:
        async with AsyncFilmgate(KEY, url) as films:
            made = [await films.generate("a dog", model="veo3_lite") for _ in range(103)]
            await films.cancel(made[0])
            return [task.task_id for task in made], [record.task_id async for record in films.tasks()]

    with serving(tmp_path / "data", "--no-worker") as still:
        made, seen = asyncio.run(look(still.url))
    assert seen == made[::-1]


def test_an_order_whose_answer_is_lost_is_made_once(server: Server) -> None:
    """The connection breaks when the order has been sent: the client sends it again, and has the same task."""
    with httpx2.Client(transport=_Losing(2)) as http, Filmgate(KEY, server.url, http_client=http) as films:
        task = films.generate("an order that is sent three times")
        orders = [record for record in films.tasks() if "three times" in record.raw["paramJson"]]
    assert [record.task_id for record in orders] == [task.task_id]


def test_orders_of_one_key_are_one_order(server: Server) -> None:
    with Filmgate(KEY, server.url) as films:
        first = films.generate("a dog", idempotency_key="one of mine")
        assert films.generate("a dog", idempotency_key="one of mine") == first
        with pytest.raises(InvalidRequest, match="another order before") as refused:
            films.generate("a cat", idempotency_key="one of mine")
        assert refused.value.code == 409


class _Losing(httpx2.HTTPTransport):
    """Sends everything, and loses the answers to the first orders."""

    def __init__(self, orders: int) -> None:
        super().__init__()
        self._left = orders

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = super().handle_request(request)
        if request.method == "POST" and self._left:
            self._left -= 1
            answer.read()
            raise httpx2.ReadError("The connection broke.", request=request)
        return answer


def test_its_refusals(server: Server) -> None:
    with Filmgate(KEY, server.url) as films:
        with pytest.raises(InvalidRequest, match="Please enter prompt"):
            films.generate(" ")
        with pytest.raises(InvalidRequest, match="not supported"):
            films.generate("a dog", model="veo2")
        with pytest.raises(NotFound, match="record is null"):
            films.retrieve("0" * 32)
    with Filmgate("fg_wrong", server.url) as films, pytest.raises(Unauthenticated):
        films.retrieve("0" * 32)


def test_a_task_that_it_rejects(server: Server) -> None:
    with Filmgate(KEY, server.url) as films, pytest.raises(TaskFailed, match="flagged") as failed:
        films.create_and_wait("reject this", poll_interval=0.05)
    assert (failed.value.code, failed.value.record.status) == (400, 2)


def test_its_callback_is_read_as_an_event(server: Server) -> None:
    with receiving() as receiver, Filmgate(KEY, server.url) as films:
        record = films.create_and_wait("a dog", callback_url=receiver.url, poll_interval=0.05)
        until(lambda: receiver.bodies, "the callback arrives")
        [headers] = receiver.headers
    event = webhooks.read_event(json.dumps(receiver.bodies[0]).encode(), headers)
    assert (event.task_id, event.succeeded, event.result_urls) == (record.task_id, True, record.result_urls)
    assert event.id.startswith("msg_")


# ------------------------------------------------------------ films from films and images ---------------------------


@pytest.fixture(scope="module")
def source(server: Server) -> str:
    """The task of a film that others are made from."""
    with Filmgate(KEY, server.url) as films:
        return films.create_and_wait("a dog", duration=4, poll_interval=0.05).task_id


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "Mein Hund – 1.png"
    Image.new("RGB", (640, 1136), (200, 120, 40)).save(path)
    return path


def test_a_film_from_local_images(server: Server, picture: Path) -> None:
    with Filmgate(KEY, server.url) as films:
        record = films.create_and_wait(
            "it wakes up",
            images=[picture, picture.read_bytes()],
            aspect_ratio="Auto",
            duration=4,
            poll_interval=0.05,
        )
    assert record.succeeded
    assert record.origin_urls  # upright, as the image is
    params = json.loads(record.raw["paramJson"])
    assert params["generationType"] == "FIRST_AND_LAST_FRAMES_2_VIDEO"
    assert len(set(params["imageUrls"])) == 2


def test_an_upload_is_there_again_and_replaced_under_its_name(server: Server, picture: Path) -> None:
    with Filmgate(KEY, server.url) as films:
        first = films.upload(picture, name="dog.png", upload_path="dogs")
        unnamed = films.upload(picture)
        again = films.upload(b"\x89PNG\r\n\x1a\n other", name="dog.png", upload_path="dogs")
    assert server.http.get(unnamed.url).content == picture.read_bytes()
    assert (first.name, first.size, first.mime) == ("dog.png", picture.stat().st_size, "image/png")
    assert first.expires is not None
    assert server.http.get(again.url).content == b"\x89PNG\r\n\x1a\n other"
    assert unnamed.url != first.url


def test_an_upload_that_is_refused(server: Server) -> None:
    with Filmgate(KEY, server.url) as films:
        with pytest.raises(InvalidRequest, match="empty"):
            films.upload(b"", name="dog.png")
        with pytest.raises(InvalidRequest):
            films.upload(b"raw", name="dog.png", upload_path="../..")
    with Filmgate("fg_wrong", server.url) as films, pytest.raises(Unauthenticated):
        films.upload(b"raw")


def test_an_extension_and_both_its_films(server: Server, source: str, tmp_path: Path) -> None:
    with Filmgate(KEY, server.url) as films:
        task = films.extend(source, "it runs away", model="fast", seeds=12345)
        longer = films.wait(task, poll_interval=0.05)
        whole = films.download(longer, tmp_path / "whole.mp4")
        part = films.download(longer.result_urls[0], tmp_path / "part.mp4")
        with pytest.raises(NotFound):
            films.extend("0" * 32, "it runs away")
    assert longer.source_id == source
    assert probe(whole).seconds > probe(part).seconds


def test_a_1080p_version_once_and_again(server: Server, source: str, tmp_path: Path) -> None:
    stages: list[str | None] = []
    with Filmgate(KEY, server.url) as films:
        before = films.credits()
        film = films.upgrade(source, "1080p", poll_interval=0.05, on_progress=lambda now: stages.append(now.stage))
        assert films.upgrade(TaskRef(source), "1080p") == film
        assert films.credits() == before - 5
        large = films.download(film, tmp_path / "large.mp4")
        with pytest.raises(InvalidRequest, match="not exist"):
            films.upgrade(source, "1080p", index=7)
    assert (probe(large).width, probe(large).height) == (1920, 1080)
    assert stages
    assert film.task_id != source


def test_a_4k_version_is_a_task_that_whoever_asks_again_is_given(server: Server, source: str) -> None:
    async def make() -> Record:
        async with AsyncFilmgate(KEY, server.url) as films:
            task = await films.upgrade(source, "4k")
            assert await films.upgrade(source, "4k") == task
            large = await films.wait(task, poll_interval=0.1)
            assert await films.upgrade(source, "4k") == task
            return large

    large = asyncio.run(make())
    assert (large.resolution, large.source_id) == ("4k", source)
    assert len(large.media_ids) == len(large.image_urls) == 1
    assert server.http.get(large.image_urls[0]).content[:3] == b"\xff\xd8\xff"


def test_an_upgrade_of_what_there_is_not(server: Server) -> None:
    with Filmgate(KEY, server.url) as films:
        with pytest.raises(NotFound):
            films.upgrade("0" * 32, "1080p")
        with pytest.raises(NotFound):
            films.upgrade("0" * 32, "4k")


def test_a_download_link(server: Server, source: str) -> None:
    with Filmgate(KEY, server.url) as films:
        film = films.retrieve(source).result_urls[0]
        short = films.download_url(film)
        with pytest.raises(InvalidRequest, match="url is wrong"):
            films.download_url("https://elsewhere.example.org/f")
    assert short != film
    assert server.http.get(short).content == server.http.get(film).content


# ------------------------------------------------------------ signatures ---------------------------------------------


def test_callbacks_verify_while_the_secrets_are_replaced(server: Server) -> None:
    server.cli("keys", "webhook", "--vendor", "old-key")
    old = server.cli("keys", "webhook", "--standard").strip()
    new = server.cli("keys", "webhook", "--standard", "--overlap", "3600").strip()
    try:
        with receiving() as receiver, Filmgate(KEY, server.url) as films:
            films.create_and_wait("a dog", duration=4, callback_url=receiver.url, poll_interval=0.05)
            until(lambda: receiver.raw, "the callback arrives")
            [headers], [body] = receiver.headers, receiver.raw
    finally:
        server.cli("keys", "webhook", "--remove")
    for standard in (old, new, [new, old]):
        assert webhooks.verify(body, headers, standard=standard, vendor=["new-key", "old-key"]).succeeded
    with pytest.raises(SignatureInvalid):
        webhooks.verify(body, headers, standard=new, vendor="new-key")
