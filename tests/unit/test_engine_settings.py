"""The [engines.NAME] tables: read strictly, secrets kept from sight, and handed to the engine's class."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from filmgate.cli.program import program
from filmgate.domain.errors import EngineUnavailable
from filmgate.engines import wire
from filmgate.engines.registry import Declared, Registry
from filmgate.engines.slots import LocalSlots, SlotLimits
from filmgate.ports import Secret
from filmgate.settings import SettingsError, load
from support.server import PLUGIN
from trial_engine import ToldEngine

KEY = "a-key-that-nobody-is-to-see"
HOUSE = """
[engines.house]
kind = "told"
house = "http://127.0.0.1:8091/v1"
api_key_file = "key"
weights = "models/wan"
slots = 2
[models.veo3_fast]
engine = "house"
fallback = ["storyboard"]
"""


def written(folder: Path, text: str) -> Path:
    (folder / "key").write_text(KEY + "\n")
    path = folder / "filmgate.toml"
    path.write_text(text)
    return path


def test_a_table_becomes_what_the_engines_class_wants(tmp_path: Path) -> None:
    settings = load(environ={}, toml=written(tmp_path, HOUSE))
    engine = settings.engine("house")
    assert engine.config == ToldEngine.Config("http://127.0.0.1:8091/v1", Secret(KEY), tmp_path / "models/wan")
    assert (engine.kind, engine.slots) == ("told", 2)
    assert settings.routes()["veo3_fast"].engines == ("house", "storyboard")
    assert isinstance(settings.registry().make("house"), ToldEngine)
    assert settings.registry().capabilities("house").audio


def test_a_name_without_a_kind_is_its_own_kind(tmp_path: Path) -> None:
    settings = load(environ={}, toml=written(tmp_path, '[engines.told]\nhouse = "here"\n'))
    assert settings.engine("told").kind == "told"


def test_an_engine_without_a_config_is_made_with_nothing() -> None:
    assert Registry().make("trial").name == "trial"
    assert Registry({"mine": Declared("trial")}).make("mine").name == "trial"


def test_an_engine_that_has_to_be_told_something_says_what() -> None:
    with pytest.raises(EngineUnavailable, match=re.escape("has to be told house: write a table [engines.told]")):
        Registry().make("told")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[engines.house]\nkind = "tolt"\n', "engines.house: There is no engine named 'tolt'.* Did you mean told?"),
        ('[engines.house]\nkind = "told"\nhose = "x"\n', "engines.house has hose, which is no setting. Did you mean h"),
        ('[engines.told]\nhouse = "x"\napi_key_fil = "k"\n', "no setting. Did you mean api_key_file?"),
        ("[engines.told]\nhouse = 3\n", "engines.told is not usable: Expected `str`, got `int`.*house"),
        ('[engines.told]\nhouse = "x"\ntries = "3"\n', "Expected `int`, got `str`"),
        ('[engines.told]\nhouse = "x"\napi_key_file = "none"\n', "api_key_file names none, which cannot be read"),
        ('[engines.told]\nhouse = "x"\nconcurrency = 3\n', "renders on this machine: what it may do is in slots"),
        ('[engines.told]\nhouse = "x"\nslots = 0\n', "engines.told.slots is 0; it must be a number from 1 to 64"),
        ('[engines.told]\nhouse = "x"\nslots = true\n', "slots is True"),
        ('[engines.trial]\nhouse = "x"\n', "has house, but the engine trial has no settings of its own"),
        ('[engines.Told]\nhouse = "x"\n', "an engine's name has small letters"),
        ('[engines.media]\nkind = "told"\n', "neither media nor"),
        ("engines = 3\n", "engines are tables such as"),
        ("[engines]\nhouse = 3\n", "must be a table"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(environ={}, toml=written(tmp_path, table))


def test_no_complaint_repeats_a_secret(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={}, toml=written(tmp_path, f'[engines.told]\napi_key = "{KEY}"\n'))
    assert KEY not in str(caught.value)


def test_config_show_masks_secrets(tmp_path: Path) -> None:
    words = ["config", "show", "--json", "--config", str(written(tmp_path, HOUSE))]
    shown = CliRunner().invoke(program, words).output
    rows: dict[str, Any] = {row["name"]: row for row in json.loads(shown)}
    assert rows["engines.house.kind"]["value"] == "told"
    assert rows["engines.house.house"]["value"] == "http://127.0.0.1:8091/v1"
    assert rows["engines.house.api_key"]["value"] == "********"
    assert rows["engines.house.house"]["origin"].endswith("filmgate.toml: engines.house")
    assert KEY not in shown


def test_a_secret_does_not_show_by_accident() -> None:
    config = ToldEngine.Config("here", Secret(KEY))
    assert KEY not in f"{config} {config!r} {config.api_key}"
    assert config.api_key.reveal() == KEY
    assert not ToldEngine.Config("here").api_key


def test_a_slot_is_told_too_and_not_by_its_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))
    config = ToldEngine.Config("here", Secret(KEY), tmp_path / "wan")

    def seen(pid: int | None) -> str:
        return Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()

    async def command_line() -> str:
        slots = LocalSlots(SlotLimits(), engines=Registry({"house": Declared("told", config)}), log_to=2)
        try:
            await slots.open("house", 1)
            (slot,) = slots.health()
            return seen(slot.pid)
        finally:
            await slots.close()

    assert KEY not in asyncio.run(command_line())
    assert f"told here {tmp_path}/wan 3 a key" in capfd.readouterr().err


def test_what_a_slot_is_told_comes_back_as_it_was(tmp_path: Path) -> None:
    told = Declared("told", ToldEngine.Config("here", Secret(KEY), tmp_path))
    asked = wire.decode_asked(wire.encode(wire.load_of(told)))
    assert isinstance(asked, wire.Load)
    assert wire.declared_of(asked) == told
