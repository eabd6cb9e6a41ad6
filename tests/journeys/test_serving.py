"""Starting and stopping `filmgate serve`: mistakes are one sentence, nothing is lost, and nothing is left running."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import pty
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import uvicorn
import uvloop

from filmgate.app.connections import Patience, guarded
from filmgate.app.logs import Seldom
from filmgate.app.loop import complaints, run
from support.server import KEY, PLUGIN, TRIAL, NotStarted, Server, serving, until

USAGE, MACHINE = 2, 4
NO_KEY = {"FILMGATE_INITIAL_API_KEY": ""}


def _command(data: Path, *flags: str, toml: str = TRIAL) -> list[str]:
    config = data.parent / "filmgate.toml"
    config.write_text(toml)
    serve = [sys.executable, "-m", "filmgate", "serve", "--data", str(data), "--config", str(config)]
    return [*serve, *([] if "--port" in flags else ["--port", "0"]), *flags]


def _environment(**changes: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(PLUGIN), "FILMGATE_INITIAL_API_KEY": KEY} | changes


def _refused(code: int, data: Path, *flags: str, toml: str = TRIAL, **environment: str) -> str:
    """The one sentence that a server ends with that never listened."""
    done = subprocess.run(
        _command(data, *flags, toml=toml),
        env=_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "listens" not in done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("Error: ")
    return done.stderr


def _children(server: Server) -> list[int]:
    """The API's process and, where there is one, the runner's."""
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


# ---------------------------------------------------------------- mistakes ----------------------------------------


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is not a database, but it is long enough to be looked into" * 20)


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('9999');"
        )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_garbage, "is not a database"), (_newer, "newer Filmgate"), (Path.mkdir, "cannot be used")],
    ids=["garbage", "newer", "folder"],
)
def test_a_database_that_cannot_be_used(tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    spoil(data / "filmgate.db")
    assert said in _refused(USAGE, data)


def test_a_certificate_that_is_missing_or_none(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    flags = ("--tls-cert", str(cert), "--tls-key", str(key))
    assert "--tls-cert" in (said := _refused(USAGE, tmp_path / "data", *flags))
    assert "No such file" in said
    cert.write_text("-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n")
    key.write_text("no key")
    assert "private key, both PEM" in _refused(USAGE, tmp_path / "data", *flags)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "key", ["a key with spaces, long enough for a server", "schlüssel-schlüssel-schlüssel-schlüssel"]
)
def test_an_initial_key_that_no_header_can_carry(tmp_path: Path, key: str) -> None:
    assert "printable ASCII" in _refused(USAGE, tmp_path / "data", FILMGATE_INITIAL_API_KEY=key)


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    assert "--data" in _refused_at(Path("/proc/none"), tmp_path)


def _refused_at(data: Path, beside: Path) -> str:
    """As ``_refused``, with a data folder that nothing can be written beside."""
    command = _command(beside / "data")
    command[command.index("--data") + 1] = str(data)
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (USAGE, 1), done.stderr
    return done.stderr


@pytest.mark.parametrize("host", ["999.1.1.1", "192.0.2.1", "a..b"])
def test_a_host_that_is_not_here(tmp_path: Path, host: str) -> None:
    said = _refused(USAGE, tmp_path / "data", "--host", host)
    assert "--host" in said
    assert "--port" not in said


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "--port" in _refused(MACHINE, tmp_path / "data", "--port", str(taken.getsockname()[1]))


def test_an_engine_that_is_not_installed(tmp_path: Path) -> None:
    said = _refused(MACHINE, tmp_path / "data", toml=TRIAL.replace('"trial"', '"missing"'))
    assert "no engine named 'missing'" in said


def test_system_libraries_that_are_missing(tmp_path: Path) -> None:
    lacking = tmp_path / "libraries"
    lacking.mkdir()
    (lacking / "libEGL.so.1").write_bytes(b"")  # the loader finds this one first, and it is none
    assert "apt-get install -y libegl1" in _refused(MACHINE, tmp_path / "data", toml="", LD_LIBRARY_PATH=str(lacking))


def _plugin(folder: Path, load: str) -> str:
    """A package with an engine "odd" whose ``load`` does this; its place for PYTHONPATH."""
    place = folder / "plugin"
    info = place / "odd-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[filmgate.engines]\nodd = odd:Odd\n")
    (place / "odd.py").write_text(
        "import os\nfrom trial_engine import TrialEngine\nfrom filmgate.domain.errors import EngineUnavailable\n"
        f"class Odd(TrialEngine):\n    def load(self):\n        {load}\n"
    )
    return f"{PLUGIN}:{place}"


def _ends(data: Path, load: str) -> tuple[int, str]:
    path = _plugin(data.parent, load)
    done = subprocess.run(
        _command(data, toml=TRIAL.replace('"trial"', '"odd"')),
        env=_environment(PYTHONPATH=path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def test_an_engine_that_says_what_it_lacks_ends_the_server_at_once(tmp_path: Path) -> None:
    code, said = _ends(tmp_path / "data", 'raise EngineUnavailable("Install the odd library: pip install odd.")')
    assert code == MACHINE
    assert said.splitlines()[-1] == "Error: Install the odd library: pip install odd."
    assert "Traceback" not in said
    assert "event=restart" not in said


def test_a_runner_that_is_never_ready_ends_the_server_after_some_tries(tmp_path: Path) -> None:
    code, said = _ends(tmp_path / "data", "os._exit(3)")
    assert code == MACHINE
    assert "process of the engine 'odd' died (exit code 3)" in said.splitlines()[-1]
    assert said.count("ERROR serve event=restart process=runner") == 3


# ---------------------------------------------------------------- the first key -----------------------------------


def test_an_old_key_file_is_not_in_the_way(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "first-api-key").write_text("of another database\n")
    with serving(data, ready=False, **NO_KEY) as server:
        _check_key(server, (data / "first-api-key").read_text().strip())
    assert (data / "first-api-key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_written_down_is_not_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "first-api-key").mkdir(parents=True)
    data.chmod(0o700)
    assert "first-api-key" in _refused(MACHINE, data, **NO_KEY)
    (data / "first-api-key").rmdir()
    with serving(data, ready=False, **NO_KEY) as server:
        _check_key(server, (data / "first-api-key").read_text().strip())
    assert not list(data.glob(".first-api-key*"))


def test_on_a_terminal_the_key_is_shown_and_not_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    ours, theirs = pty.openpty()
    with (
        os.fdopen(ours, "rb", buffering=0) as terminal,
        subprocess.Popen(
            _command(data), env=_environment(**NO_KEY), stdout=theirs, stderr=subprocess.DEVNULL
        ) as process,
    ):
        os.close(theirs)
        shown = ""
        while "listens" not in shown:
            shown += terminal.read(1000).decode()
        process.terminate()
        assert process.wait(30) == 0
    assert re.search(r"shown only now\): fg_\S{43}", shown)
    assert not (data / "first-api-key").exists()


def _check_key(server: Server, key: str) -> None:
    answer = server.http.get("/api/v1/veo/record-info?taskId=none", headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["code"] == 422  # not 401


# ---------------------------------------------------------------- two servers -------------------------------------


def test_a_server_without_worker_leaves_the_other_ones_runner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as first, serving(data, "--no-worker", ready=False):
        assert first.http.get("/readyz").status_code == 200


def test_two_servers_on_one_database_are_refused(tmp_path: Path) -> None:
    database = tmp_path / "elsewhere" / "films.db"
    address = {"FILMGATE_DATABASE_URL": f"sqlite:///{database}"}
    with (
        serving(tmp_path / "one", ready=False, **address),
        pytest.raises(NotStarted, match=r"code 2:\n.*uses the database"),
        serving(tmp_path / "two", ready=False, **address),
    ):
        pass
    assert database.with_name("films.db.lock").stat().st_mode & 0o777 == 0o600


def test_after_kill_9_of_the_parent_a_new_server_starts_at_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        port, pids = urlsplit(server.url).port, server.pids()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        with serving(data, "--port", str(port)) as second:
            assert second.url == server.url
        until(lambda: not [pid for pid in pids if _runs(pid)], "the children of the first are gone", 10)


# ---------------------------------------------------------------- stopping ----------------------------------------


@contextmanager
def _silent_receiver() -> Iterator[tuple[str, threading.Event]]:
    """(address, called): takes a callback and never answers."""
    called = threading.Event()
    held: list[socket.socket] = []

    def hold() -> None:
        connection, _ = door.accept()
        held.append(connection)
        called.set()

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=hold)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/", called
        thread.join()
    for connection in held:
        connection.close()


def test_a_silent_receiver_does_not_spoil_the_drain(tmp_path: Path) -> None:
    with (
        _silent_receiver() as (address, called),
        serving(tmp_path / "data", "--drain-timeout", "0.5", FILMGATE_CALLBACKS__TIMEOUT_S="12") as server,
    ):
        server.create("a dog", duration=4, callBackUrl=address)
        assert called.wait(60)
        assert server.stop(60) == 0
        assert not any("event=died" in line for line in server.log)


def test_the_end_of_the_terminal_ends_the_server(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False) as server:
        os.kill(server.process.pid, signal.SIGHUP)
        assert server.process.wait(30) == 0


def test_nohup_is_heeded(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with serving(tmp_path / "data", "--no-worker", ready=False) as server:
            os.kill(server.process.pid, signal.SIGHUP)
            assert server.http.get("/healthz").status_code == 200
            assert server.stop() == 0
            assert any("event=drain signal=SIGTERM" in line for line in server.log)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_sigterm_while_the_database_is_made_ready(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    folder = os.open(data, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # another start is at work in it
    with subprocess.Popen(_command(data), env=_environment(), stdout=subprocess.PIPE, text=True) as process:
        until(lambda: Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(), "it prepares", 30)
        process.terminate()
        assert process.wait(30) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
    os.close(folder)


def test_the_api_process_ends_by_itself_and_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False) as server:
        assert server.http.get("/healthz").status_code == 200
        os.kill(_children(server)[0], signal.SIGTERM)
        until(lambda: any("ERROR serve event=restart process=api exit=0" in line for line in server.log), "it ends")
        server.http.close()
        server.__post_init__()
        assert server.http.get("/healthz").status_code == 200


# ---------------------------------------------------------------- what is kept ------------------------------------


def test_everything_in_the_data_folder_is_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "tmp").mkdir(parents=True)
    data.chmod(0o755)
    (data / "tmp").chmod(0o755)
    with serving(data, ready=False) as server:
        assert sum(f"chmod 700 {data}" in line for line in server.log) == 1
    assert (data / "tmp").stat().st_mode & 0o777 == 0o700
    assert (data / "serve.lock").stat().st_mode & 0o777 == 0o600


def test_links_outlive_a_new_secret_key(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        task_id = server.create("a dog", duration=4)
        old = server.ended(task_id)["response"]["resultUrls"][0]
    with serving(
        data, "--no-worker", ready=False, FILMGATE_SECRET_KEY="a secret of the operator's own, long"
    ) as server:
        new = server.record(task_id)["response"]["resultUrls"][0]
        assert urlsplit(new).path != urlsplit(old).path
        assert [server.http.head(urlsplit(link).path).status_code for link in (old, new)] == [200, 200]


# ---------------------------------------------------------------- half-open connections ---------------------------


def _connect(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    assert address.hostname is not None
    assert address.port is not None
    return socket.create_connection((address.hostname, address.port), timeout=20)


def _answer(server: Server, sent: bytes) -> bytes:
    """Everything that comes until the server closes."""
    with _connect(server) as connection:
        connection.sendall(sent)
        answer = b""
        while part := connection.recv(10_000):
            answer += part
    return answer


HALF_A_BODY = (
    f"POST /api/v1/veo/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 9\r\n\r\n{{"
)


def test_who_stops_in_mid_request_is_let_go(tmp_path: Path) -> None:
    short = {"FILMGATE_SERVER__HEAD_TIMEOUT_S": "0.5", "FILMGATE_SERVER__BODY_TIMEOUT_S": "0.5"}
    with serving(tmp_path / "data", "--no-worker", ready=False, **short) as server:
        assert _answer(server, b"") == b""
        assert b" 408 " in _answer(server, b"GET /healthz HTTP/1.1\r\nHost:")
        assert b" 408 " in _answer(server, HALF_A_BODY.encode())
        with _connect(server) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")
            connection.sendall(b"GET /")
            assert b"HTTP/1.1 408 " in b"".join(iter(lambda: connection.recv(10_000), b""))
        assert not any("Traceback" in line or "crash" in line for line in server.log)


def test_a_slow_answer_is_not_cut_off() -> None:
    """Time runs for what the client owes, not for what we do."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def ask() -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as door:
            limits = guarded(Patience(head_s=0.2, body_s=0.2, taking_s=5, most=10))
            server = uvicorn.Server(uvicorn.Config(slow, http=limits, lifespan="off", log_config=None))
            serving = asyncio.create_task(server.serve(sockets=[door]))
            reader, writer = await asyncio.open_connection(*door.getsockname())
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            first = await reader.readline()
            writer.close()
            server.should_exit = True
            await serving
        return first

    assert asyncio.run(ask()) == b"HTTP/1.1 204 No Content\r\n"


