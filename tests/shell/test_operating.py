"""``filmgate features`` and ``filmgate policy``, as processes of their own."""

from __future__ import annotations

import getpass
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from filmgate.domain.features import Feature
from support.command import filmgate, printed


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "FILMGATE_DATA": str(tmp_path / "data")}


def test_features_are_listed_and_switched_and_who_did_it_is_noted(machine: dict[str, str], tmp_path: Path) -> None:
    listed = printed(machine, "features", "list")
    assert {each["name"]: each["on"] for each in listed} == {
        each.value: each is not Feature.MAINTENANCE for each in Feature
    }
    assert filmgate(machine, "features", "set", "maintenance", "on").stdout == "maintenance is on.\n"
    assert printed(machine, "features", "set", "extend", "off")["on"] is False
    now = {each["name"]: each["on"] for each in printed(machine, "features", "list")}
    assert (now["maintenance"], now["extend"], now["generate"]) == (True, False, True)
    table = filmgate(machine, "features", "list").stdout
    assert table.splitlines()[0].split() == ["feature", "state", "while", "it", "is", "on"]
    with closing(sqlite3.connect(tmp_path / "data" / "filmgate.db")) as connection:
        notes = connection.execute("SELECT actor, action, subject FROM audit ORDER BY id").fetchall()
    assert notes == [
        (f"cli:{getpass.getuser()}", "feature.on", "maintenance"),
        (f"cli:{getpass.getuser()}", "feature.off", "extend"),
    ]


def test_a_feature_that_there_is_not_is_refused(machine: dict[str, str]) -> None:
    said = filmgate(machine, "features", "set", "everything", "off", code=2).stderr
    assert "everything" in said
    assert "maintenance" in said


def test_policy_check_says_what_the_client_would_be_told(machine: dict[str, str]) -> None:
    fine = filmgate(machine, "policy", "check", "kill the lights")
    assert fine.stdout == "Nothing in the rules is against it.\n"
    refused = filmgate(machine, "policy", "check", "a nude model", code=1)
    assert refused.stdout.splitlines() == [
        'Refused by sexual: "nude".',
        "The client is told 400: Your prompt was flagged by Website as violating content policies. "
        'It speaks of sexual content ("nude"): describe the film without that.',
    ]
    person = filmgate(machine, "policy", "check", "a deepfake", code=1).stdout
    assert "public error prominent people upload" in person
    assert "enableFallback" in person


def test_policy_check_as_json(machine: dict[str, str], tmp_path: Path) -> None:
    assert printed(machine, "policy", "check", "a dog") == {"refused": False, "inForce": True}
    off = machine | {"FILMGATE_POLICY__ENABLED": "false"}
    assert printed(off, "policy", "check", "a dog") == {"refused": False, "inForce": False}
    assert "switched off" in filmgate(off, "policy", "check", "a nude model", code=1).stderr


def test_policy_list_shows_an_operators_own(machine: dict[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[drugs]\non = false\n[brands]\nabout = 'a brand'\nphrases = ['acme cola']\n")
    with_own = machine | {"FILMGATE_POLICY__RULES": str(own)}
    names = [each["name"] for each in printed(with_own, "policy", "list")]
    assert "drugs" not in names
    assert names[-1] == "brands"
    assert "may be asked" in filmgate(with_own, "policy", "list").stdout
    assert 'Refused by brands: "acme cola"' in filmgate(with_own, "policy", "check", "ACME-Cola!", code=1).stdout


def test_rules_that_cannot_be_used_are_told_with_their_place(machine: dict[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[sexual]\nphrases = ['a*b']\n")
    for words in (("policy", "list"), ("policy", "check", "x"), ("serve", "--port", "0")):
        said = filmgate(machine | {"FILMGATE_POLICY__RULES": str(own)}, *words, code=2).stderr
        assert f"{own}: sexual.phrases has 'a*b'" in said
