"""Each row of the table of switches, with this switch and no other: of a key, or of a server where there is no key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import httpx2
import pytest

from filmgate.http.edition import CHOICES, Edition
from support.receiver import receiving
from support.server import TRIAL, Server, serving, until

from .tables import rows

ROWS = rows("editions.md", "switches")
OF_KEYS = [row for row in ROWS if not row[3].startswith("refusal")]
OF_SERVERS = [row for row in ROWS if row[3].startswith("refusal")]
columns = ("switch", "value", "words", "where", "form")
MISSING = object()


def _text_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and isinstance(json.loads(value), kind)


def _like(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


FORMS: dict[str, Callable[[Any], bool]] = {
    "integer": lambda value: type(value) is int,
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "absent": lambda value: value is MISSING,
    "JSON text of a list": _text_of(list),
    "JSON text of an object": _text_of(dict),
    "YYYY-MM-DD HH:MM:SS": _like(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    "ISO 8601": _like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
}


@dataclass(frozen=True)
class Editions:
    """A server, and for each switch and value a key that has it."""

    server: Server
    keys: dict[str, str]

    def client(self, switch: str, value: str) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.keys[f'{switch}={value}']}"}
        return httpx2.Client(base_url=self.server.url, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editions]:
    with serving(tmp_path_factory.mktemp("editions") / "data") as server:

        def key(switch: str) -> str:
            return server.cli("keys", "create", "--edition", switch).strip()

        switches = [f"{row[0]}={row[1]}" for row in OF_KEYS]

        with ThreadPoolExecutor(2) as pool:
            yield Editions(server, dict(zip(switches, pool.map(key, switches), strict=True)))


@pytest.mark.parametrize(columns, OF_KEYS, ids=["-".join(row[:2]) for row in OF_KEYS])
def test_a_switch_of_a_key(editions: Editions, switch: str, value: str, words: str, where: str, form: str) -> None:
    place, _, path = where.partition(" ")
    with editions.client(switch, value) as client:
        found = _at(path, LOOKS[place](client))
    assert has_form(found, form), f"{words}: {found!r}"


@pytest.mark.parametrize(columns, OF_SERVERS, ids=["-".join(row[:2]) for row in OF_SERVERS])
def test_a_switch_of_a_server(tmp_path: Path, switch: str, value: str, words: str, where: str, form: str) -> None:
    """A request without a key has no key's switches."""
    setting = f'{TRIAL}[edition]\n{switch} = "{value}"\n'
    with serving(tmp_path / "data", "--no-worker", toml=setting) as server:
        answer = httpx2.get(server.url + "/api/v1/veo/record-info")
    found = _at(where.partition(" ")[2], {"HTTP": answer.status_code, "$": answer.json()})
    assert has_form(found, form), f"{words}: {found!r}"


def has_form(found: Any, form: str) -> bool:
    return FORMS[form](found) if form in FORMS else found == json.loads(form)


def test_every_switch_and_value_has_a_row() -> None:
    told = {row[:2] for row in ROWS}
    assert told >= {(switch, value) for switch, values in CHOICES.items() for value in values}
    assert {switch for switch, _ in told} == {field.name for field in fields(Edition)}


def _recorded(client: httpx2.Client) -> Any:
    return {"$": _ended(client, _order(client))}


def _ordered(client: httpx2.Client) -> Any:
    answer = client.get("/api/v1/veo/record-info", params={"taskId": _order(client)}).json()
    answer["data"]["paramJson"] = json.loads(answer["data"]["paramJson"])
    return {"$": answer}


def _called_back(client: httpx2.Client) -> Any:
    with receiving() as receiver:
        _order(client, callBackUrl=receiver.url)
        return {"$": until(lambda: receiver.bodies, "the callback comes")[0]}


LOOKS: dict[str, Callable[[httpx2.Client], Any]] = {
    "record": _recorded,
    "order": _ordered,
    "callback": _called_back,
}


def _order(client: httpx2.Client, **given: Any) -> str:
    answer = client.post("/api/v1/veo/generate", json={"prompt": "a dog", "duration": 4, **given}).json()
    assert answer["code"] == 200, answer
    return str(answer["data"]["taskId"])


def _ended(client: httpx2.Client, task_id: str) -> Any:
    def look() -> Any:
        answer = client.get("/api/v1/veo/record-info", params={"taskId": task_id}).json()
        return answer if answer["data"]["successFlag"] else None

    answer = until(look, "the film is ready")
    assert answer["data"]["successFlag"] == 1
    return answer


def _at(path: str, found: Any) -> Any:
    """The value at "$.data.createTime"; MISSING where the last name is not there."""
    *names, last = path.split(".")
    for name in names:
        found = found[name]
    return found.get(last, MISSING)
