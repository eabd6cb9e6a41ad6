"""The command line as a user meets it: real processes, their words and their exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from filmgate.app.api import submitter
from filmgate.app.parts import operator
from filmgate.cli import checks, machine
from filmgate.domain.spec import Spec
from filmgate.ports import Caller
from filmgate.services.accounts import first_start
from filmgate.settings import load
from support.veo3_peer import engine_table, models, peer
from support.web import free_port

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "tests" / "plugin"
INITIAL_KEY = "k" * 40


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine of its own: empty home, empty data folder, no settings but these, and the engine for tests."""
    (tmp_path / "tmp").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FILMGATE_", "XDG_"))}
    own = {"HOME": str(tmp_path), "FILMGATE_DATA": str(tmp_path / "data"), "TMPDIR": str(tmp_path / "tmp")}
    return {**kept, **own, "PYTHONPATH": str(PLUGIN), "NO_COLOR": "1"}


def filmgate(environment: dict[str, str], *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "filmgate", *words]
    ended = subprocess.run(
        command, env=environment, cwd=environment["HOME"], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


def printed(environment: dict[str, str], *words: str, code: int = 0) -> Any:
    return json.loads(filmgate(environment, *words, "--json", code=code).stdout)


def use_trial_engine(environment: dict[str, str]) -> None:
    path = Path(environment["HOME"]) / "filmgate.toml"
    path.write_text("".join(f"models.{name}.engine = 'trial'\n" for name in ("veo3", "veo3_fast", "veo3_lite")))


# ---------------------------------------------------------------- the whole ---------------------------------------


def test_help_imports_nothing_that_takes_time(environment: dict[str, str]) -> None:
    program = (
        "import sys; from filmgate.cli.program import run; assert run(['--help']) == 0;"
        "heavy = {'rich', 'av', 'skia', 'numpy', 'sqlalchemy', 'starlette', 'msgspec', 'httpx2'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "generate" in ended.stdout


def test_a_wrong_setting_is_one_sentence(environment: dict[str, str]) -> None:
    ended = filmgate(environment | {"FILMGATE_SERVER__PORT": "x"}, "config", "show", code=2)
    assert ended.stderr == "Error: FILMGATE_SERVER__PORT is 'x'; it must be a whole number from 0 to 65535.\n"


def test_an_unknown_name_is_a_warning(environment: dict[str, str]) -> None:
    ended = filmgate(environment | {"FILMGATE_SOMETHING_ELSE": "x"}, "config", "show")
    assert ended.stderr == "Warning: FILMGATE_SOMETHING_ELSE is not a setting of Filmgate, and changes nothing.\n"


def test_what_nobody_foresaw_is_a_sentence_too_and_debug_shows_where(environment: dict[str, str]) -> None:
    program = (
        "import filmgate.cli.doctor as doctor, filmgate.cli as cli\n"
        "def broken(settings): raise ZeroDivisionError('oh')\n"
        "doctor.findings = broken\n"
        "cli.main()"
    )
    ended = subprocess.run([sys.executable, "-c", program, "doctor"], env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: Something went wrong that should not (ZeroDivisionError: oh).")
    shown = subprocess.run(
        [sys.executable, "-c", program, "--debug", "doctor"], env=environment, capture_output=True, text=True
    )
    assert "Traceback" in shown.stderr


# ---------------------------------------------------------------- config ------------------------------------------


def test_config_shows_values_and_origins_and_masks_secrets(environment: dict[str, str]) -> None:
    given = environment | {"FILMGATE_SECRET_KEY": "s" * 40, "FILMGATE_CALLBACKS__SCHEDULE_S": "1,2"}
    shown = {each["name"]: each for each in printed(given, "config", "show")}
    assert shown["secret_key"]["value"] == "********"
    assert shown["callbacks.schedule_s"]["value"] == [1, 2]
    assert shown["callbacks.schedule_s"]["origin"] == "FILMGATE_CALLBACKS__SCHEDULE_S"
    assert shown["data"]["value"] == environment["FILMGATE_DATA"]
    assert shown["models.veo3"] == {
        "name": "models.veo3", "value": ["storyboard"], "origin": "default",
    }  # fmt: skip


def test_config_in_words_has_a_line_for_each_setting_and_no_secret(environment: dict[str, str]) -> None:
    lines = filmgate(environment | {"FILMGATE_SECRET_KEY": "s" * 40}, "config", "show").stdout.splitlines()
    assert any(line.split() == ["limits.creates_per_10s", "20", "default"] for line in lines)
    assert not any("ssss" in line for line in lines)


def test_looking_at_the_settings_makes_no_folder(environment: dict[str, str]) -> None:
    filmgate(environment, "config", "show")
    filmgate(environment, "engines", "list")
    assert not Path(environment["FILMGATE_DATA"]).exists()


# ---------------------------------------------------------------- keys --------------------------------------------


def start_once(environment: dict[str, str]) -> None:
    """What the first start of a server does with its database."""

    async def start() -> None:
        async with operator(load(environ=environment)) as parts:
            await first_start(parts.accounts, parts.clock, INITIAL_KEY)

    asyncio.run(start())


def test_keys_need_an_account_first(environment: dict[str, str]) -> None:
    ended = filmgate(environment, "keys", "create", code=2)
    assert ended.stderr == (
        "Error: There is no account yet: start `filmgate serve` once; it makes the first account and its key.\n"
    )
    assert "no keys yet" in filmgate(environment, "keys", "list").stdout


def test_a_key_is_created_listed_and_revoked(environment: dict[str, str]) -> None:
    start_once(environment)
    made = printed(environment, "keys", "create", "--label", "laptop", "--edition", "times=iso")
    assert made["key"].startswith("fg_")
    assert made["edition"] == {"times": "iso"}
    listed = {each["id"]: each for each in printed(environment, "keys", "list")}
    assert listed[made["id"]]["label"] == "laptop"
    assert made["key"] not in json.dumps(listed)
    assert filmgate(environment, "keys", "revoke", made["id"]).stdout == f"{made['id']} is revoked.\n"
    assert f"{made['id']}" in filmgate(environment, "keys", "list").stdout
    assert "no live key" in filmgate(environment, "keys", "revoke", made["id"], code=2).stderr


def test_a_created_key_alone_is_on_standard_output(environment: dict[str, str]) -> None:
    start_once(environment)
    ended = filmgate(environment, "keys", "create")
    assert ended.stdout.strip().startswith("fg_")
    assert len(ended.stdout.split()) == 1
    assert "cannot be shown again" in ended.stderr


def test_a_wrong_switch_or_account_is_refused(environment: dict[str, str]) -> None:
    start_once(environment)
    assert "must be epoch_ms or" in filmgate(environment, "keys", "create", "--edition", "times=x", code=2).stderr
    assert "no account 'x'" in filmgate(environment, "keys", "create", "--account", "x", code=2).stderr


# ---------------------------------------------------------------- tasks -------------------------------------------


def test_the_tasks_are_listed_and_shown(environment: dict[str, str]) -> None:
    start_once(environment)
    assert filmgate(environment, "tasks", "list").stdout == "There are no tasks yet.\n"
    ordered = order_once(environment, "a dog\nthat barks " + "at the moon " * 9)
    [listed] = printed(environment, "tasks", "list", "--account", "default", "--limit", "1")
    assert {**listed, "runs": []} == printed(environment, "tasks", "show", ordered)
    assert (listed["taskId"], listed["status"], listed["model"]) == (ordered, "queued", "veo3_fast")
    assert (listed["account"], listed["credits"], listed["error"], listed["artifacts"]) == ("default", 60, None, [])
    heads, row = filmgate(environment, "tasks", "list").stdout.splitlines()
    assert heads.split() == ["task", "status", "progress", "model", "created", "prompt"]
    assert row.startswith(f"{ordered}  queued  0%")
    assert row.endswith(r"a dog\nthat barks at the moon at the m...")
    shown = filmgate(environment, "tasks", "show", ordered).stdout
    assert "order     veo3_fast, 720p, 16:9, 8 s\n" in shown
    assert (
        filmgate(environment, "tasks", "list", "--account", "ada").stdout
        == "There are no tasks of the account 'ada'.\n"
    )


def test_a_task_that_there_is_not(environment: dict[str, str]) -> None:
    ended = filmgate(environment, "tasks", "show", "zz", code=2)
    assert ended.stderr == (
        "Error: There is no task zz: `filmgate tasks list` shows the newest ones, with their ids.\n"
    )


def test_the_tasks_are_chosen_and_gone_through(environment: dict[str, str]) -> None:
    start_once(environment)
    ids = [order_once(environment, prompt) for prompt in ("one", "two", "three")]
    first = printed(environment, "tasks", "list", "--limit", "2")
    assert [task["taskId"] for task in first] == ids[:0:-1]
    rest = printed(environment, "tasks", "list", "--cursor", first[-1]["taskId"], "--account", "default")
    assert [task["taskId"] for task in rest] == ids[:1]
    filmgate(environment, "tasks", "cancel", ids[1])
    assert [task["taskId"] for task in printed(environment, "tasks", "list", "--state", "fail")] == [ids[1]]
    assert len(printed(environment, "tasks", "list", "--since", "2026-01-01", "--kind", "generate")) == 3
    for nothing in (("--until", "2026-01-01T00:00:00Z"), ("--model", "veo3"), ("--kind", "extend")):
        assert filmgate(environment, "tasks", "list", *nothing).stdout == "There are no such tasks.\n"
    assert "is no time: write 90d" in filmgate(environment, "tasks", "list", "--since", "soon", code=2).stderr
    assert "There is no task zz" in filmgate(environment, "tasks", "list", "--cursor", "zz", code=2).stderr


def test_the_operator_cancels_a_task(environment: dict[str, str]) -> None:
    start_once(environment)
    ordered = order_once(environment, "a dog")
    said = f"Task {ordered} is cancelled; its credits are back.\n"
    assert [filmgate(environment, "tasks", "cancel", ordered).stdout for _ in range(2)] == [said, said]
    shown = printed(environment, "tasks", "show", ordered)
    assert shown["status"] == "rejected"
    assert shown["error"]["sentence"] == "The task was cancelled by the operator of the server."
    refused = filmgate(environment, "tasks", "retry", ordered, code=2).stderr
    assert refused == "Error: The task was cancelled: whoever wants it after all orders it again.\n"


def test_what_the_operator_may_not_do_with_a_task(environment: dict[str, str]) -> None:
    start_once(environment)
    ordered = order_once(environment, "a dog")
    assert "has not ended" in filmgate(environment, "tasks", "retry", ordered, code=2).stderr
    assert "has not ended" in filmgate(environment, "tasks", "delete-media", ordered, code=2).stderr
    for command in ("cancel", "retry", "delete-media"):
        assert "There is no task zz" in filmgate(environment, "tasks", command, "zz", code=2).stderr


def order_once(environment: dict[str, str], prompt: str) -> str:
    """The id of a task that waits for a worker."""

    async def submit() -> str:
        async with operator(load(environ=environment)) as parts:
            order = submitter(parts, lambda: None)
            caller = Caller("default", "key_1")
            task = await order(caller, Spec(prompt, "veo3_fast"), dialect="veo3", public_base="http://localhost")
            return task.id

    return asyncio.run(submit())


# ---------------------------------------------------------------- engines and doctor ------------------------------


def test_the_engines_say_what_they_can_do(environment: dict[str, str]) -> None:
    engines = {each["name"]: each for each in printed(environment, "engines", "list")}
    assert engines["storyboard"]["models"] == ["veo3", "veo3_fast", "veo3_lite"]
    assert engines["storyboard"]["resolutions"] == ["720p", "1080p", "4k"]
    assert engines["trial"]["models"] == []
    assert "storyboard" in filmgate(environment, "engines", "list").stdout


def findings(environment: dict[str, str], code: int = 0) -> dict[str, dict[str, Any]]:
    return {each["what"]: each for each in printed(environment, "doctor", code=code)}


def test_the_doctor_finds_a_good_machine_in_order(environment: dict[str, str]) -> None:
    start_once(environment)
    environment["FILMGATE_SERVER__PORT"] = str(free_port())
    found = findings(environment)
    assert all(each["ok"] for each in found.values())
    assert found["database"]["seen"].endswith(", whole)")
    assert "mode 700" in found["data folder"]["seen"]
    assert filmgate(environment, "doctor").stdout.endswith("Everything is in order.\n")


def test_the_doctor_says_what_to_do(environment: dict[str, str]) -> None:
    data = Path(environment["FILMGATE_DATA"])
    data.mkdir(mode=0o755)
    (data / "filmgate.db").write_bytes(b"this is no database, and it is long enough to be looked at" * 99)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment["FILMGATE_SERVER__PORT"] = str(taken.getsockname()[1])
        found = findings(environment, code=4)
    assert found["data folder"]["advice"] == f"Others can look into it: chmod 700 {data}"
    assert "not a database" in found["database"]["seen"]
    assert "--port" in found["port"]["advice"]


def test_the_doctor_finds_a_database_under_any_name(environment: dict[str, str]) -> None:
    environment["FILMGATE_DATA"] += " #1?"
    start_once(environment)
    environment["FILMGATE_SERVER__PORT"] = str(free_port())
    assert findings(environment)["database"]["seen"].endswith(", whole)")


def test_elsewhere_than_on_linux_the_doctor_says_that_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert checks.system().advice.startswith("`filmgate serve` runs on Linux only")


def test_the_doctor_changes_nothing(environment: dict[str, str]) -> None:
    environment["FILMGATE_SERVER__PORT"] = str(free_port())
    findings(environment)
    assert not Path(environment["FILMGATE_DATA"]).exists()


def test_a_missing_library_is_one_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LIBRARIES", {"libnowhere.so.1": "libnowhere1", "libc.so.6": "libc6"})
    assert machine.missing_packages() == ["libnowhere1"]
    assert (machine.complaint() or "").endswith("apt-get install -y libnowhere1")


def test_the_machine_is_checked_before_anything_is_installed() -> None:
    script = ROOT / "src" / "filmgate" / "cli" / "machine.py"
    ended = subprocess.run([sys.executable, "-I", "-S", str(script)], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


# ---------------------------------------------------------------- generate ----------------------------------------


def left_behind(environment: dict[str, str]) -> list[str]:
    """Everything in the machine's home and temporary folder that was not put there by the test."""
    home = Path(environment["HOME"])
    return sorted(str(each.relative_to(home)) for each in home.rglob("*") if each.name not in ("tmp", "filmgate.toml"))


def test_a_film_is_made_without_a_server_and_nothing_else_is_left(environment: dict[str, str]) -> None:
    use_trial_engine(environment)
    made = printed(environment, "generate", "A grey wall", "-o", "films/wall.mp4", "--duration", "4", "--seed", "12345")
    film = Path(environment["HOME"]) / "films" / "wall.mp4"
    assert made["path"] == "films/wall.mp4"
    assert made["bytes"] == film.stat().st_size
    assert (made["width"], made["height"], made["seed"], made["engine"]) == (1280, 720, 12345, "trial")
    assert left_behind(environment) == ["films", "films/wall.mp4"]


def test_a_film_is_named_after_its_prompt_and_progress_goes_to_standard_error(environment: dict[str, str]) -> None:
    use_trial_engine(environment)
    ended = filmgate(environment, "generate", "A grey wall", "--duration", "4", "--aspect-ratio", "9:16")
    assert ended.stdout.startswith("a-grey-wall.mp4 is ready: 4 s, 720x1280, ")
    assert "0% starting" in ended.stderr


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([" "], 2, "Please enter a prompt"),
        (["x", "--seed", "1"], 2, "'--seed'"),
        (["x", "--model", "veo9"], 2, "There is no model 'veo9': choose one of veo3, veo3_fast, veo3_lite."),
        (["please reject this"], 1, "Error: Your prompt was flagged as a trial of rejection."),
        (["please fail"], 1, "Error: The trial engine fails when it is told to."),
        (["x", "--config", "nowhere.toml"], 2, "There is no settings file nowhere.toml"),
    ],
)
def test_what_cannot_be_made_is_a_sentence_and_a_code(
    environment: dict[str, str], words: list[str], code: int, sentence: str
) -> None:
    use_trial_engine(environment)
    assert sentence in filmgate(environment, "generate", *words, "--quiet", code=code).stderr
    assert left_behind(environment) == []


def test_local_images_make_a_film_without_a_server(environment: dict[str, str]) -> None:
    use_trial_engine(environment)
    home = Path(environment["HOME"])
    for name in ("Erstes Bild.png", "second.png"):
        Image.new("RGB", (400, 700), (200, 120, 40)).save(home / name)
    images = ["--image", "Erstes Bild.png", "--image", str(home / "second.png")]
    made = printed(
        environment, "generate", "It wakes", *images, "--aspect-ratio", "Auto", "--duration", "4", "-o", "a.mp4"
    )
    assert (made["width"], made["height"]) == (720, 1280)
    assert left_behind(environment) == ["Erstes Bild.png", "a.mp4", "second.png"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--image", "nowhere.png"], "'nowhere.png' does not exist"),
        (["--mode", "frames"], "--mode frames is about images"),
        (["--mode", "frames", *["--image", "filmgate.toml"] * 3], "takes 2 images at most; here are 3"),
        ([*["--image", "filmgate.toml"] * 4], "takes 3 images at most; here are 4"),
    ],
)
def test_images_that_cannot_be_used_are_refused_at_once(
    environment: dict[str, str], words: list[str], sentence: str
) -> None:
    use_trial_engine(environment)
    assert sentence in filmgate(environment, "generate", "x", *words, "--quiet", code=2).stderr
    assert left_behind(environment) == []


def test_a_file_that_is_no_image_is_a_sentence(environment: dict[str, str]) -> None:
    use_trial_engine(environment)
    said = filmgate(environment, "generate", "x", "--image", "filmgate.toml", "--quiet", code=1).stderr
    assert said.startswith("Error: ")
    assert len(said.splitlines()) == 1
    assert left_behind(environment) == []


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_film_leaves_nothing_behind(environment: dict[str, str], by: signal.Signals) -> None:
    use_trial_engine(environment)
    command = [sys.executable, "-m", "filmgate", "generate", "slow 60", "-o", "films/slow.mp4"]
    running = subprocess.Popen(
        command, env=environment, cwd=environment["HOME"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stderr is not None
    while "dawdling" not in (line := running.stderr.readline()):
        assert line, "it ended by itself"
    running.send_signal(by)
    rest = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert "Interrupted" in rest
    assert "Traceback" not in rest
    assert left_behind(environment) == []


def test_the_engines_show_that_they_work(environment: dict[str, str], tmp_path: Path) -> None:
    with peer() as there:
        config = tmp_path / "engines.toml"
        wrong = engine_table(there, api_key="another").replace("engines.house", "engines.wrong")
        config.write_text(engine_table(there) + wrong + models("trial", "house", "wrong"))
        there_is = ("--config", str(config))
        done = filmgate(environment, "engines", "check", "trial", "house", *there_is)
        assert there.orders == []
        assert "it loads, in" in done.stdout
        assert "it answers, and has 5916.25 credits left" in done.stdout
        seen = {each["name"]: each for each in printed(environment, "engines", "check", *there_is, code=4)}
        assert {name: each["ok"] for name, each in seen.items()} == {"trial": True, "house": True, "wrong": False}
        assert "does not accept the key" in seen["wrong"]["seen"]
        listed = {each["name"]: each for each in printed(environment, "engines", "list", *there_is)}
        assert (listed["house"]["kind"], listed["house"]["renders"]) == ("veo3_upstream", "elsewhere")
        assert (listed["trial"]["renders"], listed["house"]["restingAt"]) == ("here", [])
        assert "another" not in str(seen)
