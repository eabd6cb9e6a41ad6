"""``filmgate accounts``, ``keys`` and ``audit``: what an operator says of tenants, straight on the database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from filmgate.cli.program import program
from support import command

FULL = Path("/dev/full")


@dataclass(frozen=True)
class Ended:
    stdout: str
    stderr: str


def filmgate(environment: dict[str, str], *words: str, code: int = 0) -> Ended:
    """Run a command in this process, for there are many: it must end with ``code``."""
    cleared = {name: None for name in os.environ if name.startswith("FILMGATE_")}
    ended = CliRunner(env={**cleared, **environment}).invoke(program, words, prog_name="filmgate")
    assert ended.exit_code == code, ended.output
    return Ended(ended.stdout, ended.stderr)


def printed(environment: dict[str, str], *words: str) -> Any:
    return json.loads(filmgate(environment, *words, "--json").stdout)


@pytest.fixture
def here(tmp_path: Path) -> dict[str, str]:
    """An operator's machine with one account."""
    environment = {"FILMGATE_DATA": str(tmp_path / "data"), "NO_COLOR": "1"}
    printed(environment, "accounts", "create", "acme", "--label", "Acme", "--credits", "500")
    return environment


def rows(here: dict[str, str], query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(Path(here["FILMGATE_DATA"]) / "filmgate.db")) as connection:
        return connection.execute(query).fetchall()


def refused(here: dict[str, str], *words: str) -> str:
    return filmgate(here, *words, code=2).stderr


# ------------------------------------------------------------ accounts ------------------------------------------------


def test_accounts_are_created_changed_granted_and_shown(here: dict[str, str]) -> None:
    made = printed(here, "accounts", "create", "b-2.x_y", "--weight", "0.5", "--max-running", "3")
    assert (made["id"], made["credits"], made["weight"], made["maxRunning"]) == ("b-2.x_y", 0, 0.5, 3)
    listed = printed(here, "accounts", "list")
    assert [each["id"] for each in listed] == ["acme", "b-2.x_y"]
    assert listed[1] == made
    changed = printed(here, "accounts", "set", "b-2.x_y", "--label", "B", "--weight", "2", "--max-running", "none")
    assert (changed["label"], changed["weight"], changed["maxRunning"]) == ("B", 2.0, None)
    assert printed(here, "accounts", "grant", "acme", "7", "--note", "a present")["balance"] == 507
    assert filmgate(here, "accounts", "grant", "acme", "-500").stdout == "acme has 7 credits now.\n"
    ledger = printed(here, "accounts", "ledger", "acme")
    assert [(each["kind"], each["credits"], each["note"]) for each in ledger] == [
        ("grant", -500, ""),
        ("grant", 7, "a present"),
        ("grant", 500, ""),
    ]
    assert printed(here, "accounts", "ledger", "acme", "--limit", "1") == ledger[:1]
    key = printed(here, "keys", "create", "--account", "acme")
    shown = printed(here, "accounts", "show", "acme")
    assert (shown["credits"], shown["liveTasks"], shown["entries"]) == (7, 0, ledger)
    assert [each["id"] for each in shown["keys"]] == [key["id"]]


def test_the_same_in_words(here: dict[str, str]) -> None:
    key = printed(here, "keys", "create", "--account", "acme", "--label", "build")
    shown = filmgate(here, "accounts", "show", "acme").stdout
    assert "credits   500\n" in shown
    assert f"{key['id']}  {key['hint']}...  acme     build  live" in shown
    assert "grant  +500" in shown
    heads, row = filmgate(here, "accounts", "list").stdout.splitlines()
    assert heads.split() == ["id", "label", "credits", "live", "tasks", "weight", "at", "a", "time"]
    assert row.split() == ["acme", "Acme", "500", "0", "1", "as", "set"]
    assert "grant  +500" in filmgate(here, "accounts", "ledger", "acme").stdout
    filmgate(here, "accounts", "create", "poor")
    assert filmgate(here, "accounts", "ledger", "poor").stdout == "poor has never had credits.\n"


def test_a_machine_without_accounts_says_so(tmp_path: Path) -> None:
    environment = {"FILMGATE_DATA": str(tmp_path / "data")}
    assert "There are no accounts yet" in filmgate(environment, "accounts", "list").stdout
    assert filmgate(environment, "audit", "list").stdout == "Nothing is noted yet.\n"


