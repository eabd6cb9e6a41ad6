"""The commands against servers that answer nonsense, or worse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from filmgate.cli.failures import Exit, Failure
from filmgate.cli.remote import connected

ESCAPES = "\x1b]0;owned\x07 and\n\x1b[2Jmore"


@dataclass
class Stranger:
    """A server that gives these bytes for each path, whatever it is asked."""

    url: str = ""
    answers: dict[str, bytes] = field(default_factory=dict)

    def record(self, **data: Any) -> None:
        self.answers["/api/v1/veo/record-info"] = json.dumps({"code": 200, "msg": "success", "data": data}).encode()

    def film(self, body: bytes) -> None:
        """A task that has succeeded, with this as its film."""
        self.record(taskId="t", successFlag=1, response={"resultUrls": [f"{self.url}/film.mp4"]})
        self.answers["/api/v1/veo/generate"] = b'{"code":200,"msg":"success","data":{"taskId":"t"}}'
        self.answers["/film.mp4"] = body


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    state = Stranger()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            body = state.answers[self.path.partition("?")[0]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_port}"
        serving = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield state
        listening.shutdown()
        serving.join()


def filmgate(stranger: Stranger, folder: Path, *words: str, code: int) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FILMGATE_")}
    environment = kept | {"FILMGATE_URL": stranger.url, "FILMGATE_API_KEY": "K", "HOME": str(folder)}
    command = [sys.executable, "-m", "filmgate", *words]
    ended = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"code":200,"data":' * 50_000, b"\xff", b""])
def test_an_answer_that_is_none_is_code_3(stranger: Stranger, tmp_path: Path, body: bytes) -> None:
    stranger.answers["/api/v1/veo/record-info"] = body
    ended = filmgate(stranger, tmp_path, "status", "t", "--json", code=3)
    assert ended.stderr.startswith("Error: This is not an answer of the Veo3 API")


def test_an_answer_that_is_too_deep_to_be_shown_is_code_3() -> None:
    with pytest.raises(Failure, match="Veo3 API") as failed, connected("http://127.0.0.1:9", "K"):
        raise RecursionError
    assert failed.value.exit_code == Exit.SERVER


def test_words_of_a_server_have_no_power_over_the_terminal(stranger: Stranger, tmp_path: Path) -> None:
    stranger.record(taskId=ESCAPES, successFlag=3, errorMessage=ESCAPES, stage=ESCAPES, state=ESCAPES)
    shown = filmgate(stranger, tmp_path, "status", "t", code=1).stdout
    said = filmgate(stranger, tmp_path, "download", "t", code=1).stderr
    assert "\x1b" not in shown + said
    assert "\x07" not in shown + said
    assert len(shown.splitlines()) == 4
    assert all(line.startswith(("  0%", "Error: ")) for line in said.splitlines())


@pytest.mark.parametrize(
    ("body", "what"), [(b"", "an empty file"), (b"<html>Sorry</html>", "something that is not an MP4 film")]
)
@pytest.mark.parametrize("words", [["download", "t"], ["generate", "a dog"]])
def test_what_is_no_film_is_not_kept(
    stranger: Stranger, tmp_path: Path, words: list[str], body: bytes, what: str
) -> None:
    stranger.film(body)
    (tmp_path / "dog.mp4").write_bytes(b"an older film")
    ended = filmgate(stranger, tmp_path, *words, "-q", "-o", "dog.mp4", code=1)
    assert ended.stderr == f"Error: The server sent {what} where the film should be: nothing was kept; try again.\n"
    assert [each.name for each in tmp_path.iterdir()] == ["dog.mp4"]
    assert (tmp_path / "dog.mp4").read_bytes() == b"an older film"


def test_a_film_is_known_by_its_first_box(stranger: Stranger, tmp_path: Path) -> None:
    stranger.film(b"\0\0\0\x20ftypisom" + b"film" * 9)
    assert filmgate(stranger, tmp_path, "download", "t", "-q", code=0).stdout == "t.mp4 is ready: 0.0 MB.\n"


def test_an_address_with_half_a_bracket_is_a_sentence(stranger: Stranger, tmp_path: Path) -> None:
    stranger.url = "http://[x"
    assert filmgate(stranger, tmp_path, "status", "t", code=3).stderr.startswith("Error: No connection to http://[x")
