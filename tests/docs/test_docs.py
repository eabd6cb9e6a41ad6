"""The documentation is complete, up to date, and speaks of no machine but the reader's."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from filmgate.cli.failures import EXIT_CODES
from filmgate.cli.program import COMMANDS, EPILOG, program
from filmgate.settings import known

ROOT = Path(__file__).parents[2]
SERVED = sorted((ROOT / "src" / "filmgate" / "http" / "pages").glob("*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *SERVED])
PLAIN = [ROOT / name for name in ("Makefile", "NOTICE", ".ci/run", "pyproject.toml")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
PROGRAM = re.compile(r"\bprogram\((\"[^)]+)\)")
PLACES = re.compile(r"/(root|home/[a-z]+|work|Users)/|pypi\.|pythonhosted|npmjs|artifactory|nexus\.|index-url", re.I)


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, under its full name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield " ".join(("filmgate", *words, name)), command


ALL_COMMANDS = dict(commands(program))


def test_the_table_of_settings_is_up_to_date() -> None:
    script: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "document_settings.py"))
    assert script["written"](text_of("settings.md")) == text_of("settings.md")


@pytest.mark.parametrize("setting", known(), ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting: Any) -> None:
    row = next(line for line in text_of("settings.md").splitlines() if line.startswith(f"| `{setting.variable}` |"))
    assert setting.facts.sentence in row
    assert setting.facts.sentence.endswith(".")


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_every_command_is_documented_with_its_options(name: str) -> None:
    page = text_of("cli.md")
    assert f"\n## {name}\n" in page
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    shared = {"data", "config", "json_", "url", "api_key"}  # described once, where they come up first
    for option in ALL_COMMANDS[name].params:
        if isinstance(option, click.Option) and option.name not in shared:
            assert f"`{option.opts[-1]}" in section, f"{name} says nothing of {option.opts[-1]}"


def test_nothing_is_documented_that_does_not_exist() -> None:
    assert {f"filmgate {name}" for name in re.findall(r"^## filmgate (.+)$", text_of("cli.md"), re.M)} == set(
        ALL_COMMANDS
    )


def test_every_command_says_in_one_line_what_it_does() -> None:
    for name, (_, line) in COMMANDS.items():
        command = program.get_command(click.Context(program), name)
        assert command is not None
        assert line.endswith("."), name
        assert command.help, name


def test_every_exit_code_is_documented() -> None:
    page = text_of("cli.md")
    for code, words in EXIT_CODES.items():
        assert f"| {code.value} | {words} |" in page
        assert f"{code.value} {words}" in EPILOG


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    missing = [link for link in targets if not (page.parent / link.partition("#")[0]).exists()]
    assert missing == []


@pytest.mark.parametrize("page", [*PAGES, *PLAIN], ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_speaks_of_one_machine_or_one_registry(page: Path) -> None:
    assert PLACES.findall(page.read_text(encoding="utf-8")) == []


def test_the_readme_names_what_is_missing_most_often() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "apt-get install -y libegl1 libgl1 libexpat1" in readme


def test_the_readme_shows_what_comes_out_and_says_where_it_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(r"!\[.+?\]\(docs/gallery/.+?\.jpg\)", readme)) >= 5
    assert "runs on Linux only" in readme


def test_ci_installs_every_program_that_a_test_asks_for() -> None:
    asked = [call for page in (ROOT / "tests").rglob("*.py") for call in PROGRAM.findall(page.read_text("utf-8"))]
    installed = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert asked
    for names in asked:
        assert any(f"have {name.strip(chr(34))} " in installed for name in names.split(", ")), names


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", changelog, re.M)[0] == "Unreleased"


@pytest.mark.parametrize("page", SERVED, ids=lambda page: str(page.stem))
def test_the_served_pages_speak_of_settings_that_there_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    clients = {"FILMGATE_URL", "FILMGATE_API_KEY"}
    assert set(re.findall(r"FILMGATE_\w+", text)) - clients <= {setting.variable for setting in known()}


def test_the_contract_has_every_statement_once_and_in_order() -> None:
    assert [int(number) for number in re.findall(r"^\* \*\*C(\d+)\*\* ", text_of("contract.md"), re.M)][:66] == [
        *range(1, 67)
    ]


def test_what_goes_beyond_is_numbered_in_order_too() -> None:
    numbers = [int(number) for number in re.findall(r"^\* \*\*F(\d+)\*\* .+(?:\n  .+)*", _beyond(), re.M)]
    assert numbers == [*range(1, len(numbers) + 1)]
    assert numbers


def _beyond() -> str:
    return text_of("contract.md").split("\n## Beyond the hosted API\n")[1].split("\n## ")[0]


def test_every_cell_of_the_contract_has_one_cause() -> None:
    table = text_of("contract.md").split("<!-- cells: begin -->")[1].split("<!-- cells: end -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    assert len({(endpoint, code) for endpoint, code, _ in rows}) == len(rows)
    for endpoint, code, cause in rows:
        assert code.isdigit(), endpoint
        assert re.fullmatch(r"(nothing|later): \S.+|(?!nothing|later).+", cause), cause
