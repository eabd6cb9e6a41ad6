"""How commands end when nobody reads, nobody can write, somebody interrupts, or the words are no text."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from filmgate.app.parts import operator
from filmgate.services.accounts import first_start
from filmgate.settings import load

FULL = Path("/dev/full")
NO_ROOM = "Error: Standard output cannot be written to: No space left on device.\n"

needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FILMGATE_", "XDG_"))}
    return {**kept, "HOME": str(tmp_path), "FILMGATE_DATA": str(tmp_path / "data"), "NO_COLOR": "1"}


@pytest.fixture
def started(environment: dict[str, str]) -> dict[str, str]:
    """An installation with an account and a first key."""

    async def start() -> None:
        async with operator(load(environ=environment)) as parts:
            await first_start(parts.accounts, parts.clock, "k" * 40)

    asyncio.run(start())
    return environment


def filmgate(environment: dict[str, str], *words: str | bytes, **options: Any) -> subprocess.CompletedProcess[str]:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    command: Sequence[str | bytes] = [sys.executable, "-m", "filmgate", *words]
    return subprocess.run(command, env=environment, cwd=environment["HOME"], text=True, timeout=60, **options)


# ---------------------------------------------------------------- output that goes nowhere ------------------------


@needs_full
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["keys", "--help"], ["config", "show"], ["keys", "list"]])
def test_output_without_room_is_a_sentence(environment: dict[str, str], words: list[str]) -> None:
    with FULL.open("w") as full:
        ended = filmgate(environment, *words, stdout=full)
    assert (ended.returncode, ended.stderr) == (4, NO_ROOM)


@needs_full
def test_an_error_that_cannot_be_said_keeps_its_code(environment: dict[str, str]) -> None:
    with FULL.open("w") as full:
        assert filmgate(environment, "config", "shwo", stderr=full).returncode == 2


@pytest.mark.parametrize("words", [["--help"], ["config", "show"], ["doctor", "--json"]])
def test_a_reader_that_has_left_ends_it_quietly(environment: dict[str, str], words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = filmgate(environment, *words, stdout=writer)
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_output_that_is_closed_ends_it_as_ever(environment: dict[str, str]) -> None:
    for words in (["keys", "list"], ["config", "show"], ["--help"]):
        ended = filmgate(environment, *words, preexec_fn=lambda: os.close(1))
        assert (ended.returncode, ended.stderr) == (0, "")


# ---------------------------------------------------------------- keys that nobody sees ---------------------------


def live_keys(environment: dict[str, str]) -> list[Any]:
    listed = json.loads(filmgate(environment, "keys", "list", "--json").stdout)
    return [each for each in listed if each["revoked"] is None]


@needs_full
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_key_that_could_not_be_printed_is_revoked(started: dict[str, str], form: list[str]) -> None:
    with FULL.open("w") as full:
        ended = filmgate(started, "keys", "create", *form, stdout=full)
    assert ended.returncode == 4
    assert "was revoked again" in ended.stderr
    assert len(live_keys(started)) == 1


def test_no_key_is_made_when_nobody_could_see_it(started: dict[str, str]) -> None:
    ended = filmgate(started, "keys", "create", preexec_fn=lambda: os.close(1))
    assert ended.returncode == 2
    assert "none was made" in ended.stderr
    assert len(live_keys(started)) == 1


@pytest.mark.parametrize(
    ("switch", "sentence"),
    [
        ("default_model=zzz", "default_model is 'zzz'; it must be one of veo3, veo3_fast, veo3_lite."),
        ("preset=zzz", "preset is 'zzz'; it must be default or quickstart."),
        ("zzz", "'zzz' is not a switch"),
    ],
)
def test_a_switch_that_would_spoil_every_request_of_a_key_is_refused(
    started: dict[str, str], switch: str, sentence: str
) -> None:
    ended = filmgate(started, "keys", "create", "--edition", switch)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert len(live_keys(started)) == 1


def test_a_label_cannot_break_the_table_or_move_the_cursor(started: dict[str, str]) -> None:
    filmgate(started, "keys", "create", "--label", "two\nlines \x1b[31mred")
    shown = filmgate(started, "keys", "list").stdout
    assert "\x1b" not in shown
    assert r"two\nlines \x1b[31mred" in shown
    assert len(shown.splitlines()) == 3


# ---------------------------------------------------------------- words that are no text --------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["generate", b"a\xff"], "It holds bytes that are not text in UTF-8."),
        (["generate", "a", "--watermark", b"\xff"], "It holds bytes that are not text in UTF-8."),
        (["status", b"\xff"], "It holds bytes that are not text in UTF-8."),
        (["keys", "create", "--label", b"\xff"], "It holds bytes that are not text in UTF-8."),
        (["generate", "a", "--api-key", "клю ч"], "A key has printable ASCII characters only"),
        (["generate", "a", "--api-key", "a\nb"], "A key has printable ASCII characters only"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_a_sentence(
    environment: dict[str, str], words: list[str | bytes], sentence: str
) -> None:
    ended = filmgate(environment | {"FILMGATE_URL": "http://127.0.0.1:9", "FILMGATE_API_KEY": "K"}, *words)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_address_that_is_none_is_refused_in_a_sentence(environment: dict[str, str]) -> None:
    ended = filmgate(environment | {"FILMGATE_PUBLIC_URL": "http://[x"}, "config", "show")
    assert (ended.returncode, ended.stderr) == (
        2,
        "Error: FILMGATE_PUBLIC_URL is 'http://[x'; it must be an address such as https://films.example.org.\n",
    )


# ---------------------------------------------------------------- interrupts --------------------------------------

INTERRUPTED_AT_THE_IMPORT_OF = """
import os, signal, sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
sys.argv = ["filmgate", "config", "show"]
from filmgate.cli import main
main()
"""


@pytest.mark.parametrize("module", ["click", "filmgate.cli.program", "filmgate.cli.config", "filmgate.settings"])
def test_an_interrupt_while_it_starts_is_one_line(environment: dict[str, str], module: str) -> None:
    program = INTERRUPTED_AT_THE_IMPORT_OF.format(module=module)
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "Interrupted.\n")


def test_where_interrupts_are_ignored_they_stay_ignored(environment: dict[str, str]) -> None:
    program = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" + INTERRUPTED_AT_THE_IMPORT_OF
    ended = subprocess.run(
        [sys.executable, "-c", program.format(module="click")], env=environment, capture_output=True, timeout=60
    )
    assert ended.returncode == 0


def test_debug_shows_more_and_changes_no_code(environment: dict[str, str]) -> None:
    plainly, shown = (filmgate(environment, *debug, "tasks", "show", "zz") for debug in ([], ["--debug"]))
    assert plainly.returncode == shown.returncode == 2
    assert "Traceback" not in plainly.stderr
    assert "Traceback" in shown.stderr
    assert shown.stderr.endswith(plainly.stderr)
