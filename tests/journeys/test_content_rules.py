"""What an operator and a client see of the rules, from `filmgate serve` to the callback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.asking import generate, made, params, post
from support.server import NotStarted, Server, serving, until

KOREAN = "\uacf5\uc6d0\uc5d0\uc11c \ub178\ub294 \uac1c"


def failed(server: Server, prompt: str, **fields: object) -> dict[str, object]:
    record = server.ended(server.create(prompt, duration=4, **fields))
    assert record["successFlag"] == 2, record
    return record


def test_watermarks_and_extensions_are_judged_too(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        assert failed(server, "a dog", watermark="N.u.d.e girls")["errorCode"] == 400
        film = made(server)
        answer = post(server, "/api/v1/veo/extend", taskId=film["taskId"], prompt="now they are naked")
        record = server.ended(answer["data"]["taskId"])
        assert (record["successFlag"], record["errorCode"]) == (2, 400)
        assert record["errorMessage"].startswith("Your prompt was flagged")


def test_a_refusal_does_not_wait_for_the_images(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        record = failed(server, "a nude man", imageUrls=["http://127.0.0.1:9/a.png"])
        assert record["errorCode"] == 400
        assert "Failed to fetch" not in str(record["errorMessage"])


def test_an_operators_own_rules_and_no_rules(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[brands]\nabout = 'a brand'\nphrases = ['acme cola']\n")
    with serving(tmp_path / "data", FILMGATE_POLICY__RULES=str(own)) as server:
        assert "a brand" in str(failed(server, "a can of Acme Cola")["errorMessage"])
    with serving(tmp_path / "data", FILMGATE_POLICY__RULES=str(own), FILMGATE_POLICY__ENABLED="false") as server:
        assert made(server, prompt="a can of Acme Cola, naked")["successFlag"] == 1


def test_only_english(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_POLICY__LANGUAGE="english") as server:
        record = failed(server, KOREAN)
        assert record["errorCode"] == 400
        assert str(record["errorMessage"]).startswith("Only English prompts are supported at this time.")
        assert made(server, prompt="Neon cat")["successFlag"] == 1


def test_a_translator_is_given_the_prompt_and_the_record_keeps_it(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_POLICY__LANGUAGE="english", FILMGATE_POLICY__TRANSLATOR="trial") as server:
        record = made(server, prompt=KOREAN)
        assert params(record)["prompt"] == KOREAN
        assert until(lambda: "prompt 'a dog in a park'" in "\n".join(server.log), "the engine has the translation")
        assert f"translated {KOREAN!r} from ['ko']" in "\n".join(server.log)
        refused = failed(server, KOREAN, enableTranslation=False)
        assert str(refused["errorMessage"]).startswith("Only English prompts are supported at this time.")
        broken = server.ended(server.create(f"{KOREAN * 4} untranslatable", duration=4))
        assert (broken["successFlag"], broken["errorCode"]) == (3, 501)


def test_maintenance_lets_running_films_end(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        task_id = server.create("slow 3", duration=4)
        until(lambda: server.record(task_id)["state"] == "generating", "it has begun")
        assert json.loads(server.cli("features", "set", "maintenance", "on", "--json"))["on"] is True
        assert generate(server)["code"] == 455
        assert server.http.get("/readyz").status_code == 200
        until(lambda: "event=succeeded" in "\n".join(server.log), "the film is made all the same")
        server.cli("features", "set", "maintenance", "off")
        assert server.record(task_id)["successFlag"] == 1


def test_a_server_does_not_start_with_what_is_not_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with pytest.raises(NotStarted, match="There is no translator named 'nothing': installed are trial"):
        serving(data, FILMGATE_POLICY__TRANSLATOR="nothing").__enter__()
    with pytest.raises(NotStarted, match=r"The rules in .*/nothing cannot be read: No such file or directory"):
        serving(data, FILMGATE_POLICY__RULES="nothing").__enter__()