@pytest.mark.parametrize("account_id", ["", "A", "a b", ".a", "-a", "ä", "a/b", "a" * 65, "a\n"])
def test_a_poor_id_is_refused_with_the_rule(here: dict[str, str], account_id: str) -> None:
    assert "1 to 64 small letters, digits and the signs . _ -" in refused(here, "accounts", "create", "--", account_id)
    assert len(rows(here, "SELECT id FROM accounts")) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["create", "acme"], "There is an account 'acme' already"),
        (["grant", "acme", "-501"], "This needs 501 credits and the account has 500."),
        (["grant", "acme", "0"], "A grant of 0 credits changes nothing"),
        (["grant", "acme", "many"], "'many' is not a valid integer"),
        (["grant", "nobody", "1"], "There is no account 'nobody'"),
        (["show", "nobody"], "There is no account 'nobody': see `filmgate accounts list`."),
        (["ledger", "nobody"], "There is no account 'nobody'"),
        (["set", "nobody", "--weight", "2"], "There is no account 'nobody'"),
        (["set", "acme"], "Say what to change"),
        (["set", "acme", "--weight", "0"], "--weight"),
        (["set", "acme", "--max-running", "0"], "--max-running"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_changes_nothing(
    here: dict[str, str], words: list[str], sentence: str
) -> None:
    before = rows(here, "SELECT * FROM accounts"), rows(here, "SELECT * FROM audit")
    assert sentence in refused(here, "accounts", *words)
    assert (rows(here, "SELECT * FROM accounts"), rows(here, "SELECT * FROM audit")) == before


# ------------------------------------------------------------ keys ----------------------------------------------------

BOUNDS = ["--hourly-cap", "10", "--daily-cap", "20", "--total-cap", "30", "--max-running", "2"]
PLACES = ["--allow", "10.0.0.0/8", "--allow", "2001:db8::7", "--edition", "times=iso"]


def test_a_key_is_bounded_and_set_free_again(here: dict[str, str]) -> None:
    made = printed(here, "keys", "create", "--account", "acme", *BOUNDS, *PLACES, "--expires", "90d")
    assert made["caps"] == {"hour": 10, "day": 20, "total": 30}
    assert (made["maxRunning"], made["edition"]) == (2, {"times": "iso"})
    assert made["addresses"] == ["10.0.0.0/8", "2001:db8::7/128"]
    left = datetime.fromisoformat(made["expires"]) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)
    assert printed(here, "keys", "show", made["id"]) == {name: made[name] for name in made if name != "key"}
    said = filmgate(here, "keys", "show", made["id"]).stdout
    assert "this hour 0 of 10 credits spent\n" in said
    assert "from      10.0.0.0/8, 2001:db8::7/128\n" in said
    free = ["--hourly-cap", "none", "--daily-cap", "none", "--total-cap", "none", "--max-running", "none"]
    free += ["--expires", "none", "--allow", "none", "--edition", "none"]
    changed = printed(here, "keys", "set", made["id"], *free)
    assert changed["caps"] == {"hour": None, "day": None, "total": None}
    bare = (changed["maxRunning"], changed["expires"], changed["addresses"], changed["edition"])
    assert bare == (None, None, [], {})


def test_what_is_not_said_stays_as_it_is(here: dict[str, str]) -> None:
    made = printed(here, "keys", "create", "--account", "acme", *BOUNDS, *PLACES, "--expires", "2099-01-31")
    changed = printed(here, "keys", "set", made["id"], "--daily-cap", "0", "--label", "x")
    assert changed == {name: made[name] for name in made if name != "key"} | {
        "label": "x",
        "caps": {"hour": 10, "day": 0, "total": 30},
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Say what to change"),
        (["--expires", "soon"], "'soon' is no time: write 90d, 12h, 2027-01-31"),
        (["--expires", "2020-01-01"], "is not a time to come"),
        (["--expires", "0"], "is not a time to come"),
        (["--hourly-cap", "-1"], "--hourly-cap"),
        (["--max-running", "0"], "--max-running"),
        (["--allow", "10.0.0.1/8"], "--allow: '10.0.0.1/8' is neither an address nor a network"),
        (["--allow", "none", "--allow", "10.0.0.0/8"], "'none' is neither an address nor a network"),
        (["--edition", "times=never"], "must be epoch_ms or"),
    ],
)
def test_what_no_key_can_have_is_a_sentence(here: dict[str, str], words: list[str], sentence: str) -> None:
    made = printed(here, "keys", "create", "--account", "acme")
    assert sentence in refused(here, "keys", "set", made["id"], *words)
    assert len(rows(here, "SELECT * FROM audit WHERE action = 'key.change'")) == 0


def test_a_date_is_the_beginning_of_its_day_in_utc(here: dict[str, str]) -> None:
    for said, expires in [
        ("2999-01-31", "2999-01-31T00:00:00Z"),
        ("2999-01-31T12:30", "2999-01-31T12:30:00Z"),
        ("2999-01-31T12:30+02:00", "2999-01-31T10:30:00Z"),
    ]:
        far = refused(here, "keys", "create", "--account", "acme", "--expires", said)
        assert "within a hundred years" in far
        near, close = said.replace("2999", "2099"), expires.replace("2999", "2099")
        assert printed(here, "keys", "create", "--account", "acme", "--expires", near)["expires"] == close


