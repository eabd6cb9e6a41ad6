"""What causes the codes of answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from support.asking import generate, made
from support.server import FALLBACK, KEY, Server, serving, until

from .asking import (
    BASE64,
    CANCEL,
    COMMON_CREDIT,
    CREATE,
    CREDIT,
    DOWNLOAD,
    EXTEND,
    FIELDS,
    GENERATE,
    JOB_RECORD,
    K4,
    MEDIA,
    MODELS,
    P1080,
    RECORD,
    STREAM,
    TASKS,
    UPLOADS,
    URL,
    code,
    code_in,
    sent,
)
from .causing import Cell, Ground, cells

NOWHERE = "0" * 32
PAGES = "GET /llms.txt, GET /docs/PAGE.md"


def _no_object(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    for body in ("[1]", "{", "", "text"):
        yield code_in(ground.fine.http.post(endpoint.split(" ")[1], content=body))


def _no_key(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    fields = FIELDS[endpoint](ground.film_id, ground.film_url)
    for authorization in ("", "Bearer no-such-key", f"Basic {KEY}"):
        yield code_in(sent(ground.fine, endpoint, fields, Authorization=authorization))


def _too_dear(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    dear: dict[str, dict[str, Any]] = {
        GENERATE: {"resolution": "1080p"},
        CREATE: {"input": {"prompt": "a dog", "resolution": "1080p"}},
    }
    yield code(ground.dear, endpoint, ground.film_id, **dear.get(endpoint, {}))


def _outside_its_rules(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    wrong: dict[str, list[dict[str, Any]]] = {
        GENERATE: [{"prompt": None}, {"duration": 5}, {"model": "veo9"}],
        EXTEND: [{"prompt": None}, {"seeds": 1}, {"model": "turbo"}],
        CREATE: [{"input": {"prompt": "a dog", "duration": 5}}, {"input": None}],
        K4: [{"taskId": None}, {"index": -1}, {"callBackUrl": "no address"}],
        TASKS: [{"limit": 0}, {"cursor": "7"}, {"state": "lost"}, {"kind": "film"}, {"since": "yesterday"}],
    }
    for changes in wrong[endpoint]:
        yield code(ground.fine, endpoint, ground.film_id, **changes)


def _no_such_task(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.fine, endpoint, NOWHERE)


def _no_task_id(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.fine, endpoint, taskId=None)
    yield code(ground.fine, endpoint, taskId=" ")


def _media_are_gone(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    with serving(folder / "data", FILMGATE_RETENTION__MEDIA_S="3") as server:
        film_id = made(server)["taskId"]
        yield until(lambda: found if (found := code(server, endpoint, film_id)) != 200 else None, "the film is gone")


def _not_succeeded(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.fine, endpoint, ground.failed_id)
    running = generate(ground.fine, prompt="slow 1", duration=4)["data"]["taskId"]
    yield code(ground.fine, endpoint, running)


def _no_such_film(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.fine, endpoint, ground.film_id, index=5)


def _being_made(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.fine, endpoint, made(ground.fine)["taskId"])


def _being_made_or_there(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    film_id = made(ground.fine)["taskId"]
    assert code(ground.fine, endpoint, film_id) == 200
    yield code(ground.fine, endpoint, film_id)


def _could_not_be_made(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    """The film that was to be enlarged has been taken away."""
    film_id = made(ground.fine)["taskId"]
    for film in (ground.fine.data / "media" / film_id).rglob("result.mp4"):
        film.unlink()
    assert code(ground.fine, endpoint, film_id) == 400
    yield until(lambda: found if (found := code(ground.fine, endpoint, film_id)) != 400 else None, "it has failed")


def _no_source(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    of_market: dict[str, Any] = {"model": "veo/extend", "input": {"task_id": NOWHERE, "prompt": "on"}}
    yield code(ground.fine, endpoint, NOWHERE, **(of_market if endpoint == CREATE else {}))


def _no_such_model(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.fine, endpoint, model="veo-9")


def _no_link_of_ours(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    for url in ("https://example.org/film.mp4", ground.film_url.replace("/f/", "/f/1"), "", None):
        yield code(ground.fine, endpoint, url=url)


def _bad_file(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    if endpoint == STREAM:
        yield code_in(ground.fine.http.post(endpoint.split(" ")[1], data={"uploadPath": "images"}))
        yield code_in(ground.fine.http.post(endpoint.split(" ")[1], json={"uploadPath": "images"}))
        return
    field = "base64Data" if endpoint == BASE64 else "fileUrl"
    for value in (None, "@", "http://127.0.0.1:9/a.png", "http://169.254.169.254/a"):
        yield code(ground.fine, endpoint, **{field: value})


def _another_method(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    for method in ("GET", "PUT", "DELETE"):
        yield code_in(ground.fine.http.request(method, endpoint.split(" ")[1]))


def _no_such_page(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    for path in ("/llms.txt/more", "/docs/no-such-page.md", "/docs/no-such-page"):
        yield httpx2.get(ground.fine.url + path).status_code


def _too_many_orders(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    generate(ground.strict)
    yield code(ground.strict, endpoint, ground.film_id)


def _asked_too_often(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    def asked() -> int | None:
        found = code(ground.strict, endpoint, NOWHERE)  # no order can follow from it
        return found if found not in (200, 422) else None

    yield until(asked, "that is too often")


def _full_queue(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    generate(ground.full)
    yield code(ground.full, endpoint, ground.film_id)


def _key_has_spent(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.capped, endpoint, ground.film_id)


def _key_of_another_order(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    film_id = made(ground.fine)["taskId"]
    fields = FIELDS[endpoint](film_id, "")
    key = {"Idempotency-Key": f"a key for {endpoint}"}
    assert code_in(sent(ground.fine, endpoint, fields, **key)) == 200
    yield code_in(sent(ground.fine, endpoint, {**fields, "callBackUrl": "https://example.org/"}, **key))


def _has_ended(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.fine, endpoint, ground.film_id)
    yield code(ground.fine, endpoint, ground.failed_id)


def _has_not_ended(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.fine, endpoint, generate(ground.fine, prompt="slow 2", duration=4)["data"]["taskId"])


def _films_were_deleted(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    film_id = made(ground.fine)["taskId"]
    assert code(ground.fine, MEDIA, film_id) == 200
    yield code(ground.fine, endpoint, film_id)


def _fault_of_ours(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    yield code(ground.broken, endpoint, ground.film_id, ground.film_url)


def _maintenance(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    with _switched(ground.fine, "maintenance", "on"):
        yield code(ground.fine, endpoint, ground.film_id, ground.film_url)


def _switched_off(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    for feature in NEEDS[endpoint]:
        with _switched(ground.fine, feature, "off"):
            yield code(ground.fine, endpoint, ground.film_id, ground.film_url)


@contextmanager
def _switched(server: Server, feature: str, state: str) -> Iterator[None]:
    """By an operator, while the server runs; and back again."""
    server.cli("features", "set", feature, state)
    try:
        yield
    finally:
        server.cli("features", "set", feature, "off" if state == "on" else "on")


def _by_a_fallback(endpoint: str, ground: Ground, folder: Path) -> Iterator[int]:
    with serving(folder / "data", toml=FALLBACK) as server:
        yield code(server, endpoint, made(server, prompt="reject then go", enableFallback=True)["taskId"])


#: What an address needs to be switched on.
NEEDS = {
    GENERATE: ("generate",),
    EXTEND: ("extend",),
    K4: ("upgrade_4k",),
    CREATE: ("jobs", "generate"),
    CREDIT: ("credits",),
    COMMON_CREDIT: ("credits",),
    DOWNLOAD: ("download_url",),
}

OFF = "the operator has switched it off"
NO_KEY = "no key, or no such key"
FAULT = "a fault of ours"
ANOTHER_ORDER = "another order under the same Idempotency-Key"
RULES = "a field is outside its rules"
BEYOND = (CANCEL, TASKS, MEDIA)
KEYED = (
    GENERATE,
    RECORD,
    P1080,
    K4,
    EXTEND,
    CREATE,
    JOB_RECORD,
    CREDIT,
    COMMON_CREDIT,
    DOWNLOAD,
    MODELS,
    *UPLOADS,
    *BEYOND,
)
ORDERS = (GENERATE, P1080, K4, EXTEND, CREATE)

CELLS: list[Cell] = [
    *cells(*KEYED, code=401, words=NO_KEY, cause=_no_key),
    *cells(GENERATE, EXTEND, CANCEL, code=400, words="the body is no JSON object", cause=_no_object),
    *cells(*ORDERS, code=402, words="the credits do not cover the price", cause=_too_dear),
    *cells(GENERATE, EXTEND, CREATE, K4, TASKS, code=422, words=RULES, cause=_outside_its_rules),
    *cells(*ORDERS, code=429, words="too many orders in a short time", cause=_too_many_orders),
    *cells(*ORDERS, code=429, words="the queue is full", cause=_full_queue),
    *cells(GENERATE, EXTEND, CREATE, K4, code=409, words=ANOTHER_ORDER, cause=_key_of_another_order),
    *cells(CANCEL, code=409, words="the task has ended, and was not cancelled", cause=_has_ended),
    *cells(MEDIA, code=409, words="the task has not ended", cause=_has_not_ended),
    *cells(RECORD, P1080, K4, EXTEND, code=422, words="its films were deleted", cause=_films_were_deleted),
    *cells(RECORD, P1080, JOB_RECORD, TASKS, code=429, words="asked too often", cause=_asked_too_often),
    *cells(*ORDERS, code=433, words="the key has used up what it may use", cause=_key_has_spent),
    *cells(RECORD, P1080, K4, JOB_RECORD, CANCEL, MEDIA, code=422, words="no such task", cause=_no_such_task),
    *cells(RECORD, CANCEL, MEDIA, code=422, words="no taskId", cause=_no_task_id),
    *cells(JOB_RECORD, code=400, words="no taskId", cause=_no_task_id),
    *cells(RECORD, code=422, words="the media are gone", cause=_media_are_gone),
    *cells(P1080, K4, code=422, words="not succeeded", cause=_not_succeeded),
    *cells(EXTEND, code=422, words="the source has not succeeded", cause=_not_succeeded),
    *cells(P1080, K4, code=422, words="no such film", cause=_no_such_film),
    *cells(P1080, code=400, words="the version is being made", cause=_being_made),
    *cells(P1080, code=500, words="the version could not be made, told for a minute", cause=_could_not_be_made),
    *cells(K4, code=422, words="being made, or there already", cause=_being_made_or_there),
    *cells(EXTEND, code=404, words="the source does not exist", cause=_no_source),
    *cells(CREATE, code=404, words="veo/extend: the source does not exist", cause=_no_source),
    *cells(CREATE, code=422, words="an unknown model", cause=_no_such_model),
    *cells(DOWNLOAD, code=422, words="no link of ours, or not one of the account", cause=_no_link_of_ours),
    *cells(BASE64, code=400, words="a field is missing, or the text is no Base64", cause=_bad_file),
    *cells(URL, code=400, words="a field is missing, or the address cannot or may not be fetched", cause=_bad_file),
    *cells(STREAM, code=400, words="no form, or a field is missing", cause=_bad_file),
    *cells(*UPLOADS, code=405, words="another method", cause=_another_method),
    *cells(GENERATE, RECORD, P1080, K4, EXTEND, CREATE, TASKS, code=455, words="maintenance", cause=_maintenance),
    *cells(*NEEDS, code=505, words=OFF, cause=_switched_off),
    *cells(P1080, code=422, words="made by a fallback engine", cause=_by_a_fallback),
    *cells(PAGES, code=404, words="no such page", cause=_no_such_page),
    *cells(
        GENERATE, code=500, words="a fault of ours, such as a database that cannot be written", cause=_fault_of_ours
    ),
    *cells(
        *(RECORD, P1080, K4, EXTEND, CREATE, JOB_RECORD, *UPLOADS, *BEYOND),
        code=500,
        words=FAULT,
        cause=_fault_of_ours,
    ),
]
