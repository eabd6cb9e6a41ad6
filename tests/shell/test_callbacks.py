"""``filmgate callbacks`` and ``filmgate keys webhook``, on the data of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from filmgate.client import webhooks
from support.command import filmgate, printed
from support.receiver import receiving
from support.server import Server, serving, until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def here(server: Server) -> Iterator[dict[str, str]]:
    """The operator's machine; afterwards nothing signs callbacks."""
    environment = {"FILMGATE_DATA": str(server.data), "FILMGATE_NET__ALLOW_PRIVATE": "true"}
    yield environment
    filmgate(environment, "keys", "webhook", "--remove")


# ---------------------------------------------------------------- keys webhook -------------------------------------


def test_nothing_signs_until_it_is_told(here: dict[str, str]) -> None:
    assert filmgate(here, "keys", "webhook").stdout == ("vendor's style: not signed.\nStandard Webhooks: not signed.\n")


def test_a_secret_is_made_printed_once_and_replaced(here: dict[str, str]) -> None:
    ended = filmgate(here, "keys", "webhook", "--standard")
    [made] = ended.stdout.splitlines()
    assert made.startswith("whsec_")
    assert "cannot be shown again" in ended.stderr
    newer = printed(here, "keys", "webhook", "--standard", "--overlap", "3600")
    assert newer["secrets"] == {"vendor": 0, "standard": 2}
    assert newer["made"]["standard"] not in ("", made)
    assert printed(here, "keys", "webhook", "--standard", SECRET, "--overlap", "0") == {
        "account": "default",
        "secrets": {"vendor": 0, "standard": 2},  # the given one, and the oldest until its hours are over
        "made": {},
    }
    shown = filmgate(here, "keys", "webhook")
    assert SECRET not in shown.stdout + shown.stderr
    assert "signed; 2 secrets are good" in shown.stdout


def test_both_kinds_at_once_and_one_removed(here: dict[str, str]) -> None:
    ended = filmgate(here, "keys", "webhook", "--vendor", "test-hmac-key", "--standard", SECRET)
    assert ended.stdout == "vendor's style: signed.\nStandard Webhooks: signed.\n"
    assert printed(here, "keys", "webhook", "--vendor", "--remove")["secrets"] == {"vendor": 0, "standard": 1}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--standard", "secret"], "A Standard Webhooks secret is whsec_ and 24 to 64 bytes in base64"),
        (["--standard", "whsec_AAAA"], "24 to 64 bytes"),
        (["--standard", "whsec_***"], "24 to 64 bytes"),
        (["--vendor", " "], "must be printable text"),
        (["--vendor", "a key", "--remove"], "--remove takes no SECRET"),
        (["--vendor", "--account", "x"], "no account 'x'"),
        (["--remove", "--account", "x"], "no account 'x'"),
        (["--vendor", "--overlap", "-1"], "--overlap"),
    ],
)
def test_what_cannot_sign_is_a_sentence(here: dict[str, str], words: list[str], sentence: str) -> None:
    assert sentence in filmgate(here, "keys", "webhook", *words, code=2).stderr
    assert printed(here, "keys", "webhook")["secrets"] == {"vendor": 0, "standard": 0}


# ---------------------------------------------------------------- callbacks ----------------------------------------


def test_there_are_none_yet(tmp_path: Path) -> None:
    data = {"FILMGATE_DATA": str(tmp_path / "data")}
    assert filmgate(data, "callbacks", "list").stdout == "There are no callbacks yet.\n"
    assert "of the account 'ada'" in filmgate(data, "callbacks", "list", "--account", "ada").stdout


def delivered(server: Server, url: str) -> str:
    task = server.create("a dog", duration=4, callBackUrl=url)
    server.ended(task)
    return task


def of_task(here: dict[str, str], task: str) -> dict[str, Any]:
    [found] = [each for each in printed(here, "callbacks", "list") if each["taskId"] == task]
    return dict(found)


def test_a_callback_is_listed_with_its_tries_and_sent_again(server: Server, here: dict[str, str]) -> None:
    with receiving() as receiver:
        task = delivered(server, receiver.url)
        until(lambda: of_task(here, task)["state"] == "delivered", "the callback is recorded")
        listed = of_task(here, task)
        assert [each["status"] for each in listed["tries"]] == [200]
        row = next(line for line in filmgate(here, "callbacks", "list").stdout.splitlines() if task in line)
        assert row.startswith(f"{listed['id']}  {task}  delivered  1")
        assert row.endswith(receiver.url)
        said = filmgate(here, "callbacks", "redeliver", listed["id"]).stdout
        assert said.startswith(f"{listed['id']} is due again")
        until(lambda: len(receiver.raw) == 2, "it comes again")
        filmgate(here, "callbacks", "redeliver", task)
        until(lambda: len(receiver.raw) == 3, "it comes again")
        assert {headers["webhook-id"] for headers in receiver.headers} == {listed["id"]}
        until(lambda: len(of_task(here, task)["tries"]) == 3, "all tries are recorded")


def test_a_callback_that_there_is_not(here: dict[str, str]) -> None:
    said = filmgate(here, "callbacks", "redeliver", "msg_0", code=2).stderr
    assert said == (
        "Error: There is no callback or task msg_0 that has one: `filmgate callbacks list` shows the newest.\n"
    )


def test_a_sample_arrives_as_a_real_one_would(here: dict[str, str]) -> None:
    filmgate(here, "keys", "webhook", "--vendor", "test-hmac-key", "--standard", SECRET)
    with receiving() as receiver:
        tried = printed(here, "callbacks", "test", receiver.url)
        [body], [headers] = receiver.raw, receiver.headers
    event = webhooks.verify(body, headers, standard=SECRET, vendor="test-hmac-key")
    assert (event.id, event.task_id, event.succeeded) == (tried["id"], tried["taskId"], True)
    assert event.result_urls[0].startswith("http")
    assert (tried["status"], tried["accepted"], tried["signed"]) == (200, True, ["vendor", "standard"])
    assert headers["content-type"] == "application/json"
    assert tried["id"] not in [each["id"] for each in printed(here, "callbacks", "list")]


def test_a_receiver_that_is_not_ready_is_code_1(here: dict[str, str]) -> None:
    with receiving(lambda number: 503) as receiver:
        said = filmgate(here, "callbacks", "test", receiver.url, code=1).stdout
    assert said.startswith("status    503: a real callback would be sent again\nlatency   ")
    assert "signed    no: see `filmgate keys webhook`\n" in said
    away = filmgate(here, "callbacks", "test", "http://127.0.0.1:9/hook", code=1)
    assert away.stderr == "Error: 127.0.0.1 takes no connection on port 9.\n"


def test_addresses_are_guarded_here_too(here: dict[str, str]) -> None:
    guarded = here | {"FILMGATE_NET__ALLOW_PRIVATE": "false"}
    with receiving() as receiver:
        said = filmgate(guarded, "callbacks", "test", receiver.url, code=1).stderr
        assert receiver.raw == []
    assert said.startswith("Error: ")
    assert "no account 'x'" in filmgate(here, "callbacks", "test", receiver.url, "--account", "x", code=2).stderr
