"""Films behind signed links, over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest

from filmgate.domain.task import Artifact, Role

from .answers import raw
from .conftest import World

FILM = bytes(range(256)) * 2500  #: 640,000 bytes: several chunks
SIZE = len(FILM)
KEY = "0199a0b1c2d3/1/result.mp4"


@pytest.fixture(scope="module")
def link(world: World) -> str:
    made = world.stored(Artifact(Role.RESULT, KEY, "video/mp4", SIZE), FILM)
    return world.links.link(world.url, made.key, made.expires_ms, "dog.mp4")


@pytest.fixture(scope="module")
def web() -> Iterator[httpx2.Client]:
    """Somebody without any key."""
    with httpx2.Client(timeout=30) as client:
        yield client


def test_the_whole_film(web: httpx2.Client, link: str) -> None:
    answer = web.get(link)
    assert (answer.status_code, answer.content) == (200, FILM)
    told = {name: answer.headers[name] for name in ("content-type", "content-length", "accept-ranges", "cache-control")}
    assert told == {
        "content-type": "video/mp4",
        "content-length": str(SIZE),
        "accept-ranges": "bytes",
        "cache-control": "private",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["last-modified"].endswith(" GMT")


def test_head_tells_the_same_without_the_film(web: httpx2.Client, link: str) -> None:
    asked, got = web.head(link, headers={"Range": "bytes=0-9"}), web.get(link)
    assert (asked.status_code, asked.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "last-modified", "accept-ranges"):
        assert asked.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, SIZE),
        ("bytes=-100", SIZE - 100, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=0-{SIZE * 2}", 0, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=262143-524289", 262_143, 524_290),
        ("bytes=0-", 0, SIZE),
        ("Bytes=0-99", 0, 100),
        ("BYTES=-100", SIZE - 100, SIZE),
        ("bytes=" + "0" * 40 + "5-" + "9" * 40, 5, SIZE),
    ],
)
def test_a_part(web: httpx2.Client, link: str, asked: str, start: int, stop: int) -> None:
    answer = web.get(link, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, FILM[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize(
    "asked",
    [
        f"bytes={SIZE}-",
        f"bytes={SIZE + 5}-{SIZE + 9}",
        "bytes=-0",
        "bytes=99999999999999999999-",
        "bytes=" + "9" * 5000 + "-" + "9" * 5000,
    ],
)
def test_a_part_beyond_the_end(web: httpx2.Client, link: str, asked: str) -> None:
    answer = web.get(link, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert f"{SIZE} bytes" in answer.text


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,5-6", "bytes=-", "bytes=9-5", "seconds=0-1", "bytes 0-1", "bytes=a-b", "bytes=" + "9" * 40 + "-1"],
)
def test_what_is_no_single_range_gets_the_whole_film(web: httpx2.Client, link: str, asked: str) -> None:
    answer = web.get(link, headers={"Range": asked})
    assert (answer.status_code, len(answer.content)) == (200, SIZE)


def test_a_film_that_is_known_is_not_sent_again(web: httpx2.Client, link: str) -> None:
    etag = web.head(link).headers["etag"]
    for known in (etag, f'"another", W/{etag}', "*"):
        answer = web.get(link, headers={"If-None-Match": known, "Range": "bytes=0-9"})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
    assert web.get(link, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_film_that_has_not_changed_since_is_not_sent_again(web: httpx2.Client, link: str) -> None:
    told = web.head(link).headers
    for since in (told["last-modified"], "Fri, 01 Jan 2100 00:00:00 GMT"):
        answer = web.get(link, headers={"If-Modified-Since": since})
        assert (answer.status_code, answer.content) == (304, b"")
    for other in ("Mon, 01 Jan 2024 00:00:00 GMT", "yesterday", "", "Mon, 99 Jan 9999999 00:00:00 GMT"):
        assert web.head(link, headers={"If-Modified-Since": other}).status_code == 200


def test_a_tag_counts_for_more_than_a_time(web: httpx2.Client, link: str) -> None:
    told = {"If-Modified-Since": web.head(link).headers["last-modified"], "If-None-Match": '"another"'}
    assert web.head(link, headers=told).status_code == 200


def test_a_part_only_of_the_film_that_the_client_began_with(web: httpx2.Client, link: str) -> None:
    told = web.head(link).headers
    for same in (told["etag"], told["last-modified"]):
        assert web.get(link, headers={"Range": "bytes=0-9", "If-Range": same}).status_code == 206
    for other in ('"another"', "Mon, 01 Jan 2024 00:00:00 GMT", f"W/{told['etag']}"):
        assert web.get(link, headers={"Range": "bytes=0-9", "If-Range": other}).status_code == 200


def test_the_name_is_the_client_s_own_affair(web: httpx2.Client, link: str) -> None:
    assert web.get(link.removesuffix("dog.mp4") + "any%20name").content == FILM


def test_an_expired_link(web: httpx2.Client, world: World, link: str) -> None:
    made = world.links.link(world.url, KEY, world.clock.now_ms(), "dog.mp4")
    answer = web.get(made)
    assert answer.status_code == 410
    assert "expired" in answer.text


@pytest.mark.parametrize("part", [0, 1, 2, 3, 4])
def test_a_link_of_which_anything_was_changed(web: httpx2.Client, world: World, link: str, part: int) -> None:
    pieces = urlsplit(link).path.removeprefix("/f/").split("/")
    pieces[part] = ("9" if pieces[part][0] != "9" else "8") + pieces[part][1:]
    answer = web.get(f"{world.url}/f/{'/'.join(pieces)}")
    assert answer.status_code == 404
    assert answer.text == "There is no such file.\n"


@pytest.mark.parametrize(
    "tail",
    [
        "../../../../etc/passwd/name",
        "..%2f..%2f..%2fetc%2fpasswd/name",
        "%2e%2e/%2e%2e/filmgate.db/name",
        "/etc/passwd/name",
        "%00/name",
        "/name",
        "%ff%fe/name",
    ],
)
def test_nothing_but_films_can_be_reached(world: World, tail: str) -> None:
    signed = world.links.link(world.url, "../filmgate.db", world.clock.now_ms() + 1000, "name")
    for start in ("/f/1/2/", "/f/9999999999999/" + "A" * 43 + "/"):
        status, _, _ = raw(world.url, f"GET {start}{tail} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert status == 404
    status, _, _ = raw(world.url, f"GET {urlsplit(signed).path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert status == 404


def test_a_deleted_film_is_gone_at_once(web: httpx2.Client, world: World) -> None:
    made = world.stored(Artifact(Role.RESULT, "0199dead/1/result.mp4", "video/mp4", 1), b"x")
    address = world.links.link(world.url, made.key, made.expires_ms, "x.mp4")
    assert web.get(address).status_code == 200
    world.run(world.storage.delete(made.key))
    assert web.get(address).status_code == 404


@pytest.mark.parametrize(
    ("key", "mime"), [("a/1/poster.jpg", "image/jpeg"), ("a/1/page.html", "application/octet-stream")]
)
def test_the_type_is_told_by_the_key_and_never_runs(web: httpx2.Client, world: World, key: str, mime: str) -> None:
    made = world.stored(Artifact(Role.POSTER, key, mime, 1), b"<script>")
    answer = web.get(world.links.link(world.url, made.key, made.expires_ms, "x.html"))
    assert answer.headers["content-type"] == mime


def test_an_empty_file(web: httpx2.Client, world: World) -> None:
    made = world.stored(Artifact(Role.RESULT, "empty/1/result.mp4", "video/mp4", 0), b"")
    address = world.links.link(world.url, made.key, made.expires_ms, "x.mp4")
    assert web.get(address).headers["content-length"] == "0"
    assert web.get(address, headers={"Range": "bytes=0-"}).status_code == 416


def test_other_methods_are_refused(web: httpx2.Client, link: str) -> None:
    answer = web.post(link)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_client_that_leaves_in_mid_film_disturbs_nobody(web: httpx2.Client, link: str) -> None:
    with web.stream("GET", link) as answer:
        next(answer.iter_bytes(1000))
    assert web.get(link).content == FILM
