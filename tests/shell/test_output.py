"""Where films go, what they are called, and what is said meanwhile."""

from __future__ import annotations

import os
import socket
import unicodedata
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.cli.config import masked_url
from filmgate.cli.failures import Exit, Failure
from filmgate.cli.output import LONGEST_NAME, place, slug
from filmgate.cli.progress import Lines, reporting
from filmgate.cli.saying import plain

Make = Callable[[Path], Path]


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


def test_a_link_to_a_film_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    film, link = tmp_path / "real" / "dog.mp4", tmp_path / "latest.mp4"
    film.write_text("old")
    link.symlink_to(film)
    with place(link, "unused") as target:
        target.temporary.write_text("new")
        assert target.temporary.parent == film.parent
        assert target.final == link
    assert link.is_symlink()
    assert film.read_text() == "new"


def _fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _socket(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    return path


def _dangling(path: Path) -> Path:
    path.symlink_to(path.parent / "nowhere")
    return path


def _loop(path: Path) -> Path:
    path.symlink_to(path)
    return path


def _link_to_a_device(path: Path) -> Path:
    path.symlink_to(os.devnull)
    return path


@pytest.mark.parametrize("make", [_fifo, _socket, _dangling, _loop, _link_to_a_device])
def test_what_is_no_file_is_refused_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    path = make(Path("special"))
    before = path.lstat()
    with pytest.raises(Failure, match="special") as refused, place(path, "unused"):
        pytest.fail("work began")
    assert refused.value.exit_code == Exit.USAGE
    assert path.lstat() == before
    assert list(Path().iterdir()) == [path]


def test_devices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="not a file that a film could replace"), place(Path(os.devnull), "unused"):
        pytest.fail("work began")
    assert Path(os.devnull).is_char_device()


def test_what_became_special_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    film = tmp_path / "dog.mp4"
    with pytest.raises(Failure, match="pipe"), place(film, "unused"):
        os.mkfifo(film)
    assert list(tmp_path.iterdir()) == [film]


def test_a_folder_in_the_place_of_the_film_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dog.mp4").mkdir()
    with pytest.raises(Failure, match="is a folder"), place(None, "dog"):
        pytest.fail("work began")


def test_films_do_not_go_to_standard_output() -> None:
    with pytest.raises(Failure, match="standard output") as refused, place(Path("-"), "dog"):
        pytest.fail("work began")
    assert refused.value.exit_code == Exit.USAGE


@given(st.text())
def test_plain_text_is_one_line_that_moves_no_cursor(text: str) -> None:
    shown = plain(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in shown)
    assert plain(shown) == shown


def test_plain_text_leaves_words_and_pictures_alone() -> None:
    assert plain("Köln 夜 👩‍🚀 'quoted'") == "Köln 夜 👩‍🚀 'quoted'"
    assert plain("\x1b[2J\r\n\u202eevil\x9b\u2028") == r"\x1b[2J\r\n\u202eevil\x9b\u2028"


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
