"""Where films go, what they are called, and what is said meanwhile."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.cli.config import masked_url
from filmgate.cli.failures import Exit, Failure
from filmgate.cli.output import LONGEST_NAME, place, slug
from filmgate.cli.progress import Lines, reporting


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A dog playing in a park", "a-dog-playing-in-a-park"),
        ("  Éclair, s'il vous plaît! ", "eclair-s-il-vous-plait"),
        ("../../etc/passwd", "etc-passwd"),
        ("夜の街", "film"),
        ("", "film"),
        ("w" * 200, "film"),
    ],
)
def test_a_name_from_a_prompt(prompt: str, name: str) -> None:
    assert slug(prompt) == name


@given(st.text())
def test_any_prompt_gives_a_safe_name(prompt: str) -> None:
    name = slug(prompt)
    assert 0 < len(name) <= LONGEST_NAME
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def _interrupted(film: Path, meanwhile: Path | None = None) -> None:
    with place(film, "unused") as target:
        target.temporary.write_text("half")
        if meanwhile:
            meanwhile.write_text("somebody else's")
        raise KeyboardInterrupt


def test_a_finished_film_replaces_the_one_that_was_there(tmp_path: Path) -> None:
    film = tmp_path / "dog.mp4"
    film.write_text("old")
    with place(film, "unused") as target:
        target.temporary.write_text("new")
        assert film.read_text() == "old"
    assert film.read_text() == "new"
    assert list(tmp_path.iterdir()) == [film]


def test_a_film_that_fails_leaves_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    film = tmp_path / "deep" / "er" / "dog.mp4"
    with pytest.raises(KeyboardInterrupt):
        _interrupted(film)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_were_there_or_got_company_stay(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _interrupted(tmp_path / "films" / "dog.mp4", meanwhile=tmp_path / "films" / "cat.mp4")
    assert [each.name for each in (tmp_path / "films").iterdir()] == ["cat.mp4"]


def test_a_folder_gets_a_file_named_after_the_prompt(tmp_path: Path) -> None:
    with place(tmp_path, "a-dog") as target:
        assert target.final == tmp_path / "a-dog.mp4"


def test_without_an_output_the_film_goes_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with place(None, "a-dog"):
        pass
    assert (tmp_path / "a-dog.mp4").exists()


def test_a_place_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Failure, match="cannot be made") as refused, place(tmp_path / "file" / "dog.mp4", "unused"):
        pytest.fail("work began")
    assert refused.value.exit_code == Exit.USAGE


def test_lines_say_every_stage_and_every_quarter_of_a_long_one() -> None:
    said: list[str] = []
    say = Lines(said.append)
    for fraction, stage in [
        (0, "loading"),
        (0.01, "loading"),
        *((i / 100, "drawing") for i in range(5, 100)),
        (1, "done"),
    ]:
        say(fraction, stage)
    assert said == ["  0% loading", "  5% drawing", " 30% drawing", " 55% drawing", " 80% drawing", "100% done"]


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with reporting(quiet=True) as report:
        report(0.5, "drawing")
    assert capfd.readouterr() == ("", "")


def test_a_failure_is_a_click_exception_with_its_code() -> None:
    failure = Failure("Please enter a prompt.", Exit.USAGE)
    assert isinstance(failure, click.ClickException)
    assert failure.exit_code == 2


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/filmgate.db", "sqlite:////srv/filmgate.db"),
        ("postgresql://ada:secret@db/films", "postgresql://ada:********@db/films"),
    ],
)
def test_passwords_in_addresses_are_masked(url: str, shown: str) -> None:
    assert masked_url(url) == shown