def test_a_large_body_may_take_longer(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "data", "--no-worker", ready=False, FILMGATE_SERVER__BODY_TIMEOUT_S="0.5") as server,
        _connect(server) as connection,
    ):
        connection.sendall(HALF_A_BODY.replace("Length: 9", "Length: 48001").encode() + b" " * 47_900)
        time.sleep(1.5)
        connection.sendall(b" " * 100)
        assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")  # an envelope that says 400


def test_one_connection_too_many_is_sent_away(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False, FILMGATE_SERVER__MAX_CONNECTIONS="3") as server:
        held = [_connect(server) for _ in range(3)]
        until(lambda: b" 503 " in _answer(server, b""), "the three are counted", 10)
        for connection in held:
            connection.close()
        until(lambda: httpx2.get(f"{server.url}/healthz").status_code == 200, "there is room again", 10)
        assert sum("event=full" in line for line in server.log) == 1


def test_without_file_descriptors_the_log_stays_short_and_the_server_recovers(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-worker", ready=False) as server:
        api = _children(server)[0]
        soft, hard = resource.prlimit(api, resource.RLIMIT_NOFILE)
        assert soft == min(hard, 65536)
        resource.prlimit(api, resource.RLIMIT_NOFILE, (40, 40))
        held = [_connect(server) for _ in range(200)]
        time.sleep(2)
        assert len(server.log) < 20
        for connection in held:
            connection.close()
        until(lambda: httpx2.get(f"{server.url}/healthz").status_code == 200, "it answers again", 20)


# ---------------------------------------------------------------- the loop ----------------------------------------


def test_the_processes_run_on_uvloop() -> None:
    seen: list[asyncio.AbstractEventLoop] = []

    async def look() -> None:
        seen.append(asyncio.get_running_loop())

    run(look())
    assert isinstance(seen[0], uvloop.Loop)


def test_a_loop_without_file_descriptors_complains_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    with closing(asyncio.new_event_loop()) as loop:
        handle = complaints()
        for _ in range(1000):
            handle(loop, {"message": "accept", "exception": OSError(errno.EMFILE, "Too many open files")})
        handle(loop, {"message": "something else"})
    assert [record.getMessage().split()[0] for record in caplog.records] == ["event=out_of_files", "something"]


def test_seldom_says_it_again_after_a_while(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    seldom = Seldom(logging.getLogger("seldom"), 1.0, lambda: now[0])
    for now[0] in (100.0, 100.9, 101.0, 101.1):
        seldom.warning("at %s", now[0])
    assert [record.getMessage() for record in caplog.records] == ["at 100.0", "at 101.0"]