def test_a_rotated_key_keeps_its_id_and_prints_its_secret_once(here: dict[str, str]) -> None:
    made = printed(here, "keys", "create", "--account", "acme")
    ended = filmgate(here, "keys", "rotate", made["id"], "--overlap", "2h")
    assert ended.stdout.startswith("fg_")
    assert len(ended.stdout.split()) == 1
    assert "cannot be shown again" in ended.stderr
    again = printed(here, "keys", "rotate", made["id"], "--overlap", "0")
    assert again["id"] == made["id"]
    assert len({made["key"], ended.stdout.strip(), again["key"]}) == 3
    assert len(rows(here, "SELECT * FROM key_secrets")) == 1
    assert "There is no live key 'key_x'" in refused(here, "keys", "rotate", "key_x")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_secret_that_cannot_be_printed_changes_nothing(here: dict[str, str], form: list[str]) -> None:
    made = printed(here, "keys", "create", "--account", "acme")
    before = rows(here, "SELECT * FROM key_secrets"), rows(here, "SELECT * FROM audit")
    words = [sys.executable, "-m", "filmgate", "keys", "rotate", made["id"], *form]
    with FULL.open("w") as full:
        ended = subprocess.run(
            words, env={**os.environ, **here}, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert ended.returncode == 4
    assert "nothing was changed: the old one is good" in ended.stderr
    assert (rows(here, "SELECT * FROM key_secrets"), rows(here, "SELECT * FROM audit")) == before


def test_states_are_told(here: dict[str, str]) -> None:
    live, expired, revoked = (printed(here, "keys", "create", "--account", "acme")["id"] for _ in range(3))
    assert printed(here, "keys", "revoke", revoked) == {"id": revoked, "state": "revoked"}
    with closing(sqlite3.connect(Path(here["FILMGATE_DATA"]) / "filmgate.db")) as connection, connection:
        connection.execute("UPDATE keys SET expires_ms = 1 WHERE id = ?", (expired,))
    states = {each["id"]: each["state"] for each in printed(here, "keys", "list", "--account", "acme")}
    assert states == {live: "live", expired: "expired", revoked: "revoked"}
    assert filmgate(here, "keys", "list", "--account", "x").stdout == "There are no keys of the account 'x'.\n"
    assert "There is no key 'key_x'" in refused(here, "keys", "show", "key_x")


# ------------------------------------------------------------ audit ---------------------------------------------------


def test_the_audit_log_says_who_did_what(here: dict[str, str]) -> None:
    key = printed(here, "keys", "create", "--account", "acme", "--hourly-cap", "10")
    filmgate(here, "keys", "webhook", "--account", "acme", "--vendor")
    filmgate(here, "accounts", "create", "other")
    log = printed(here, "audit", "list", "--account", "acme")
    assert [each["action"] for each in log] == ["webhook.rotate", "key.create", "credits.grant", "account.create"]
    assert {each["actor"].split(" ")[0].startswith("cli:") for each in log} == {True}
    assert log[1]["subject"] == key["id"]
    assert log[1]["details"]["hourly_cap"] == 10
    assert [each["subject"] for each in printed(here, "audit", "list", "--limit", "1")] == ["other"]
    assert "hourly_cap: 10" in filmgate(here, "audit", "list").stdout
    assert key["key"] not in json.dumps(log)
    assert filmgate(here, "audit", "list", "--account", "x").stdout == "Nothing is noted of the account 'x'.\n"


def test_the_actor_is_the_user_of_the_system_and_sudo_is_told(here: dict[str, str]) -> None:
    """Not what LOGNAME and USER say: those anybody can set."""
    from pwd import getpwuid

    user = getpwuid(os.getuid()).pw_name
    command.filmgate(here | {"LOGNAME": "mallory", "USER": "mallory", "SUDO_USER": "anna"}, "accounts", "create", "one")
    expected = f"cli:{user} (sudo by anna)" if os.getuid() == 0 else f"cli:{user}"
    assert printed(here, "audit", "list", "--limit", "1")[0]["actor"] == expected


# ------------------------------------------------------------ doctor --------------------------------------------------


def test_the_doctor_says_how_webhook_secrets_are_kept(here: dict[str, str]) -> None:
    sealing = here | {"FILMGATE_SECRET_KEY": "k" * 32}

    def finding(environment: dict[str, str], code: int = 0) -> dict[str, Any]:
        ended = filmgate(environment | {"FILMGATE_SERVER__PORT": "0"}, "doctor", "--json", code=code)
        [found] = [each for each in json.loads(ended.stdout) if each["what"] == "webhook secrets"]
        return dict(found)

    assert finding(here)["seen"] == "none"
    filmgate(here, "keys", "webhook", "--account", "acme", "--vendor")
    assert finding(here)["seen"].startswith("1 in clear in a file that only its owner can read; FILMGATE_SECRET_KEY")
    assert finding(sealing)["seen"].endswith("the next start seals them")
    filmgate(sealing, "keys", "webhook", "--account", "acme", "--vendor", "--overlap", "0")
    assert finding(sealing)["seen"] == "1 sealed"
    for wrong in (here, here | {"FILMGATE_SECRET_KEY": "w" * 32}):
        assert "FILMGATE_SECRET_KEY" in finding(wrong, 4)["advice"]
