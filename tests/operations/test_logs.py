"""Lines of the log: what a program can read in them, and that there is nothing in them that should not be."""

from __future__ import annotations

import ast
import json
import logging
import re
import sys
from pathlib import Path

import pytest

from filmgate.app.logs import JsonLines, TextLines, fields_of
from support.receiver import receiving
from support.server import KEY, serving, until

SOURCE = Path(__file__).parents[2] / "src" / "filmgate"
LEVELS = {"debug", "info", "warning", "error", "exception", "log"}
RULE = re.compile(r"([a-z_]+=\S+ )*event=[\w%]+( |$)")


def _messages() -> list[tuple[str, str]]:
    """Every message that is logged anywhere, with its place."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in ("log", "seldom")
            ):
                if ast.unparse(node).startswith("log.log(_LEVELS[level], 'slot=%s %s'"):
                    continue  # of a slot, whose own lines are looked at where they are logged
                message = next(
                    each for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )
                found.append((f"{path.relative_to(SOURCE)}:{node.lineno}", str(message.value)))
    return found


def test_there_are_lines_to_look_at() -> None:
    assert len(_messages()) > 25


@pytest.mark.parametrize(("place", "message"), _messages())
def test_every_line_begins_with_its_fields_and_names_its_event(place: str, message: str) -> None:
    assert RULE.match(message), f"{place}: {message}"
    if "task" in message.partition("event=")[2].replace("event_task", ""):
        assert "task=%s" in message or "tasks=" in message, f"{place}: {message}"


def _record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("filmgate.runner", logging.INFO, "here.py", 1, message, args, None)


def test_fields_stand_at_the_beginning_and_words_after_them() -> None:
    assert fields_of("task=1 event=failed again in 2 s: a=b") == ({"task": "1", "event": "failed"}, "again in 2 s: a=b")
    assert fields_of("nothing of the kind") == ({}, "nothing of the kind")
    assert fields_of("event=x") == ({"event": "x"}, "")


def test_as_json_a_line_is_an_object() -> None:
    line = json.loads(JsonLines("runner").format(_record("task=%s event=claimed attempt=%s by\nhand", "0198", 2)))
    assert line["process"] == "runner"
    assert (line["task"], line["event"], line["attempt"], line["message"]) == ("0198", "claimed", "2", "by\nhand")
    assert (line["level"], line["time"][-1]) == ("info", "Z")


def test_as_json_a_traceback_is_in_its_line() -> None:
    try:
        raise ValueError("no")
    except ValueError:
        record = _record("event=crash")
        record.exc_info = sys.exc_info()
    text = JsonLines("api").format(record)
    assert "\n" not in text
    assert "ValueError: no" in json.loads(text)["exception"]


def test_what_comes_from_outside_begins_no_line_of_its_own() -> None:
    text = TextLines("api").format(_record("event=said %s", "hello\nERROR api event=forged\x1b[31m"))
    assert len(text.splitlines()) == 1
    assert "\\n" in text
    assert "\x1b" not in text


def test_a_server_that_logs_json_logs_nothing_else_and_no_secrets(tmp_path: Path) -> None:
    with receiving(lambda number: 500) as receiver:
        with serving(tmp_path / "data", FILMGATE_LOG__FORMAT="json", FILMGATE_CALLBACKS__SCHEDULE_S="60") as server:
            address = f"{receiver.url}/hush?token=hush"
            task_ids = [server.create(prompt, duration=4, callBackUrl=address) for prompt in ("a dog", "bug", "crash")]
            for task_id in task_ids:
                server.ended(task_id)
            until(lambda: len(receiver.bodies) == 3, "the callbacks are tried")
            assert server.stop() == 0
        lines = [json.loads(line) for line in server.log if not re.match(r"(Filmgate|The |Docs|  )", line)]
    about = {line["event"] for line in lines if line.get("task") in task_ids}
    assert {"claimed", "succeeded", "engine_failed", "engine_crashed", "callback_failed"} <= about
    assert all({"time", "level", "process", "event", "message"} <= set(line) for line in lines)
    assert "hush" not in str(lines)
    assert KEY not in str(lines)


def test_the_level_is_heeded(tmp_path: Path) -> None:
    with serving(tmp_path / "data", FILMGATE_LOG__LEVEL="warning") as server:
        server.ended(server.create("a dog", duration=4))
        assert server.stop() == 0
    assert not [line for line in server.log if " INFO " in line]
